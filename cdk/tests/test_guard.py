"""What is deployed is taken away on request only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from botocore.stub import Stubber
from langgraph_checkpoint_dynamodb_cdk import guard

from tests.support import ACCOUNT, REGION, saying

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support import Synthesizer

FULL: dict[str, Any] = {
    "run_id_index_name": "by-run",
    "thread_index_owner": "user_id",
    "replica_regions": ["eu-west-1"],
    "create_bucket": True,
}
STACK_ID = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/Agents/1"


def lost(synthesizer: Synthesizer, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    deployed = synthesizer.ready_made(**before).template
    return [
        f"{thing.name}: {thing.fate}"
        for thing in guard.lost(deployed, synthesizer.ready_made(**after).template)
    ]


@pytest.mark.parametrize(
    ("forgotten", "expected"),
    [
        ("run_id_index_name", ["the index by-run of langgraph-checkpoints: deleted"]),
        ("thread_index_owner", ["the index by-owner of langgraph-checkpoints: deleted"]),
        (
            "replica_regions",
            [
                "langgraph-checkpoints in eu-west-1: deleted",
                "langgraph-writes in eu-west-1: deleted",
            ],
        ),
        ("create_bucket", ["the bucket with a generated name: left behind"]),
    ],
)
def test_a_setting_that_was_forgotten_is_noticed(
    synthesizer: Synthesizer, forgotten: str, expected: list[str]
) -> None:
    after = {name: value for name, value in FULL.items() if name != forgotten}
    assert lost(synthesizer, FULL, after) == expected


def test_another_name_takes_away_what_had_the_first(synthesizer: Synthesizer) -> None:
    found = lost(synthesizer, {}, {"writes_table_name": "other"})
    assert "the table langgraph-writes: left behind" in found
    renamed = {**FULL, "thread_index_name": "threads"}
    assert lost(synthesizer, FULL, renamed) == [
        "the index by-owner of langgraph-checkpoints: deleted"
    ]


@pytest.mark.parametrize("before", [{}, FULL])
def test_what_stays_or_is_added_is_no_loss(
    synthesizer: Synthesizer, before: dict[str, Any]
) -> None:
    assert lost(synthesizer, before, {**FULL, "ttl_seconds": 60}) == []


def test_the_refusal_says_what_is_lost_and_both_ways_out() -> None:
    taken = [guard.Thing("the index by-run of t", "deleted")]
    assert guard.refusal("Agents", taken) == (
        "Agents has what these settings leave out: the index by-run of t (deleted). Set it again "
        "as it was, best in cdk.json, or take it away with -c allow_removal=true"
    )


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """CloudFormation, at the border of the SDK: what it answers is put in."""
    client = boto3.client(
        "cloudformation",
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - not a secret
    )
    monkeypatch.setattr("boto3.client", lambda *_, **__: client)
    with Stubber(client) as stubber:
        yield stubber


def described(stack_id: str = STACK_ID) -> dict[str, Any]:
    stack = {"StackName": "Agents", "StackId": stack_id, "StackStatus": "UPDATE_COMPLETE"}
    return {"Stacks": [{**stack, "CreationTime": "2026-01-01T00:00:00Z"}]}


def test_the_template_that_was_deployed_is_asked_for(cloudformation: Stubber) -> None:
    cloudformation.add_response("describe_stacks", described(), {"StackName": "Agents"})
    # The SDK has read it by then.
    cloudformation.add_response(
        "get_template", {"TemplateBody": '{"Resources": {}}'}, {"StackName": "Agents"}
    )
    assert guard.deployed_template("Agents", ACCOUNT, REGION) == {"Resources": {}}


def test_a_stack_that_is_not_there_has_nothing(cloudformation: Stubber) -> None:
    cloudformation.add_client_error(
        "describe_stacks", "ValidationError", "Stack with id Agents does not exist"
    )
    assert guard.deployed_template("Agents", ACCOUNT, REGION) == {}


def of_another_account(stubber: Stubber) -> None:
    stubber.add_response("describe_stacks", described(STACK_ID.replace(ACCOUNT, "9" * 12)))


def refused(stubber: Stubber) -> None:
    stubber.add_client_error("describe_stacks", "AccessDenied", "not authorized to perform it")


@pytest.mark.parametrize(
    ("answer", "message"),
    [(of_another_account, "of another account than 123456789012"), (refused, "not authorized")],
)
def test_a_stack_that_cannot_be_seen_is_told_from_one_that_is_not_there(
    cloudformation: Stubber, answer: Callable[[Stubber], None], message: str
) -> None:
    answer(cloudformation)
    with pytest.raises(guard.UnknownStackError, match=saying(message)):
        guard.deployed_template("Agents", ACCOUNT, REGION)


def test_without_credentials_nothing_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def client(*_: object, **__: object) -> None:
        raise NoCredentialsError

    monkeypatch.setattr("boto3.client", client)
    with pytest.raises(guard.UnknownStackError, match="credentials"):
        guard.deployed_template("Agents", ACCOUNT, REGION)

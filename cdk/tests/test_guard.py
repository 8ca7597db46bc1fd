"""The app removes deployed resources only on request."""

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


def removed(synthesizer: Synthesizer, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    deployed = synthesizer.ready_made(**before).template
    return [
        f"{resource.name}: {resource.on_removal}"
        for resource in guard.removed(deployed, synthesizer.ready_made(**after).template)
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
def test_a_forgotten_setting_is_noticed(
    synthesizer: Synthesizer, forgotten: str, expected: list[str]
) -> None:
    after = {name: value for name, value in FULL.items() if name != forgotten}
    assert removed(synthesizer, FULL, after) == expected


def test_another_name_removes_the_resource_of_the_first_name(synthesizer: Synthesizer) -> None:
    found = removed(synthesizer, {}, {"writes_table_name": "other"})
    assert "the table langgraph-writes: left behind" in found
    renamed = {**FULL, "thread_index_name": "threads"}
    assert removed(synthesizer, FULL, renamed) == [
        "the index by-owner of langgraph-checkpoints: deleted"
    ]


@pytest.mark.parametrize("before", [{}, FULL])
def test_unchanged_and_added_resources_are_not_removed(
    synthesizer: Synthesizer, before: dict[str, Any]
) -> None:
    assert removed(synthesizer, before, {**FULL, "ttl_seconds": 60}) == []


def test_the_error_lists_what_would_be_removed_and_both_ways_to_go_on() -> None:
    resources = [guard.Protected("the index by-run of t", "deleted")]
    assert guard.removal_error("Agents", resources) == (
        "Agents: these settings would remove deployed resources: the index by-run of t (deleted). "
        "Restore the settings, preferably in cdk.json, or confirm the removal with "
        "-c allow_removal=true"
    )


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """A CloudFormation client with stubbed responses."""
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


def test_the_deployed_template_is_requested(cloudformation: Stubber) -> None:
    cloudformation.add_response("describe_stacks", described(), {"StackName": "Agents"})
    # The SDK parses the template, but the stub takes it as text.
    cloudformation.add_response(
        "get_template", {"TemplateBody": '{"Resources": {}}'}, {"StackName": "Agents"}
    )
    assert guard.deployed_template("Agents", ACCOUNT, REGION) == {"Resources": {}}


def test_a_missing_stack_has_an_empty_template(cloudformation: Stubber) -> None:
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
    [(of_another_account, "to another account than 123456789012"), (refused, "not authorized")],
)
def test_an_unreadable_stack_is_not_taken_for_a_missing_one(
    cloudformation: Stubber, answer: Callable[[Stubber], None], message: str
) -> None:
    answer(cloudformation)
    with pytest.raises(guard.UnknownStackError, match=saying(message)):
        guard.deployed_template("Agents", ACCOUNT, REGION)


def test_without_credentials_the_stack_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def client(*_: object, **__: object) -> None:
        raise NoCredentialsError

    monkeypatch.setattr("boto3.client", client)
    with pytest.raises(guard.UnknownStackError, match="credentials"):
        guard.deployed_template("Agents", ACCOUNT, REGION)

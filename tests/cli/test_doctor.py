"""`doctor` reports what is wrong, and the fix."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from langgraph_checkpoint_dynamodb.cli.commands.doctor import Role
from langgraph_checkpoint_dynamodb.policies import ROLES, RUN_ACTIONS, SETUP_ACTIONS
from tests.cli.conftest import INDEXED
from tests.support.iam import asks

if TYPE_CHECKING:
    from collections.abc import Collection

    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from tests.cli.conftest import Cli
    from tests.support.tables import Tables


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, cli: Cli) -> Aws:  # noqa: ARG001 - its sessions are patched
    made = Aws()
    session = boto3.Session
    monkeypatch.setattr(boto3, "Session", lambda **given: made.patched(session(**given)))
    return made


@dataclass
class Aws:
    """AWS between the command line and the engine: it denies, describes, simulates as configured.

    Attributes:
        refused: Actions that are denied.
        described: Fields that are added to the response of DescribeTable, by name.
        expiry: The response of DescribeTimeToLive; `None` for the engine's own.
        off: The difference of its clock.
        judgements: IAM's decisions for actions; `None` if the simulation is denied.
    """

    refused: Collection[str] = ()
    described: dict[str, Any] = field(default_factory=dict)
    expiry: dict[str, Any] | None = None
    off: timedelta | None = None
    judgements: dict[str, str] | None = None

    def patched(self, session: Any) -> Any:
        session.events.register("before-call", self.refuse)
        session.events.register("before-parse.dynamodb", self.set_clock)
        session.events.register("after-call.dynamodb.DescribeTable", self.describe)
        session.events.register("after-call.dynamodb.DescribeTimeToLive", self.tell_expiry)
        return session

    def refuse(self, model: Any, params: Any, **_: Any) -> Any:
        service = model.service_model.service_name
        if service in ("iam", "sts"):
            return self._answer(model.name, params)
        # `params` are serialized already; the body is the request.
        body = json.loads(params["body"]) if service == "dynamodb" else {}
        wanted = {ask.action for ask in asks(model.name, body)} if body else set()
        for action in wanted & set(self.refused):
            message = {"Error": {"Code": "AccessDeniedException", "Message": action}}
            return _response(400), {**message, "ResponseMetadata": {}}
        return None

    def _answer(self, name: str, params: Any) -> Any:
        ok = _response(200)
        if name == "GetCallerIdentity":
            return ok, {"Arn": "arn:aws:sts::123456789012:assumed-role/agents/me"}
        if self.judgements is None:
            denied = {"Error": {"Code": "AccessDenied", "Message": name}, "ResponseMetadata": {}}
            return _response(403), denied
        if name == "GetRole":
            return ok, {"Role": {"Arn": "arn:aws:iam::123456789012:role/agents"}}
        body = params["body"]
        assert body["PolicySourceArn"] == "arn:aws:iam::123456789012:role/agents"
        names = [value for key, value in body.items() if key.startswith("ActionNames.")]
        results = [
            {"EvalActionName": one, "EvalDecision": self.judgements.get(one, "allowed")}
            for one in names
        ]
        return ok, {"EvaluationResults": results, "IsTruncated": False}

    def set_clock(self, response_dict: Any, **_: Any) -> None:
        if self.off is not None:
            moment = datetime.now(timezone.utc) + self.off
            response_dict["headers"]["date"] = format_datetime(moment, usegmt=True)

    def describe(self, parsed: Any, **_: Any) -> None:
        if "Table" in parsed:
            parsed["Table"].update(self.described)

    def tell_expiry(self, parsed: Any, **_: Any) -> None:
        if self.expiry is not None:
            parsed["TimeToLiveDescription"] = self.expiry


def _response(status: int) -> AWSResponse:
    return AWSResponse("", status, HTTPHeaders(), b"")


def marks(cli: Cli, *options: str, code: int = 0) -> dict[str, str]:
    """The status of every check, by the first word of its subject."""
    document = cli("doctor", "--json", *options, code=code).document
    assert document["wrong"] == sum(one["mark"] == "WRONG" for one in document["findings"])
    found: dict[str, str] = {}
    for one in document["findings"]:
        subject = one["subject"]
        name = subject if subject.startswith("policy") else subject.split(" ")[0]
        if found.get(name) in (None, "OK"):
            found[name] = one["mark"]
    return found


@pytest.mark.usefixtures("listing")
def test_nothing_is_wrong_with_tables_that_setup_has_made(cli: Cli) -> None:
    said = cli("doctor", "--role", "read", "--role", "runtime")

    assert said.out.splitlines()[-1] == "Nothing is wrong."
    assert all(line.startswith("OK ") for line in said.out.splitlines()[:-2])
    assert set(marks(cli)) == {
        "versions",
        "zstd",
        "credentials",
        "table",
        "keys",
        "index",
        "time",
        "encryption",
        "clock",
        "identity",
        *(f"policy {name}" for name in ROLES),
    }


def test_doctor_changes_nothing(cli: Cli, tables: Tables, listing: DynamoDBSaver) -> None:
    assert listing is not None
    cli("doctor", "--role", "admin")

    assert tables.checkpoint_items() == []
    assert tables.items_beside() == []


def test_tables_that_are_missing_are_wrong(cli: Cli) -> None:
    said = cli("doctor", code=1)

    assert f"WRONG    table {cli.tables.checkpoints}: is not there" in said.out
    assert "-> run `langgraph-dynamodb setup`" in said.out
    assert "2 things to put right." in said.out


def test_other_keys_are_wrong(cli: Cli, tables: Tables, listing: DynamoDBSaver) -> None:
    assert listing is not None
    found = marks(cli, "--checkpoints-table", tables.writes, "--writes-table", "nope-x", code=1)

    assert found["keys"] == "WRONG"


@pytest.mark.usefixtures("plain")
def test_an_index_that_is_named_and_not_there_is_wrong(cli: Cli) -> None:
    assert marks(cli, "--owner-key", "user_id", code=1)["index"] == "WRONG"
    assert marks(cli, "--run-id-index", "by-run", code=1)["index"] == "WRONG"


@pytest.mark.usefixtures("plain")
def test_expiry_that_is_off_is_wrong_where_checkpoints_expire(cli: Cli, aws: Aws) -> None:
    assert marks(cli)["time"] == "OK"
    assert marks(cli, "--ttl-seconds", "3600", code=1)["time"] == "WRONG"
    aws.expiry = {"TimeToLiveStatus": "ENABLED", "AttributeName": "other"}
    assert marks(cli, code=1)["time"] == "WRONG"
    aws.expiry = {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
    assert marks(cli, "--ttl-seconds", "3600")["time"] == "OK"


@pytest.mark.usefixtures("plain")
def test_a_key_that_cannot_be_used_is_wrong(cli: Cli, aws: Aws) -> None:
    aws.described = {"SSEDescription": {"Status": "ENABLED", "KMSMasterKeyArn": "arn:aws:kms:k"}}
    assert "ENABLED, with arn:aws:kms:k" in cli("doctor").out
    aws.described["SSEDescription"]["InaccessibleEncryptionDateTime"] = 1
    assert marks(cli, code=1)["encryption"] == "WRONG"


@pytest.mark.usefixtures("plain")
def test_a_table_that_is_not_active_is_wrong(cli: Cli, aws: Aws) -> None:
    aws.described = {"TableStatus": "INACCESSIBLE_ENCRYPTION_CREDENTIALS"}

    assert marks(cli, code=1)["table"] == "WRONG"


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("seconds", [-600, 600])
def test_a_clock_that_is_off_is_wrong(cli: Cli, aws: Aws, seconds: int) -> None:
    aws.off = timedelta(seconds=seconds / 20)
    assert marks(cli)["clock"] == "OK"
    aws.off = timedelta(seconds=seconds)
    assert marks(cli, code=1)["clock"] == "WRONG"


@pytest.mark.sample(1)
@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("action", sorted(RUN_ACTIONS))
def test_rights_are_told_by_trying(cli: Cli, aws: Aws, action: str) -> None:
    aws.refused = [action]

    said = cli("doctor", code=1)
    found = marks(cli, code=1)

    assert found["policy runtime"] == "WRONG"
    assert f"it lacks {action}" in said.out
    assert "by trying what changes nothing" in said.out
    # No other role is checked, so missing permissions of others are no error.
    assert found["policy admin"] == "OK"
    assert marks(cli, "--role", "setup")["policy setup"] == "UNKNOWN"


@pytest.mark.usefixtures("plain")
def test_who_may_not_describe_tables_is_told_so(cli: Cli, aws: Aws) -> None:
    aws.refused = SETUP_ACTIONS

    found = marks(cli, "--role", "read")

    assert found["table"] == "UNKNOWN"
    assert found["policy read"] == "OK"
    assert marks(cli, "--role", "setup", code=1)["policy setup"] == "WRONG"


@pytest.mark.usefixtures("plain")
def test_iam_is_asked_where_it_answers(cli: Cli, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    for service in ("IAM", "STS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", "http://127.0.0.1:9")
    aws.judgements = {"dynamodb:PutItem": "implicitDeny"}

    said = cli("doctor", code=1)

    assert "assumed-role/agents/me; rights are found by IAM's simulation" in said.out
    assert "to run graphs, it lacks dynamodb:PutItem" in said.out
    aws.judgements = {}
    assert marks(cli, "--role", "admin", "--role", "setup")["policy admin"] == "OK"
    aws.judgements = None
    assert "by trying what changes nothing" in cli("doctor").out


def test_an_endpoint_at_which_nobody_listens_is_wrong(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    said = cli("doctor", "--endpoint-url", "http://127.0.0.1:9", code=1)

    assert "WRONG    endpoint: http://127.0.0.1:9 does not answer" in said.out


def test_missing_credentials_are_wrong(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")

    assert "WRONG    credentials: there are none" in cli("doctor", code=1).out


def test_the_roles_are_those_of_the_published_policies() -> None:
    assert [role.value for role in Role] == [*ROLES]


def test_indexes_are_among_what_is_tried(cli: Cli, aws: Aws, tables: Tables) -> None:
    tables.set_up(**INDEXED, run_id_index="by-run")

    assert marks(cli, "--role", "admin")["policy admin"] == "OK"
    aws.refused = ["dynamodb:Query", "dynamodb:Scan"]
    said = " ".join(cli("doctor", "--role", "admin", code=1).out.split())
    for lacking in ("Query (index)", "Query (threads)", "Scan (threads)"):
        assert f"dynamodb:{lacking}" in said

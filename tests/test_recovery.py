"""Tables are restored to a point in time, with the settings that a restore leaves out.

moto restores the current contents of a table, whatever time is requested. So these tests cover
everything else: the time, the names, the settings that are copied, and that it can be repeated.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb import DynamoDBSaver
from langgraph_checkpoint_dynamodb.recovery import (
    RecoveryError,
    Tables,
    Window,
    bring_back_objects,
    common_window,
    main,
    restore_tables,
)
from langgraph_checkpoint_dynamodb.store import DynamoDBStore
from langgraph_checkpoint_dynamodb.testing import embedded_engine
from tests.support.calls import SyncCalls
from tests.support.sessions import new_session
from tests.support.values import put_chain

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 3, 1, 12, 0, 30, 500_000, tzinfo=timezone.utc)
MOMENT = datetime(2026, 3, 1, 11, 30, tzinfo=timezone.utc)
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
            "Action": "dynamodb:Query",
            "Resource": ["TABLE", "TABLE/index/*", "TABLE-of-another"],
        }
    ],
}

_numbers = itertools.count()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with embedded_engine() as endpoint:
        yield endpoint


@dataclass(frozen=True)
class Source:
    """Tables to restore: with a thread and a store item, and all settings on."""

    client: Any
    tables: Tables
    url: str

    def described(self, name: str) -> dict[str, Any]:
        table: dict[str, Any] = self.client.describe_table(TableName=name)["Table"]
        return table

    def open_store(self, tables: Tables) -> DynamoDBStore:
        assert tables.store is not None
        return DynamoDBStore(
            store_table_name=tables.store, session=new_session(), endpoint_url=self.url
        )

    def open_saver(self, tables: Tables) -> DynamoDBSaver:
        return DynamoDBSaver(
            checkpoints_table_name=tables.checkpoints,
            writes_table_name=tables.writes,
            thread_index={"owner": "user_id"},
            ttl_seconds=86_400,
            session=new_session(),
            endpoint_url=self.url,
        )


@pytest.fixture
def source(url: str) -> Source:
    name = f"old-{os.getpid()}-{next(_numbers)}"
    tables = Tables(f"{name}-checkpoints", f"{name}-writes", f"{name}-store")
    made = Source(moto_client(url), tables, url)
    with made.open_saver(tables) as saver:
        saver.setup()
        put_chain(SyncCalls(saver), "kept", 3)
    with made.open_store(tables) as store:
        store.setup()
        store.put(("ann",), "likes", {"food": "soup"})
    for table in tables.names:
        arn = made.described(table)["TableArn"]
        made.client.update_table(TableName=table, DeletionProtectionEnabled=True)
        made.client.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": table}])
        made.client.update_continuous_backups(
            TableName=table,
            PointInTimeRecoverySpecification={
                "PointInTimeRecoveryEnabled": True,
                "RecoveryPeriodInDays": 20,
            },
        )
    policy = json.dumps(POLICY).replace("TABLE", made.described(tables.checkpoints)["TableArn"])
    made.client.put_resource_policy(
        ResourceArn=made.described(tables.checkpoints)["TableArn"], Policy=policy
    )
    return made


def moto_client(url: str) -> Any:
    """A client that adds what moto's responses lack: the times of point-in-time recovery."""
    session = new_session()
    restored: dict[str, datetime] = {}

    def add_window(parsed: dict[str, Any], **_: object) -> None:
        described = parsed.get("ContinuousBackupsDescription", {})
        recovery = described.get("PointInTimeRecoveryDescription", {})
        if "EarliestRestorableDateTime" in recovery:
            recovery["EarliestRestorableDateTime"] = NOW - timedelta(hours=1)
            recovery["LatestRestorableDateTime"] = NOW

    def remember(params: dict[str, Any], **_: object) -> None:
        restored[params["TargetTableName"]] = params["RestoreDateTime"]

    def add_moment(parsed: dict[str, Any], **_: object) -> None:
        table = parsed.get("Table", {})
        if "RestoreSummary" in table:
            table["RestoreSummary"]["RestoreDateTime"] = restored[table["TableName"]]

    session.events.register("after-call.dynamodb.DescribeContinuousBackups", add_window)
    session.events.register("before-parameter-build.dynamodb.RestoreTableToPointInTime", remember)
    session.events.register("after-call.dynamodb.DescribeTable", add_moment)
    return session.client("dynamodb", endpoint_url=url)


def restore(source: Source, moment: datetime = MOMENT) -> tuple[Tables, list[str]]:
    said: list[str] = []
    target = source.tables.with_suffix("-new")
    restore_tables(
        source.client, source.tables, target, moment, say=said.append, wait=lambda _: None
    )
    return target, said


def test_all_tables_are_restored_to_the_same_second(source: Source) -> None:
    target, _ = restore(source)
    moments = {source.described(name)["RestoreSummary"]["RestoreDateTime"] for name in target.names}
    assert moments == {MOMENT}
    with source.open_saver(target) as saver:
        saver.setup()
        assert len(list(saver.list({"configurable": {"thread_id": "kept"}}))) == 3
    with source.open_store(target) as store:
        store.setup()
        (found,) = store.search(("ann",))
    assert found.value == {"food": "soup"}


def test_a_store_is_left_out_where_it_is_not_named(source: Source) -> None:
    before = set(source.client.list_tables()["TableNames"])
    saver_tables = replace(source.tables, store=None)
    target = saver_tables.with_suffix("-new")
    restore_tables(
        source.client, saver_tables, target, MOMENT, say=lambda _: None, wait=lambda _: None
    )
    after = set(source.client.list_tables()["TableNames"])
    assert after - before == {target.checkpoints, target.writes}


def test_what_a_restore_leaves_out_is_set_as_the_old_tables_have_it(source: Source) -> None:
    target, _ = restore(source)
    for old, new in zip(source.tables.names, target.names, strict=True):
        described = source.described(new)
        assert described["DeletionProtectionEnabled"] is True
        assert source.client.describe_time_to_live(TableName=new)["TimeToLiveDescription"] == {
            "TimeToLiveStatus": "ENABLED",
            "AttributeName": "ttl",
        }
        backups = source.client.describe_continuous_backups(TableName=new)
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"
        assert recovery["RecoveryPeriodInDays"] == 20
        tags = source.client.list_tags_of_resource(ResourceArn=described["TableArn"])["Tags"]
        assert tags == [{"Key": "team", "Value": old}]


def test_a_resource_policy_names_the_new_table_and_its_indexes(source: Source) -> None:
    target, _ = restore(source)
    arn = source.described(target.checkpoints)["TableArn"]
    old = source.described(source.tables.checkpoints)["TableArn"]
    policy = json.loads(source.client.get_resource_policy(ResourceArn=arn)["Policy"])
    (statement,) = policy["Statement"]
    assert statement["Resource"] == [arn, f"{arn}/index/*", f"{old}-of-another"]
    assert statement["Principal"] == POLICY["Statement"][0]["Principal"]  # type: ignore[index]  # a constant above


def test_the_old_tables_stay_as_they_are(source: Source) -> None:
    before = [source.described(name) for name in source.tables.names]
    restore(source)
    assert [source.described(name) for name in source.tables.names] == before


def test_stopped_anywhere_it_is_finished_by_calling_it_again(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = source.client._make_api_call
    for allowed in itertools.count():
        left = itertools.count(allowed, -1)

        def cut_short(operation: str, params: Any, left: Iterator[int] = left) -> Any:
            if next(left) <= 0:
                raise InterruptedError
            return call(operation, params)

        monkeypatch.setattr(source.client, "_make_api_call", cut_short)
        try:
            target, _ = restore(source)
            break
        except InterruptedError:
            continue
    monkeypatch.undo()
    assert allowed > 20
    assert source.described(target.writes)["DeletionProtectionEnabled"] is True
    expiry = source.client.describe_time_to_live(TableName=target.writes)["TimeToLiveDescription"]
    assert expiry["TimeToLiveStatus"] == "ENABLED"


def test_a_table_of_another_moment_is_not_taken_for_this_one(source: Source) -> None:
    restore(source)
    with pytest.raises(RecoveryError, match=r"exists already.* as it was at .*--suffix"):
        restore(source, MOMENT + timedelta(seconds=1))


def test_a_table_that_was_not_restored_is_left_alone(source: Source) -> None:
    taken = source.tables.with_suffix("-new")
    with source.open_saver(taken) as saver:
        saver.setup()
    with pytest.raises(RecoveryError, match="exists already"):
        restore(source)


def test_the_moments_are_those_that_all_tables_have(source: Source) -> None:
    window = common_window(source.client, source.tables)
    assert window == Window(NOW - timedelta(hours=1), NOW)
    source.client.update_continuous_backups(
        TableName=source.tables.names[-1],
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False},
    )
    with pytest.raises(RecoveryError, match=r"recovery of table '.*-store' is DISABLED"):
        common_window(source.client, source.tables)


@pytest.mark.parametrize(
    ("asked", "moment"),
    [
        ("latest", NOW.replace(microsecond=0)),
        ("2026-03-01T11:30:00Z", MOMENT),
        ("2026-03-01T12:30:00.900+01:00", MOMENT),
    ],
)
def test_a_moment_is_a_second_with_its_offset(asked: str, moment: datetime) -> None:
    assert Window(NOW - timedelta(hours=1), NOW).moment(asked) == moment


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ("2026-03-01T11:30:00", "with its offset"),
        ("yesterday", "is not a moment"),
        ("2026-03-01T11:00:00Z", "outside of what the tables .* from 2026-03-01T11:00:30Z to"),
        ("2026-03-01T12:00:31Z", "outside"),
    ],
)
def test_another_moment_is_refused(asked: str, problem: str) -> None:
    with pytest.raises(RecoveryError, match=problem):
        Window(NOW - timedelta(hours=1), NOW).moment(asked)


@pytest.mark.parametrize("suffix", ["", "x" * 255])
def test_a_suffix_makes_new_names(suffix: str) -> None:
    with pytest.raises(RecoveryError, match="--suffix"):
        Tables("checkpoints", "writes").with_suffix(suffix)


def test_objects_that_were_deleted_since_come_back(url: str) -> None:
    client = new_session().client("s3", endpoint_url=url)
    name = f"restored-{os.getpid()}-{next(_numbers)}"
    client.create_bucket(Bucket=name)
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    for key in ("agents/kept", "agents/deleted", "agents/twice", "agents/long gone", "others/x"):
        client.put_object(Bucket=name, Key=key, Body=key.encode())
    client.delete_object(Bucket=name, Key="agents/long gone")
    moment = moments(client, name)
    client.put_object(Bucket=name, Key="agents/later", Body=b"later")
    for key in ("agents/deleted", "agents/twice", "agents/twice", "agents/later", "others/x"):
        client.delete_object(Bucket=name, Key=key)

    def after(parsed: dict[str, Any], **_: object) -> None:
        for kind in ("Versions", "DeleteMarkers"):
            for one in parsed.get(kind, []):
                known = moment.get(one["VersionId"])
                one["LastModified"] = known or MOMENT + timedelta(seconds=1)

    client.meta.events.register("after-call.s3.ListObjectVersions", after)
    said: list[str] = []
    assert bring_back_objects(client, name, "agents/", MOMENT, say=said.append) == 2
    listed = client.list_objects_v2(Bucket=name)["Contents"]
    assert {one["Key"] for one in listed} == {"agents/kept", "agents/deleted", "agents/twice"}
    body = client.get_object(Bucket=name, Key="agents/twice")["Body"].read()
    assert body == b"agents/twice"
    assert bring_back_objects(client, name, "agents/", MOMENT, say=said.append) == 0


def moments(client: Any, bucket: str) -> dict[str, datetime]:
    """Times of the versions as if stored shortly before `MOMENT`: moto's clock cannot be set."""
    found = client.list_object_versions(Bucket=bucket)
    puts = {one["VersionId"]: MOMENT - timedelta(minutes=2) for one in found["Versions"]}
    deletes = {one["VersionId"]: MOMENT for one in found["DeleteMarkers"]}
    return puts | deletes


def test_the_command_says_what_it_would_do_and_then_does_it(
    source: Source, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("boto3.Session", lambda **_: Clients(source.client))
    options = ("--checkpoints-table", "--writes-table", "--store-table")
    names = itertools.chain.from_iterable(zip(options, source.tables.names, strict=True))
    asked = [*names, "--moment", "latest"]
    target = source.tables.with_suffix("-restored")

    main([*asked, "--dry-run"])
    assert capsys.readouterr().out == (
        "the tables can be restored from 2026-03-01T11:00:30Z to 2026-03-01T12:00:30Z\n"
        f"restoring to 2026-03-01T12:00:30Z, as {' and '.join(target.names)}\n"
    )
    assert target.checkpoints not in source.client.list_tables()["TableNames"]

    main(asked)
    assert capsys.readouterr().out.endswith("sweep_orphans() there\n")
    assert set(target.names) <= set(source.client.list_tables()["TableNames"])


@dataclass(frozen=True)
class Clients:
    """A session that returns an existing client."""

    dynamodb: Any

    def client(self, service: str, **_: object) -> Any:
        return {"dynamodb": self.dynamodb}[service]


def test_the_command_can_be_run_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "langgraph_checkpoint_dynamodb.recovery", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "--moment" in done.stdout


def test_the_command_ends_with_a_message_and_no_traceback(url: str) -> None:
    with pytest.raises(SystemExit, match=r"^recovery: .*nowhere"):
        main(
            [
                "--checkpoints-table=nowhere",
                "--writes-table=neither",
                "--moment=latest",
                f"--endpoint-url={url}",
                "--region=us-east-1",
            ]
        )

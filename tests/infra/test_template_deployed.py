"""The CloudFormation template: deployed by a command of its README, used, updated, deleted."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.test_alarms import described
from tests.infra.test_deployments import SAID, converse, listed, opened_store, remember
from tests.infra.tools import ROOT, ToolError, aws
from tests.support.iam import ACCOUNT, REGION, Policy
from tests.support.savers import new_saver
from tests.support.sessions import held_session

if TYPE_CHECKING:
    from tests.infra.account import Account

FOLDER = ROOT / "cloudformation"
TABLES = {"langgraph-checkpoints", "langgraph-writes"}
STACK = "langgraph-checkpoints"


def deploy(account: Account, stack_name: str = STACK, **parameters: str) -> dict[str, str]:
    """Run the command of the README; returns the outputs of the stack."""
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    command = rf"^aws (cloudformation deploy --stack-name {stack_name} .+?)(?: \\$|$)"
    (line,) = re.findall(command, readme, flags=re.MULTILINE)
    overrides = [f"{name}={value}" for name, value in parameters.items()]
    given = ["--parameter-overrides", *overrides] if overrides else []
    aws(account, *shlex.split(line), *given)
    (stack,) = account.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"]
    return {found["OutputKey"]: found["OutputValue"] for found in stack.get("Outputs", [])}


OWN = {
    "Bucket": "create",
    "BucketKeyPrefix": "agents/",
    "CreatePolicies": "true",
    "PolicyNamePrefix": "ours",
    "DeletionProtection": "false",
}


def run_graph(account: Account, outputs: dict[str, str], thread_id: str) -> None:
    """Run a graph with large values, with only the permissions of the runtime policy."""
    held = Policy.parse(outputs["RuntimePolicyJson"])
    session = held_session(held.allows, account.url)
    settings: dict[str, Any] = json.loads(outputs["SaverSettings"])
    with new_saver(**settings, session=session, endpoint_url=account.url) as saver:
        assert converse(saver, thread_id) == SAID
        if "thread_index" in settings:
            assert listed(saver, "ann") == {thread_id}


def test_one_line_deploys_it_a_parameter_changes_it_and_what_is_stored_outlives_it(
    own_account: Account,
) -> None:
    before = own_account.inventory()
    outputs = deploy(own_account, **OWN)
    run_graph(own_account, outputs, "first")
    bucket = outputs["BucketName"]
    s3 = own_account.client("s3")
    assert s3.list_objects_v2(Bucket=bucket, Prefix="agents/first/")["KeyCount"] > 0
    arns = json.loads(outputs["PolicyArns"])
    assert arns.keys() == {"read", "runtime", "setup", "admin"}
    assert own_account.inventory()["policies"] == {f"ours-{role}" for role in arns}

    # Parameters that are not given keep their values.
    outputs = deploy(
        own_account, ThreadIndexOwner="user_id", TtlSeconds="2592000", StoreTableName="memories"
    )
    with opened_store(
        own_account, json.loads(outputs["StoreSettings"]), outputs["RuntimePolicyJson"]
    ) as store:
        remember(store)
    assert outputs["BucketName"] == bucket
    assert json.loads(outputs["SaverSettings"])["thread_index"] == {
        "owner": "user_id",
        "index_name": "by-owner",
    }
    client = own_account.client("dynamodb")
    described = client.describe_table(TableName="langgraph-checkpoints")["Table"]
    (index,) = described["GlobalSecondaryIndexes"]
    assert (index["IndexName"], index["Projection"]) == ("by-owner", {"ProjectionType": "ALL"})
    run_graph(own_account, outputs, "second")

    own_account.client("cloudformation").delete_stack(StackName=STACK)
    left = own_account.inventory()
    assert left["policies"] == before["policies"]
    assert left["tables"] == {*TABLES, "memories"}
    assert left["buckets"] == {bucket}


def test_as_it_is_it_makes_two_tables_and_nothing_else(own_account: Account) -> None:
    before = own_account.inventory()
    outputs = deploy(own_account)
    assert json.loads(outputs["SaverSettings"]) == {
        "checkpoints_table_name": "langgraph-checkpoints",
        "writes_table_name": "langgraph-writes",
        "region_name": REGION,
    }
    assert own_account.inventory() == {**before, "tables": TABLES}


def test_parameters_that_contradict_each_other_are_refused_before_anything_is_made(
    own_account: Account,
) -> None:
    before = own_account.inventory()
    with pytest.raises(ToolError, match="BucketName must name the bucket"):
        deploy(own_account, Bucket="existing")
    assert own_account.inventory() == before


def test_alarms_and_a_dashboard_are_deployed_changed_and_deleted(own_account: Account) -> None:
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"
    deploy(own_account, "langgraph-alarms", AlarmTopicArn=topic)
    deploy(own_account, "langgraph-dashboard")
    made = described(own_account)
    assert len(made) == 30
    assert all(alarm["AlarmActions"] == [topic] for alarm in made.values())
    assert [one["DashboardName"] for one in dashboards(own_account)] == [STACK]
    shown = body(own_account)

    # Parameters that are not given keep their values.
    deploy(own_account, "langgraph-alarms", StoreTableName="memories", ThreadIndexName="by-owner")
    deploy(own_account, "langgraph-dashboard", StoreTableName="memories")
    changed = described(own_account)
    assert made.items() <= changed.items()
    assert len(changed) == 30 + 4 + 4 + 8 + 8 + 1
    assert "memories-latency-BatchGetItem" in changed
    assert "memories" in body(own_account)
    assert "memories" not in shown

    for stack in ("langgraph-alarms", "langgraph-dashboard"):
        own_account.client("cloudformation").delete_stack(StackName=stack)
    assert described(own_account) == {}
    assert dashboards(own_account) == []


def dashboards(account: Account) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = account.client("cloudwatch").list_dashboards()["DashboardEntries"]
    return found


def body(account: Account) -> str:
    """The body of the dashboard, parsed as JSON."""
    found: str = account.client("cloudwatch").get_dashboard(DashboardName=STACK)["DashboardBody"]
    assert json.loads(found)["widgets"]
    return found

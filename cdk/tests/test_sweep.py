from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from langgraph_checkpoint_dynamodb_cdk import CheckpointStore

from tests.support import CHECKPOINTS, Synthesized, listed, saying

if TYPE_CHECKING:
    from tests.support import Synthesizer

NAME = f"{CHECKPOINTS}-sweep"


@pytest.fixture(scope="module")
def swept(synthesizer: Synthesizer, package: str) -> Synthesized:
    return synthesizer.ready_made(
        sweep_schedule="rate(1 day)",
        sweep_package=package,
        sweep_older_than_seconds=7200,
        thread_index_owner="user_id",
        create_bucket=True,
    )


def test_the_function_sweeps_with_the_savers_settings(swept: Synthesized) -> None:
    function = swept.only("AWS::Lambda::Function")["Properties"]
    assert function["FunctionName"] == NAME
    assert function["Handler"] == "langgraph_checkpoint_dynamodb.upkeep.handler"
    assert (function["Runtime"], function["Timeout"], function["MemorySize"]) == (
        "python3.13",
        900,
        512,
    )
    variables = function["Environment"]["Variables"]
    assert variables["SWEEP_OLDER_THAN_SECONDS"] == "7200"
    assert json.loads(variables["SAVER_SETTINGS"]) == json.loads(swept.outputs["SaverSettings"])
    # It invokes itself until the sweep is complete.
    assert function["RecursiveLoop"] == "Allow"
    assert swept.outputs["SweepFunctionName"]


def test_only_the_schedule_may_call_the_function(swept: Synthesized) -> None:
    rule = swept.only("AWS::Events::Rule")["Properties"]
    assert (rule["Name"], rule["ScheduleExpression"]) == (NAME, "rate(1 day)")
    assert rule["State"] == "ENABLED"
    permission = swept.only("AWS::Lambda::Permission")["Properties"]
    assert permission["Principal"] == "events.amazonaws.com"
    assert permission["SourceArn"].startswith("arn of ")


def test_it_has_the_rights_of_upkeep_and_of_its_log_and_calls_itself(swept: Synthesized) -> None:
    role = swept.only("AWS::IAM::Role")["Properties"]
    policies = {one["PolicyName"]: one["PolicyDocument"]["Statement"] for one in role["Policies"]}
    actions = {one["Sid"]: one["Action"] for one in policies["sweep"]}
    admin = {one["Sid"]: one["Action"] for one in swept.policy("admin")}
    assert {sid: listed(found) for sid, found in actions.items()} == admin
    (log,) = policies["logs"]
    assert log["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    (again,) = swept.only("AWS::IAM::Policy")["Properties"]["PolicyDocument"]["Statement"]
    assert again["Action"] == "lambda:InvokeFunction"
    assert again["Resource"].startswith("arn of ")


def test_its_log_is_kept_for_a_month(swept: Synthesized) -> None:
    log = swept.only("AWS::Logs::LogGroup")
    assert log["Properties"] == {
        "LogGroupName": f"/aws/lambda/{NAME}",
        "RetentionInDays": 30,
    }


def test_without_a_schedule_there_is_no_function(synthesizer: Synthesizer, package: str) -> None:
    result = synthesizer.ready_made(sweep_package=package)
    assert result.all("AWS::Lambda::Function") == []
    assert "SweepFunctionName" not in result.outputs


def test_a_store_that_exists_can_be_swept_too(synthesizer: Synthesizer, package: str) -> None:
    stack = synthesizer.stack()
    store = CheckpointStore(stack, "Store")
    store.schedule_sweep(schedule="cron(0 3 * * ? *)", package=package)
    result = Synthesized.of(stack)
    function = result.only("AWS::Lambda::Function")["Properties"]
    assert "FunctionName" not in function
    assert function["Environment"]["Variables"]["SWEEP_OLDER_THAN_SECONDS"] == "86400"
    assert result.only("AWS::Events::Rule")["Properties"]["ScheduleExpression"] == (
        "cron(0 3 * * ? *)"
    )


def test_names_of_tables_become_names_of_functions(synthesizer: Synthesizer, package: str) -> None:
    result = synthesizer.ready_made(
        checkpoints_table_name="agents.prod",
        sweep_schedule="rate(1 day)",
        sweep_package=package,
    )
    function = result.only("AWS::Lambda::Function")["Properties"]
    assert function["FunctionName"] == "agents-prod-sweep"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sweep_schedule": "daily"}, saying("sweep_schedule: got 'daily'", "rate(1 day)")),
        ({"sweep_package": None}, saying("sweep_package: got None", "a zip file")),
        ({"sweep_older_than_seconds": 3599}, saying("sweep_older_than_seconds: got 3599", "3600")),
        ({"policy_name_prefix": "x" * 60}, saying("name: got", "policy_name_prefix")),
    ],
)
def test_invalid_settings_of_the_sweep_are_refused(
    synthesizer: Synthesizer, package: str, arguments: dict[str, Any], message: str
) -> None:
    settings = {"sweep_schedule": "rate(1 day)", "sweep_package": package, **arguments}
    with pytest.raises(ValueError, match=message):
        synthesizer.ready_made(**settings)

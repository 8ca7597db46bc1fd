"""Alarms, dashboards and contributor insights: equal in both tools, deployed, documented."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from langgraph_checkpoint_dynamodb_cdk.alarms import ALARM_RULES, OPERATIONS, AlarmTargets, alarms

from tests.infra import shapes
from tests.infra.conftest import FULL_VARIABLES, as_context
from tests.infra.filled import Filled
from tests.infra.tools import ROOT
from tests.support.iam import REGION

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infra.account import Account
    from tests.infra.tools import Cdk, Terraform

TOPIC: str = FULL_VARIABLES["alarm_topic_arn"]
RUNBOOK = ROOT / "docs" / "runbook.md"
SETTINGS: dict[str, Any] = {
    "thread_index_owner": "user_id",
    "max_write_request_units": 40,
    "alarm_topic_arn": TOPIC,
    "dashboard": True,
}

JsonObject = dict[str, Any]


def in_plan(plan: JsonObject) -> dict[str, JsonObject]:
    """The alarms that Terraform plans, by name, with CloudFormation's property names."""
    words = {
        "alarm_description": "AlarmDescription",
        "alarm_actions": "AlarmActions",
        "ok_actions": "OKActions",
        "namespace": "Namespace",
        "metric_name": "MetricName",
        "dimensions": "Dimensions",
        "statistic": "Statistic",
        "extended_statistic": "ExtendedStatistic",
        "comparison_operator": "ComparisonOperator",
        "threshold": "Threshold",
        "period": "Period",
        "evaluation_periods": "EvaluationPeriods",
        "datapoints_to_alarm": "DatapointsToAlarm",
        "treat_missing_data": "TreatMissingData",
    }
    return {
        found["values"]["alarm_name"]: {
            word: found["values"][name]
            for name, word in words.items()
            if found["values"].get(name) is not None
        }
        for found in shapes.planned_resources(plan, "aws_cloudwatch_metric_alarm")
    }


def in_template(template: JsonObject) -> dict[str, JsonObject]:
    """The alarms of a template, by name."""
    found = (one["Properties"] for one in shapes.of_type(template, "AWS::CloudWatch::Alarm"))
    return {
        alarm["AlarmName"]: {
            **{name: value for name, value in alarm.items() if name != "AlarmName"},
            "Dimensions": {one["Name"]: one["Value"] for one in alarm["Dimensions"]},
        }
        for alarm in found
    }


def test_both_tools_make_the_same_alarms(full_plan: JsonObject, full_template: JsonObject) -> None:
    planned = in_plan(full_plan)
    assert planned == in_template(full_template)
    kinds = {alarm["AlarmDescription"].partition("#")[2] for alarm in planned.values()}
    assert kinds == {rule.kind for rule in ALARM_RULES}
    assert all(alarm["AlarmActions"] == alarm["OKActions"] == [TOPIC] for alarm in planned.values())
    assert {alarm["Dimensions"].get("GlobalSecondaryIndexName") for alarm in planned.values()} == {
        None,
        "by-run-id",
        "threads",
    }


@pytest.mark.parametrize("change", ["Threshold", "Period", "TreatMissingData", "Dimensions"])
def test_another_value_of_an_alarm_is_noticed(
    full_plan: JsonObject, full_template: JsonObject, change: str
) -> None:
    planned = in_plan(full_plan)
    next(iter(planned.values()))[change] = "other"
    assert planned != in_template(full_template)


def test_without_a_topic_there_are_no_alarms_and_nothing_is_shown(
    default_plan: JsonObject, default_template: JsonObject
) -> None:
    assert in_plan(default_plan) == in_template(default_template) == {}
    assert shapes.planned_resources(default_plan, "aws_cloudwatch_dashboard") == []
    assert shapes.of_type(default_template, "AWS::CloudWatch::Dashboard") == []
    assert shapes.planned_resources(default_plan, "aws_dynamodb_contributor_insights") == []
    assert "ContributorInsights" not in json.dumps(default_template)


def test_what_there_is_not_is_not_watched() -> None:
    kinds = {alarm.rule.kind for alarm in alarms(AlarmTargets(checkpoints="a", writes="b"))}
    assert {rule.kind for rule in ALARM_RULES} - kinds == {
        "own-maximum-reads",
        "own-maximum-writes",
        "no-expiry",
        "replication-lag",
    }


def test_what_is_published_by_operation_is_watched_by_operation() -> None:
    """CloudWatch does not aggregate: an alarm without the dimension would never see a value."""
    targets = AlarmTargets(checkpoints="a", writes="b", store="s", indexes=("c",))
    made = alarms(targets)
    by_operation = {
        (alarm.dimensions["TableName"], alarm.dimensions["Operation"])
        for alarm in made
        if alarm.rule.metric in ("SystemErrors", "SuccessfulRequestLatency")
    }
    assert by_operation == {
        (name, operation)
        for table, name in targets.tables.items()
        for operation in OPERATIONS[table]
    }


def test_no_alarm_looks_back_further_than_cloudwatch_allows() -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html."""
    for rule in ALARM_RULES:
        most = 7 * 86_400 if rule.period >= 3600 else 86_400
        assert rule.period * rule.periods <= most
        assert rule.datapoints <= rule.periods


def test_both_tools_draw_the_same_dashboard(
    full_plan: JsonObject, full_template: JsonObject
) -> None:
    (planned,) = shapes.planned_resources(full_plan, "aws_cloudwatch_dashboard")
    (templated,) = shapes.of_type(full_template, "AWS::CloudWatch::Dashboard")
    body = json.loads(Filled(full_template).value(templated["Properties"]["DashboardBody"]))
    assert json.loads(planned["values"]["dashboard_body"]) == body
    assert planned["values"]["dashboard_name"] == templated["Properties"]["DashboardName"]
    assert {widget["properties"]["title"] for widget in body["widgets"]} == {
        "consumed",
        *(rule.kind for rule in ALARM_RULES),
    }


def test_both_tools_count_contributors_of_every_table_and_index(
    full_plan: JsonObject, full_template: JsonObject
) -> None:
    counted = shapes.planned_resources(full_plan, "aws_dynamodb_contributor_insights")
    planned = {(one["values"]["table_name"], one["values"]["index_name"]) for one in counted}
    templated = set()
    for table in shapes.of_type(full_template, "AWS::DynamoDB::GlobalTable"):
        name = table["Properties"]["TableName"]
        (here,) = (found for found in table["Properties"]["Replicas"] if found["Region"] == REGION)
        indexes = here.get("GlobalSecondaryIndexes", [])
        counts = [(None, here), *((index["IndexName"], index) for index in indexes)]
        templated |= {
            (name, index)
            for index, found in counts
            if found["ContributorInsightsSpecification"]["Enabled"]
        }
    assert planned == templated
    assert len(planned) == 5


def test_the_runbook_has_a_chapter_for_every_alarm_and_no_other() -> None:
    text = RUNBOOK.read_text(encoding="utf-8")
    chapters = re.findall(r"^## ([a-z-]+)$", text, flags=re.MULTILINE)
    assert chapters == [rule.kind for rule in ALARM_RULES]
    texts = re.split(r"^## [a-z-]+$", text, flags=re.MULTILINE)[1:]
    for kind, chapter in zip(chapters, texts, strict=True):
        assert re.findall(r"^\*\*(.+?)\*\*", chapter, flags=re.MULTILINE) == [
            "What it means.",
            "What to look at.",
            "What to do.",
        ], kind
        (rule,) = (one for one in ALARM_RULES if one.kind == kind)
        assert f"`{rule.metric}`" in chapter


def described(account: Account) -> dict[str, JsonObject]:
    """The alarms in the account, as CloudWatch describes them."""
    client = account.client("cloudwatch")
    kept = ("MetricName", "Dimensions", "Threshold", "Period", "EvaluationPeriods", "AlarmActions")
    return {
        found["AlarmName"]: {
            **{name: found[name] for name in kept},
            "Statistic": found.get("ExtendedStatistic") or found["Statistic"],
            "Dimensions": {one["Name"]: one["Value"] for one in found["Dimensions"]},
        }
        for page in client.get_paginator("describe_alarms").paginate()
        for found in page["MetricAlarms"]
    }


def test_the_alarms_are_made_and_go_with_either_tool(
    new_terraform: Callable[[str, Account], Terraform],
    new_cdk: Callable[[Account], Cdk],
    own_account: Account,
) -> None:
    terraform = new_terraform(".", own_account)
    # Without contributor insights: their ids contain the account id, unknown to the provider.
    variables = {**SETTINGS, "deletion_protection": False}
    terraform.apply(**variables)
    of_terraform = described(own_account)
    # The engine does not return how missing data is treated, so a second plan changes each alarm.
    dashboards = own_account.client("cloudwatch").list_dashboards()["DashboardEntries"]
    assert [one["DashboardName"] for one in dashboards] == ["langgraph-checkpoints"]
    said = terraform.destroy(**variables)
    assert said.code == 0, said.text
    assert described(own_account) == {}

    cdk = new_cdk(own_account)
    cdk.bootstrap()
    context = as_context({**SETTINGS, "throwaway": True})
    cdk.deploy(**context)
    assert described(own_account) == of_terraform
    # Each metric of the table and of its index, and of each operation in two tables.
    assert len(of_terraform) == 30 + 4 + 3
    cdk.destroy(**context)
    assert described(own_account) == {}

"""The CloudFormation templates of alarms and of the dashboard: equal to the construct's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, Environment
from langgraph_checkpoint_dynamodb_cdk import CheckpointStoreStack
from langgraph_checkpoint_dynamodb_cdk.alarms import ALARM_RULES

from tests.infra.filled import Filled, RefusedError
from tests.infra.test_template import TEMPLATES, documented, filled_stack, parsed
from tests.support.iam import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Mapping

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"

# Parameters of the templates, and arguments of the stack.
ASKED: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "nothing": ({}, {}),
    "names with periods": (
        {"CheckpointsTableName": "a.b.checkpoints", "WritesTableName": "a.b.writes"},
        {"checkpoints_table_name": "a.b.checkpoints", "writes_table_name": "a.b.writes"},
    ),
    "store": ({"StoreTableName": "memories"}, {"store_table_name": "memories"}),
    "index by run": ({"RunIdIndexName": "by-run"}, {"run_id_index_name": "by-run"}),
    "index of threads, reads limited": (
        {"ThreadIndexName": "by-owner", "MaxReadRequestUnits": "50"},
        {"thread_index_owner": "user_id", "max_read_request_units": 50},
    ),
    "writes limited": ({"MaxWriteRequestUnits": "40"}, {"max_write_request_units": 40}),
    "expiry": ({"TtlSeconds": "60"}, {"ttl_seconds": 60}),
    "everything": (
        {
            "StoreTableName": "memories",
            "RunIdIndexName": "by-run",
            "ThreadIndexName": "by-owner",
            "TtlSeconds": "60",
            "MaxReadRequestUnits": "50",
            "MaxWriteRequestUnits": "40",
        },
        {
            "store_table_name": "memories",
            "run_id_index_name": "by-run",
            "thread_index_owner": "user_id",
            "ttl_seconds": 60,
            "max_read_request_units": 50,
            "max_write_request_units": 40,
        },
    ),
}


@pytest.fixture(scope="module")
def templates() -> dict[str, dict[str, Any]]:
    return {name: parsed(path.read_text(encoding="utf-8")) for name, path in TEMPLATES.items()}


@pytest.fixture(scope="module")
def of_the_stack(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Filled]:
    """The stack's template for each case of `ASKED`."""
    app = App(outdir=str(tmp_path_factory.mktemp("watched")), analytics_reporting=False)
    stacks = {
        name: CheckpointStoreStack(
            app,
            f"Alarms{number}",
            env=Environment(account=ACCOUNT, region=REGION),
            alarm_topic_arn=TOPIC,
            dashboard=True,
            **arguments,
        )
        for number, (name, (_, arguments)) in enumerate(ASKED.items())
    }
    assembly = app.synth()
    return {
        name: filled_stack(assembly.get_stack_by_name(stack.stack_name).template)
        for name, stack in stacks.items()
    }


def alarms(filled: Filled) -> dict[str, dict[str, Any]]:
    return {alarm["AlarmName"]: alarm for alarm in filled.of_type("AWS::CloudWatch::Alarm")}


def dashboard(filled: Filled) -> dict[str, Any]:
    (found,) = filled.of_type("AWS::CloudWatch::Dashboard")
    return {**found, "DashboardBody": json.loads(found["DashboardBody"])}


def topical(given: Mapping[str, str]) -> dict[str, str]:
    return {"AlarmTopicArn": TOPIC, **given}


@pytest.mark.parametrize("asked", ASKED)
def test_the_alarms_are_those_of_the_stack(
    templates: dict[str, dict[str, Any]], of_the_stack: dict[str, Filled], asked: str
) -> None:
    made = alarms(Filled(templates["alarms"], topical(ASKED[asked][0])))
    assert made == alarms(of_the_stack[asked])
    assert len(made) >= 30


@pytest.mark.parametrize("asked", ASKED)
def test_the_dashboard_is_that_of_the_stack(
    templates: dict[str, dict[str, Any]], of_the_stack: dict[str, Filled], asked: str
) -> None:
    made = dashboard(Filled(templates["dashboard"], ASKED[asked][0]))
    assert made == dashboard(of_the_stack[asked])


def test_every_kind_that_a_template_can_have_is_compared(
    templates: dict[str, dict[str, Any]],
) -> None:
    """A replica is a property of its table, and a list of replicas cannot be a parameter."""
    made = alarms(Filled(templates["alarms"], topical(ASKED["everything"][0]))).values()
    kinds = {alarm["AlarmDescription"].partition("#")[2] for alarm in made}
    assert kinds == {rule.kind for rule in ALARM_RULES} - {"replication-lag"}
    given = {name for parameters, _ in ASKED.values() for name in parameters}
    for name in ("alarms", "dashboard"):
        assert templates[name]["Parameters"].keys() - {"AlarmTopicArn"} == given


def test_what_both_templates_ask_for_has_the_names_of_the_first(
    templates: dict[str, dict[str, Any]],
) -> None:
    tables = templates["tables"]["Parameters"]
    for name in ("alarms", "dashboard"):
        for parameter, declared in templates[name]["Parameters"].items():
            if parameter != "AlarmTopicArn":
                assert declared["Type"] == tables[parameter]["Type"]


@pytest.mark.parametrize(
    "spoil",
    ["Threshold", "Period", "MetricName", "Dimensions", "AlarmActions", "TreatMissingData"],
)
def test_another_value_of_one_alarm_is_noticed(
    templates: dict[str, dict[str, Any]], of_the_stack: dict[str, Filled], spoil: str
) -> None:
    changed = json.loads(json.dumps(templates["alarms"]))
    changed["Resources"]["StoreLatencyQuery"]["Properties"][spoil] = "other"
    made = alarms(Filled(changed, topical(ASKED["everything"][0])))
    assert made != alarms(of_the_stack["everything"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "AlarmTopicArn must be given"),
        ({"AlarmTopicArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:a"}, "the ARN of an SNS topic"),
        ({"AlarmTopicArn": TOPIC, "StoreTableName": "langgraph-writes"}, "must differ"),
        (
            {"AlarmTopicArn": TOPIC, "RunIdIndexName": "same", "ThreadIndexName": "same"},
            "ThreadIndexName must differ",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(
    templates: dict[str, dict[str, Any]], given: dict[str, str], said: str
) -> None:
    with pytest.raises(RefusedError, match=said):
        Filled(templates["alarms"], given)


def test_the_readme_has_every_parameter_with_its_default(
    templates: dict[str, dict[str, Any]],
) -> None:
    rows = {row[0]: row[1] for row in documented("Alarms and dashboard")}
    defaults = {
        name: str(found.get("Default", ""))
        for name, found in templates["alarms"]["Parameters"].items()
    }
    assert rows == defaults

"""The templates of the construct's alarms and of its dashboard.

They would not fit into the template of the tables, nor both into one. They watch tables made by
hand or by `setup()` as well.
"""

from __future__ import annotations

import re
from dataclasses import replace
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from aws_cdk import App, BootstraplessSynthesizer, Stack

from langgraph_checkpoint_dynamodb_cdk.alarms import (
    WATCHES,
    Alarm,
    Each,
    Watched,
    alarms,
    dashboard,
    make_alarms,
)
from langgraph_checkpoint_dynamodb_cdk.checks import PATTERNS
from langgraph_checkpoint_dynamodb_cdk.template.declared import (
    Parameter,
    all_of,
    equals,
    given,
    interface,
    named,
    negated,
)
from langgraph_checkpoint_dynamodb_cdk.template.intrinsics import (
    Value,
    either,
    json_text,
    ref,
    with_substitutions,
)
from langgraph_checkpoint_dynamodb_cdk.template.parameters import PARAMETERS, RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_OF_THE_TABLES = {found.name: found for found in PARAMETERS}
_TABLES = "As of the tables"
_PARAMETER = re.compile(r"\$\{([A-Za-z:]+)\}")

_TOPIC = Parameter(
    name="AlarmTopicArn",
    group="What to do",
    description="ARN of the SNS topic that is told when an alarm begins and when it ends.",
    default=None,
    pattern=PATTERNS["topic_arn"],
    expected="the ARN of an SNS topic, arn:aws:sns:REGION:ACCOUNT:NAME",
)
_WATCHED_PARAMETERS: tuple[Parameter, ...] = (
    *(
        replace(_OF_THE_TABLES[name], group=_TABLES)
        for name in ("CheckpointsTableName", "WritesTableName", "StoreTableName", "RunIdIndexName")
    ),
    replace(
        _OF_THE_TABLES["ThreadIndexName"],
        group=_TABLES,
        description="Name of the index of threads. Empty for none.",
        default="",
    ),
    replace(
        _OF_THE_TABLES["TtlSeconds"],
        group=_TABLES,
        description="The saver's ttl_seconds, to tell that nothing expires. 0 for none.",
    ),
    *(
        replace(
            _OF_THE_TABLES[name],
            group=_TABLES,
            description=f"The tables' own maximum of {what} units, to tell that it was reached. 0 "
            "for no maximum.",
        )
        for name, what in (("MaxReadRequestUnits", "read"), ("MaxWriteRequestUnits", "write"))
    ),
)
"""Named as in the template of the tables."""

_CONDITIONS: Mapping[str, Value] = MappingProxyType(
    {
        condition: given(_OF_THE_TABLES[name])
        for condition, name in {
            "HasStore": "StoreTableName",
            "HasRunIdIndex": "RunIdIndexName",
            "Expires": "TtlSeconds",
            "LimitsReads": "MaxReadRequestUnits",
            "LimitsWrites": "MaxWriteRequestUnits",
        }.items()
    }
    | {"HasThreadIndex": negated(equals("ThreadIndexName", ""))}
)
_RULES: Mapping[str, Value] = MappingProxyType(
    {
        "TablesDiffer": RULES["TablesDiffer"],
        "IndexesDiffer": {
            **RULES["IndexesDiffer"],
            "RuleCondition": negated(equals("ThreadIndexName", "")),
        },
    }
)


def _parameter(name: str) -> str:
    """A parameter in place of a text, until the construct has made what it is to stand in."""
    return f"${{{name}}}"


_WATCHED = Watched(
    checkpoints=_parameter("CheckpointsTableName"),
    writes=_parameter("WritesTableName"),
    store=_parameter("StoreTableName"),
    indexes=(_parameter("RunIdIndexName"), _parameter("ThreadIndexName")),
    expires=True,
    limits_reads=True,
    limits_writes=True,
)
"""Everything that there can be."""

_NEEDED: Mapping[str | Each, str] = MappingProxyType(
    {
        _parameter("StoreTableName"): "HasStore",
        _parameter("RunIdIndexName"): "HasRunIdIndex",
        _parameter("ThreadIndexName"): "HasThreadIndex",
        Each.EXPIRY: "Expires",
        Each.LIMITED_READS: "LimitsReads",
        Each.LIMITED_WRITES: "LimitsWrites",
    }
)
"""Conditions under which there is something to watch, by what it is about."""


def make_alarm_template() -> dict[str, Any]:
    """The template of the alarms, made anew from the construct."""
    conditions = dict(_CONDITIONS)
    made = _synthesized()
    resources: dict[str, Any] = {}
    for alarm in alarms(_WATCHED):
        needed = _conditions((alarm.watch.each, *alarm.dimensions.values()))
        name = "And".join(needed)
        if len(needed) > 1:
            conditions[name] = all_of(*map(named, needed))
        resources[_logical_id(alarm)] = {
            "Type": "AWS::CloudWatch::Alarm",
            **({"Condition": name} if name else {}),
            "Properties": _filled(made[alarm.name]),
        }
    said = "Alarms of the tables of langgraph-checkpoint-dynamodb."
    return _template(said, (_TOPIC, *_WATCHED_PARAMETERS), conditions, resources)


def make_dashboard_template() -> dict[str, Any]:
    """The template of the dashboard, made anew from the construct."""
    resources = {"Dashboard": {"Type": "AWS::CloudWatch::Dashboard", "Properties": _dashboard()}}
    said = "A dashboard of the tables of langgraph-checkpoint-dynamodb."
    return _template(said, _WATCHED_PARAMETERS, _CONDITIONS, resources)


def _template(
    description: str,
    parameters: tuple[Parameter, ...],
    conditions: Mapping[str, Value],
    resources: Mapping[str, Value],
) -> dict[str, Any]:
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": description,
        "Metadata": interface(parameters),
        "Parameters": {parameter.name: parameter.definition for parameter in parameters},
        "Rules": dict(_RULES),
        "Conditions": dict(conditions),
        "Resources": with_substitutions(resources),
    }


def _synthesized() -> dict[str, Any]:
    """The properties of the construct's alarms, by name."""
    with TemporaryDirectory() as folder:
        app = App(outdir=folder, analytics_reporting=False)
        stack = Stack(app, "Template", synthesizer=BootstraplessSynthesizer())
        make_alarms(stack, _WATCHED, _parameter("AlarmTopicArn"))
        resources = app.synth().get_stack_by_name(stack.stack_name).template["Resources"]
    properties = [found["Properties"] for found in resources.values()]
    return {found["AlarmName"]: found for found in properties}


def _logical_id(alarm: Alarm) -> str:
    words = re.findall("[A-Za-z]+", f"{alarm.table} {alarm.watch.kind} {alarm.part}")
    return "".join(word[0].upper() + word[1:] for word in words)


def _conditions(about: Iterable[str | Each]) -> tuple[str, ...]:
    return tuple(_NEEDED[one] for one in about if one in _NEEDED)


def _dashboard() -> dict[str, Value]:
    body = dashboard(_WATCHED, _parameter("AWS::Region"))
    each = {watch.kind: watch.each for watch in WATCHES}
    for widget in body["widgets"]:
        shown = widget["properties"]
        shown["metrics"] = [_if_there(series, series) for series in shown["metrics"]]
    widgets = [
        _if_there([each.get(widget["properties"]["title"], Each.TABLE)], widget)
        for widget in body["widgets"]
    ]
    return {
        # Of what names of tables may hold, those of dashboards may not hold a period.
        "DashboardName": {"Fn::Join": ["-", {"Fn::Split": [".", ref("CheckpointsTableName")]}]},
        "DashboardBody": json_text(_filled({"widgets": widgets})),
    }


def _if_there(about: Iterable[str | Each], value: Value) -> Value:
    """A value where there is what it is about."""
    needed = _conditions(about)
    return either(needed[0], value) if needed else value


def _filled(value: Value) -> Value:
    """The same with parameters in the places of theirs."""
    match value:
        case str() if found := _PARAMETER.fullmatch(value):
            return ref(found[1])
        case str() if _PARAMETER.search(value):
            return {"Fn::Sub": value}
        case list():
            return [_filled(part) for part in value]
        case dict():
            return {name: _filled(part) for name, part in value.items()}
    return value

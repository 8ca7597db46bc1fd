"""The templates of the alarms and of the dashboard.

They are templates of their own because of the size limit. They also work for tables that were not
created by the template of the tables.
"""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb_cdk.alarms import (
    ALARM_RULES,
    Alarm,
    AlarmScope,
    AlarmTargets,
    alarms,
    dashboard,
    make_alarms,
)
from langgraph_checkpoint_dynamodb_cdk.checks import PATTERNS
from langgraph_checkpoint_dynamodb_cdk.template.conditions import RULES
from langgraph_checkpoint_dynamodb_cdk.template.declarations import (
    Parameter,
    condition_ref,
    equals,
    fn_and,
    fn_not,
    interface,
    is_set,
)
from langgraph_checkpoint_dynamodb_cdk.template.intrinsics import (
    Value,
    fn_if,
    json_text,
    ref,
    with_substitutions,
)
from langgraph_checkpoint_dynamodb_cdk.template.parameters import PARAMETERS
from langgraph_checkpoint_dynamodb_cdk.template.synthesis import synthesized_resources

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TABLE_PARAMETERS = {parameter.name: parameter for parameter in PARAMETERS}
_TABLES_GROUP = "Tables"
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z:]+)\}")

_TOPIC = Parameter(
    name="AlarmTopicArn",
    group="Notification",
    description="ARN of the SNS topic that alarms notify when they start and when they end.",
    default=None,
    pattern=PATTERNS["topic_arn"],
    expected="the ARN of an SNS topic, arn:aws:sns:REGION:ACCOUNT:NAME",
)
_TARGET_PARAMETERS: tuple[Parameter, ...] = (
    *(
        replace(_TABLE_PARAMETERS[name], group=_TABLES_GROUP)
        for name in ("CheckpointsTableName", "WritesTableName", "StoreTableName", "RunIdIndexName")
    ),
    replace(
        _TABLE_PARAMETERS["ThreadIndexName"],
        group=_TABLES_GROUP,
        description="Name of the thread index. Empty for none.",
        default="",
    ),
    replace(
        _TABLE_PARAMETERS["TtlSeconds"],
        group=_TABLES_GROUP,
        description="The saver's ttl_seconds, for the alarm no-expiry. 0 for none.",
    ),
    *(
        replace(
            _TABLE_PARAMETERS[name],
            group=_TABLES_GROUP,
            description=f"Maximum {kind} units of the tables, for the alarm own-maximum-{kind}s. 0 "
            "for no maximum.",
        )
        for name, kind in (("MaxReadRequestUnits", "read"), ("MaxWriteRequestUnits", "write"))
    ),
)
"""Parameters with the names of those of the template of the tables."""

_CONDITIONS: Mapping[str, Value] = MappingProxyType(
    {
        condition: is_set(_TABLE_PARAMETERS[name])
        for condition, name in {
            "HasStore": "StoreTableName",
            "HasRunIdIndex": "RunIdIndexName",
            "Expires": "TtlSeconds",
            "LimitsReads": "MaxReadRequestUnits",
            "LimitsWrites": "MaxWriteRequestUnits",
        }.items()
    }
    | {"HasThreadIndex": fn_not(equals("ThreadIndexName", ""))}
)
_RULES: Mapping[str, Value] = MappingProxyType(
    {
        "TablesDiffer": RULES["TablesDiffer"],
        "IndexesDiffer": {
            **RULES["IndexesDiffer"],
            "RuleCondition": fn_not(equals("ThreadIndexName", "")),
        },
    }
)


def _placeholder(name: str) -> str:
    """Make a placeholder for a parameter, which `_with_refs` replaces after synthesis."""
    return f"${{{name}}}"


_TARGETS = AlarmTargets(
    checkpoints=_placeholder("CheckpointsTableName"),
    writes=_placeholder("WritesTableName"),
    store=_placeholder("StoreTableName"),
    indexes=(_placeholder("RunIdIndexName"), _placeholder("ThreadIndexName")),
    expires=True,
    limits_reads=True,
    limits_writes=True,
)
"""Targets with all options."""

_CONDITION_NAMES: Mapping[str | AlarmScope, str] = MappingProxyType(
    {
        _placeholder("StoreTableName"): "HasStore",
        _placeholder("RunIdIndexName"): "HasRunIdIndex",
        _placeholder("ThreadIndexName"): "HasThreadIndex",
        AlarmScope.EXPIRY: "Expires",
        AlarmScope.LIMITED_READS: "LimitsReads",
        AlarmScope.LIMITED_WRITES: "LimitsWrites",
    }
)
"""The condition of each optional target, by placeholder or scope."""


def make_alarm_template() -> dict[str, Any]:
    """Make the template of the alarms from the construct."""
    conditions = dict(_CONDITIONS)
    properties = _alarm_properties()
    resources: dict[str, Any] = {}
    for alarm in alarms(_TARGETS):
        needed = _conditions((alarm.rule.scope, *alarm.dimensions.values()))
        name = "And".join(needed)
        if len(needed) > 1:
            conditions[name] = fn_and(*map(condition_ref, needed))
        resources[_logical_id(alarm)] = {
            "Type": "AWS::CloudWatch::Alarm",
            **({"Condition": name} if name else {}),
            "Properties": _with_refs(properties[alarm.name]),
        }
    description = "Alarms of the tables of langgraph-checkpoint-dynamodb."
    return _template(description, (_TOPIC, *_TARGET_PARAMETERS), conditions, resources)


def make_dashboard_template() -> dict[str, Any]:
    """Make the template of the dashboard from the construct."""
    resources = {"Dashboard": {"Type": "AWS::CloudWatch::Dashboard", "Properties": _dashboard()}}
    description = "A dashboard of the tables of langgraph-checkpoint-dynamodb."
    return _template(description, _TARGET_PARAMETERS, _CONDITIONS, resources)


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


def _alarm_properties() -> dict[str, Any]:
    """Synthesize the alarms of the construct: their properties by name."""
    resources = synthesized_resources(
        lambda stack: make_alarms(stack, _TARGETS, _placeholder("AlarmTopicArn"))
    )
    alarm_properties = [resource["Properties"] for resource in resources.values()]
    return {properties["AlarmName"]: properties for properties in alarm_properties}


def _logical_id(alarm: Alarm) -> str:
    words = re.findall("[A-Za-z]+", f"{alarm.table} {alarm.rule.kind} {alarm.part}")
    return "".join(word[0].upper() + word[1:] for word in words)


def _conditions(targets: Iterable[str | AlarmScope]) -> tuple[str, ...]:
    return tuple(_CONDITION_NAMES[target] for target in targets if target in _CONDITION_NAMES)


def _dashboard() -> dict[str, Value]:
    body = dashboard(_TARGETS, _placeholder("AWS::Region"))
    scopes = {rule.kind: rule.scope for rule in ALARM_RULES}
    for widget in body["widgets"]:
        properties = widget["properties"]
        properties["metrics"] = [_conditional(series, series) for series in properties["metrics"]]
    widgets = [
        _conditional([scopes.get(widget["properties"]["title"], AlarmScope.TABLE)], widget)
        for widget in body["widgets"]
    ]
    return {
        # Names of tables may have periods, names of dashboards may not.
        "DashboardName": {"Fn::Join": ["-", {"Fn::Split": [".", ref("CheckpointsTableName")]}]},
        "DashboardBody": json_text(_with_refs({"widgets": widgets})),
    }


def _conditional(targets: Iterable[str | AlarmScope], value: Value) -> Value:
    """Make a value conditional on its target."""
    needed = _conditions(targets)
    return fn_if(needed[0], value) if needed else value


def _with_refs(value: Value) -> Value:
    """Replace the placeholders of parameters by references."""
    match value:
        case str() if found := _PLACEHOLDER.fullmatch(value):
            return ref(found[1])
        case str() if _PLACEHOLDER.search(value):
            return {"Fn::Sub": value}
        case list():
            return [_with_refs(part) for part in value]
        case dict():
            return {name: _with_refs(part) for name, part in value.items()}
    return value

"""Alarms and a dashboard for the tables.

The Terraform module's `alarms.tf` has the same rules; a test compares all alarms. docs/runbook.md
explains each alarm.

Metrics, dimensions and statistics:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from constructs import Construct

_DAY_SECONDS = 24 * 60 * 60


class AlarmScope(Enum):
    """For what a rule makes one alarm each.

    CloudWatch does not aggregate over a dimension that an alarm leaves out, so every alarm names
    all dimensions that DynamoDB publishes the metric with.
    """

    TABLE = "table"
    TABLE_AND_INDEX = "table and index"
    OPERATION = "operation of a table"
    LIMITED_READS = "table and index, with max_read_request_units"
    LIMITED_WRITES = "table and index, with max_write_request_units"
    EXPIRY = "checkpoints table, with ttl_seconds"
    REPLICA = "replica"


@dataclass(frozen=True, kw_only=True)
class AlarmRule:
    """A rule that makes an alarm for each resource in its scope.

    Attributes:
        kind: Name of the rule, and its heading in the runbook.
        metric: Name of the metric in the namespace `AWS/DynamoDB`.
        scope: For what it makes one alarm each.
        statistic: `Sum`, `Average` or a percentile.
        threshold: The alarm goes off at this value and above; with `below`, under it.
        below: Whether the alarm goes off below the threshold.
        period: Seconds of a data point.
        periods: Number of data points to evaluate.
        datapoints: Number of data points beyond the threshold that trigger the alarm.
        missing_data: How to treat a period without a data point: DynamoDB publishes no zeros.
    """

    kind: str
    metric: str
    scope: AlarmScope
    statistic: str = "Sum"
    threshold: int = 1
    below: bool = False
    period: int = 60
    periods: int = 5
    datapoints: int = 3
    missing_data: str = "notBreaching"


_GRAPH_LATENCY_MS: Mapping[str, int] = {
    "GetItem": 100,
    "PutItem": 100,
    "Query": 500,
    "TransactWriteItems": 250,
    "UpdateItem": 100,
}
_STORE_LATENCY_MS: Mapping[str, int] = {
    "BatchGetItem": 500,
    "BatchWriteItem": 500,
    "DeleteItem": 100,
    **_GRAPH_LATENCY_MS,
}
OPERATIONS: Mapping[str, Mapping[str, int]] = {
    "checkpoints": _GRAPH_LATENCY_MS,
    "writes": _GRAPH_LATENCY_MS,
    "store": _STORE_LATENCY_MS,
}
"""The operations of a running graph by table, with the p99 latency that is too slow, in ms.
DynamoDB reads or writes an item in single-digit milliseconds. A query may return a whole
megabyte, and a batch many items."""

ALARM_RULES: tuple[AlarmRule, ...] = (
    AlarmRule(kind="read-throttles", metric="ReadThrottleEvents", scope=AlarmScope.TABLE_AND_INDEX),
    AlarmRule(
        kind="write-throttles", metric="WriteThrottleEvents", scope=AlarmScope.TABLE_AND_INDEX
    ),
    AlarmRule(
        kind="hot-thread-reads",
        metric="ReadKeyRangeThroughputThrottleEvents",
        scope=AlarmScope.TABLE_AND_INDEX,
    ),
    AlarmRule(
        kind="hot-thread-writes",
        metric="WriteKeyRangeThroughputThrottleEvents",
        scope=AlarmScope.TABLE_AND_INDEX,
    ),
    AlarmRule(
        kind="own-maximum-reads",
        metric="ReadMaxOnDemandThroughputThrottleEvents",
        scope=AlarmScope.LIMITED_READS,
    ),
    AlarmRule(
        kind="own-maximum-writes",
        metric="WriteMaxOnDemandThroughputThrottleEvents",
        scope=AlarmScope.LIMITED_WRITES,
    ),
    AlarmRule(kind="system-errors", metric="SystemErrors", scope=AlarmScope.OPERATION),
    # OPERATIONS has its thresholds.
    AlarmRule(
        kind="latency",
        metric="SuccessfulRequestLatency",
        scope=AlarmScope.OPERATION,
        statistic="p99",
        datapoints=5,
    ),
    AlarmRule(kind="transaction-conflicts", metric="TransactionConflict", scope=AlarmScope.TABLE),
    # CloudWatch evaluates at most seven days.
    AlarmRule(
        kind="no-expiry",
        metric="TimeToLiveDeletedItemCount",
        scope=AlarmScope.EXPIRY,
        below=True,
        period=_DAY_SECONDS,
        periods=3,
        missing_data="breaching",
    ),
    AlarmRule(
        kind="replication-lag",
        metric="ReplicationLatency",
        scope=AlarmScope.REPLICA,
        statistic="Average",
        threshold=30_000,
        period=300,
        periods=3,
    ),
)


@dataclass(frozen=True, kw_only=True)
class AlarmTargets:
    """The tables, indexes and replicas to make alarms for.

    Attributes:
        checkpoints: Name of the checkpoints table.
        writes: Name of the writes table.
        store: Name of the store table, `None` without one.
        indexes: Names of the indexes of the checkpoints table.
        replica_regions: Other regions the tables are replicated to.
        expires: Whether the saver has `ttl_seconds`.
        limits_reads: Whether the tables have a maximum of read request units.
        limits_writes: Whether the tables have a maximum of write request units.
    """

    checkpoints: str
    writes: str
    store: str | None = None
    indexes: tuple[str, ...] = ()
    replica_regions: tuple[str, ...] = ()
    expires: bool = False
    limits_reads: bool = False
    limits_writes: bool = False

    @property
    def tables(self) -> dict[str, str]:
        """Names of the tables by `checkpoints`, `store` and `writes`."""
        names = {"checkpoints": self.checkpoints, "store": self.store, "writes": self.writes}
        return {table: name for table, name in names.items() if name is not None}


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """An alarm of one metric with its dimensions.

    Attributes:
        table: `checkpoints`, `writes` or `store`.
        rule: The rule that makes it.
        part: The operation, index or replica region of the table that it is for; empty for the
            whole table.
        dimensions: The metric's dimensions.
        threshold: The threshold.
    """

    table: str
    rule: AlarmRule
    part: str = ""
    dimensions: Mapping[str, str] = field(default_factory=dict)
    threshold: int = 1

    @property
    def name(self) -> str:
        """Its name, unique in a region, as names of tables are."""
        return "-".join(filter(None, (self.dimensions["TableName"], self.rule.kind, self.part)))

    @property
    def description(self) -> str:
        """The description, which notifications include."""
        return f"What it means and what to do: docs/runbook.md#{self.rule.kind}"


def alarms(targets: AlarmTargets) -> tuple[Alarm, ...]:
    """List the alarms of all rules for these targets."""
    return tuple(
        Alarm(
            table=table,
            rule=rule,
            part=part,
            dimensions={"TableName": name, **dimensions},
            threshold=OPERATIONS[table][part] if rule.kind == "latency" else rule.threshold,
        )
        for rule in ALARM_RULES
        for table, name in targets.tables.items()
        for part, dimensions in _parts(rule.scope, table, targets)
    )


def _parts(
    scope: AlarmScope, table: str, targets: AlarmTargets
) -> Iterator[tuple[str, dict[str, str]]]:
    """List the parts of a table in a scope: the name of each, and its dimensions."""
    enabled = {
        AlarmScope.LIMITED_READS: targets.limits_reads,
        AlarmScope.LIMITED_WRITES: targets.limits_writes,
        AlarmScope.EXPIRY: targets.expires and table == "checkpoints",
    }
    match scope:
        case AlarmScope.OPERATION:
            yield from ((name, {"Operation": name}) for name in OPERATIONS[table])
        case AlarmScope.REPLICA:
            yield from ((name, {"ReceivingRegion": name}) for name in targets.replica_regions)
        case _ if not enabled.get(scope, True):
            return
        case AlarmScope.TABLE | AlarmScope.EXPIRY:
            yield "", {}
        case _:
            yield "", {}
            if table == "checkpoints":
                yield from ((name, {"GlobalSecondaryIndexName": name}) for name in targets.indexes)


def make_alarms(scope: Construct, targets: AlarmTargets, topic_arn: str) -> None:
    """Make the alarms, which notify a topic when they start and when they end.

    Args:
        scope: The scope of the alarms.
        targets: What to make alarms for.
        topic_arn: ARN of the SNS topic.
    """
    for alarm in alarms(targets):
        rule = alarm.rule
        percentile = rule.statistic.startswith("p")
        cloudwatch.CfnAlarm(
            scope,
            "-".join(filter(None, ("Alarm", alarm.table, rule.kind, alarm.part))),
            alarm_name=alarm.name,
            alarm_description=alarm.description,
            alarm_actions=[topic_arn],
            ok_actions=[topic_arn],
            namespace="AWS/DynamoDB",
            metric_name=rule.metric,
            dimensions=[
                cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value)
                for name, value in alarm.dimensions.items()
            ],
            comparison_operator=(
                "LessThanThreshold" if rule.below else "GreaterThanOrEqualToThreshold"
            ),
            threshold=alarm.threshold,
            period=rule.period,
            evaluation_periods=rule.periods,
            datapoints_to_alarm=rule.datapoints,
            treat_missing_data=rule.missing_data,
            statistic=None if percentile else rule.statistic,
            extended_statistic=rule.statistic if percentile else None,
        )


def make_dashboard(scope: Construct, targets: AlarmTargets) -> None:
    """Make a dashboard with a graph for each kind of alarm, and one of the consumed units.

    Args:
        scope: The scope of the dashboard.
        targets: What to show.
    """
    stack = Stack.of(scope)
    cloudwatch.CfnDashboard(
        scope,
        "Dashboard",
        # Names of tables may have periods, names of dashboards may not.
        dashboard_name=targets.checkpoints.replace(".", "-"),
        dashboard_body=stack.to_json_string(dashboard(targets, stack.region)),
    )


def dashboard(targets: AlarmTargets, region: str) -> dict[str, Any]:
    """Make the body of the dashboard."""
    all_alarms = alarms(targets)
    graphs = [
        (
            rule.kind,
            rule.statistic,
            rule.period,
            [
                [rule.metric, *_pairs(alarm.dimensions)]
                for alarm in all_alarms
                if alarm.rule is rule
            ],
        )
        for rule in ALARM_RULES
    ]
    consumed = [
        [f"Consumed{kind}CapacityUnits", "TableName", name]
        for name in targets.tables.values()
        for kind in ("Read", "Write")
    ]
    shown = [graph for graph in [("consumed", "Sum", 60, consumed), *graphs] if graph[3]]
    return {
        # Without coordinates, CloudWatch places each widget in the next free space.
        "widgets": [
            {
                "type": "metric",
                "width": 12,
                "height": 6,
                "properties": {
                    "title": title,
                    "region": region,
                    "view": "timeSeries",
                    "stat": statistic,
                    "period": period,
                    "metrics": [["AWS/DynamoDB", *series] for series in metrics],
                },
            }
            for title, statistic, period, metrics in shown
        ]
    }


def _pairs(dimensions: Mapping[str, str]) -> Sequence[str]:
    return [text for pair in dimensions.items() for text in pair]

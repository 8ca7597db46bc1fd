"""Alarms and a dashboard of the tables: what is watched, and making it.

The Terraform module's `alarms.tf` has the same table; a test compares the two alarm by alarm. What
each alarm means here, and what to do, is in docs/runbook.md.

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


class Each(Enum):
    """Of what there is one alarm each.

    CloudWatch adds nothing up over a dimension that an alarm leaves out, so each metric is watched
    with all the dimensions it is published with.
    """

    TABLE = "table"
    TABLE_AND_INDEX = "table and index"
    OPERATION = "operation on the table"
    LIMITED_READS = "table and index, with max_read_request_units"
    LIMITED_WRITES = "table and index, with max_write_request_units"
    EXPIRY = "table of checkpoints, with ttl_seconds"
    REPLICA = "replica"


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One line of the table of alarms.

    Attributes:
        kind: Its name, and its heading in the runbook.
        metric: The metric of `AWS/DynamoDB`.
        each: Of what there is one each.
        statistic: `Sum`, `Average` or a percentile.
        threshold: From which value on it is too much; with `below`, under which it is too little.
        below: Whether too little is the trouble.
        period: Seconds that a value is made of.
        periods: How many values are looked at.
        datapoints: How many of them make an alarm.
        missing: What a period without a value means: DynamoDB publishes no zeros.
    """

    kind: str
    metric: str
    each: Each
    statistic: str = "Sum"
    threshold: int = 1
    below: bool = False
    period: int = 60
    periods: int = 5
    datapoints: int = 3
    missing: str = "notBreaching"


_OF_GRAPHS: Mapping[str, int] = {
    "GetItem": 100,
    "PutItem": 100,
    "Query": 500,
    "TransactWriteItems": 250,
    "UpdateItem": 100,
}
_OF_A_STORE: Mapping[str, int] = {
    "BatchGetItem": 500,
    "BatchWriteItem": 500,
    "DeleteItem": 100,
    **_OF_GRAPHS,
}
OPERATIONS: Mapping[str, Mapping[str, int]] = {
    "checkpoints": _OF_GRAPHS,
    "writes": _OF_GRAPHS,
    "store": _OF_A_STORE,
}
"""By table the operations of running graphs, and the p99 in milliseconds from which each is slow.
DynamoDB answers for one item in single-digit milliseconds; a query may return a whole megabyte, and
a batch many items."""

WATCHES: tuple[Watch, ...] = (
    Watch(kind="read-throttles", metric="ReadThrottleEvents", each=Each.TABLE_AND_INDEX),
    Watch(kind="write-throttles", metric="WriteThrottleEvents", each=Each.TABLE_AND_INDEX),
    Watch(
        kind="hot-thread-reads",
        metric="ReadKeyRangeThroughputThrottleEvents",
        each=Each.TABLE_AND_INDEX,
    ),
    Watch(
        kind="hot-thread-writes",
        metric="WriteKeyRangeThroughputThrottleEvents",
        each=Each.TABLE_AND_INDEX,
    ),
    Watch(
        kind="own-maximum-reads",
        metric="ReadMaxOnDemandThroughputThrottleEvents",
        each=Each.LIMITED_READS,
    ),
    Watch(
        kind="own-maximum-writes",
        metric="WriteMaxOnDemandThroughputThrottleEvents",
        each=Each.LIMITED_WRITES,
    ),
    Watch(kind="system-errors", metric="SystemErrors", each=Each.OPERATION),
    # Its thresholds are those of OPERATIONS.
    Watch(
        kind="latency",
        metric="SuccessfulRequestLatency",
        each=Each.OPERATION,
        statistic="p99",
        datapoints=5,
    ),
    Watch(kind="transaction-conflicts", metric="TransactionConflict", each=Each.TABLE),
    # Seven days is the most that an alarm looks back.
    Watch(
        kind="no-expiry",
        metric="TimeToLiveDeletedItemCount",
        each=Each.EXPIRY,
        below=True,
        period=_DAY_SECONDS,
        periods=3,
        missing="breaching",
    ),
    Watch(
        kind="replication-lag",
        metric="ReplicationLatency",
        each=Each.REPLICA,
        statistic="Average",
        threshold=30_000,
        period=300,
        periods=3,
    ),
)


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What there is to watch.

    Attributes:
        checkpoints: Name of the table of checkpoints.
        writes: Name of the table of writes.
        store: Name of the table of a store, `None` where there is none.
        indexes: Names of the indexes of checkpoints.
        replica_regions: Other regions the tables are replicated to.
        expires: Whether the saver has items expire.
        limits_reads: Whether there is a maximum of read units.
        limits_writes: Whether there is a maximum of write units.
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
        """Names of the tables by what they are."""
        names = {"checkpoints": self.checkpoints, "store": self.store, "writes": self.writes}
        return {table: name for table, name in names.items() if name is not None}


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """An alarm of one metric with its dimensions.

    Attributes:
        table: `checkpoints`, `writes` or `store`.
        watch: What it watches.
        part: The operation, index or region it is for, with the table's name, empty for the table.
        dimensions: The metric's dimensions.
        threshold: The threshold.
    """

    table: str
    watch: Watch
    part: str = ""
    dimensions: Mapping[str, str] = field(default_factory=dict)
    threshold: int = 1

    @property
    def name(self) -> str:
        """Its name, unique in a region as names of tables are."""
        return "-".join(filter(None, (self.dimensions["TableName"], self.watch.kind, self.part)))

    @property
    def description(self) -> str:
        """What the message says."""
        return f"What it means and what to do: docs/runbook.md#{self.watch.kind}"


def alarms(watched: Watched) -> tuple[Alarm, ...]:
    """The alarms of these tables."""
    return tuple(
        Alarm(
            table=table,
            watch=watch,
            part=part,
            dimensions={"TableName": name, **dimensions},
            threshold=OPERATIONS[table][part] if watch.kind == "latency" else watch.threshold,
        )
        for watch in WATCHES
        for table, name in watched.tables.items()
        for part, dimensions in _parts(watch.each, table, watched)
    )


def _parts(each: Each, table: str, watched: Watched) -> Iterator[tuple[str, dict[str, str]]]:
    """What there is one alarm for, in a table: its name, and its dimensions."""
    wanted = {
        Each.LIMITED_READS: watched.limits_reads,
        Each.LIMITED_WRITES: watched.limits_writes,
        Each.EXPIRY: watched.expires and table == "checkpoints",
    }
    match each:
        case Each.OPERATION:
            yield from ((name, {"Operation": name}) for name in OPERATIONS[table])
        case Each.REPLICA:
            yield from ((name, {"ReceivingRegion": name}) for name in watched.replica_regions)
        case _ if not wanted.get(each, True):
            return
        case Each.TABLE | Each.EXPIRY:
            yield "", {}
        case _:
            yield "", {}
            if table == "checkpoints":
                yield from ((name, {"GlobalSecondaryIndexName": name}) for name in watched.indexes)


def make_alarms(scope: Construct, watched: Watched, topic_arn: str) -> None:
    """Make the alarms, which tell a topic when they begin and when they end.

    Args:
        scope: The construct they are parts of.
        watched: What there is to watch.
        topic_arn: ARN of the SNS topic.
    """
    for alarm in alarms(watched):
        watch = alarm.watch
        percentile = watch.statistic.startswith("p")
        cloudwatch.CfnAlarm(
            scope,
            "-".join(filter(None, ("Alarm", alarm.table, watch.kind, alarm.part))),
            alarm_name=alarm.name,
            alarm_description=alarm.description,
            alarm_actions=[topic_arn],
            ok_actions=[topic_arn],
            namespace="AWS/DynamoDB",
            metric_name=watch.metric,
            dimensions=[
                cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value)
                for name, value in alarm.dimensions.items()
            ],
            comparison_operator=(
                "LessThanThreshold" if watch.below else "GreaterThanOrEqualToThreshold"
            ),
            threshold=alarm.threshold,
            period=watch.period,
            evaluation_periods=watch.periods,
            datapoints_to_alarm=watch.datapoints,
            treat_missing_data=watch.missing,
            statistic=None if percentile else watch.statistic,
            extended_statistic=watch.statistic if percentile else None,
        )


def make_dashboard(scope: Construct, watched: Watched) -> None:
    """Make a dashboard with a graph for each kind of alarm, and one of what is consumed.

    Args:
        scope: The construct it is a part of.
        watched: What there is to watch.
    """
    stack = Stack.of(scope)
    cloudwatch.CfnDashboard(
        scope,
        "Dashboard",
        # Of what names of tables may hold, those of dashboards may not hold this.
        dashboard_name=watched.checkpoints.replace(".", "-"),
        dashboard_body=stack.to_json_string(dashboard(watched, stack.region)),
    )


def dashboard(watched: Watched, region: str) -> dict[str, Any]:
    """The dashboard, as CloudWatch has it."""
    made = alarms(watched)
    graphs = [
        (
            watch.kind,
            watch.statistic,
            watch.period,
            [[watch.metric, *_pairs(one.dimensions)] for one in made if one.watch is watch],
        )
        for watch in WATCHES
    ]
    consumed = [
        [f"Consumed{kind}CapacityUnits", "TableName", name]
        for name in watched.tables.values()
        for kind in ("Read", "Write")
    ]
    shown = [graph for graph in [("consumed", "Sum", 60, consumed), *graphs] if graph[3]]
    return {
        # Without places, CloudWatch puts each at the next one that is free.
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

# Alarms to a topic of yours, a dashboard, and contributor insights. What each alarm means here, and what
# to do, is in docs/runbook.md. The CDK construct's alarms.py has the same table.
#
# Metrics, dimensions and statistics:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html

locals {
  # The operations of running graphs, and the p99 in milliseconds from which each is slow. DynamoDB answers
  # for one item in single-digit milliseconds; a query may return a whole megabyte, and a batch many items.
  operations_of_graphs = {
    GetItem            = 100
    PutItem            = 100
    Query              = 500
    TransactWriteItems = 250
    UpdateItem         = 100
  }
  watched_operations = {
    checkpoints = local.operations_of_graphs
    writes      = local.operations_of_graphs
    store       = merge(local.operations_of_graphs, { BatchGetItem = 500, BatchWriteItem = 500, DeleteItem = 100 })
  }

  # CloudWatch adds nothing up over a dimension that an alarm leaves out, so each metric is watched with all
  # the dimensions it is published with. DynamoDB publishes no zeros.
  watches = [
    for watch in [
      { kind = "read-throttles", metric = "ReadThrottleEvents", each = "index" },
      { kind = "write-throttles", metric = "WriteThrottleEvents", each = "index" },
      { kind = "hot-thread-reads", metric = "ReadKeyRangeThroughputThrottleEvents", each = "index" },
      { kind = "hot-thread-writes", metric = "WriteKeyRangeThroughputThrottleEvents", each = "index" },
      {
        kind   = "own-maximum-reads", metric = "ReadMaxOnDemandThroughputThrottleEvents", each = "index"
        wanted = var.max_read_request_units != null
      },
      {
        kind   = "own-maximum-writes", metric = "WriteMaxOnDemandThroughputThrottleEvents", each = "index"
        wanted = var.max_write_request_units != null
      },
      { kind = "system-errors", metric = "SystemErrors", each = "operation" },
      # Its thresholds are those of watched_operations.
      { kind = "latency", metric = "SuccessfulRequestLatency", each = "operation", statistic = "p99", datapoints = 5 },
      { kind = "transaction-conflicts", metric = "TransactionConflict", each = "table" },
      # Seven days is the most that an alarm looks back.
      {
        kind   = "no-expiry", metric = "TimeToLiveDeletedItemCount", each = "checkpoints", below = true
        period = 86400, periods = 3, missing = "breaching", wanted = var.ttl_seconds != null
      },
      {
        kind      = "replication-lag", metric = "ReplicationLatency", each = "replica", statistic = "Average"
        threshold = 30000, period = 300, periods = 3
      },
      ] : {
      kind       = watch.kind
      metric     = watch.metric
      each       = watch.each
      statistic  = lookup(watch, "statistic", "Sum")
      threshold  = lookup(watch, "threshold", 1)
      below      = lookup(watch, "below", false)
      period     = lookup(watch, "period", 60)
      periods    = lookup(watch, "periods", 5)
      datapoints = lookup(watch, "datapoints", 3)
      missing    = lookup(watch, "missing", "notBreaching")
    } if lookup(watch, "wanted", true)
  ]

  watched_indexes  = [for index in local.indexes : { part = index.name, dimensions = { GlobalSecondaryIndexName = index.name } }]
  watched_replicas = [for region in sort(var.replica_regions) : { part = region, dimensions = { ReceivingRegion = region } }]

  # Of what there is one alarm each, in a table.
  watched_parts = {
    for role, table in local.tables : role => {
      table       = [{ part = "", dimensions = {} }]
      index       = concat([{ part = "", dimensions = {} }], role == "checkpoints" ? local.watched_indexes : [])
      checkpoints = role == "checkpoints" ? [{ part = "", dimensions = {} }] : []
      operation   = [for name in sort(keys(local.watched_operations[role])) : { part = name, dimensions = { Operation = name } }]
      replica     = local.watched_replicas
    }
  }

  alarms = flatten([
    for watch in local.watches : [
      for role, table in local.tables : [
        for one in local.watched_parts[role][watch.each] : merge(watch, {
          name       = join("-", compact([table.name, watch.kind, one.part]))
          dimensions = merge({ TableName = table.name }, one.dimensions)
          threshold  = watch.kind == "latency" ? local.watched_operations[role][one.part] : watch.threshold
        })
      ]
    ]
  ])

  graphs = concat(
    [{
      title = "consumed", stat = "Sum", period = 60
      metrics = flatten([
        for role, table in local.tables : [
          for kind in ["Read", "Write"] : { metric = "Consumed${kind}CapacityUnits", dimensions = { TableName = table.name } }
        ]
      ])
    }],
    [
      for watch in local.watches : {
        title = watch.kind, stat = watch.statistic, period = watch.period
        metrics = [
          for alarm in local.alarms : { metric = alarm.metric, dimensions = alarm.dimensions } if alarm.kind == watch.kind
        ]
      }
    ],
  )
  dashboard = {
    widgets = [
      # Without places, CloudWatch puts each at the next one that is free.
      for graph in local.graphs : {
        type   = "metric"
        width  = 12
        height = 6
        properties = {
          title  = graph.title
          region = local.region
          view   = "timeSeries"
          stat   = graph.stat
          period = graph.period
          metrics = [
            for series in graph.metrics : concat(
              ["AWS/DynamoDB", series.metric, "TableName", series.dimensions.TableName],
              flatten([for name, value in series.dimensions : [name, value] if name != "TableName"]),
            )
          ]
        }
      } if length(graph.metrics) > 0
    ]
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for alarm in local.alarms : alarm.name => alarm if var.alarm_topic_arn != null }

  alarm_name          = each.key
  alarm_description   = "What it means and what to do: docs/runbook.md#${each.value.kind}"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
  namespace           = "AWS/DynamoDB"
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  comparison_operator = each.value.below ? "LessThanThreshold" : "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  period              = each.value.period
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.datapoints
  treat_missing_data  = each.value.missing
  tags                = var.tags
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.dashboard ? 1 : 0

  # Of what names of tables may hold, those of dashboards may not hold this.
  dashboard_name = replace(var.checkpoints_table_name, ".", "-")
  dashboard_body = jsonencode(local.dashboard)
}

resource "aws_dynamodb_contributor_insights" "this" {
  for_each = {
    for one in concat(
      [for role, table in local.tables : { name = role, table = role, index = null }],
      [for index in local.indexes : { name = "checkpoints/${index.name}", table = "checkpoints", index = index.name }],
    ) : one.name => one if var.contributor_insights
  }

  table_name = aws_dynamodb_table.this[each.value.table].name
  index_name = each.value.index
}

# Alarms, a dashboard, and contributor insights. docs/runbook.md explains each alarm. The CDK construct's
# alarms.py has the same rules.
#
# Metrics, dimensions and statistics:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html

locals {
  # The operations of a running graph, with the p99 latency that is too slow, in ms. DynamoDB reads or writes
  # an item in single-digit milliseconds. A query may return a whole megabyte, and a batch many items.
  graph_latencies = {
    GetItem            = 100
    PutItem            = 100
    Query              = 500
    TransactWriteItems = 250
    UpdateItem         = 100
  }
  operation_latencies = {
    checkpoints = local.graph_latencies
    writes      = local.graph_latencies
    store       = merge(local.graph_latencies, { BatchGetItem = 500, BatchWriteItem = 500, DeleteItem = 100 })
  }

  # CloudWatch does not aggregate over a dimension that an alarm leaves out, so every alarm names all dimensions
  # that DynamoDB publishes the metric with. DynamoDB publishes no zeros.
  alarm_rules = [
    for rule in [
      { kind = "read-throttles", metric = "ReadThrottleEvents", scope = "index" },
      { kind = "write-throttles", metric = "WriteThrottleEvents", scope = "index" },
      { kind = "hot-thread-reads", metric = "ReadKeyRangeThroughputThrottleEvents", scope = "index" },
      { kind = "hot-thread-writes", metric = "WriteKeyRangeThroughputThrottleEvents", scope = "index" },
      {
        kind   = "own-maximum-reads", metric = "ReadMaxOnDemandThroughputThrottleEvents", scope = "index"
        wanted = var.max_read_request_units != null
      },
      {
        kind   = "own-maximum-writes", metric = "WriteMaxOnDemandThroughputThrottleEvents", scope = "index"
        wanted = var.max_write_request_units != null
      },
      { kind = "system-errors", metric = "SystemErrors", scope = "operation" },
      # operation_latencies has its thresholds.
      { kind = "latency", metric = "SuccessfulRequestLatency", scope = "operation", statistic = "p99", datapoints = 5 },
      { kind = "transaction-conflicts", metric = "TransactionConflict", scope = "table" },
      # CloudWatch evaluates at most seven days.
      {
        kind   = "no-expiry", metric = "TimeToLiveDeletedItemCount", scope = "checkpoints", below = true
        period = 86400, periods = 3, missing = "breaching", wanted = var.ttl_seconds != null
      },
      {
        kind      = "replication-lag", metric = "ReplicationLatency", scope = "replica", statistic = "Average"
        threshold = 30000, period = 300, periods = 3
      },
      ] : {
      kind       = rule.kind
      metric     = rule.metric
      scope      = rule.scope
      statistic  = lookup(rule, "statistic", "Sum")
      threshold  = lookup(rule, "threshold", 1)
      below      = lookup(rule, "below", false)
      period     = lookup(rule, "period", 60)
      periods    = lookup(rule, "periods", 5)
      datapoints = lookup(rule, "datapoints", 3)
      missing    = lookup(rule, "missing", "notBreaching")
    } if lookup(rule, "wanted", true)
  ]

  index_parts   = [for index in local.indexes : { name = index.name, dimensions = { GlobalSecondaryIndexName = index.name } }]
  replica_parts = [for region in sort(var.replica_regions) : { name = region, dimensions = { ReceivingRegion = region } }]

  # The parts of each table by scope: a rule makes an alarm for each part in its scope.
  parts_by_scope = {
    for role, table in local.tables : role => {
      table       = [{ name = "", dimensions = {} }]
      index       = concat([{ name = "", dimensions = {} }], role == "checkpoints" ? local.index_parts : [])
      checkpoints = role == "checkpoints" ? [{ name = "", dimensions = {} }] : []
      operation   = [for name in sort(keys(local.operation_latencies[role])) : { name = name, dimensions = { Operation = name } }]
      replica     = local.replica_parts
    }
  }

  alarms = flatten([
    for rule in local.alarm_rules : [
      for role, table in local.tables : [
        for part in local.parts_by_scope[role][rule.scope] : merge(rule, {
          name       = join("-", compact([table.name, rule.kind, part.name]))
          dimensions = merge({ TableName = table.name }, part.dimensions)
          threshold  = rule.kind == "latency" ? local.operation_latencies[role][part.name] : rule.threshold
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
      for rule in local.alarm_rules : {
        title = rule.kind, stat = rule.statistic, period = rule.period
        metrics = [
          for alarm in local.alarms : { metric = alarm.metric, dimensions = alarm.dimensions } if alarm.kind == rule.kind
        ]
      }
    ],
  )
  dashboard = {
    widgets = [
      # Without coordinates, CloudWatch places each widget in the next free space.
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

  # Names of tables may have periods, names of dashboards may not.
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

# The scheduled sweep: a Lambda function, and the rule that calls it.

locals {
  sweeps = var.sweep_schedule != null
  # Names of functions allow fewer characters than names of policies and tables.
  sweep_name = "${replace(local.policy_name_prefix, "/[^a-zA-Z0-9_-]/", "-")}-sweep"
  sweep_arn  = "arn:${data.aws_partition.current.partition}:lambda:${local.region}:${local.account}:function:${local.sweep_name}"
  sweep_logs = "arn:${data.aws_partition.current.partition}:logs:${local.region}:${local.account}:log-group:/aws/lambda/${local.sweep_name}"
}

resource "aws_lambda_function" "sweep" {
  # checkov:skip=CKV_AWS_50:A sweep is one function that calls DynamoDB and S3; its log says what it did. Tracing is the account's choice.
  # checkov:skip=CKV_AWS_115:Two sweeps at a time do no harm, and a reserved concurrency is taken from the account's.
  # checkov:skip=CKV_AWS_116:What a sweep that failed has left, the next one of the schedule finds.
  # checkov:skip=CKV_AWS_117:It calls DynamoDB and S3 alone, over TLS. A network of one's own is the account's choice.
  # checkov:skip=CKV_AWS_173:Its environment holds names of tables and of a bucket, no secret.
  # checkov:skip=CKV_AWS_272:The package is made from this repository by whoever applies this.
  count = local.sweeps ? 1 : 0

  function_name    = local.sweep_name
  description      = "Removes what processes left behind in the tables of LangGraph's checkpoints."
  role             = aws_iam_role.sweep[0].arn
  runtime          = "python3.13"
  handler          = "langgraph_checkpoint_dynamodb.upkeep.handler"
  filename         = var.sweep_package
  source_code_hash = filebase64sha256(var.sweep_package)
  timeout          = 900
  memory_size      = 512
  tags             = var.tags

  environment {
    variables = {
      SAVER_SETTINGS           = jsonencode(local.saver_settings)
      SWEEP_OLDER_THAN_SECONDS = var.sweep_older_than_seconds
    }
  }

  logging_config {
    log_format            = "JSON"
    application_log_level = "INFO"
    log_group             = aws_cloudwatch_log_group.sweep[0].name
  }

  # The function must not run before it has its rights.
  depends_on = [aws_iam_role_policy.sweep]
}

# The function calls itself until large tables are swept, which Lambda's loop detection would stop.
resource "aws_lambda_function_recursion_config" "sweep" {
  count = local.sweeps ? 1 : 0

  function_name  = aws_lambda_function.sweep[0].function_name
  recursive_loop = "Allow"
}

resource "aws_cloudwatch_log_group" "sweep" {
  # checkov:skip=CKV_AWS_158:The log counts what was swept; it holds no data of threads.
  # checkov:skip=CKV_AWS_338:What a sweep did a month ago is of no use.
  count = local.sweeps ? 1 : 0

  name              = "/aws/lambda/${local.sweep_name}"
  retention_in_days = 30
  tags              = var.tags
}

resource "aws_iam_role" "sweep" {
  count = local.sweeps ? 1 : 0

  name = local.sweep_name
  tags = var.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "sweep" {
  count = local.sweeps ? 1 : 0

  name = "sweep"
  role = aws_iam_role.sweep[0].name
  policy = jsonencode({
    Version = "2012-10-17"
    # The function sweeps the saver's tables only.
    Statement = concat([for statement in jsondecode(local.policies["admin"]).Statement : statement if !startswith(statement.Sid, "Store")], [
      { Sid = "Again", Effect = "Allow", Action = ["lambda:InvokeFunction"], Resource = [local.sweep_arn] },
      { Sid = "Logs", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["${local.sweep_logs}:*"] },
    ])
  })
}

resource "aws_cloudwatch_event_rule" "sweep" {
  count = local.sweeps ? 1 : 0

  name                = local.sweep_name
  description         = "Calls the sweep of LangGraph's checkpoints."
  schedule_expression = var.sweep_schedule
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "sweep" {
  count = local.sweeps ? 1 : 0

  rule = aws_cloudwatch_event_rule.sweep[0].name
  arn  = aws_lambda_function.sweep[0].arn

  depends_on = [aws_lambda_permission.sweep]
}

resource "aws_lambda_permission" "sweep" {
  count = local.sweeps ? 1 : 0

  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.sweep[0].function_name
  principal      = "events.amazonaws.com"
  source_arn     = aws_cloudwatch_event_rule.sweep[0].arn
  source_account = local.account
}

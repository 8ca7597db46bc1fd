# Plan only, on a mocked provider: no credentials, no network.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

run "by_default_nothing_sweeps" {
  command = plan

  variables {
    sweep_package = "./tests/mocks/account.tfmock.hcl"
  }

  assert {
    condition = (
      length(aws_lambda_function.sweep) == 0 && length(aws_cloudwatch_event_rule.sweep) == 0 &&
      length(aws_iam_role.sweep) == 0 && length(aws_cloudwatch_log_group.sweep) == 0 &&
      output.sweep_function_name == null
    )
    error_message = "Without a schedule there is no function."
  }
}

run "a_schedule_calls_a_function_with_the_savers_settings" {
  command = plan

  variables {
    checkpoints_table_name   = "agents.prod"
    thread_index_owner       = "user_id"
    bucket_name              = "yours"
    sweep_schedule           = "rate(1 day)"
    sweep_package            = "./tests/mocks/account.tfmock.hcl"
    sweep_older_than_seconds = 7200
  }

  assert {
    condition = (
      aws_lambda_function.sweep[0].function_name == "agents-prod-sweep" &&
      aws_lambda_function.sweep[0].handler == "langgraph_checkpoint_dynamodb.upkeep.handler" &&
      aws_lambda_function.sweep[0].runtime == "python3.13" &&
      aws_lambda_function.sweep[0].timeout == 900 &&
      aws_lambda_function_recursion_config.sweep[0].recursive_loop == "Allow"
    )
    error_message = "It is the package's handler, and may call itself."
  }

  assert {
    condition = (
      jsondecode(aws_lambda_function.sweep[0].environment[0].variables.SAVER_SETTINGS) == output.saver_settings &&
      aws_lambda_function.sweep[0].environment[0].variables.SWEEP_OLDER_THAN_SECONDS == "7200"
    )
    error_message = "It has the settings of the saver."
  }

  assert {
    condition = (
      aws_cloudwatch_event_rule.sweep[0].schedule_expression == "rate(1 day)" &&
      aws_lambda_permission.sweep[0].principal == "events.amazonaws.com"
    )
    error_message = "The schedule calls it."
  }

  assert {
    condition = (
      jsondecode(aws_iam_role_policy.sweep[0].policy).Statement == concat(
        jsondecode(output.admin_policy_json).Statement,
        [
          {
            Sid      = "Again"
            Effect   = "Allow"
            Action   = ["lambda:InvokeFunction"]
            Resource = ["arn:aws:lambda:us-east-1:123456789012:function:agents-prod-sweep"]
          },
          {
            Sid      = "Logs"
            Effect   = "Allow"
            Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
            Resource = ["arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/agents-prod-sweep:*"]
          },
        ],
      )
    )
    error_message = "It has the rights of upkeep, calls itself, and writes its log."
  }
}

run "rejects_another_schedule" {
  command = plan

  variables {
    sweep_schedule = "daily"
    sweep_package  = "./tests/mocks/account.tfmock.hcl"
  }

  expect_failures = [var.sweep_schedule]
}

run "rejects_a_schedule_without_package" {
  command = plan

  variables {
    sweep_schedule = "rate(1 day)"
  }

  expect_failures = [var.sweep_schedule]
}

run "rejects_to_sweep_what_is_under_way" {
  command = plan

  variables {
    sweep_older_than_seconds = 3599
  }

  expect_failures = [var.sweep_older_than_seconds]
}

run "rejects_a_function_named_after_a_table_with_a_long_name" {
  command = plan

  variables {
    checkpoints_table_name = format("%059d", 0)
    sweep_schedule         = "rate(1 day)"
    sweep_package          = "./tests/mocks/account.tfmock.hcl"
  }

  expect_failures = [var.sweep_schedule]
}

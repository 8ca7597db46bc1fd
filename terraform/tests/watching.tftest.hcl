# Plan only, on a mocked provider: no credentials, no network.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

run "rejects_what_is_no_topic" {
  command = plan

  variables {
    alarm_topic_arn = "arn:aws:sqs:eu-central-1:123456789012:queue"
  }

  expect_failures = [var.alarm_topic_arn]
}

run "rejects_the_name_of_a_topic" {
  command = plan

  variables {
    alarm_topic_arn = "alarms"
  }

  expect_failures = [var.alarm_topic_arn]
}

run "makes_no_alarms_unless_a_topic_is_named" {
  command = plan

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) == 0
    error_message = "there are alarms without a topic"
  }
}

run "tells_a_topic" {
  command = plan

  variables {
    alarm_topic_arn = "arn:aws:sns:eu-central-1:123456789012:alarms"
  }

  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_actions == toset([var.alarm_topic_arn])
    ]) && length(aws_cloudwatch_metric_alarm.this) > 0
    error_message = "an alarm does not tell the topic"
  }
}

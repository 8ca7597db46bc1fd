# Plan only, on a mocked provider: no credentials, no network.
# Each run that expects a failure breaks one rule alone; the runs before them lie just within.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan

  override_resource {
    target = aws_dynamodb_table.this["checkpoints"]
    values = { arn = "arn:aws:dynamodb:us-east-1:123456789012:table/from-checkpoints" }
  }

  override_resource {
    target = aws_dynamodb_table.this["writes"]
    values = { arn = "arn:aws:dynamodb:us-east-1:123456789012:table/from-writes" }
  }
}

run "accepts_the_shortest_names" {
  command = plan

  variables {
    checkpoints_table_name = "a.b"
    writes_table_name      = "A_9"
    run_id_index_name      = "a-b"
    bucket_name            = "a-1"
    policy_name_prefix     = "a"
    bucket_key_prefix      = "a/"
    create_policies        = true
  }

  assert {
    condition = (
      output.checkpoints_table_name == "a.b" &&
      output.writes_table_name == "A_9" &&
      output.bucket_name == "a-1"
    )
    error_message = "The names are taken as they are."
  }
}

run "accepts_the_longest_names" {
  command = plan

  variables {
    checkpoints_table_name = format("%0255d", 1)
    writes_table_name      = format("%0255d", 2)
    run_id_index_name      = format("%0255d", 0)
    bucket_name            = format("%063d", 0)
    policy_name_prefix     = format("%0120d", 0)
    bucket_key_prefix      = "${format("%0511d", 0)}/"
    create_policies        = true
  }

  assert {
    condition = (
      length(output.checkpoints_table_name) == 255 && length(output.writes_table_name) == 255 &&
      length(output.run_id_index_name) == 255 && length(output.bucket_name) == 63 &&
      length(output.bucket_key_prefix) == 512 && length(aws_iam_policy.this["runtime"].name) == 128
    )
    error_message = "The names are as long as they may be."
  }
}

run "accepts_the_smallest_numbers" {
  command = plan

  variables {
    ttl_seconds             = 1
    max_read_request_units  = 1
    max_write_request_units = 1
  }

  assert {
    condition     = output.saver_settings.ttl_seconds == 1
    error_message = "One second is taken."
  }
}

run "accepts_a_key_of_many_regions" {
  command = plan

  variables {
    kms_key_arn = "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab"
  }

  assert {
    condition     = aws_dynamodb_table.this["checkpoints"].server_side_encryption[0].kms_key_arn == var.kms_key_arn
    error_message = "The key is taken."
  }
}

run "accepts_every_kind_of_region_name" {
  command = plan

  variables {
    replica_regions = ["us-gov-west-1", "eusc-de-east-1"]
  }

  assert {
    condition     = length(aws_dynamodb_table.this["checkpoints"].replica) == 2
    error_message = "Both regions are taken."
  }
}

run "accepts_prefixes_of_safe_characters" {
  command = plan

  variables {
    bucket_name             = "yours"
    bucket_key_prefix       = ".a/Z9!_.'()=-/.../"
    tenant_thread_id_prefix = "$${aws:PrincipalTag/tenant+a.b@c=d}-Z_9$${aws:userid}_"
  }

  assert {
    condition     = output.bucket_key_prefix == ".a/Z9!_.'()=-/.../"
    error_message = "The prefix of keys is taken."
  }

  assert {
    condition = (
      strcontains(
        output.tenant_policy_json, "$${aws:PrincipalTag/tenant+a.b@c=d}-Z_9$${aws:userid}_*"
      )
    )
    error_message = "The prefix of threads is taken."
  }
}

run "rejects_other_characters_in_the_name_of_the_table_of_checkpoints" {
  command = plan

  variables {
    checkpoints_table_name = "agents/all"
  }

  expect_failures = [var.checkpoints_table_name]
}

run "rejects_other_characters_in_the_name_of_the_table_of_writes" {
  command = plan

  variables {
    writes_table_name = "agents/all"
  }

  expect_failures = [var.writes_table_name]
}

run "rejects_other_characters_in_the_name_of_the_index" {
  command = plan

  variables {
    run_id_index_name = "agents/all"
  }

  expect_failures = [var.run_id_index_name]
}

run "rejects_one_name_for_both_tables" {
  command = plan

  variables {
    checkpoints_table_name = "langgraph-writes"
  }

  expect_failures = [var.writes_table_name]
}

run "rejects_zero_ttl_seconds" {
  command = plan

  variables {
    ttl_seconds = 0
  }

  expect_failures = [var.ttl_seconds]
}

run "rejects_zero_max_read_request_units" {
  command = plan

  variables {
    max_read_request_units = 0
  }

  expect_failures = [var.max_read_request_units]
}

run "rejects_zero_max_write_request_units" {
  command = plan

  variables {
    max_write_request_units = 0
  }

  expect_failures = [var.max_write_request_units]
}

run "rejects_an_unknown_table_class" {
  command = plan

  variables {
    table_class = "GLACIER"
  }

  expect_failures = [var.table_class]
}

run "rejects_an_alias_of_a_key" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:us-east-1:123456789012:alias/agents"
  }

  expect_failures = [var.kms_key_arn]
}

run "rejects_what_is_no_region" {
  command = plan

  variables {
    replica_regions = ["eu-west-1", "Ireland"]
  }

  expect_failures = [var.replica_regions]
}

run "rejects_the_own_region_for_a_replica" {
  command = plan

  variables {
    replica_regions = ["eu-west-1", "us-east-1"]
  }

  expect_failures = [aws_dynamodb_table.this]
}

run "rejects_a_key_of_a_region_without_replica" {
  command = plan

  variables {
    replica_regions = ["eu-west-1"]
    kms_key_arn     = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    replica_kms_key_arns = {
      ap-southeast-2 = "arn:aws:kms:ap-southeast-2:123456789012:key/aaaaaaaa-12ab-34cd-56ef-1234567890ab"
    }
  }

  expect_failures = [var.replica_kms_key_arns]
}

run "rejects_a_replica_without_key_beside_a_table_with_one" {
  command = plan

  variables {
    replica_regions = ["eu-west-1", "ap-southeast-2"]
    kms_key_arn     = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    replica_kms_key_arns = {
      eu-west-1 = "arn:aws:kms:eu-west-1:123456789012:key/eeeeeeee-12ab-34cd-56ef-1234567890ab"
    }
  }

  expect_failures = [var.replica_kms_key_arns]
}

run "rejects_a_replica_with_key_beside_a_table_without" {
  command = plan

  variables {
    replica_regions = ["eu-west-1"]
    replica_kms_key_arns = {
      eu-west-1 = "arn:aws:kms:eu-west-1:123456789012:key/eeeeeeee-12ab-34cd-56ef-1234567890ab"
    }
  }

  expect_failures = [var.replica_kms_key_arns]
}

run "rejects_what_is_no_json_for_the_policy_of_checkpoints" {
  command = plan

  variables {
    checkpoints_resource_policy = "Allow"
  }

  expect_failures = [var.checkpoints_resource_policy]
}

run "rejects_what_is_no_json_for_the_policy_of_writes" {
  command = plan

  variables {
    writes_resource_policy = "Allow"
  }

  expect_failures = [var.writes_resource_policy]
}

run "rejects_capitals_in_the_name_of_the_bucket" {
  command = plan

  variables {
    bucket_name = "Agents"
  }

  expect_failures = [var.bucket_name]
}

run "rejects_a_prefix_of_keys_without_slash_at_its_end" {
  command = plan

  variables {
    bucket_key_prefix = "agents"
  }

  expect_failures = [var.bucket_key_prefix]
}

run "rejects_an_empty_name_in_the_prefix_of_keys" {
  command = plan

  variables {
    bucket_key_prefix = "agents//"
  }

  expect_failures = [var.bucket_key_prefix]
}

run "rejects_a_dot_for_a_name_in_the_prefix_of_keys" {
  command = plan

  variables {
    bucket_key_prefix = "agents/./"
  }

  expect_failures = [var.bucket_key_prefix]
}

run "rejects_two_dots_for_a_name_in_the_prefix_of_keys" {
  command = plan

  variables {
    bucket_key_prefix = "../agents/"
  }

  expect_failures = [var.bucket_key_prefix]
}

run "rejects_other_characters_in_the_prefix_of_policies" {
  command = plan

  variables {
    policy_name_prefix = "agents/all"
  }

  expect_failures = [var.policy_name_prefix]
}

run "rejects_a_key_of_a_replica_in_another_region" {
  command = plan

  variables {
    kms_key_arn          = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    replica_regions      = ["eu-west-1"]
    replica_kms_key_arns = { eu-west-1 = "arn:aws:kms:us-east-1:123456789012:key/a" }
  }

  expect_failures = [var.replica_kms_key_arns]
}

run "rejects_an_alias_for_the_key_of_a_replica" {
  command = plan

  variables {
    kms_key_arn          = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    replica_regions      = ["eu-west-1"]
    replica_kms_key_arns = { eu-west-1 = "arn:aws:kms:eu-west-1:123456789012:alias/*" }
  }

  expect_failures = [var.replica_kms_key_arns]
}

run "rejects_an_alias_for_the_key_of_a_bucket" {
  command = plan

  variables {
    bucket_name        = "yours"
    bucket_kms_key_arn = "arn:aws:kms:us-east-1:123456789012:alias/yours"
  }

  expect_failures = [var.bucket_kms_key_arn]
}

run "rejects_a_key_of_no_bucket" {
  command = plan

  variables {
    bucket_kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/a"
  }

  expect_failures = [var.bucket_kms_key_arn]
}

run "rejects_a_second_key_of_a_created_bucket" {
  command = plan

  variables {
    create_bucket      = true
    bucket_name        = "made"
    bucket_kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/a"
  }

  expect_failures = [var.bucket_kms_key_arn]
}

run "rejects_an_address_for_the_name_of_a_bucket" {
  command = plan

  variables {
    bucket_name = "192.168.1.1"
  }

  expect_failures = [var.bucket_name]
}

run "rejects_two_dots_in_the_name_of_a_bucket" {
  command = plan

  variables {
    bucket_name = "a..b"
  }

  expect_failures = [var.bucket_name]
}

run "rejects_managed_policies_named_after_a_table_with_a_long_name" {
  command = plan

  variables {
    checkpoints_table_name = format("%0121d", 0)
    create_policies        = true
  }

  expect_failures = [aws_iam_policy.this]
}

run "accepts_managed_policies_named_after_a_table_with_a_name_just_short_enough" {
  command = plan

  variables {
    checkpoints_table_name = format("%0120d", 0)
    create_policies        = true
  }

  assert {
    condition     = alltrue([for policy in aws_iam_policy.this : length(policy.name) <= 128])
    error_message = "IAM takes names of 128 characters."
  }
}

run "rejects_what_object_keys_encode_in_the_prefix_of_threads" {
  command = plan

  variables {
    create_bucket           = true
    tenant_thread_id_prefix = "acme:"
  }

  expect_failures = [var.tenant_thread_id_prefix]
}

run "accepts_a_colon_in_the_prefix_of_threads_without_a_bucket" {
  command = plan

  variables {
    tenant_thread_id_prefix = "acme:"
  }

  assert {
    condition     = strcontains(output.tenant_policy_json, "acme:*")
    error_message = "The prefix of threads is taken."
  }
}

run "accepts_a_colon_within_a_policy_variable_with_a_bucket" {
  command = plan

  variables {
    bucket_name             = "yours"
    tenant_thread_id_prefix = "$${aws:userid}_"
  }

  assert {
    condition     = strcontains(output.tenant_policy_json, "$${aws:userid}_*")
    error_message = "The prefix of threads is taken."
  }
}

run "rejects_a_prefix_of_threads_without_separator" {
  command = plan

  variables {
    tenant_thread_id_prefix = "acme"
  }

  expect_failures = [var.tenant_thread_id_prefix]
}

run "rejects_a_prefix_of_owners_without_separator" {
  command = plan

  variables {
    thread_index_owner      = "user_id"
    tenant_thread_id_prefix = "acme_"
    tenant_owner_prefix     = "acme"
  }

  expect_failures = [var.tenant_owner_prefix]
}

run "accepts_the_most_days_of_recovery" {
  command = plan

  variables {
    point_in_time_recovery_days = 35
  }

  assert {
    condition     = aws_dynamodb_table.this["writes"].point_in_time_recovery[0].recovery_period_in_days == 35
    error_message = "The days are taken."
  }
}

run "rejects_more_days_of_recovery" {
  command = plan

  variables {
    point_in_time_recovery_days = 36
  }

  expect_failures = [var.point_in_time_recovery_days]
}

run "rejects_days_without_recovery" {
  command = plan

  variables {
    point_in_time_recovery      = false
    point_in_time_recovery_days = 7
  }

  expect_failures = [var.point_in_time_recovery_days]
}

run "rejects_roles_of_no_policy" {
  command = plan

  variables {
    create_policies   = true
    policy_role_names = { owner = ["agent"] }
  }

  expect_failures = [var.policy_role_names]
}

run "rejects_roles_without_managed_policies" {
  command = plan

  variables {
    policy_role_names = { runtime = ["agent"] }
  }

  expect_failures = [var.policy_role_names]
}

run "rejects_roles_of_tenants_without_tenants" {
  command = plan

  variables {
    create_policies   = true
    policy_role_names = { tenant = ["agent"] }
  }

  expect_failures = [var.policy_role_names]
}

run "rejects_a_policy_variable_with_a_default" {
  command = plan

  variables {
    tenant_thread_id_prefix = "$${aws:PrincipalTag/tenant, 'acme'}_"
  }

  expect_failures = [var.tenant_thread_id_prefix]
}

run "rejects_a_policy_variable_of_another_kind" {
  command = plan

  variables {
    tenant_thread_id_prefix = "$${saml:sub}_"
  }

  expect_failures = [var.tenant_thread_id_prefix]
}

run "rejects_an_empty_key_for_the_owner_of_threads" {
  command = plan

  variables {
    thread_index_owner = ""
  }

  expect_failures = [var.thread_index_owner]
}

run "rejects_other_characters_in_the_name_of_the_index_of_threads" {
  command = plan

  variables {
    thread_index_owner = "user_id"
    thread_index_name  = "by owner"
  }

  expect_failures = [var.thread_index_name]
}

run "rejects_one_name_for_both_indexes" {
  command = plan

  variables {
    run_id_index_name  = "by-owner"
    thread_index_owner = "user_id"
  }

  expect_failures = [var.thread_index_name]
}

run "rejects_wildcards_in_the_prefix_of_owners" {
  command = plan

  variables {
    thread_index_owner      = "user_id"
    tenant_thread_id_prefix = "acme_"
    tenant_owner_prefix     = "a*_"
  }

  expect_failures = [var.tenant_owner_prefix]
}

run "rejects_a_prefix_of_owners_without_tenants" {
  command = plan

  variables {
    thread_index_owner  = "user_id"
    tenant_owner_prefix = "acme_"
  }

  expect_failures = [var.tenant_owner_prefix]
}

run "rejects_a_prefix_of_owners_without_an_index_of_threads" {
  command = plan

  variables {
    tenant_thread_id_prefix = "acme_"
    tenant_owner_prefix     = "acme_"
  }

  expect_failures = [var.tenant_owner_prefix]
}

# The rest breaks one rule of each variable that is named: each of them must be refused.

run "rejects_names_that_are_a_character_too_short" {
  command = plan

  variables {
    writes_table_name = "cd"
    run_id_index_name = "ef"
    bucket_name       = "gh"
  }

  expect_failures = [
    var.writes_table_name,
    var.run_id_index_name,
    var.bucket_name,
  ]
}

run "rejects_names_that_are_a_character_too_long" {
  command = plan

  variables {
    checkpoints_table_name = format("%0256d", 0)
    run_id_index_name      = format("%0256d", 0)
    bucket_name            = format("%064d", 0)
    policy_name_prefix     = format("%0121d", 0)
    bucket_key_prefix      = "${format("%0512d", 0)}/"
  }

  expect_failures = [
    var.checkpoints_table_name,
    var.run_id_index_name,
    var.bucket_name,
    var.policy_name_prefix,
    var.bucket_key_prefix,
  ]
}

run "rejects_text_that_is_empty_or_too_short" {
  command = plan

  variables {
    checkpoints_table_name  = "ab"
    bucket_key_prefix       = ""
    policy_name_prefix      = ""
    tenant_thread_id_prefix = ""
  }

  expect_failures = [
    var.checkpoints_table_name,
    var.bucket_key_prefix,
    var.policy_name_prefix,
    var.tenant_thread_id_prefix,
  ]
}

run "rejects_wildcards" {
  command = plan

  variables {
    checkpoints_table_name  = "agents*"
    bucket_key_prefix       = "agents*/"
    policy_name_prefix      = "agents*"
    tenant_thread_id_prefix = "acme-*"
  }

  expect_failures = [
    var.checkpoints_table_name,
    var.bucket_key_prefix,
    var.policy_name_prefix,
    var.tenant_thread_id_prefix,
  ]
}

run "rejects_arns_for_names_and_ids_for_arns" {
  command = plan

  variables {
    checkpoints_table_name = "arn:aws:dynamodb:us-east-1:123456789012:table/agents"
    bucket_name            = "arn:aws:s3:::agents"
    kms_key_arn            = "1234abcd-12ab-34cd-56ef-1234567890ab"
  }

  expect_failures = [
    var.checkpoints_table_name,
    var.bucket_name,
    var.kms_key_arn,
  ]
}

run "rejects_fractions" {
  command = plan

  variables {
    ttl_seconds             = 1.5
    max_read_request_units  = 1.5
    max_write_request_units = 1.5
  }

  expect_failures = [
    var.ttl_seconds,
    var.max_read_request_units,
    var.max_write_request_units,
  ]
}

run "rejects_values_that_are_almost_right" {
  command = plan

  variables {
    writes_table_name           = format("%0256d", 0)
    table_class                 = "standard"
    replica_regions             = ["eu-west-1a"]
    bucket_name                 = "agents-"
    checkpoints_resource_policy = "{}"
    writes_resource_policy      = "{}"
  }

  expect_failures = [
    var.writes_table_name,
    var.table_class,
    var.replica_regions,
    var.bucket_name,
    var.checkpoints_resource_policy,
    var.writes_resource_policy,
  ]
}

# Plan only, on a mocked provider: no credentials, no network.

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

run "defaults_make_the_two_tables_the_saver_reads" {
  command = plan

  assert {
    condition     = keys(aws_dynamodb_table.this) == ["checkpoints", "writes"]
    error_message = "There are two tables."
  }

  assert {
    condition = (
      aws_dynamodb_table.this["checkpoints"].name == "langgraph-checkpoints" &&
      aws_dynamodb_table.this["writes"].name == "langgraph-writes"
    )
    error_message = "Both have their default names."
  }

  assert {
    condition = (
      aws_dynamodb_table.this["checkpoints"].hash_key == "thread_id" &&
      aws_dynamodb_table.this["checkpoints"].range_key == "checkpoint_id"
    )
    error_message = "The keys of the checkpoints are fixed."
  }

  assert {
    condition = (
      aws_dynamodb_table.this["writes"].hash_key == "thread_id_checkpoint_id_checkpoint_ns" &&
      aws_dynamodb_table.this["writes"].range_key == "task_id_idx"
    )
    error_message = "The keys of the writes are fixed."
  }

  assert {
    condition = (
      {
        for attribute in aws_dynamodb_table.this["checkpoints"].attribute :
        attribute.name => attribute.type
        } == {
        checkpoint_id = "S",
        thread_id     = "S",
      }
    )
    error_message = "Exactly the keys of the checkpoints are defined, as strings."
  }

  assert {
    condition = (
      {
        for attribute in aws_dynamodb_table.this["writes"].attribute :
        attribute.name => attribute.type
        } == {
        task_id_idx                           = "S",
        thread_id_checkpoint_id_checkpoint_ns = "S",
      }
    )
    error_message = "Exactly the keys of the writes are defined, as strings."
  }
}

run "defaults_keep_what_is_stored_until_its_own_ttl" {
  command = plan

  assert {
    condition = (
      alltrue([
        for table in aws_dynamodb_table.this :
        table.point_in_time_recovery[0].enabled
      ])
    )
    error_message = "Both tables can be restored to a point in time."
  }

  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : table.deletion_protection_enabled])
    error_message = "Neither table can be deleted."
  }

  assert {
    condition = (
      alltrue([
        for table in aws_dynamodb_table.this :
        length(table.ttl) == 1 && table.ttl[0].enabled && table.ttl[0].attribute_name == "ttl"
      ])
    )
    error_message = "Both tables expire items by ttl."
  }
}

run "defaults_cost_nothing_more_than_requests_and_storage" {
  command = plan

  assert {
    condition = (
      alltrue([
        for table in aws_dynamodb_table.this :
        table.billing_mode == "PAY_PER_REQUEST"
      ])
    )
    error_message = "Both tables are billed by request."
  }

  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : table.table_class == "STANDARD"])
    error_message = "Both tables are of the standard class."
  }

  assert {
    condition = (
      alltrue([
        for table in aws_dynamodb_table.this :
        length(table.server_side_encryption) == 0
      ])
    )
    error_message = "DynamoDB's own key encrypts both tables."
  }

  assert {
    condition = (
      alltrue([
        for table in aws_dynamodb_table.this :
        length(table.on_demand_throughput) == 0
      ])
    )
    error_message = "Neither table is limited."
  }

  assert {
    condition = (
      alltrue([
        for table in aws_dynamodb_table.this :
        length(table.global_secondary_index) == 0 && length(table.local_secondary_index) == 0
      ])
    )
    error_message = "Neither table has an index."
  }

  assert {
    condition = (
      alltrue([
        for table in aws_dynamodb_table.this :
        !table.stream_enabled && length(table.replica) == 0
      ])
    )
    error_message = "Neither table has a stream or a replica."
  }

  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : length(table.tags) == 0])
    error_message = "Neither table has a tag."
  }
}

run "defaults_make_nothing_but_tables_and_outputs_of_them" {
  command = plan

  assert {
    condition = (
      length(aws_s3_bucket.this) == 0 && length(aws_s3_bucket_public_access_block.this) == 0 &&
      length(aws_s3_bucket_ownership_controls.this) == 0 && length(aws_s3_bucket_versioning.this) == 0 &&
      length(aws_s3_bucket_server_side_encryption_configuration.this) == 0 &&
      length(aws_s3_bucket_policy.this) == 0 && length(aws_s3_bucket_lifecycle_configuration.this) == 0
    )
    error_message = "There is no bucket, nor anything of one."
  }

  assert {
    condition     = length(aws_iam_policy.this) == 0
    error_message = "There is no managed policy."
  }

  assert {
    condition     = length(aws_dynamodb_resource_policy.this) == 0
    error_message = "There is no resource policy."
  }

  assert {
    condition = (
      output.checkpoints_table_name == "langgraph-checkpoints" &&
      output.writes_table_name == "langgraph-writes"
    )
    error_message = "The outputs name both tables."
  }

  assert {
    condition = (
      output.checkpoints_table_arn == "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-checkpoints" &&
      output.writes_table_arn == "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-writes"
    )
    error_message = "The outputs have the ARNs of both tables."
  }

  assert {
    condition = (
      output.run_id_index_name == null && output.bucket_name == null && output.bucket_arn == null &&
      output.bucket_key_prefix == null && output.tenant_policy_json == null
    )
    error_message = "What there is not is null."
  }

  assert {
    condition     = length(output.policy_arns) == 0
    error_message = "Without managed policies there are no ARNs of them."
  }

  assert {
    condition = (
      output.saver_settings == {
        checkpoints_table_name = "langgraph-checkpoints"
        writes_table_name      = "langgraph-writes"
        region_name            = "us-east-1"
      }
    )
    error_message = "The saver needs both names, where they are, and nothing else."
  }
}

run "threads_are_indexed_by_owner_and_moment_with_whole_items" {
  command = plan

  variables {
    thread_index_owner      = "user_id"
    max_read_request_units  = 50
    max_write_request_units = 40
  }

  assert {
    condition = (
      [
        for index in aws_dynamodb_table.this["checkpoints"].global_secondary_index :
        [index.name, index.hash_key, index.range_key, index.projection_type]
      ] == [["by-owner", "owner", "updated", "ALL"]]
    )
    error_message = "The index is the saver's."
  }

  assert {
    condition = (
      {
        for attribute in aws_dynamodb_table.this["checkpoints"].attribute :
        attribute.name => attribute.type
        } == {
        checkpoint_id = "S",
        owner         = "S",
        thread_id     = "S",
        updated       = "S",
      }
    )
    error_message = "Exactly the keys are defined, as strings."
  }

  assert {
    condition = alltrue([
      for index in aws_dynamodb_table.this["checkpoints"].global_secondary_index :
      index.on_demand_throughput[0].max_read_request_units == 50 &&
      index.on_demand_throughput[0].max_write_request_units == 40
    ])
    error_message = "The index is limited as the tables are."
  }

  assert {
    condition     = length(aws_dynamodb_table.this["writes"].global_secondary_index) == 0
    error_message = "The writes have no index."
  }

  assert {
    condition = (
      output.thread_index_name == "by-owner" &&
      output.saver_settings.thread_index == { owner = "user_id", index_name = "by-owner" }
    )
    error_message = "The saver is told its name, and what names an owner."
  }
}

run "without_an_owner_there_is_no_index_of_threads" {
  command = plan

  variables {
    thread_index_name = "threads"
  }

  assert {
    condition = (
      length(aws_dynamodb_table.this["checkpoints"].global_secondary_index) == 0 &&
      output.thread_index_name == null && !can(output.saver_settings.thread_index)
    )
    error_message = "A name alone makes none."
  }
}

run "tables_take_the_names_given" {
  command = plan

  variables {
    checkpoints_table_name = "agents.checkpoints"
    writes_table_name      = "agents_writes-2"
  }

  assert {
    condition = (
      aws_dynamodb_table.this["checkpoints"].name == "agents.checkpoints" &&
      aws_dynamodb_table.this["writes"].name == "agents_writes-2"
    )
    error_message = "Both tables have the names given."
  }

  assert {
    condition = (
      output.checkpoints_table_name == "agents.checkpoints" &&
      output.writes_table_name == "agents_writes-2"
    )
    error_message = "The outputs have the names given."
  }

  assert {
    condition = (
      endswith(output.checkpoints_table_arn, ":table/agents.checkpoints") &&
      endswith(output.writes_table_arn, ":table/agents_writes-2")
    )
    error_message = "The ARNs have the names given."
  }

  assert {
    condition = (
      output.saver_settings == {
        checkpoints_table_name = "agents.checkpoints"
        writes_table_name      = "agents_writes-2"
        region_name            = "us-east-1"
      }
    )
    error_message = "The saver's settings have the names given."
  }
}

run "an_index_is_sparse_keys_only_and_of_the_checkpoints_alone" {
  command = plan

  variables {
    run_id_index_name = "by-run"
  }

  assert {
    condition = (
      [for index in aws_dynamodb_table.this["checkpoints"].global_secondary_index : [
        index.name, index.hash_key, index.projection_type
        ]] == [
        ["by-run", "run_id", "KEYS_ONLY"],
      ]
    )
    error_message = "The checkpoints have one index by run id, of keys only."
  }

  assert {
    condition = (
      alltrue([
        for index in aws_dynamodb_table.this["checkpoints"].global_secondary_index :
        index.range_key == null
      ])
    )
    error_message = "The index has no sort key."
  }

  assert {
    condition = (
      { for attribute in aws_dynamodb_table.this["checkpoints"].attribute : attribute.name => attribute.type } == {
        checkpoint_id = "S", run_id = "S", thread_id = "S"
      }
    )
    error_message = "The index's key is defined as a string."
  }

  assert {
    condition = (
      alltrue([
        for index in aws_dynamodb_table.this["checkpoints"].global_secondary_index :
        length(index.on_demand_throughput) == 0
      ])
    )
    error_message = "The index is not limited."
  }

  assert {
    condition = (
      length(aws_dynamodb_table.this["writes"].global_secondary_index) == 0 &&
      length(aws_dynamodb_table.this["writes"].attribute) == 2
    )
    error_message = "The writes have no index, nor a key of one."
  }

  assert {
    condition     = output.run_id_index_name == "by-run" && output.saver_settings.run_id_index == "by-run"
    error_message = "The saver learns the name of the index."
  }
}

# In the next two runs a limit that is not given is the mocked provider's 0.

run "a_limit_of_reads_alone_is_for_both_tables_and_the_index" {
  command = plan

  variables {
    run_id_index_name      = "by-run"
    max_read_request_units = 40
  }

  assert {
    condition = (
      [for limits in concat(
        [for table in aws_dynamodb_table.this : table.on_demand_throughput[0]],
        [for index in aws_dynamodb_table.this["checkpoints"].global_secondary_index : index.on_demand_throughput[0]],
      ) : [limits.max_read_request_units, limits.max_write_request_units]] == [[40, 0], [40, 0], [40, 0]]
    )
    error_message = "Both tables and the index are limited in reads, and in nothing else."
  }

  assert {
    condition = (
      alltrue([
        for table in aws_dynamodb_table.this :
        length(table.on_demand_throughput) == 1
      ])
    )
    error_message = "Each table is limited once."
  }
}

run "a_limit_of_writes_alone_is_for_both_tables_and_the_index" {
  command = plan

  variables {
    run_id_index_name       = "by-run"
    max_write_request_units = 7
  }

  assert {
    condition = (
      [for limits in concat(
        [for table in aws_dynamodb_table.this : table.on_demand_throughput[0]],
        [for index in aws_dynamodb_table.this["checkpoints"].global_secondary_index : index.on_demand_throughput[0]],
      ) : [limits.max_read_request_units, limits.max_write_request_units]] == [[0, 7], [0, 7], [0, 7]]
    )
    error_message = "Both tables and the index are limited in writes, and in nothing else."
  }
}

run "both_limits_are_for_both_tables_and_the_index" {
  command = plan

  variables {
    run_id_index_name       = "by-run"
    max_read_request_units  = 40
    max_write_request_units = 7
  }

  assert {
    condition = (
      [for limits in concat(
        [for table in aws_dynamodb_table.this : table.on_demand_throughput[0]],
        [for index in aws_dynamodb_table.this["checkpoints"].global_secondary_index : index.on_demand_throughput[0]],
      ) : [limits.max_read_request_units, limits.max_write_request_units]] == [[40, 7], [40, 7], [40, 7]]
    )
    error_message = "Both tables and the index have both limits."
  }
}

run "a_kms_key_encrypts_both_tables" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  }

  assert {
    condition = (
      alltrue([for table in aws_dynamodb_table.this :
        table.server_side_encryption[0].enabled && table.server_side_encryption[0].kms_key_arn == var.kms_key_arn
      ])
    )
    error_message = "The key given encrypts both tables."
  }
}

run "the_table_class_is_for_both_tables" {
  command = plan

  variables {
    table_class = "STANDARD_INFREQUENT_ACCESS"
  }

  assert {
    condition = (
      alltrue([
        for table in aws_dynamodb_table.this :
        table.table_class == "STANDARD_INFREQUENT_ACCESS"
      ])
    )
    error_message = "Both tables are of the class given."
  }
}

run "recovery_can_be_turned_off_alone" {
  command = plan

  variables {
    point_in_time_recovery = false
  }

  assert {
    condition = (
      alltrue([
        for table in aws_dynamodb_table.this :
        !table.point_in_time_recovery[0].enabled
      ])
    )
    error_message = "Neither table keeps its past."
  }

  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : table.deletion_protection_enabled])
    error_message = "Both tables are protected as before."
  }
}

run "protection_can_be_turned_off_alone" {
  command = plan

  variables {
    deletion_protection = false
  }

  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : !table.deletion_protection_enabled])
    error_message = "Both tables can be deleted."
  }

  assert {
    condition = (
      alltrue([
        for table in aws_dynamodb_table.this :
        table.point_in_time_recovery[0].enabled
      ])
    )
    error_message = "Both tables keep their past as before."
  }
}

run "tags_are_on_both_tables" {
  command = plan

  variables {
    tags = { team = "agents", stage = "test" }
  }

  assert {
    condition = (
      alltrue([
        for table in aws_dynamodb_table.this :
        tomap(table.tags) == tomap({ team = "agents", stage = "test" })
      ])
    )
    error_message = "Both tables have the tags."
  }
}

run "ttl_seconds_change_no_table" {
  command = plan

  variables {
    ttl_seconds = 3600
  }

  assert {
    condition = (
      alltrue([
        for table in aws_dynamodb_table.this :
        length(table.ttl) == 1 && table.ttl[0].enabled && table.ttl[0].attribute_name == "ttl"
      ])
    )
    error_message = "Both tables expire items by ttl, as without it."
  }

  assert {
    condition     = output.saver_settings.ttl_seconds == 3600
    error_message = "The saver learns its ttl_seconds."
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.this) == 0
    error_message = "Without a bucket there is no lifecycle."
  }
}

run "replicas_are_of_both_tables_with_a_stream_and_recovery" {
  command = plan

  variables {
    replica_regions = ["eu-west-1", "ap-southeast-2"]
  }

  assert {
    condition = (
      alltrue([
        for table in aws_dynamodb_table.this :
        sort([for replica in table.replica : replica.region_name]) == tolist(["ap-southeast-2", "eu-west-1"])
      ])
    )
    error_message = "Both tables have a replica in each region."
  }

  assert {
    condition = (
      alltrue([
        for table in aws_dynamodb_table.this :
        table.stream_enabled && table.stream_view_type == "NEW_AND_OLD_IMAGES"
      ])
    )
    error_message = "Both tables have the stream that replicas need."
  }

  assert {
    condition = (
      alltrue([
        for table in aws_dynamodb_table.this :
        alltrue([for replica in table.replica : replica.point_in_time_recovery && replica.propagate_tags])
      ])
    )
    error_message = "Each replica has recovery and the tags of its table."
  }

  assert {
    condition = (
      alltrue([
        for table in aws_dynamodb_table.this :
        alltrue([for replica in table.replica : !startswith(replica.kms_key_arn, "arn:")])
      ])
    )
    error_message = "No replica has a key of yours."
  }
}

run "replicas_follow_their_tables_in_recovery" {
  command = plan

  variables {
    replica_regions        = ["eu-west-1"]
    point_in_time_recovery = false
  }

  assert {
    condition = (
      alltrue([
        for table in aws_dynamodb_table.this :
        [for replica in table.replica : replica.point_in_time_recovery] == [false]
      ])
    )
    error_message = "No replica keeps its past."
  }
}

run "each_replica_has_the_key_of_its_region" {
  command = plan

  variables {
    replica_regions = ["eu-west-1", "ap-southeast-2"]
    kms_key_arn     = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    replica_kms_key_arns = {
      eu-west-1      = "arn:aws:kms:eu-west-1:123456789012:key/eeeeeeee-12ab-34cd-56ef-1234567890ab"
      ap-southeast-2 = "arn:aws:kms:ap-southeast-2:123456789012:key/aaaaaaaa-12ab-34cd-56ef-1234567890ab"
    }
  }

  assert {
    condition = (
      alltrue([for table in aws_dynamodb_table.this :
        { for replica in table.replica : replica.region_name => replica.kms_key_arn } == {
          ap-southeast-2 = var.replica_kms_key_arns["ap-southeast-2"]
          eu-west-1      = var.replica_kms_key_arns["eu-west-1"]
        }
      ])
    )
    error_message = "Each replica has the key of its region."
  }

  assert {
    condition = (
      alltrue([
        for table in aws_dynamodb_table.this :
        table.server_side_encryption[0].kms_key_arn == var.kms_key_arn
      ])
    )
    error_message = "The tables have their own."
  }
}

run "a_resource_policy_is_of_the_checkpoints" {
  command = plan

  variables {
    checkpoints_resource_policy = "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
  }

  assert {
    condition     = keys(aws_dynamodb_resource_policy.this) == ["checkpoints"]
    error_message = "One table has a resource policy, the other none."
  }

  assert {
    condition = (
      aws_dynamodb_resource_policy.this["checkpoints"].resource_arn == aws_dynamodb_table.this[
        "checkpoints"
      ].arn
    )
    error_message = "The policy is of the table of checkpoints."
  }

  assert {
    condition     = aws_dynamodb_resource_policy.this["checkpoints"].policy == var.checkpoints_resource_policy
    error_message = "The policy is the one given."
  }
}

run "a_resource_policy_is_of_the_writes" {
  command = plan

  variables {
    writes_resource_policy = "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
  }

  assert {
    condition     = keys(aws_dynamodb_resource_policy.this) == ["writes"]
    error_message = "One table has a resource policy, the other none."
  }

  assert {
    condition = (
      aws_dynamodb_resource_policy.this["writes"].resource_arn == aws_dynamodb_table.this[
        "writes"
      ].arn
    )
    error_message = "The policy is of the table of writes."
  }

  assert {
    condition     = aws_dynamodb_resource_policy.this["writes"].policy == var.writes_resource_policy
    error_message = "The policy is the one given."
  }
}

# Plan only, on a mocked provider: no credentials, no network.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

run "without_a_name_there_is_no_store" {
  command = plan

  assert {
    condition     = keys(aws_dynamodb_table.this) == ["checkpoints", "writes"] && output.store_settings == null && output.store_table_name == null
    error_message = "There is something of a store."
  }

  assert {
    condition     = !strcontains(output.admin_policy_json, "Store")
    error_message = "A role has rights on a store that is not there."
  }
}

run "its_table_is_as_the_others" {
  command = plan

  variables {
    store_table_name        = "memories"
    create_bucket           = true
    bucket_name             = "bucket"
    max_read_request_units  = 100
    tenant_thread_id_prefix = "acme_"
    tenant_root_label       = "acme"
  }

  assert {
    condition = (
      aws_dynamodb_table.this["store"].hash_key == "root" &&
      aws_dynamodb_table.this["store"].range_key == "path" &&
      toset([for one in aws_dynamodb_table.this["store"].attribute : one.name]) == toset(["root", "path"])
    )
    error_message = "The keys of a store are fixed."
  }

  assert {
    condition = alltrue([
      for table in aws_dynamodb_table.this :
      table.billing_mode == "PAY_PER_REQUEST" && table.deletion_protection_enabled &&
      table.point_in_time_recovery[0].enabled && table.ttl[0].enabled &&
      table.on_demand_throughput[0].max_read_request_units == 100
    ])
    error_message = "A table is billed or protected otherwise than the others."
  }

  assert {
    condition = output.store_settings == {
      store_table_name  = "memories"
      region_name       = "us-east-1"
      s3_offload_config = { bucket_name = "bucket", key_prefix = "langgraph-store/" }
    }
    error_message = "The settings of the store are others."
  }

  assert {
    condition = [
      for one in jsondecode(output.tenant_policy_json).Statement : one.Condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
      if startswith(one.Sid, "Store") && one.Sid != "StoreObjects"
    ] == [["acme", "acme.*"], [".namespaces.*"]]
    error_message = "A tenant is held to something else in the store."
  }
}

run "its_vector_index_is_named_in_settings_and_policies" {
  command = plan

  variables {
    store_table_name        = "memories"
    store_vector_index_name = "vectors"
    tenant_thread_id_prefix = "acme_"
    tenant_root_label       = "acme"
  }

  assert {
    condition     = output.store_settings.vector_index == "vectors"
    error_message = "The settings do not name the vector index."
  }

  assert {
    condition = alltrue([
      for policy in [output.read_policy_json, output.runtime_policy_json, output.admin_policy_json] :
      contains([for one in jsondecode(policy).Statement : join(",", one.Action)], "dynamodb:SearchVectors")
    ])
    error_message = "A role may not search the vector index."
  }

  assert {
    condition     = !strcontains(output.tenant_policy_json, "SearchVectors")
    error_message = "A tenant may search the vectors of all."
  }
}

run "rejects_the_name_of_another_table" {
  command = plan

  variables {
    store_table_name = "langgraph-writes"
  }

  expect_failures = [var.store_table_name]
}

run "rejects_an_index_without_a_store" {
  command = plan

  variables {
    store_vector_index_name = "vectors"
  }

  expect_failures = [var.store_vector_index_name]
}

run "rejects_a_policy_without_a_store" {
  command = plan

  variables {
    store_resource_policy = "{\"Statement\": []}"
  }

  expect_failures = [var.store_resource_policy]
}

run "rejects_a_key_prefix_below_that_of_the_saver" {
  command = plan

  variables {
    store_bucket_key_prefix = "langgraph-checkpoints/store/"
  }

  expect_failures = [var.store_bucket_key_prefix]
}

run "rejects_a_label_with_a_period" {
  command = plan

  variables {
    store_table_name        = "memories"
    tenant_thread_id_prefix = "acme_"
    tenant_root_label       = "acme.eu"
  }

  expect_failures = [var.tenant_root_label]
}

run "rejects_a_label_without_a_store" {
  command = plan

  variables {
    tenant_thread_id_prefix = "acme_"
    tenant_root_label       = "acme"
  }

  expect_failures = [var.tenant_root_label]
}

run "rejects_a_name_of_a_store_that_dynamodb_refuses" {
  command = plan

  variables {
    store_table_name = "x"
  }

  expect_failures = [var.store_table_name]
}

run "rejects_a_name_of_an_index_that_dynamodb_refuses" {
  command = plan

  variables {
    store_table_name        = "memories"
    store_vector_index_name = "a b"
  }

  expect_failures = [var.store_vector_index_name]
}

run "rejects_what_is_no_policy" {
  command = plan

  variables {
    store_table_name      = "memories"
    store_resource_policy = "{}"
  }

  expect_failures = [var.store_resource_policy]
}

run "rejects_a_key_prefix_without_a_slash" {
  command = plan

  variables {
    store_bucket_key_prefix = "memories"
  }

  expect_failures = [var.store_bucket_key_prefix]
}

locals {
  # The keys are fixed by the saver and the store, in all versions.
  saver_tables = {
    checkpoints = {
      name      = var.checkpoints_table_name
      hash_key  = "thread_id"
      range_key = "checkpoint_id"
      indexes   = local.indexes
      policy    = var.checkpoints_resource_policy
    }
    writes = {
      name      = var.writes_table_name
      hash_key  = "thread_id_checkpoint_id_checkpoint_ns"
      range_key = "task_id_idx"
      indexes   = []
      policy    = var.writes_resource_policy
    }
  }
  store_tables = var.store_table_name == null ? {} : {
    store = {
      name      = var.store_table_name
      hash_key  = "root"
      range_key = "path"
      indexes   = []
      policy    = var.store_resource_policy
    }
  }
  tables = merge(local.saver_tables, local.store_tables)
  # Both are sparse: checkpoints by run id, and one item per thread by its owner.
  indexes = [
    for index in [
      { name = var.run_id_index_name, hash_key = "run_id", range_key = null, projection = "KEYS_ONLY" },
      { name = local.thread_index_name, hash_key = "owner", range_key = "updated", projection = "ALL" },
    ] : index if index.name != null
  ]
  thread_index_name = var.thread_index_owner == null ? null : var.thread_index_name

  saver_settings = merge(
    {
      checkpoints_table_name = var.checkpoints_table_name
      writes_table_name      = var.writes_table_name
      region_name            = local.region
    },
    { for name, value in { run_id_index = var.run_id_index_name, ttl_seconds = var.ttl_seconds } : name => value if value != null },
    local.thread_index_name == null ? {} : {
      thread_index = { owner = var.thread_index_owner, index_name = local.thread_index_name }
    },
    local.bucket_name == null ? {} : {
      s3_offload_config = { bucket_name = local.bucket_name, key_prefix = var.bucket_key_prefix }
    },
  )

  store_settings = var.store_table_name == null ? null : merge(
    { store_table_name = var.store_table_name, region_name = local.region },
    var.store_vector_index_name == null ? {} : { vector_index = var.store_vector_index_name },
    local.bucket_name == null ? {} : {
      s3_offload_config = { bucket_name = local.bucket_name, key_prefix = var.store_bucket_key_prefix }
    },
  )

  limited = var.max_read_request_units != null || var.max_write_request_units != null
}

resource "aws_dynamodb_table" "this" {
  # checkov:skip=CKV_AWS_119:A key of one's own is a choice (kms_key_arn); it costs money and can be lost. The default is the key that DynamoDB owns.
  for_each = local.tables

  name                        = each.value.name
  billing_mode                = "PAY_PER_REQUEST"
  table_class                 = var.table_class
  hash_key                    = each.value.hash_key
  range_key                   = each.value.range_key
  deletion_protection_enabled = var.deletion_protection
  stream_enabled              = length(var.replica_regions) > 0
  stream_view_type            = length(var.replica_regions) > 0 ? "NEW_AND_OLD_IMAGES" : null
  tags                        = var.tags

  dynamic "attribute" {
    for_each = concat(
      [each.value.hash_key, each.value.range_key],
      flatten([for index in each.value.indexes : compact([index.hash_key, index.range_key])]),
    )
    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = each.value.indexes
    content {
      name            = global_secondary_index.value.name
      hash_key        = global_secondary_index.value.hash_key
      range_key       = global_secondary_index.value.range_key
      projection_type = global_secondary_index.value.projection

      dynamic "on_demand_throughput" {
        for_each = local.limited ? [true] : []
        content {
          max_read_request_units  = var.max_read_request_units
          max_write_request_units = var.max_write_request_units
        }
      }
    }
  }

  dynamic "on_demand_throughput" {
    for_each = local.limited ? [true] : []
    content {
      max_read_request_units  = var.max_read_request_units
      max_write_request_units = var.max_write_request_units
    }
  }

  # Free of charge, and without effect on items without this attribute.
  ttl {
    attribute_name = "ttl"
    enabled        = true
  }

  point_in_time_recovery {
    enabled                 = var.point_in_time_recovery
    recovery_period_in_days = var.point_in_time_recovery_days
  }

  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]
    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }

  dynamic "replica" {
    for_each = var.replica_regions
    content {
      region_name            = replica.value
      kms_key_arn            = lookup(var.replica_kms_key_arns, replica.value, null)
      point_in_time_recovery = var.point_in_time_recovery
      propagate_tags         = true
    }
  }

  lifecycle {
    precondition {
      condition     = !contains(var.replica_regions, data.aws_region.current.id)
      error_message = "replica_regions holds the provider's own region; name others only."
    }
  }

  # If deletion protection makes a destroy fail, agents must go on working: Terraform destroys what the
  # tables depend on only after the tables.
  depends_on = [
    aws_cloudwatch_event_target.sweep,
    aws_iam_policy.this,
    aws_iam_role_policy_attachment.this,
    aws_lambda_function_recursion_config.sweep,
    aws_s3_bucket_lifecycle_configuration.this,
    aws_s3_bucket_ownership_controls.this,
    aws_s3_bucket_policy.this,
    aws_s3_bucket_public_access_block.this,
    aws_s3_bucket_server_side_encryption_configuration.this,
    aws_s3_bucket_versioning.this,
  ]
}

resource "aws_dynamodb_resource_policy" "this" {
  for_each = { for role, table in local.tables : role => table if table.policy != null }

  resource_arn = aws_dynamodb_table.this[each.key].arn
  policy       = each.value.policy
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  # Least privilege by role, as the saver's own list of actions has it.
  read_keys  = ["kms:Decrypt", "kms:DescribeKey"]
  write_keys = concat(local.read_keys, ["kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"])

  # Of tables that are right, `setup()` asks no more: an application may call it when it starts.
  verify = ["dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive"]
  run    = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]

  set_up = sort(concat(local.verify, ["dynamodb:CreateTable", "dynamodb:UpdateTable", "dynamodb:UpdateTimeToLive"]))

  # An agent deletes what it has put into a store.
  read_store    = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
  run_store     = concat(local.read_store, ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"])
  store_objects = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]

  runtime = {
    tables        = sort(concat(local.run, local.verify))
    index         = []
    threads       = ["dynamodb:Query"]
    objects       = ["s3:GetObject", "s3:PutObject"]
    store         = sort(concat(local.run_store, local.verify))
    registry      = []
    vectors       = ["dynamodb:SearchVectors"]
    store_objects = local.store_objects
    # Nothing is ever listed, but without it S3 calls a missing object forbidden. It cannot be held to
    # the key prefix: the request that S3 asks about is no listing, and has no `s3:prefix`.
    bucket = ["s3:ListBucket"]
    key    = local.write_keys
    prefix = ""
    owners = ""
    label  = null
  }

  roles = {
    for role, actions in {
      read = {
        tables        = ["dynamodb:GetItem", "dynamodb:Query"]
        index         = []
        threads       = ["dynamodb:Query", "dynamodb:Scan"]
        objects       = ["s3:GetObject"]
        store         = local.read_store
        registry      = []
        vectors       = ["dynamodb:SearchVectors"]
        store_objects = ["s3:GetObject"]
        bucket        = ["s3:ListBucket"]
        key           = local.read_keys
        prefix        = ""
        owners        = ""
        label         = null
      }
      runtime = local.runtime
      setup = {
        tables        = local.set_up
        index         = []
        threads       = []
        objects       = []
        store         = local.set_up
        registry      = []
        vectors       = []
        store_objects = []
        bucket        = []
        key           = []
        prefix        = ""
        owners        = ""
        label         = null
      }
      admin = {
        tables = [
          "dynamodb:BatchWriteItem",
          "dynamodb:DeleteItem",
          "dynamodb:DescribeTable",
          "dynamodb:DescribeTimeToLive",
          "dynamodb:GetItem",
          "dynamodb:PutItem",
          "dynamodb:Query",
          "dynamodb:Scan",
          "dynamodb:UpdateItem",
        ]
        index         = ["dynamodb:Query"]
        threads       = ["dynamodb:Query", "dynamodb:Scan"]
        objects       = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        store         = sort(concat(local.run_store, local.verify, ["dynamodb:Scan"]))
        registry      = []
        vectors       = ["dynamodb:SearchVectors"]
        store_objects = local.store_objects
        bucket        = ["s3:ListBucket"]
        key           = local.write_keys
        prefix        = ""
        owners        = ""
        label         = null
      }
      # Both partition keys, and the keys of objects, begin with the thread id. To list the bucket
      # would show a tenant the thread ids of all the others.
      # The partition key of the index of threads is the owner: only where owners begin with the
      # tenant, too, can a query of it be held to the tenant's own.
      # The namespaces of a store, and its vector index, are of all tenants: it may enter its own of them,
      # list none, and not search that index.
      tenant = merge(local.runtime, {
        tables        = local.run
        threads       = var.tenant_owner_prefix == null ? [] : local.runtime.threads
        store         = var.tenant_root_label == null ? [] : sort(local.run_store)
        registry      = var.tenant_root_label == null ? [] : ["dynamodb:GetItem", "dynamodb:UpdateItem"]
        vectors       = []
        store_objects = var.tenant_root_label == null ? [] : local.store_objects
        bucket        = []
        prefix        = var.tenant_thread_id_prefix
        owners        = var.tenant_owner_prefix == null ? "" : var.tenant_owner_prefix
        label         = var.tenant_root_label
      })
    } : role => actions if actions.prefix != null
  }
}

locals {
  account = data.aws_caller_identity.current.account_id
  region  = data.aws_region.current.id
  regions = concat([local.region], sort(var.replica_regions))

  # Made from names instead of read from the tables: so a plan shows the policies before they exist.
  # Each role's first is in the provider's region.
  table_arns_by_role = {
    for role, table in local.tables : role => [
      for region in local.regions :
      "arn:${data.aws_partition.current.partition}:dynamodb:${region}:${local.account}:table/${table.name}"
    ]
  }
  table_arns = concat(local.table_arns_by_role["checkpoints"], local.table_arns_by_role["writes"])
  store_arns = lookup(local.table_arns_by_role, "store", [])
  index_arns = var.run_id_index_name == null ? [] : [
    for arn in local.table_arns_by_role["checkpoints"] : "${arn}/index/${var.run_id_index_name}"
  ]
  thread_index_arns = local.thread_index_name == null ? [] : [
    for arn in local.table_arns_by_role["checkpoints"] : "${arn}/index/${local.thread_index_name}"
  ]
  vector_index_arns = var.store_vector_index_name == null ? [] : [for arn in local.store_arns : "${arn}/index/${var.store_vector_index_name}"]
  store_bucket_arns = length(local.store_arns) == 0 ? [] : local.bucket_arns
  bucket_arns       = local.bucket_arn == null ? [] : [local.bucket_arn]
  key_arns = distinct(concat(
    var.kms_key_arn == null ? [] : [var.kms_key_arn],
    values(var.replica_kms_key_arns),
    var.bucket_kms_key_arn == null ? [] : [var.bucket_kms_key_arn],
  ))

  # A bucket and its key are in one region.
  bucket_region = var.bucket_kms_key_arn == null ? local.region : split(":", var.bucket_kms_key_arn)[3]
  services_with_key = concat(
    var.kms_key_arn == null ? [] : [for region in local.regions : "dynamodb.${region}.${data.aws_partition.current.dns_suffix}"],
    local.bucket_arn == null ? [] : ["s3.${local.bucket_region}.${data.aws_partition.current.dns_suffix}"],
  )

  policies = {
    for role, actions in local.roles : role => jsonencode({
      Version = "2012-10-17"
      Statement = [
        for statement in [
          {
            Sid      = "Tables"
            Action   = actions.tables
            Resource = local.table_arns
            # ForAllValues also holds for a request without the key, hence the second condition.
            Condition = actions.prefix == "" ? null : {
              "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["${actions.prefix}*"] }
              "Null"                    = { "dynamodb:LeadingKeys" = "false" }
            }
          },
          {
            Sid       = "Index"
            Action    = actions.index
            Resource  = local.index_arns
            Condition = null
          },
          {
            Sid      = "ThreadIndex"
            Action   = actions.threads
            Resource = local.thread_index_arns
            Condition = actions.owners == "" ? null : {
              "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["${actions.owners}*"] }
              "Null"                    = { "dynamodb:LeadingKeys" = "false" }
            }
          },
          {
            Sid       = "Objects"
            Action    = actions.objects
            Resource  = [for arn in local.bucket_arns : "${arn}/${var.bucket_key_prefix}${actions.prefix}*"]
            Condition = null
          },
          {
            Sid      = "Store"
            Action   = actions.store
            Resource = local.store_arns
            # What a label is partitioned into, and the parts of its large values, follow a period.
            Condition = actions.label == null ? null : {
              "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = [actions.label, "${actions.label}.*"] }
              "Null"                    = { "dynamodb:LeadingKeys" = "false" }
            }
          },
          {
            Sid      = "StoreRegistry"
            Action   = actions.registry
            Resource = local.store_arns
            Condition = {
              "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = [".namespaces.*"] }
              "Null"                    = { "dynamodb:LeadingKeys" = "false" }
            }
          },
          {
            Sid       = "StoreVectors"
            Action    = actions.vectors
            Resource  = local.vector_index_arns
            Condition = null
          },
          {
            Sid       = "StoreObjects"
            Action    = actions.store_objects
            Resource  = [for arn in local.store_bucket_arns : "${arn}/${var.store_bucket_key_prefix}${actions.label == null ? "" : "${actions.label}/"}*"]
            Condition = null
          },
          {
            Sid       = "Bucket"
            Action    = actions.bucket
            Resource  = local.bucket_arns
            Condition = null
          },
          {
            Sid       = "Key"
            Action    = actions.key
            Resource  = local.key_arns
            Condition = { StringEquals = { "kms:ViaService" = local.services_with_key } }
          },
          ] : merge(
          { for name, value in statement : name => value if value != null },
          { Effect = "Allow" },
        ) if length(statement.Action) > 0 && length(statement.Resource) > 0
      ]
    })
  }

  policy_name_prefix = coalesce(var.policy_name_prefix, var.checkpoints_table_name)
  policy_descriptions = {
    read    = "Reads LangGraph threads."
    runtime = "Runs, resumes, lists and forks LangGraph threads."
    setup   = "Creates and verifies the tables of LangGraph's checkpoints."
    admin   = "Runs, copies, prunes, deletes and sweeps LangGraph threads."
    tenant  = "Runs the LangGraph threads of one tenant."
  }
}

resource "aws_iam_policy" "this" {
  for_each = var.create_policies ? local.policies : {}

  name        = "${local.policy_name_prefix}-${each.key}"
  description = local.policy_descriptions[each.key]
  policy      = each.value
  tags        = var.tags

  lifecycle {
    precondition {
      condition     = length(local.policy_name_prefix) <= 120
      error_message = "checkpoints_table_name is too long for the names of policies; set policy_name_prefix."
    }
  }
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = merge([
    for role, names in var.policy_role_names : {
      for name in names : "${role}/${name}" => { role = role, name = name }
    }
  ]...)

  role       = each.value.name
  policy_arn = aws_iam_policy.this[each.value.role].arn
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  # Least privilege by role, equal to the list of actions in the saver's policies.py.
  read_keys  = ["kms:Decrypt", "kms:DescribeKey"]
  write_keys = concat(local.read_keys, ["kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"])

  # Enough for `setup()` where the tables exist as configured, so applications may call it at startup.
  verify = ["dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive"]
  run    = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]

  set_up = sort(concat(local.verify, ["dynamodb:CreateTable", "dynamodb:UpdateTable", "dynamodb:UpdateTimeToLive"]))

  # An agent also deletes the values that it put into a store.
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
    # Without this right, S3 answers 403 instead of 404 for a missing object. A condition on `s3:prefix`
    # does not work: S3 checks the right for a GetObject request, which has no prefix.
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
      # Both partition keys, and the keys of objects, start with the thread id. Listing the bucket would
      # show the thread ids of other tenants.
      # The partition key of the thread index is the owner, so a policy can limit a query of it to a
      # tenant only if owners have a prefix for the tenant, too.
      # The namespace registry and the vector index are shared by all tenants: a tenant may register its
      # own namespaces, but may not list namespaces or search the index.
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

  # Built from names instead of table attributes, so that a plan shows the policies before the tables exist.
  # The first ARN of each table is in the provider's region.
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

  # A bucket and its key are in the same region.
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
            # `ForAllValues` is also true for a request without a key, hence the second condition.
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
            # A period separates the label from a partition number, and from the parts of large values.
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

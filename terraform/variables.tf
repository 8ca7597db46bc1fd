# Tables

variable "checkpoints_table_name" {
  description = "Name of the table of checkpoints. The saver's `checkpoints_table_name`."
  type        = string
  default     = "langgraph-checkpoints"
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.checkpoints_table_name))
    error_message = "checkpoints_table_name must be 3 to 255 letters, digits, dots, dashes or underscores."
  }
}

variable "writes_table_name" {
  description = "Name of the table of pending writes. The saver's `writes_table_name`."
  type        = string
  default     = "langgraph-writes"
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.writes_table_name))
    error_message = "writes_table_name must be 3 to 255 letters, digits, dots, dashes or underscores."
  }

  validation {
    condition     = var.writes_table_name != var.checkpoints_table_name
    error_message = "writes_table_name must differ from checkpoints_table_name: the two tables have different keys."
  }
}

variable "store_table_name" {
  description = "Name of the table of a LangGraph store, created like the other two. The store's `store_table_name`. Null creates no such table."
  type        = string
  default     = null

  validation {
    condition     = var.store_table_name == null || can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.store_table_name))
    error_message = "store_table_name must be 3 to 255 letters, digits, dots, dashes or underscores, or null."
  }

  validation {
    condition     = var.store_table_name != var.checkpoints_table_name && var.store_table_name != var.writes_table_name
    error_message = "store_table_name must differ from the names of the saver's tables: the store's table has different keys."
  }
}

variable "store_vector_index_name" {
  description = "Name of the vector index on the store's table, for settings and policies. The provider cannot create it; `setup()` does. The store's `vector_index`. Null for none."
  type        = string
  default     = null

  validation {
    condition     = var.store_vector_index_name == null || can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.store_vector_index_name))
    error_message = "store_vector_index_name must be 3 to 255 letters, digits, dots, dashes or underscores, or null."
  }

  validation {
    condition     = var.store_vector_index_name == null || var.store_table_name != null
    error_message = "store_vector_index_name names an index on the store's table: set store_table_name, too."
  }
}

variable "run_id_index_name" {
  description = "Name of a sparse, keys-only index of the checkpoints by `run_id`, so that `delete_for_runs` does not scan the table. The saver's `run_id_index`. Null creates no index."
  type        = string
  default     = null

  validation {
    condition     = var.run_id_index_name == null || can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.run_id_index_name))
    error_message = "run_id_index_name must be 3 to 255 letters, digits, dots, dashes or underscores, or null."
  }
}

variable "thread_index_owner" {
  description = "The key of a run's `configurable` or metadata that names the owner of its thread. Creates a sparse index of threads by owner, with whole items, for `list_threads`. The saver's `thread_index.owner`. Null creates no index."
  type        = string
  default     = null

  validation {
    condition     = var.thread_index_owner == null || try(length(var.thread_index_owner) > 0, false)
    error_message = "thread_index_owner must name a key, or be null."
  }
}

variable "thread_index_name" {
  description = "Name of the index of threads by owner; only with `thread_index_owner`. The saver's `thread_index.index_name`."
  type        = string
  default     = "by-owner"
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.thread_index_name))
    error_message = "thread_index_name must be 3 to 255 letters, digits, dots, dashes or underscores."
  }

  validation {
    condition     = var.thread_index_owner == null || var.thread_index_name != var.run_id_index_name
    error_message = "thread_index_name must differ from run_id_index_name: the two indexes have different keys."
  }
}

variable "ttl_seconds" {
  description = "The saver's `ttl_seconds`, if it is set. Tables always expire items by their attribute `ttl`, which the saver writes only if `ttl_seconds` is set. Here it also makes the objects of a created bucket expire."
  type        = number
  default     = null

  validation {
    condition     = var.ttl_seconds == null || try(var.ttl_seconds >= 1 && floor(var.ttl_seconds) == var.ttl_seconds, false)
    error_message = "ttl_seconds must be a whole number of seconds, 1 or more, or null."
  }
}

variable "max_read_request_units" {
  description = "Maximum read request units per second of each table and of each index, above which DynamoDB throttles. A limit on cost. Null is the account's quota."
  type        = number
  default     = null

  validation {
    condition     = var.max_read_request_units == null || try(var.max_read_request_units >= 1 && floor(var.max_read_request_units) == var.max_read_request_units, false)
    error_message = "max_read_request_units must be a whole number, 1 or more, or null."
  }
}

variable "max_write_request_units" {
  description = "Maximum write request units per second of each table and of each index, above which DynamoDB throttles. A limit on cost. Null is the account's quota."
  type        = number
  default     = null

  validation {
    condition     = var.max_write_request_units == null || try(var.max_write_request_units >= 1 && floor(var.max_write_request_units) == var.max_write_request_units, false)
    error_message = "max_write_request_units must be a whole number, 1 or more, or null."
  }
}

variable "table_class" {
  description = "`STANDARD`, or `STANDARD_INFREQUENT_ACCESS` where storage costs more than requests."
  type        = string
  default     = "STANDARD"
  nullable    = false

  validation {
    condition     = contains(["STANDARD", "STANDARD_INFREQUENT_ACCESS"], var.table_class)
    error_message = "table_class must be STANDARD or STANDARD_INFREQUENT_ACCESS."
  }
}

variable "point_in_time_recovery" {
  description = "Whether the tables, and their replicas, can be restored to any second of the last 35 days."
  type        = bool
  default     = true
  nullable    = false
}

variable "point_in_time_recovery_days" {
  description = "How many days back the tables can be restored, and for how long a created bucket keeps deleted objects: 1 to 35. Null is 35. Replicas always have DynamoDB's default of 35."
  type        = number
  default     = null

  validation {
    condition     = var.point_in_time_recovery_days == null || try(contains(range(1, 36), var.point_in_time_recovery_days), false)
    error_message = "point_in_time_recovery_days must be a whole number from 1 to 35, or null."
  }

  validation {
    condition     = var.point_in_time_recovery_days == null || var.point_in_time_recovery
    error_message = "point_in_time_recovery_days needs point_in_time_recovery."
  }
}

variable "deletion_protection" {
  description = "Whether DynamoDB refuses to delete the tables. Apply `false` before `terraform destroy`."
  type        = bool
  default     = true
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts the tables and a created bucket. Null is the AWS owned key of DynamoDB, and S3's key for the bucket."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-zA-Z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key (arn:aws:kms:REGION:ACCOUNT:key/ID), not of an alias, or null."
  }
}

variable "replica_regions" {
  description = "Other regions in which the tables have a replica (global tables), without the provider's own region."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for region in var.replica_regions : can(regex("^[a-z]{2,}(-[a-z]+)+-[0-9]+$", region))])
    error_message = "replica_regions must be names of regions, such as eu-west-1."
  }
}

variable "replica_kms_key_arns" {
  description = "ARN of the KMS key of each replica, by region: one for every replica if `kms_key_arn` is set, otherwise none."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([
      for region, arn in var.replica_kms_key_arns :
      can(regex("^arn:aws[a-z-]*:kms:${region}:[0-9]{12}:key/[a-zA-Z0-9-]+$", arn))
    ])
    error_message = "replica_kms_key_arns must hold ARNs of keys (arn:aws:kms:REGION:ACCOUNT:key/ID), each in its replica's region."
  }

  validation {
    condition     = length(setsubtract(keys(var.replica_kms_key_arns), var.replica_regions)) == 0
    error_message = "replica_kms_key_arns names a region that replica_regions does not."
  }

  validation {
    condition     = length(var.replica_kms_key_arns) == (var.kms_key_arn == null ? 0 : length(var.replica_regions))
    error_message = "replica_kms_key_arns must name a key for each of replica_regions where kms_key_arn is set, and none otherwise."
  }
}

variable "checkpoints_resource_policy" {
  description = "Resource-based policy of the table of checkpoints, as JSON, for example for another account. Null attaches none."
  type        = string
  default     = null

  validation {
    condition     = var.checkpoints_resource_policy == null || can(jsondecode(var.checkpoints_resource_policy).Statement)
    error_message = "checkpoints_resource_policy must be a policy as JSON, or null."
  }
}

variable "writes_resource_policy" {
  description = "Resource-based policy of the table of pending writes, as JSON. Null attaches none."
  type        = string
  default     = null

  validation {
    condition     = var.writes_resource_policy == null || can(jsondecode(var.writes_resource_policy).Statement)
    error_message = "writes_resource_policy must be a policy as JSON, or null."
  }
}

variable "store_resource_policy" {
  description = "Resource-based policy of the store's table, as JSON; only with `store_table_name`. Null attaches none."
  type        = string
  default     = null

  validation {
    condition     = var.store_resource_policy == null || can(jsondecode(var.store_resource_policy).Statement)
    error_message = "store_resource_policy must be a policy as JSON, or null."
  }

  validation {
    condition     = var.store_resource_policy == null || var.store_table_name != null
    error_message = "store_resource_policy is for the store's table: set store_table_name, too."
  }
}

variable "tags" {
  description = "Tags of everything the module creates."
  type        = map(string)
  default     = {}
  nullable    = false
}

# Bucket for large values

variable "create_bucket" {
  description = "Whether to create an S3 bucket for large values."
  type        = bool
  default     = false
  nullable    = false
}

variable "bucket_name" {
  description = "Name of the bucket to create; null for a generated name. Without `create_bucket`, the name of an existing bucket, which only the policies and outputs refer to."
  type        = string
  default     = null

  validation {
    condition = var.bucket_name == null || (
      can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket_name)) &&
      !can(regex("\\.\\.|^[0-9]+(\\.[0-9]+){3}$", var.bucket_name))
    )
    error_message = "bucket_name must be 3 to 63 lower-case letters, digits, dots or dashes, without two dots in a row and no address, or null."
  }
}

variable "bucket_kms_key_arn" {
  description = "ARN of the KMS key that encrypts an existing bucket, for the policies. A created bucket is encrypted with `kms_key_arn`."
  type        = string
  default     = null

  validation {
    condition     = var.bucket_kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-zA-Z0-9-]+$", var.bucket_kms_key_arn))
    error_message = "bucket_kms_key_arn must be the ARN of a key (arn:aws:kms:REGION:ACCOUNT:key/ID), not of an alias, or null."
  }

  validation {
    condition     = var.bucket_kms_key_arn == null || (var.bucket_name != null && !var.create_bucket)
    error_message = "bucket_kms_key_arn is for an existing bucket: name it in bucket_name, without create_bucket."
  }
}

variable "bucket_key_prefix" {
  description = "Prefix of the keys of the saver's objects. The saver's `s3_offload_config.key_prefix`."
  type        = string
  default     = "langgraph-checkpoints/"
  nullable    = false

  # As the saver checks it, less the asterisk, which is a wildcard in a policy.
  validation {
    condition = (
      can(regex("^([a-zA-Z0-9!_.'()=-]+/)+$", var.bucket_key_prefix)) &&
      !can(regex("(^|/)\\.{1,2}/", var.bucket_key_prefix)) &&
      length(var.bucket_key_prefix) <= 512
    )
    error_message = "bucket_key_prefix must be names of letters, digits and !_.'()=- that each end with a slash, and none of them . or ..; 512 characters at most."
  }
}

variable "store_bucket_key_prefix" {
  description = "Prefix of the keys of the store's objects. Neither prefix may begin with the other. The store's `s3_offload_config.key_prefix`."
  type        = string
  default     = "langgraph-store/"
  nullable    = false

  validation {
    condition = (
      can(regex("^([a-zA-Z0-9!_.'()=-]+/)+$", var.store_bucket_key_prefix)) &&
      !can(regex("(^|/)\\.{1,2}/", var.store_bucket_key_prefix)) &&
      length(var.store_bucket_key_prefix) <= 512
    )
    error_message = "store_bucket_key_prefix must be names of letters, digits and !_.'()=- that each end with a slash, and none of them . or ..; 512 characters at most."
  }

  validation {
    condition     = !startswith(var.store_bucket_key_prefix, var.bucket_key_prefix) && !startswith(var.bucket_key_prefix, var.store_bucket_key_prefix)
    error_message = "store_bucket_key_prefix must be apart from bucket_key_prefix: objects of the saver expire with ttl_seconds, those of the store do not."
  }
}

variable "bucket_versioning" {
  description = "Whether a created bucket keeps deleted objects as long as point-in-time recovery reaches back, so that a restored table finds its objects."
  type        = bool
  default     = true
  nullable    = false
}

variable "bucket_force_destroy" {
  description = "Whether `terraform destroy` also deletes the objects of a created bucket. Otherwise a bucket with objects is kept."
  type        = bool
  default     = false
  nullable    = false
}

# Upkeep

variable "sweep_schedule" {
  description = "When to run the sweep (`sweep_orphans`), as a schedule expression of EventBridge: `rate(1 day)` or `cron(0 3 * * ? *)`. Creates a Lambda function. Null creates none."
  type        = string
  default     = null

  validation {
    condition     = var.sweep_schedule == null || can(regex("^(rate|cron)\\(.+\\)$", var.sweep_schedule))
    error_message = "sweep_schedule must be rate(...) or cron(...), or null."
  }

  validation {
    condition     = var.sweep_schedule == null || var.sweep_package != null
    error_message = "sweep_schedule needs sweep_package: the function's code."
  }

  validation {
    condition     = var.sweep_schedule == null || length(coalesce(var.policy_name_prefix, var.checkpoints_table_name)) <= 58
    error_message = "sweep_schedule names a function after checkpoints_table_name, which is too long for that; set policy_name_prefix."
  }
}

variable "sweep_package" {
  description = "Path of a zip file with this package and its dependencies, for Python 3.13 on Linux; only with `sweep_schedule`."
  type        = string
  default     = null
}

variable "sweep_older_than_seconds" {
  description = "Minimum age in seconds of what the sweep deletes: longer than any run takes, and at least 3600."
  type        = number
  default     = 86400
  nullable    = false

  validation {
    condition     = var.sweep_older_than_seconds >= 3600 && floor(var.sweep_older_than_seconds) == var.sweep_older_than_seconds
    error_message = "sweep_older_than_seconds must be a whole number of seconds, 3600 or more."
  }
}

# Access

variable "create_policies" {
  description = "Whether to create a managed IAM policy for each role. Their JSON is always an output."
  type        = bool
  default     = false
  nullable    = false
}

variable "policy_role_names" {
  description = "Names of the IAM roles to attach each managed policy to, such as `{ runtime = [aws_iam_role.agent.name] }`; only with `create_policies`. Attached here, a role keeps its policy when `terraform destroy` is refused."
  type        = map(set(string))
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.policy_role_names), ["read", "runtime", "setup", "admin", "tenant"])) == 0
    error_message = "policy_role_names has unknown keys; the roles are read, runtime, setup, admin and tenant."
  }

  validation {
    condition     = length(var.policy_role_names) == 0 || var.create_policies
    error_message = "policy_role_names attaches managed policies: set create_policies, too."
  }

  validation {
    condition     = !contains(keys(var.policy_role_names), "tenant") || var.tenant_thread_id_prefix != null
    error_message = "policy_role_names has the role tenant, which needs tenant_thread_id_prefix."
  }
}

variable "policy_name_prefix" {
  description = "Prefix of the names of the managed policies. Null is `checkpoints_table_name`."
  type        = string
  default     = null

  validation {
    condition     = var.policy_name_prefix == null || can(regex("^[a-zA-Z0-9_+=,.@-]{1,120}$", var.policy_name_prefix))
    error_message = "policy_name_prefix must be 1 to 120 letters, digits or any of _+=,.@-, or null."
  }
}

variable "tenant_thread_id_prefix" {
  description = "Prefix of a tenant's thread ids, for the policy that restricts a tenant to them. May contain policy variables, such as `$${aws:PrincipalTag/tenant}_`. Must end in a separator, `_`, `-` or `:`, that no tenant's name contains. Null creates no such policy."
  type        = string
  default     = null

  # Those characters, but for the colon, are the same in a thread id and in the key of its objects,
  # where others are percent-encoded, and none is a wildcard.
  validation {
    condition     = var.tenant_thread_id_prefix == null || can(regex("^([a-zA-Z0-9_:-]|\\$\\{aws:[a-zA-Z0-9:/_.+=@-]+\\})*[_:-]$", var.tenant_thread_id_prefix))
    error_message = "tenant_thread_id_prefix must be letters, digits, dashes, underscores, colons and policy variables of the form $${aws:...}, and end in '_', '-' or ':', or be null: without a separator, 'acme' is also the beginning of 'acme2'."
  }

  validation {
    condition     = var.tenant_thread_id_prefix == null || (var.bucket_name == null && !var.create_bucket) || !can(regex(":", replace(var.tenant_thread_id_prefix, "/\\$\\{[^}]*\\}/", "")))
    error_message = "tenant_thread_id_prefix contains a colon, which is percent-encoded in the keys of objects: with a bucket, use '_' or '-'."
  }
}

variable "tenant_owner_prefix" {
  description = "Prefix of the owners whose threads a tenant may list, such as `$${aws:PrincipalTag/tenant}_`. Null denies the role `tenant` every listing."
  type        = string
  default     = null

  validation {
    condition     = var.tenant_owner_prefix == null || can(regex("^([a-zA-Z0-9_:-]|\\$\\{aws:[a-zA-Z0-9:/_.+=@-]+\\})*[_:-]$", var.tenant_owner_prefix))
    error_message = "tenant_owner_prefix must be letters, digits, dashes, underscores, colons and policy variables of the form $${aws:...}, and end in '_', '-' or ':', or be null."
  }

  validation {
    condition     = var.tenant_owner_prefix == null || (var.tenant_thread_id_prefix != null && var.thread_index_owner != null)
    error_message = "tenant_owner_prefix is for the role tenant, on the index of threads: set tenant_thread_id_prefix and thread_index_owner, too."
  }
}

variable "tenant_root_label" {
  description = "Root label of a tenant's namespaces in the store, such as `$${aws:PrincipalTag/tenant}`. Null denies the role `tenant` access to the store."
  type        = string
  default     = null

  validation {
    condition     = var.tenant_root_label == null || can(regex("^([a-zA-Z0-9_-]|\\$\\{aws:[a-zA-Z0-9:/_.+=@-]+\\})+$", var.tenant_root_label))
    error_message = "tenant_root_label must be letters, digits, dashes, underscores and policy variables of the form $${aws:...}, or be null."
  }

  validation {
    condition     = var.tenant_root_label == null || (var.tenant_thread_id_prefix != null && var.store_table_name != null)
    error_message = "tenant_root_label is for the role tenant, on the table of a store: set tenant_thread_id_prefix and store_table_name, too."
  }
}

# Monitoring

variable "alarm_topic_arn" {
  description = "ARN of an SNS topic. Creates alarms that notify it when they start and end. Null creates no alarms."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_topic_arn == null || can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[a-zA-Z0-9_.-]+$", var.alarm_topic_arn))
    error_message = "alarm_topic_arn must be the ARN of a topic (arn:aws:sns:REGION:ACCOUNT:NAME), or null."
  }
}

variable "dashboard" {
  description = "Whether to create a CloudWatch dashboard of the tables."
  type        = bool
  default     = false
  nullable    = false
}

variable "contributor_insights" {
  description = "Whether DynamoDB counts which keys are read and written most, on the tables and their indexes. It shows thread ids, owners and labels to everyone with access to CloudWatch, and is billed per request."
  type        = bool
  default     = false
  nullable    = false
}

# A plan shows names and ARNs, since they do not depend on the tables. `depends_on` makes users of the
# outputs wait for the tables.

output "checkpoints_table_name" {
  description = "Name of the table of checkpoints. The saver's `checkpoints_table_name`."
  value       = var.checkpoints_table_name
  depends_on  = [aws_dynamodb_table.this]
}

output "checkpoints_table_arn" {
  description = "ARN of the table of checkpoints."
  value       = local.table_arns_by_role["checkpoints"][0]
  depends_on  = [aws_dynamodb_table.this]
}

output "writes_table_name" {
  description = "Name of the table of pending writes. The saver's `writes_table_name`."
  value       = var.writes_table_name
  depends_on  = [aws_dynamodb_table.this]
}

output "writes_table_arn" {
  description = "ARN of the table of pending writes."
  value       = local.table_arns_by_role["writes"][0]
  depends_on  = [aws_dynamodb_table.this]
}

output "store_table_name" {
  description = "Name of the table of a store, null without one. The store's `store_table_name`."
  value       = var.store_table_name
  depends_on  = [aws_dynamodb_table.this]
}

output "store_table_arn" {
  description = "ARN of the table of a store, null without one."
  value       = try(local.table_arns_by_role["store"][0], null)
  depends_on  = [aws_dynamodb_table.this]
}

output "run_id_index_name" {
  description = "Name of the index by run id, null without one. The saver's `run_id_index`."
  value       = var.run_id_index_name
}

output "thread_index_name" {
  description = "Name of the index of threads by owner, null without one."
  value       = local.thread_index_name
}

output "bucket_name" {
  description = "Name of the bucket for large values, null without one."
  value       = local.bucket_name
}

output "bucket_arn" {
  description = "ARN of the bucket for large values, null without one."
  value       = local.bucket_arn
}

output "bucket_key_prefix" {
  description = "Prefix of the keys of S3 objects, null without a bucket."
  value       = local.bucket_name == null ? null : var.bucket_key_prefix
}

output "saver_settings" {
  description = "Keyword arguments for `DynamoDBSaver(**settings)` on these tables."
  value       = local.saver_settings
  depends_on  = [aws_dynamodb_table.this]
}

output "store_settings" {
  description = "Keyword arguments for `DynamoDBStore(**settings)`, null without its table."
  value       = local.store_settings
  depends_on  = [aws_dynamodb_table.this]
}

output "read_policy_json" {
  description = "Policy that reads threads, and the store if there is one."
  value       = local.policies["read"]
}

output "runtime_policy_json" {
  description = "Policy that runs graphs and uses a store: exactly the actions that saver and store use for it."
  value       = local.policies["runtime"]
}

output "setup_policy_json" {
  description = "Policy for `setup()` of saver and store."
  value       = local.policies["setup"]
}

output "admin_policy_json" {
  description = "Policy for the maintenance of threads in addition to running graphs: copy, prune, delete, sweep, and listing all threads."
  value       = local.policies["admin"]
}

output "tenant_policy_json" {
  description = "Policy that runs the graphs of one tenant, whose thread ids begin with `tenant_thread_id_prefix`; null without that."
  value       = lookup(local.policies, "tenant", null)
}

output "policy_arns" {
  description = "ARN of each role's managed policy, by role; empty without `create_policies`."
  value       = { for role, policy in aws_iam_policy.this : role => policy.arn }
}

output "sweep_function_name" {
  description = "Name of the Lambda function that runs the sweep, null without `sweep_schedule`."
  value       = one(aws_lambda_function.sweep[*].function_name)
}

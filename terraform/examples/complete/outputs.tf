output "saver_settings" {
  description = "Keyword arguments for DynamoDBSaver(**settings)."
  value       = module.checkpoints.saver_settings
}

output "store_settings" {
  description = "Keyword arguments for DynamoDBStore(**settings)."
  value       = module.checkpoints.store_settings
}

output "sweep_function_name" {
  description = "Name of the Lambda function that sweeps, null without."
  value       = module.checkpoints.sweep_function_name
}

output "policies" {
  description = "Least-privilege policies by role, as JSON."
  value = {
    read    = module.checkpoints.read_policy_json
    runtime = module.checkpoints.runtime_policy_json
    setup   = module.checkpoints.setup_policy_json
    admin   = module.checkpoints.admin_policy_json
    tenant  = module.checkpoints.tenant_policy_json
  }
}

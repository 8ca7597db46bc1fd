module "checkpoints" {
  source = "../../"

  checkpoints_table_name = "langgraph-checkpoints"
  writes_table_name      = "langgraph-writes"
}

output "saver_settings" {
  description = "Keyword arguments for DynamoDBSaver(**settings)."
  value       = module.checkpoints.saver_settings
}

# Nearly all the module offers: a key of one's own, a store, a bucket, indexes, expiry, limits, policies, a sweep.

resource "aws_kms_key" "checkpoints" {
  # checkov:skip=CKV2_AWS_64:The default key policy leaves access to IAM policies, such as the module's.
  description             = "LangGraph checkpoints"
  enable_key_rotation     = true
  deletion_window_in_days = 7
}

module "checkpoints" {
  source = "../../"

  checkpoints_table_name = "${var.name}-checkpoints"
  writes_table_name      = "${var.name}-writes"
  store_table_name       = "${var.name}-store"
  run_id_index_name      = "by-run-id"
  thread_index_owner     = "user_id"
  ttl_seconds            = 30 * 24 * 3600

  max_read_request_units  = 4000
  max_write_request_units = 4000
  table_class             = "STANDARD"
  point_in_time_recovery  = true
  deletion_protection     = var.protected
  kms_key_arn             = aws_kms_key.checkpoints.arn

  create_bucket        = true
  bucket_key_prefix    = "agents/"
  bucket_versioning    = true
  bucket_force_destroy = !var.protected

  create_policies    = true
  policy_name_prefix = var.name
  policy_role_names = {
    runtime = [aws_iam_role.agent.name]
    admin   = [aws_iam_role.upkeep.name]
  }
  tenant_thread_id_prefix = "$${aws:PrincipalTag/tenant}_"
  tenant_owner_prefix     = "$${aws:PrincipalTag/tenant}_"
  tenant_root_label       = "$${aws:PrincipalTag/tenant}"

  sweep_schedule = var.sweep_package == null ? null : "cron(0 3 * * ? *)"
  sweep_package  = var.sweep_package

  tags = { project = var.name }
}

# The agent runs threads and nothing more; a nightly job deletes and sweeps.
resource "aws_iam_role" "agent" {
  name               = "${var.name}-agent"
  assume_role_policy = local.assumed_by_lambda
}

resource "aws_iam_role" "upkeep" {
  name               = "${var.name}-upkeep"
  assume_role_policy = local.assumed_by_lambda
}

locals {
  assumed_by_lambda = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

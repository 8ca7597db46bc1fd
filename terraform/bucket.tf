locals {
  bucket_name = var.create_bucket ? one(aws_s3_bucket.this[*].bucket) : var.bucket_name
  bucket_arn  = local.bucket_name == null ? null : "arn:${data.aws_partition.current.partition}:s3:::${local.bucket_name}"

  # An item lives up to 1.5 * `ttl_seconds` and an hour after it or its object was last renewed, and
  # DynamoDB deletes an expired item within days. An object must outlive the item that refers to it.
  object_days = var.ttl_seconds == null ? null : ceil((1.5 * var.ttl_seconds + 3600) / 86400) + 2

  # As long as point-in-time recovery: a restored table must find its objects.
  noncurrent_days = coalesce(var.point_in_time_recovery_days, 35)
}

resource "aws_s3_bucket" "this" {
  # checkov:skip=CKV_AWS_18:Access logs need a second bucket. CloudTrail's data events log the same, and choosing is the account's.
  # checkov:skip=CKV_AWS_144:Objects stay in the region of the tables; replicas of tables read the bucket across regions.
  # checkov:skip=CKV_AWS_145:A key of one's own is a choice (kms_key_arn); S3's own key is the default.
  # checkov:skip=CKV2_AWS_62:Nothing waits for events of this bucket.
  # checkov:skip=CKV_AWS_21:Versioning is on by default; bucket_versioning turns it off.
  count = var.create_bucket ? 1 : 0

  bucket        = var.bucket_name
  bucket_prefix = var.bucket_name == null ? "langgraph-checkpoints-" : null
  force_destroy = var.bucket_force_destroy
  tags          = var.tags
}

resource "aws_s3_bucket_public_access_block" "this" {
  count = var.create_bucket ? 1 : 0

  bucket                  = aws_s3_bucket.this[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  count = var.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.this[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  count = var.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.this[0].id

  rule {
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  count = var.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.this[0].id

  versioning_configuration {
    # A bucket that had versioning can only suspend it.
    status = var.bucket_versioning ? "Enabled" : "Suspended"
  }
}

resource "aws_s3_bucket_policy" "this" {
  count = var.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.this[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "DenyInsecureTransport"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = "s3:*"
      Resource  = [local.bucket_arn, "${local.bucket_arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  # S3 rejects a bucket policy while the public access block changes.
  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  # checkov:skip=CKV_AWS_300:The first rule aborts incomplete uploads. Checkov sees the dynamic rule alone where there is one.
  count = var.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.this[0].id

  rule {
    id     = "abort-incomplete-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  # Also with versioning off: it may have been on before.
  rule {
    id     = "expire-noncurrent"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = local.noncurrent_days
    }

    expiration {
      expired_object_delete_marker = true
    }
  }

  dynamic "rule" {
    for_each = local.object_days == null ? [] : [local.object_days]
    content {
      id     = "expire-objects"
      status = "Enabled"

      filter {
        prefix = var.bucket_key_prefix
      }

      expiration {
        days = rule.value
      }
    }
  }

  # The rule for noncurrent versions requires that versioning is configured.
  depends_on = [aws_s3_bucket_versioning.this]
}

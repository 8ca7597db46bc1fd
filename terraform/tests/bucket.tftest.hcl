# Plan only, on a mocked provider: no credentials, no network.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan

  override_resource {
    target = aws_s3_bucket.this[0]
    values = { bucket = "langgraph-checkpoints-generated", id = "id-of-the-bucket" }
  }

  # So that a prefix that is not given is known, as some letters.
  override_resource {
    target = aws_s3_bucket_lifecycle_configuration.this[0]
  }
}

run "a_bucket_is_made_with_a_generated_name" {
  command = plan

  variables {
    create_bucket = true
  }

  assert {
    condition = (
      length(aws_s3_bucket.this) == 1 &&
      aws_s3_bucket.this[0].bucket_prefix == "langgraph-checkpoints-"
    )
    error_message = "The provider makes the bucket's name up."
  }

  assert {
    condition = (
      output.bucket_name == "langgraph-checkpoints-generated" &&
      output.bucket_arn == "arn:aws:s3:::langgraph-checkpoints-generated"
    )
    error_message = "The outputs have the name that was generated."
  }

  assert {
    condition     = output.bucket_key_prefix == "langgraph-checkpoints/"
    error_message = "The prefix of keys is the saver's default."
  }

  assert {
    condition = (
      output.saver_settings.s3_offload_config == {
        bucket_name = "langgraph-checkpoints-generated"
        key_prefix  = "langgraph-checkpoints/"
      }
    )
    error_message = "The saver learns bucket and prefix."
  }

  assert {
    condition     = !aws_s3_bucket.this[0].force_destroy
    error_message = "A destroy does not delete objects."
  }

  assert {
    condition     = length(aws_s3_bucket.this[0].tags) == 0
    error_message = "The bucket has no tag."
  }
}

run "a_bucket_is_made_with_the_name_given" {
  command = plan

  variables {
    create_bucket        = true
    bucket_name          = "agents-states"
    bucket_key_prefix    = "agents/v1/"
    bucket_force_destroy = true
    tags                 = { team = "agents" }
  }

  assert {
    condition     = aws_s3_bucket.this[0].bucket == "agents-states"
    error_message = "The bucket has the name given."
  }

  assert {
    condition     = aws_s3_bucket.this[0].bucket_prefix != "langgraph-checkpoints-"
    error_message = "Nothing is generated."
  }

  assert {
    condition = (
      output.bucket_name == "agents-states" &&
      output.bucket_arn == "arn:aws:s3:::agents-states"
    )
    error_message = "The outputs have the name given."
  }

  assert {
    condition = (
      output.bucket_key_prefix == "agents/v1/" &&
      output.saver_settings.s3_offload_config == { bucket_name = "agents-states", key_prefix = "agents/v1/" }
    )
    error_message = "The outputs have the prefix given."
  }

  assert {
    condition     = aws_s3_bucket.this[0].force_destroy
    error_message = "A destroy deletes objects, as asked."
  }

  assert {
    condition     = tomap(aws_s3_bucket.this[0].tags) == tomap({ team = "agents" })
    error_message = "The bucket has the tags."
  }
}

run "a_made_bucket_is_private_and_has_one_owner" {
  command = plan

  variables {
    create_bucket = true
  }

  assert {
    condition = (
      aws_s3_bucket_public_access_block.this[0].block_public_acls &&
      aws_s3_bucket_public_access_block.this[0].block_public_policy &&
      aws_s3_bucket_public_access_block.this[0].ignore_public_acls &&
      aws_s3_bucket_public_access_block.this[0].restrict_public_buckets
    )
    error_message = "Nothing of the bucket can be public."
  }

  assert {
    condition     = aws_s3_bucket_ownership_controls.this[0].rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "There are no access control lists."
  }

  assert {
    condition = (
      alltrue([for resource in [
        aws_s3_bucket_public_access_block.this[0], aws_s3_bucket_ownership_controls.this[0],
        aws_s3_bucket_server_side_encryption_configuration.this[0], aws_s3_bucket_versioning.this[0],
        aws_s3_bucket_policy.this[0], aws_s3_bucket_lifecycle_configuration.this[0],
      ] : resource.bucket == aws_s3_bucket.this[0].id])
    )
    error_message = "All settings are of this bucket."
  }
}

run "a_made_bucket_refuses_requests_without_tls" {
  command = plan

  variables {
    create_bucket = true
    bucket_name   = "agents-states"
  }

  assert {
    condition = (
      jsondecode(aws_s3_bucket_policy.this[0].policy) == {
        Version = "2012-10-17"
        Statement = [{
          Sid       = "DenyInsecureTransport"
          Effect    = "Deny"
          Principal = { AWS = "*" }
          Action    = "s3:*"
          Resource  = ["arn:aws:s3:::agents-states", "arn:aws:s3:::agents-states/*"]
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        }]
      }
    )
    error_message = "The policy denies everything without TLS to everybody."
  }
}

run "a_made_bucket_is_encrypted_with_the_key_of_s3" {
  command = plan

  variables {
    create_bucket = true
  }

  assert {
    condition = (
      [for rule in aws_s3_bucket_server_side_encryption_configuration.this[0].rule : [
        rule.apply_server_side_encryption_by_default[0].sse_algorithm, rule.bucket_key_enabled
      ]] == [["AES256", false]]
    )
    error_message = "The key of S3 encrypts the objects."
  }

  assert {
    condition = (
      !anytrue([
        for rule in aws_s3_bucket_server_side_encryption_configuration.this[0].rule :
        startswith(
          coalesce(rule.apply_server_side_encryption_by_default[0].kms_master_key_id, "none"),
          "arn:",
        )
      ])
    )
    error_message = "No key of yours is named."
  }
}

run "a_made_bucket_is_encrypted_with_the_kms_key_given" {
  command = plan

  variables {
    create_bucket = true
    kms_key_arn   = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  }

  assert {
    condition = (
      [for rule in aws_s3_bucket_server_side_encryption_configuration.this[0].rule : [
        rule.apply_server_side_encryption_by_default[0].sse_algorithm,
        rule.apply_server_side_encryption_by_default[0].kms_master_key_id,
        rule.bucket_key_enabled,
      ]] == [["aws:kms", var.kms_key_arn, true]]
    )
    error_message = "The key given encrypts the objects, with a bucket key."
  }
}

run "a_made_bucket_keeps_deleted_objects_as_long_as_tables_keep_their_past" {
  command = plan

  variables {
    create_bucket = true
  }

  assert {
    condition     = aws_s3_bucket_versioning.this[0].versioning_configuration[0].status == "Enabled"
    error_message = "The bucket has versions."
  }

  assert {
    condition = (
      [for rule in aws_s3_bucket_lifecycle_configuration.this[0].rule : [rule.id, rule.status]] == [
        ["abort-incomplete-uploads", "Enabled"],
        ["expire-noncurrent", "Enabled"],
      ]
    )
    error_message = "Two rules apply, and none expires objects that are in use."
  }

  assert {
    condition = (
      [
        for rule in aws_s3_bucket_lifecycle_configuration.this[0].rule :
        rule.abort_incomplete_multipart_upload[0].days_after_initiation if rule.id == "abort-incomplete-uploads"
      ] == [1]
    )
    error_message = "Uploads that were cut short go after a day."
  }

  assert {
    condition = (
      [for rule in aws_s3_bucket_lifecycle_configuration.this[0].rule : [
        rule.noncurrent_version_expiration[0].noncurrent_days, rule.expiration[0].expired_object_delete_marker
      ] if rule.id == "expire-noncurrent"] == [[35, true]]
    )
    error_message = "Versions go after 35 days, and what marks them as deleted with them."
  }

  assert {
    condition = (
      alltrue([
        for rule in aws_s3_bucket_lifecycle_configuration.this[0].rule :
        length(rule.filter) == 1 && !endswith(rule.filter[0].prefix, "/")
      ])
    )
    error_message = "Both rules are for the whole bucket."
  }
}

run "versions_can_be_turned_off_and_old_ones_go_all_the_same" {
  command = plan

  variables {
    create_bucket     = true
    bucket_versioning = false
  }

  assert {
    condition     = aws_s3_bucket_versioning.this[0].versioning_configuration[0].status == "Suspended"
    error_message = "The bucket has no new versions."
  }

  assert {
    condition = (
      [
        for rule in aws_s3_bucket_lifecycle_configuration.this[0].rule :
        rule.noncurrent_version_expiration[0].noncurrent_days if rule.id == "expire-noncurrent"
      ] == [35]
    )
    error_message = "Versions from before go after 35 days."
  }
}

run "objects_expire_after_their_items_can_be_gone" {
  command = plan

  variables {
    create_bucket     = true
    bucket_key_prefix = "agents/"
    ttl_seconds       = 2592000
  }

  assert {
    condition = (
      [for rule in aws_s3_bucket_lifecycle_configuration.this[0].rule : rule.id] == [
        "abort-incomplete-uploads", "expire-noncurrent", "expire-objects"
      ]
    )
    error_message = "A third rule expires objects."
  }

  assert {
    condition = (
      [for rule in aws_s3_bucket_lifecycle_configuration.this[0].rule : [
        rule.status, rule.filter[0].prefix, rule.expiration[0].days
      ] if rule.id == "expire-objects"] == [["Enabled", "agents/", 48]]
    )
    error_message = "30 days and a half of them, an hour, in whole days, and two more; under the prefix alone."
  }

  assert {
    condition     = output.saver_settings.ttl_seconds == 2592000
    error_message = "The saver learns its ttl_seconds."
  }
}

run "objects_of_a_second_live_a_whole_day_and_two_more" {
  command = plan

  variables {
    create_bucket = true
    ttl_seconds   = 1
  }

  assert {
    condition = (
      [
        for rule in aws_s3_bucket_lifecycle_configuration.this[0].rule :
        rule.expiration[0].days if rule.id == "expire-objects"
      ] == [3]
    )
    error_message = "An hour and a second are one day, and two more."
  }
}

run "objects_expire_on_the_day_that_is_exactly_full" {
  command = plan

  variables {
    create_bucket = true
    ttl_seconds   = 55200
  }

  assert {
    condition = (
      [
        for rule in aws_s3_bucket_lifecycle_configuration.this[0].rule :
        rule.expiration[0].days if rule.id == "expire-objects"
      ] == [3]
    )
    error_message = "86,400 seconds are one day, and two more."
  }
}

run "objects_expire_a_day_later_once_a_day_is_exceeded" {
  command = plan

  variables {
    create_bucket = true
    ttl_seconds   = 55201
  }

  assert {
    condition = (
      [
        for rule in aws_s3_bucket_lifecycle_configuration.this[0].rule :
        rule.expiration[0].days if rule.id == "expire-objects"
      ] == [4]
    )
    error_message = "86,401.5 seconds are two days, and two more."
  }
}

run "objects_of_a_day_live_two_days_and_two_more" {
  command = plan

  variables {
    create_bucket = true
    ttl_seconds   = 86400
  }

  assert {
    condition = (
      [
        for rule in aws_s3_bucket_lifecycle_configuration.this[0].rule :
        rule.expiration[0].days if rule.id == "expire-objects"
      ] == [4]
    )
    error_message = "A day, a half and an hour are two days, and two more."
  }
}

run "a_bucket_of_yours_is_named_and_not_touched" {
  command = plan

  variables {
    bucket_name             = "yours"
    ttl_seconds             = 86400
    run_id_index_name       = "by-run"
    tenant_thread_id_prefix = "acme-"
    kms_key_arn             = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  }

  assert {
    condition = (
      alltrue([for resource in [
        aws_s3_bucket.this, aws_s3_bucket_public_access_block.this, aws_s3_bucket_ownership_controls.this,
        aws_s3_bucket_server_side_encryption_configuration.this, aws_s3_bucket_versioning.this,
        aws_s3_bucket_policy.this, aws_s3_bucket_lifecycle_configuration.this,
      ] : length(resource) == 0])
    )
    error_message = "Nothing of the bucket is made or set."
  }

  assert {
    condition = (
      output.bucket_name == "yours" && output.bucket_arn == "arn:aws:s3:::yours" &&
      output.bucket_key_prefix == "langgraph-checkpoints/"
    )
    error_message = "The outputs name it."
  }

  assert {
    condition = (
      output.saver_settings.s3_offload_config == {
        bucket_name = "yours"
        key_prefix  = "langgraph-checkpoints/"
      }
    )
    error_message = "The saver learns its name."
  }

  assert {
    condition = (
      alltrue([for policy in [output.read_policy_json, output.runtime_policy_json, output.admin_policy_json] : [
        for statement in jsondecode(policy).Statement : statement.Resource if contains(["Objects", "Bucket"], statement.Sid)
      ] == [["arn:aws:s3:::yours/langgraph-checkpoints/*"], ["arn:aws:s3:::yours"]]])
    )
    error_message = "The policies are for its objects under the prefix, and for listing it."
  }

  assert {
    condition = (
      alltrue([for policy in [output.read_policy_json, output.runtime_policy_json, output.admin_policy_json] :
        contains(
          reverse(jsondecode(policy).Statement)[0].Condition.StringEquals["kms:ViaService"],
          "s3.us-east-1.amazonaws.com"
        )
      ])
    )
    error_message = "The key may be used through S3."
  }
}

run "without_a_bucket_nothing_names_one" {
  command = plan

  variables {
    tenant_thread_id_prefix = "acme-"
  }

  assert {
    condition = (
      alltrue([for policy in [
        output.read_policy_json, output.runtime_policy_json, output.setup_policy_json, output.admin_policy_json,
        output.tenant_policy_json,
      ] : !strcontains(policy, "s3:")])
    )
    error_message = "No policy has rights in S3."
  }

  assert {
    condition     = output.bucket_key_prefix == null
    error_message = "There is no prefix of keys."
  }

  assert {
    condition     = !contains(keys(output.saver_settings), "s3_offload_config")
    error_message = "The saver learns of no bucket."
  }
}

run "deleted_objects_are_kept_for_as_many_days_as_tables_can_be_restored" {
  command = plan

  variables {
    create_bucket               = true
    point_in_time_recovery_days = 7
  }

  assert {
    condition = (
      aws_s3_bucket_lifecycle_configuration.this[0].rule[1].noncurrent_version_expiration[0].noncurrent_days == 7
    )
    error_message = "A restored table finds its objects."
  }
}

# Plan only, on a mocked provider: no credentials, no network.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan

  override_resource {
    target = aws_iam_policy.this["read"]
    values = { arn = "arn:aws:iam::123456789012:policy/from-read" }
  }

  override_resource {
    target = aws_iam_policy.this["runtime"]
    values = { arn = "arn:aws:iam::123456789012:policy/from-runtime" }
  }

  override_resource {
    target = aws_iam_policy.this["setup"]
    values = { arn = "arn:aws:iam::123456789012:policy/from-setup" }
  }

  override_resource {
    target = aws_iam_policy.this["admin"]
    values = { arn = "arn:aws:iam::123456789012:policy/from-admin" }
  }

  override_resource {
    target = aws_iam_policy.this["tenant"]
    values = { arn = "arn:aws:iam::123456789012:policy/from-tenant" }
  }
}

run "roles_have_their_actions_on_the_tables_alone" {
  command = plan

  assert {
    condition = (
      jsondecode(output.read_policy_json) == {
        Version = "2012-10-17"
        Statement = [
          {
            Sid    = "Tables"
            Effect = "Allow"
            Action = ["dynamodb:GetItem", "dynamodb:Query"]
            Resource = [
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-checkpoints",
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-writes",
            ]
          },
        ]
      }
    )
    error_message = "Reading is getting and querying."
  }

  assert {
    condition = (
      jsondecode(output.runtime_policy_json) == {
        Version = "2012-10-17"
        Statement = [
          {
            Sid    = "Tables"
            Effect = "Allow"
            Action = [
              "dynamodb:DescribeTable",
              "dynamodb:DescribeTimeToLive",
              "dynamodb:GetItem",
              "dynamodb:PutItem",
              "dynamodb:Query",
              "dynamodb:UpdateItem",
            ]
            Resource = [
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-checkpoints",
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-writes",
            ]
          },
        ]
      }
    )
    error_message = "Running is getting, putting, querying, updating."
  }

  assert {
    condition = (
      jsondecode(output.setup_policy_json) == {
        Version = "2012-10-17"
        Statement = [
          {
            Sid    = "Tables"
            Effect = "Allow"
            Action = [
              "dynamodb:CreateTable",
              "dynamodb:DescribeTable",
              "dynamodb:DescribeTimeToLive",
              "dynamodb:UpdateTable",
              "dynamodb:UpdateTimeToLive",
            ]
            Resource = [
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-checkpoints",
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-writes",
            ]
          },
        ]
      }
    )
    error_message = "Setting up is about tables, not items."
  }

  assert {
    condition = (
      jsondecode(output.admin_policy_json) == {
        Version = "2012-10-17"
        Statement = [
          {
            Sid    = "Tables"
            Effect = "Allow"
            Action = [
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
            Resource = [
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-checkpoints",
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-writes",
            ]
          },
        ]
      }
    )
    error_message = "Upkeep also scans and deletes."
  }
}

run "without_a_prefix_there_is_no_policy_of_a_tenant" {
  command = plan

  variables {
    create_policies = true
  }

  assert {
    condition     = output.tenant_policy_json == null
    error_message = "There is no policy of a tenant."
  }

  assert {
    condition     = keys(aws_iam_policy.this) == ["admin", "read", "runtime", "setup"]
    error_message = "Nor a managed one."
  }
}

run "roles_have_their_statements_on_index_bucket_and_key" {
  command = plan

  variables {
    run_id_index_name       = "by-run"
    bucket_name             = "agents-states"
    bucket_key_prefix       = "agents/"
    kms_key_arn             = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    tenant_thread_id_prefix = "$${aws:PrincipalTag/tenant}_"
  }

  assert {
    condition = (
      jsondecode(output.read_policy_json) == {
        Version = "2012-10-17"
        Statement = [
          {
            Sid    = "Tables"
            Effect = "Allow"
            Action = ["dynamodb:GetItem", "dynamodb:Query"]
            Resource = [
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-checkpoints",
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-writes",
            ]
          },
          {
            Sid      = "Objects"
            Effect   = "Allow"
            Action   = ["s3:GetObject"]
            Resource = ["arn:aws:s3:::agents-states/agents/*"]
          },
          {
            Sid      = "Bucket"
            Effect   = "Allow"
            Action   = ["s3:ListBucket"]
            Resource = ["arn:aws:s3:::agents-states"]
          },
          {
            Sid      = "Key"
            Effect   = "Allow"
            Action   = ["kms:Decrypt", "kms:DescribeKey"]
            Resource = ["arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"]
            Condition = {
              StringEquals = {
                "kms:ViaService" = ["dynamodb.us-east-1.amazonaws.com", "s3.us-east-1.amazonaws.com"]
              }
            }
          },
        ]
      }
    )
    error_message = "Reading gets objects and decrypts."
  }

  assert {
    condition = (
      jsondecode(output.runtime_policy_json) == {
        Version = "2012-10-17"
        Statement = [
          {
            Sid    = "Tables"
            Effect = "Allow"
            Action = [
              "dynamodb:DescribeTable",
              "dynamodb:DescribeTimeToLive",
              "dynamodb:GetItem",
              "dynamodb:PutItem",
              "dynamodb:Query",
              "dynamodb:UpdateItem",
            ]
            Resource = [
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-checkpoints",
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-writes",
            ]
          },
          {
            Sid      = "Objects"
            Effect   = "Allow"
            Action   = ["s3:GetObject", "s3:PutObject"]
            Resource = ["arn:aws:s3:::agents-states/agents/*"]
          },
          {
            Sid      = "Bucket"
            Effect   = "Allow"
            Action   = ["s3:ListBucket"]
            Resource = ["arn:aws:s3:::agents-states"]
          },
          {
            Sid    = "Key"
            Effect = "Allow"
            Action = [
              "kms:Decrypt",
              "kms:DescribeKey",
              "kms:Encrypt",
              "kms:GenerateDataKey",
              "kms:ReEncryptFrom",
              "kms:ReEncryptTo",
            ]
            Resource = ["arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"]
            Condition = {
              StringEquals = {
                "kms:ViaService" = ["dynamodb.us-east-1.amazonaws.com", "s3.us-east-1.amazonaws.com"]
              }
            }
          },
        ]
      }
    )
    error_message = "Running also puts objects and encrypts."
  }

  assert {
    condition = (
      jsondecode(output.setup_policy_json) == {
        Version = "2012-10-17"
        Statement = [
          {
            Sid    = "Tables"
            Effect = "Allow"
            Action = [
              "dynamodb:CreateTable",
              "dynamodb:DescribeTable",
              "dynamodb:DescribeTimeToLive",
              "dynamodb:UpdateTable",
              "dynamodb:UpdateTimeToLive",
            ]
            Resource = [
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-checkpoints",
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-writes",
            ]
          },
        ]
      }
    )
    error_message = "Setting up has nothing to do with index, bucket or key."
  }

  assert {
    condition = (
      jsondecode(output.admin_policy_json) == {
        Version = "2012-10-17"
        Statement = [
          {
            Sid    = "Tables"
            Effect = "Allow"
            Action = [
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
            Resource = [
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-checkpoints",
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-writes",
            ]
          },
          {
            Sid      = "Index"
            Effect   = "Allow"
            Action   = ["dynamodb:Query"]
            Resource = ["arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-checkpoints/index/by-run"]
          },
          {
            Sid      = "Objects"
            Effect   = "Allow"
            Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
            Resource = ["arn:aws:s3:::agents-states/agents/*"]
          },
          {
            Sid      = "Bucket"
            Effect   = "Allow"
            Action   = ["s3:ListBucket"]
            Resource = ["arn:aws:s3:::agents-states"]
          },
          {
            Sid    = "Key"
            Effect = "Allow"
            Action = [
              "kms:Decrypt",
              "kms:DescribeKey",
              "kms:Encrypt",
              "kms:GenerateDataKey",
              "kms:ReEncryptFrom",
              "kms:ReEncryptTo",
            ]
            Resource = ["arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"]
            Condition = {
              StringEquals = {
                "kms:ViaService" = ["dynamodb.us-east-1.amazonaws.com", "s3.us-east-1.amazonaws.com"]
              }
            }
          },
        ]
      }
    )
    error_message = "Upkeep also queries the index and deletes objects."
  }

  assert {
    condition = (
      jsondecode(output.tenant_policy_json) == {
        Version = "2012-10-17"
        Statement = [
          {
            Sid    = "Tables"
            Effect = "Allow"
            Action = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
            Resource = [
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-checkpoints",
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-writes",
            ]
            Condition = {
              "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["$${aws:PrincipalTag/tenant}_*"] }
              Null                      = { "dynamodb:LeadingKeys" = "false" }
            }
          },
          {
            Sid      = "Objects"
            Effect   = "Allow"
            Action   = ["s3:GetObject", "s3:PutObject"]
            Resource = ["arn:aws:s3:::agents-states/agents/$${aws:PrincipalTag/tenant}_*"]
          },
          {
            Sid    = "Key"
            Effect = "Allow"
            Action = [
              "kms:Decrypt",
              "kms:DescribeKey",
              "kms:Encrypt",
              "kms:GenerateDataKey",
              "kms:ReEncryptFrom",
              "kms:ReEncryptTo",
            ]
            Resource = ["arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"]
            Condition = {
              StringEquals = {
                "kms:ViaService" = ["dynamodb.us-east-1.amazonaws.com", "s3.us-east-1.amazonaws.com"]
              }
            }
          },
        ]
      }
    )
    error_message = "A tenant runs threads, has objects under its own prefix alone, and lists nothing."
  }
}

run "the_key_of_a_bucket_of_yours_is_used_through_s3_where_it_is" {
  command = plan

  variables {
    bucket_name        = "yours"
    bucket_kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  }

  assert {
    condition = (
      jsondecode(output.read_policy_json).Statement[3] == {
        Sid      = "Key"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:DescribeKey"]
        Resource = ["arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"]
        Condition = {
          StringEquals = { "kms:ViaService" = ["s3.eu-west-1.amazonaws.com"] }
        }
      }
    )
    error_message = "The tables have no key, so DynamoDB has no use of this one."
  }
}

run "threads_are_listed_by_role" {
  command = plan

  variables {
    thread_index_owner      = "user_id"
    tenant_thread_id_prefix = "$${aws:PrincipalTag/tenant}_"
  }

  assert {
    condition = (
      { for role, policy in {
        read    = output.read_policy_json
        runtime = output.runtime_policy_json
        setup   = output.setup_policy_json
        admin   = output.admin_policy_json
        tenant  = output.tenant_policy_json
        } : role => [
        for statement in jsondecode(policy).Statement : statement.Action if statement.Sid == "ThreadIndex"
        ] } == {
        read    = [["dynamodb:Query", "dynamodb:Scan"]]
        runtime = [["dynamodb:Query"]]
        setup   = []
        admin   = [["dynamodb:Query", "dynamodb:Scan"]]
        tenant  = []
      }
    )
    error_message = "An owner's threads are listed by agents, everybody's by those who watch, and none by a tenant."
  }

  assert {
    condition = (
      jsondecode(output.runtime_policy_json).Statement[1] == {
        Sid      = "ThreadIndex"
        Effect   = "Allow"
        Action   = ["dynamodb:Query"]
        Resource = ["arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-checkpoints/index/by-owner"]
      }
    )
    error_message = "Only that index may be queried."
  }
}

run "a_tenant_lists_the_threads_of_owners_that_begin_with_it" {
  command = plan

  variables {
    thread_index_owner      = "user_id"
    thread_index_name       = "threads"
    tenant_thread_id_prefix = "$${aws:PrincipalTag/tenant}_"
    tenant_owner_prefix     = "$${aws:PrincipalTag/tenant}-"
  }

  assert {
    condition = (
      jsondecode(output.tenant_policy_json).Statement[1] == {
        Sid      = "ThreadIndex"
        Effect   = "Allow"
        Action   = ["dynamodb:Query"]
        Resource = ["arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-checkpoints/index/threads"]
        Condition = {
          "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["$${aws:PrincipalTag/tenant}-*"] }
          Null                      = { "dynamodb:LeadingKeys" = "false" }
        }
      }
    )
    error_message = "The owner is the partition key of that index."
  }
}

run "a_prefix_of_a_tenant_changes_no_other_policy" {
  command = plan

  variables {
    tenant_thread_id_prefix = "acme-"
  }

  assert {
    condition = (
      alltrue([for policy in [
        output.read_policy_json, output.runtime_policy_json, output.setup_policy_json, output.admin_policy_json
      ] : !strcontains(policy, "acme-") && !strcontains(policy, "Condition")])
    )
    error_message = "Only the tenant's policy is held to the prefix."
  }

  assert {
    condition = (
      jsondecode(output.tenant_policy_json) == {
        Version = "2012-10-17"
        Statement = [
          {
            Sid    = "Tables"
            Effect = "Allow"
            Action = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
            Resource = [
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-checkpoints",
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-writes",
            ]
            Condition = {
              "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["acme-*"] }
              Null                      = { "dynamodb:LeadingKeys" = "false" }
            }
          },
        ]
      }
    )
    error_message = "The tenant's policy is."
  }
}

run "an_index_is_queried_by_upkeep_alone" {
  command = plan

  variables {
    run_id_index_name = "by-run"
  }

  assert {
    condition = (
      alltrue([for policy in [output.read_policy_json, output.runtime_policy_json, output.setup_policy_json] : [
        for statement in jsondecode(policy).Statement : statement.Sid
      ] == ["Tables"]])
    )
    error_message = "Nobody else has rights on the index."
  }

  assert {
    condition     = [for statement in jsondecode(output.admin_policy_json).Statement : statement.Sid] == ["Tables", "Index"]
    error_message = "Upkeep has."
  }
}

run "a_key_is_used_through_dynamodb_alone_without_a_bucket" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  }

  assert {
    condition = (
      jsondecode(output.runtime_policy_json) == {
        Version = "2012-10-17"
        Statement = [
          {
            Sid    = "Tables"
            Effect = "Allow"
            Action = [
              "dynamodb:DescribeTable",
              "dynamodb:DescribeTimeToLive",
              "dynamodb:GetItem",
              "dynamodb:PutItem",
              "dynamodb:Query",
              "dynamodb:UpdateItem",
            ]
            Resource = [
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-checkpoints",
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-writes",
            ]
          },
          {
            Sid    = "Key"
            Effect = "Allow"
            Action = [
              "kms:Decrypt",
              "kms:DescribeKey",
              "kms:Encrypt",
              "kms:GenerateDataKey",
              "kms:ReEncryptFrom",
              "kms:ReEncryptTo",
            ]
            Resource  = ["arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"]
            Condition = { StringEquals = { "kms:ViaService" = ["dynamodb.us-east-1.amazonaws.com"] } }
          },
        ]
      }
    )
    error_message = "The key may be used through DynamoDB alone."
  }

  assert {
    condition = (
      jsondecode(output.read_policy_json) == {
        Version = "2012-10-17"
        Statement = [
          {
            Sid    = "Tables"
            Effect = "Allow"
            Action = ["dynamodb:GetItem", "dynamodb:Query"]
            Resource = [
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-checkpoints",
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-writes",
            ]
          },
          {
            Sid       = "Key"
            Effect    = "Allow"
            Action    = ["kms:Decrypt", "kms:DescribeKey"]
            Resource  = ["arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"]
            Condition = { StringEquals = { "kms:ViaService" = ["dynamodb.us-east-1.amazonaws.com"] } }
          },
        ]
      }
    )
    error_message = "Reading decrypts and nothing more."
  }
}

run "a_made_bucket_is_in_the_policies_under_its_name" {
  command = plan

  variables {
    create_bucket = true
    bucket_name   = "agents-states"
  }

  assert {
    condition = (
      jsondecode(output.admin_policy_json) == {
        Version = "2012-10-17"
        Statement = [
          {
            Sid    = "Tables"
            Effect = "Allow"
            Action = [
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
            Resource = [
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-checkpoints",
              "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-writes",
            ]
          },
          {
            Sid      = "Objects"
            Effect   = "Allow"
            Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
            Resource = ["arn:aws:s3:::agents-states/langgraph-checkpoints/*"]
          },
          {
            Sid      = "Bucket"
            Effect   = "Allow"
            Action   = ["s3:ListBucket"]
            Resource = ["arn:aws:s3:::agents-states"]
          },
        ]
      }
    )
    error_message = "Upkeep has the bucket that is made, and no key."
  }
}

# The order of resources means nothing, so the next run does not look at it.

run "replicas_are_in_every_statement_of_tables_index_and_key" {
  command = plan

  variables {
    run_id_index_name       = "by-run"
    bucket_name             = "agents-states"
    replica_regions         = ["eu-west-1", "ap-southeast-2"]
    kms_key_arn             = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    tenant_thread_id_prefix = "acme-"
    replica_kms_key_arns = {
      eu-west-1      = "arn:aws:kms:eu-west-1:123456789012:key/eeeeeeee-12ab-34cd-56ef-1234567890ab"
      ap-southeast-2 = "arn:aws:kms:ap-southeast-2:123456789012:key/aaaaaaaa-12ab-34cd-56ef-1234567890ab"
    }
  }

  assert {
    condition = (
      alltrue([for policy in [
        output.read_policy_json, output.runtime_policy_json, output.setup_policy_json, output.admin_policy_json,
        output.tenant_policy_json,
        ] : toset(jsondecode(policy).Statement[0].Resource) == toset([
          "arn:aws:dynamodb:ap-southeast-2:123456789012:table/langgraph-checkpoints",
          "arn:aws:dynamodb:eu-west-1:123456789012:table/langgraph-checkpoints",
          "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-checkpoints",
          "arn:aws:dynamodb:ap-southeast-2:123456789012:table/langgraph-writes",
          "arn:aws:dynamodb:eu-west-1:123456789012:table/langgraph-writes",
          "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-writes",
      ])])
    )
    error_message = "Every role has both tables in every region."
  }

  assert {
    condition = (
      [for statement in jsondecode(output.admin_policy_json).Statement : statement.Sid] == [
        "Tables",
        "Index",
        "Objects",
        "Bucket",
        "Key",
      ]
    )
    error_message = "All statements are there, in their order."
  }

  assert {
    condition = (
      toset(jsondecode(output.admin_policy_json).Statement[1].Resource) == toset([
        "arn:aws:dynamodb:ap-southeast-2:123456789012:table/langgraph-checkpoints/index/by-run",
        "arn:aws:dynamodb:eu-west-1:123456789012:table/langgraph-checkpoints/index/by-run",
        "arn:aws:dynamodb:us-east-1:123456789012:table/langgraph-checkpoints/index/by-run",
      ])
    )
    error_message = "Upkeep has the index in every region."
  }

  assert {
    condition = (
      jsondecode(output.admin_policy_json).Statement[2].Resource == [
        "arn:aws:s3:::agents-states/langgraph-checkpoints/*"
      ]
    )
    error_message = "There is one bucket for all regions."
  }

  assert {
    condition = (
      alltrue([for policy in [
        output.read_policy_json, output.runtime_policy_json, output.admin_policy_json, output.tenant_policy_json
        ] : toset(reverse(jsondecode(policy).Statement)[0].Resource) == toset(
        concat([var.kms_key_arn], values(var.replica_kms_key_arns))
      )])
    )
    error_message = "Every role that needs keys has those of all regions."
  }

  assert {
    condition = (
      toset(jsondecode(output.admin_policy_json).Statement[4].Condition.StringEquals["kms:ViaService"]) == toset([
        "dynamodb.ap-southeast-2.amazonaws.com",
        "dynamodb.eu-west-1.amazonaws.com",
        "dynamodb.us-east-1.amazonaws.com",
        "s3.us-east-1.amazonaws.com",
      ])
    )
    error_message = "The keys may be used through DynamoDB in every region, and through S3 in the bucket's."
  }
}

run "policies_name_the_tables_given" {
  command = plan

  variables {
    checkpoints_table_name = "agents.checkpoints"
    writes_table_name      = "agents_writes"
    run_id_index_name      = "by-run"
  }

  assert {
    condition = (
      [for statement in jsondecode(output.admin_policy_json).Statement : statement.Resource] == [
        [
          "arn:aws:dynamodb:us-east-1:123456789012:table/agents.checkpoints",
          "arn:aws:dynamodb:us-east-1:123456789012:table/agents_writes",
        ],
        ["arn:aws:dynamodb:us-east-1:123456789012:table/agents.checkpoints/index/by-run"],
      ]
    )
    error_message = "Tables and index are those given."
  }
}

run "policies_follow_partition_and_region" {
  command = plan

  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-cn", dns_suffix = "amazonaws.com.cn" }
  }

  override_data {
    target = data.aws_region.current
    values = { id = "cn-north-1" }
  }

  variables {
    bucket_name = "agents-states"
    kms_key_arn = "arn:aws-cn:kms:cn-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  }

  assert {
    condition = (
      [for statement in jsondecode(output.read_policy_json).Statement : statement.Resource] == [
        [
          "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/langgraph-checkpoints",
          "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/langgraph-writes",
        ],
        ["arn:aws-cn:s3:::agents-states/langgraph-checkpoints/*"],
        ["arn:aws-cn:s3:::agents-states"],
        [var.kms_key_arn],
      ]
    )
    error_message = "ARNs are of the partition and region."
  }

  assert {
    condition = (
      jsondecode(output.read_policy_json).Statement[3].Condition.StringEquals["kms:ViaService"] == [
        "dynamodb.cn-north-1.amazonaws.com.cn", "s3.cn-north-1.amazonaws.com.cn"
      ]
    )
    error_message = "Services have the domain of the partition."
  }
}

run "managed_policies_are_named_after_the_table_of_checkpoints" {
  command = plan

  variables {
    create_policies         = true
    tenant_thread_id_prefix = "acme-"
    checkpoints_table_name  = "agents"
    tags                    = { team = "agents" }
  }

  assert {
    condition = (
      { for role, policy in aws_iam_policy.this : role => policy.name } == {
        admin   = "agents-admin"
        read    = "agents-read"
        runtime = "agents-runtime"
        setup   = "agents-setup"
        tenant  = "agents-tenant"
      }
    )
    error_message = "Each role has one policy, with the table's name and its own."
  }

  assert {
    condition = (
      { for role, policy in aws_iam_policy.this : role => policy.policy } == {
        admin   = output.admin_policy_json
        read    = output.read_policy_json
        runtime = output.runtime_policy_json
        setup   = output.setup_policy_json
        tenant  = output.tenant_policy_json
      }
    )
    error_message = "Each is what the output says."
  }

  assert {
    condition = (
      tomap(output.policy_arns) == tomap({
        admin   = "arn:aws:iam::123456789012:policy/from-admin"
        read    = "arn:aws:iam::123456789012:policy/from-read"
        runtime = "arn:aws:iam::123456789012:policy/from-runtime"
        setup   = "arn:aws:iam::123456789012:policy/from-setup"
        tenant  = "arn:aws:iam::123456789012:policy/from-tenant"
      })
    )
    error_message = "The output has the ARN of each."
  }

  assert {
    condition = (
      alltrue([
        for policy in aws_iam_policy.this : tomap(policy.tags) == tomap({ team = "agents" })
      ])
    )
    error_message = "Each has the tags."
  }

  assert {
    condition     = length(distinct([for policy in aws_iam_policy.this : policy.description])) == 5
    error_message = "Each has a description of its own."
  }
}

run "managed_policies_take_the_prefix_given" {
  command = plan

  variables {
    create_policies    = true
    policy_name_prefix = "acme.agents"
  }

  assert {
    condition = (
      { for role, policy in aws_iam_policy.this : role => policy.name } == {
        admin   = "acme.agents-admin"
        read    = "acme.agents-read"
        runtime = "acme.agents-runtime"
        setup   = "acme.agents-setup"
      }
    )
    error_message = "Each has the prefix given."
  }
}

run "roles_that_are_named_get_their_policy" {
  command = plan

  variables {
    create_policies = true
    policy_role_names = {
      runtime = ["agent", "other"]
      admin   = ["upkeep"]
    }
  }

  assert {
    condition = (
      { for key, attached in aws_iam_role_policy_attachment.this : key => [attached.role, attached.policy_arn] } == {
        "runtime/agent" = ["agent", "arn:aws:iam::123456789012:policy/from-runtime"]
        "runtime/other" = ["other", "arn:aws:iam::123456789012:policy/from-runtime"]
        "admin/upkeep"  = ["upkeep", "arn:aws:iam::123456789012:policy/from-admin"]
      }
    )
    error_message = "Each has the policy of its role."
  }
}

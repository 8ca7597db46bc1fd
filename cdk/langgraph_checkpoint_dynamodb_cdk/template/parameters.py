"""The parameters of the template of the tables."""

from __future__ import annotations

from langgraph_checkpoint_dynamodb_cdk.checks import LONGEST_BUCKET_KEY_PREFIX, PATTERNS
from langgraph_checkpoint_dynamodb_cdk.schema import (
    DEFAULT_BUCKET_KEY_PREFIX,
    DEFAULT_CHECKPOINTS_TABLE_NAME,
    DEFAULT_STORE_BUCKET_KEY_PREFIX,
    DEFAULT_THREAD_INDEX_NAME,
    DEFAULT_WRITES_TABLE_NAME,
)
from langgraph_checkpoint_dynamodb_cdk.template.declarations import BOOLEAN, Parameter

_NAME = "3 to 255 characters of A-Z, a-z, 0-9, '_', '-' and '.'"
_KEY_ARN = "the ARN of a KMS key, arn:aws:kms:REGION:ACCOUNT:key/ID (of the key, not of an alias)"
_KEY_PREFIX = "names of A-Z, a-z, 0-9 and !_.'()=- with one '/' after each, the last one too"
_PREFIX = (
    "characters of A-Z, a-z, 0-9, '_' and '-', and policy variables that begin with '${aws:', with "
    "'_' or '-' at its end"
)

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        name="CheckpointsTableName",
        group="Tables",
        description="Name of the checkpoints table.",
        default=DEFAULT_CHECKPOINTS_TABLE_NAME,
        pattern=PATTERNS["dynamodb_name"],
        expected=_NAME,
    ),
    Parameter(
        name="WritesTableName",
        group="Tables",
        description="Name of the writes table.",
        default=DEFAULT_WRITES_TABLE_NAME,
        pattern=PATTERNS["dynamodb_name"],
        expected=_NAME,
    ),
    Parameter(
        name="StoreTableName",
        group="Tables",
        description="Name of a table for a LangGraph store. Empty for none.",
        pattern=PATTERNS["dynamodb_name"],
        expected=_NAME,
    ),
    Parameter(
        name="StoreVectorIndexName",
        group="Tables",
        description="Name of its vector index; the store's vector_index. Empty for none.",
        pattern=PATTERNS["dynamodb_name"],
        expected=_NAME,
    ),
    Parameter(
        name="StoreVectorDimensions",
        group="Tables",
        description="Dimensions of the vectors of StoreVectorIndexName.",
        default=0,
        max_value=4096,
    ),
    Parameter(
        name="RunIdIndexName",
        group="Tables",
        description="Name of an index on run ids, for delete_for_runs; the saver's run_id_index. "
        "Empty for none.",
        pattern=PATTERNS["dynamodb_name"],
        expected=_NAME,
    ),
    Parameter(
        name="ThreadIndexOwner",
        group="Tables",
        description="Key of a run's configurable or metadata that names the owner of its thread; "
        "makes an index of threads, for list_threads. Empty for none.",
        # It is inserted into JSON unescaped.
        pattern=r'[^"\\\x00-\x1f]+',
        expected="the name of a key, without quotes and backslashes",
    ),
    Parameter(
        name="ThreadIndexName",
        group="Tables",
        description="Name of the index that ThreadIndexOwner makes.",
        default=DEFAULT_THREAD_INDEX_NAME,
        pattern=PATTERNS["dynamodb_name"],
        expected=_NAME,
    ),
    Parameter(
        name="TtlSeconds",
        group="Tables",
        description="The saver's ttl_seconds, for SaverSettings. 0 for none. Tables always expire "
        "items by their attribute ttl.",
        default=0,
    ),
    Parameter(
        name="MaxReadRequestUnits",
        group="Tables",
        description="Maximum read units per second, of each table and index. 0 for no maximum.",
        default=0,
    ),
    Parameter(
        name="MaxWriteRequestUnits",
        group="Tables",
        description="Maximum write units per second, of each table and index. 0 for no maximum.",
        default=0,
    ),
    Parameter(
        name="TableClass",
        group="Tables",
        description="Table class of the tables.",
        default="STANDARD",
        values=("STANDARD", "STANDARD_INFREQUENT_ACCESS"),
    ),
    Parameter(
        name="PointInTimeRecovery",
        group="Protection",
        description="Whether the tables have point-in-time recovery.",
        default="true",
        values=BOOLEAN,
    ),
    Parameter(
        name="PointInTimeRecoveryDays",
        group="Protection",
        description="Days of point-in-time recovery, from 1 to 35. 0 for the default of 35.",
        default=0,
        max_value=35,
    ),
    Parameter(
        name="DeletionProtection",
        group="Protection",
        description="Whether DynamoDB rejects a deletion of the tables.",
        default="true",
        values=BOOLEAN,
    ),
    Parameter(
        name="KmsKeyArn",
        group="Protection",
        description="ARN of the KMS key of the tables and of a bucket created here. Empty for an "
        "AWS owned key.",
        pattern=PATTERNS["key_arn"],
        expected=_KEY_ARN,
    ),
    Parameter(
        name="Bucket",
        group="Bucket for large values",
        description="Whether there is a bucket: none, create one, or use an existing one.",
        default="none",
        values=("none", "create", "existing"),
    ),
    Parameter(
        name="BucketName",
        group="Bucket for large values",
        description="Name of the bucket. Empty for a generated name, or without a bucket.",
        pattern=PATTERNS["bucket_name"],
        expected="3 to 63 characters of a-z, 0-9, '.' and '-', first and last of a-z, 0-9",
    ),
    Parameter(
        name="BucketKmsKeyArn",
        group="Bucket for large values",
        description="ARN of the KMS key of an existing bucket, for the policies. Empty for none.",
        pattern=PATTERNS["key_arn"],
        expected=_KEY_ARN,
    ),
    Parameter(
        name="BucketKeyPrefix",
        group="Bucket for large values",
        description="Key prefix of the saver's objects; the saver's key_prefix.",
        default=DEFAULT_BUCKET_KEY_PREFIX,
        pattern=PATTERNS["bucket_key_prefix"],
        expected=_KEY_PREFIX,
        max_length=LONGEST_BUCKET_KEY_PREFIX,
    ),
    Parameter(
        name="StoreBucketKeyPrefix",
        group="Bucket for large values",
        description="Key prefix of the store's objects. Neither prefix may start with the other.",
        default=DEFAULT_STORE_BUCKET_KEY_PREFIX,
        pattern=PATTERNS["bucket_key_prefix"],
        expected=_KEY_PREFIX,
        max_length=LONGEST_BUCKET_KEY_PREFIX,
    ),
    Parameter(
        name="BucketVersioning",
        group="Bucket for large values",
        description="Whether a bucket created here keeps deleted objects as long as tables can be "
        "restored, so that a restored table finds them.",
        default="true",
        values=BOOLEAN,
    ),
    Parameter(
        name="ObjectExpiryDays",
        group="Bucket for large values",
        description="After how many days a bucket created here deletes objects; README.md lists "
        "the days for TtlSeconds. 0 for never.",
        default=0,
    ),
    Parameter(
        name="CreatePolicies",
        group="Access",
        description="Whether to create a managed policy for each role.",
        default="false",
        values=BOOLEAN,
    ),
    Parameter(
        name="PolicyNamePrefix",
        group="Access",
        description="Prefix of the names of managed policies. Empty for the name of the "
        "checkpoints table.",
        pattern=PATTERNS["policy_name_prefix"],
        expected="1 to 120 characters of A-Z, a-z, 0-9 and '_+=,.@-'",
    ),
    Parameter(
        name="TenantThreadIdPrefix",
        group="Access",
        description="Prefix of a tenant's thread ids, for the role tenant, such as "
        "${aws:PrincipalTag/tenant}_. Empty for no such role.",
        pattern=PATTERNS["thread_id_prefix"],
        expected=_PREFIX,
    ),
    Parameter(
        name="TenantOwnerPrefix",
        group="Access",
        description="Prefix of the owners whose threads a tenant may list. Empty for none.",
        pattern=PATTERNS["owner_prefix"],
        expected=_PREFIX,
    ),
    Parameter(
        name="TenantRootLabel",
        group="Access",
        description="Root label of a tenant's namespaces in the store, such as "
        "${aws:PrincipalTag/tenant}. Empty for none.",
        pattern=PATTERNS["root_label"],
        expected="characters of A-Z, a-z, 0-9, '_' and '-', and policy variables that begin with "
        "'${aws:'",
    ),
    Parameter(
        name="ContributorInsights",
        group="Monitoring",
        description="Whether DynamoDB reports the most accessed keys: thread ids, owners and "
        "labels, readable with access to CloudWatch.",
        default="false",
        values=BOOLEAN,
    ),
)

NUMBERS = frozenset(parameter.name for parameter in PARAMETERS if parameter.is_number)
"""Names of the parameters of the type `Number`."""

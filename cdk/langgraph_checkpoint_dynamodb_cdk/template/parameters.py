"""What the template can be asked for: parameters, the rules they keep, and conditions on them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb_cdk.checks import LONGEST_BUCKET_KEY_PREFIX, PATTERNS
from langgraph_checkpoint_dynamodb_cdk.schema import (
    DEFAULT_BUCKET_KEY_PREFIX,
    DEFAULT_CHECKPOINTS_TABLE_NAME,
    DEFAULT_STORE_BUCKET_KEY_PREFIX,
    DEFAULT_THREAD_INDEX_NAME,
    DEFAULT_WRITES_TABLE_NAME,
)
from langgraph_checkpoint_dynamodb_cdk.template.declared import (
    BOOLEAN,
    Parameter,
    all_of,
    equals,
    given,
    named,
    negated,
    rule,
)
from langgraph_checkpoint_dynamodb_cdk.template.intrinsics import Value, ref

if TYPE_CHECKING:
    from collections.abc import Mapping


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
        description="Name of the table of checkpoints.",
        default=DEFAULT_CHECKPOINTS_TABLE_NAME,
        pattern=PATTERNS["dynamodb_name"],
        expected=_NAME,
    ),
    Parameter(
        name="WritesTableName",
        group="Tables",
        description="Name of the table of pending writes.",
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
        description="Name of a vector index on it; the store's vector_index. Empty for none.",
        pattern=PATTERNS["dynamodb_name"],
        expected=_NAME,
    ),
    Parameter(
        name="StoreVectorDimensions",
        group="Tables",
        description="How many numbers a vector has, for that index.",
        default=0,
        most=4096,
    ),
    Parameter(
        name="RunIdIndexName",
        group="Tables",
        description="Name of an index by run id, for delete_for_runs; the saver's run_id_index. "
        "Empty for none.",
        pattern=PATTERNS["dynamodb_name"],
        expected=_NAME,
    ),
    Parameter(
        name="ThreadIndexOwner",
        group="Tables",
        description="Key of a run's configurable or metadata that names the owner of its thread; "
        "makes an index of threads, for list_threads. Empty for none.",
        # It is put into JSON as it is.
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
        description="Most read units a second, of each table and of each index. 0 for no maximum.",
        default=0,
    ),
    Parameter(
        name="MaxWriteRequestUnits",
        group="Tables",
        description="Most write units a second, the same. 0 for no maximum.",
        default=0,
    ),
    Parameter(
        name="TableClass",
        group="Tables",
        description="Storage class of the tables.",
        default="STANDARD",
        values=("STANDARD", "STANDARD_INFREQUENT_ACCESS"),
    ),
    Parameter(
        name="PointInTimeRecovery",
        group="Protection",
        description="Whether the tables can be restored to any moment of the last days.",
        default="true",
        values=BOOLEAN,
    ),
    Parameter(
        name="PointInTimeRecoveryDays",
        group="Protection",
        description="How many days back, from 1 to 35. 0 for DynamoDB's 35.",
        default=0,
        most=35,
    ),
    Parameter(
        name="DeletionProtection",
        group="Protection",
        description="Whether DynamoDB refuses to delete the tables.",
        default="true",
        values=BOOLEAN,
    ),
    Parameter(
        name="KmsKeyArn",
        group="Protection",
        description="ARN of the KMS key of the tables and of a bucket made here. Empty for a key "
        "that AWS owns.",
        pattern=PATTERNS["key_arn"],
        expected=_KEY_ARN,
    ),
    Parameter(
        name="Bucket",
        group="Bucket for large values",
        description="Whether there is a bucket: none, one to create, or one that exists.",
        default="none",
        values=("none", "create", "existing"),
    ),
    Parameter(
        name="BucketName",
        group="Bucket for large values",
        description="Name of the bucket. Empty for a generated name, or where there is none.",
        pattern=PATTERNS["bucket_name"],
        expected="3 to 63 characters of a-z, 0-9, '.' and '-', first and last of a-z, 0-9",
    ),
    Parameter(
        name="BucketKmsKeyArn",
        group="Bucket for large values",
        description="ARN of the KMS key of a bucket that exists, for the policies. Empty for none.",
        pattern=PATTERNS["key_arn"],
        expected=_KEY_ARN,
    ),
    Parameter(
        name="BucketKeyPrefix",
        group="Bucket for large values",
        description="What the keys of objects begin with; the saver's key_prefix.",
        default=DEFAULT_BUCKET_KEY_PREFIX,
        pattern=PATTERNS["bucket_key_prefix"],
        expected=_KEY_PREFIX,
        longest=LONGEST_BUCKET_KEY_PREFIX,
    ),
    Parameter(
        name="StoreBucketKeyPrefix",
        group="Bucket for large values",
        description="The same of the store's objects; neither may begin with the other.",
        default=DEFAULT_STORE_BUCKET_KEY_PREFIX,
        pattern=PATTERNS["bucket_key_prefix"],
        expected=_KEY_PREFIX,
        longest=LONGEST_BUCKET_KEY_PREFIX,
    ),
    Parameter(
        name="BucketVersioning",
        group="Bucket for large values",
        description="Whether a bucket made here keeps deleted objects as long as tables can be "
        "restored, so that a restored table finds them.",
        default="true",
        values=BOOLEAN,
    ),
    Parameter(
        name="ObjectExpiryDays",
        group="Bucket for large values",
        description="After how many days a bucket made here deletes objects; README.md says how "
        "many TtlSeconds needs. 0 for never.",
        default=0,
    ),
    Parameter(
        name="CreatePolicies",
        group="Access",
        description="Whether to make a managed policy of each role.",
        default="false",
        values=BOOLEAN,
    ),
    Parameter(
        name="PolicyNamePrefix",
        group="Access",
        description="First part of the names of managed policies. Empty for the name of the table "
        "of checkpoints.",
        pattern=PATTERNS["policy_name_prefix"],
        expected="1 to 120 characters of A-Z, a-z, 0-9 and '_+=,.@-'",
    ),
    Parameter(
        name="TenantThreadIdPrefix",
        group="Access",
        description="What the thread ids of a tenant begin with, for the role tenant, such as "
        "${aws:PrincipalTag/tenant}_. Empty for no such role.",
        pattern=PATTERNS["thread_id_prefix"],
        expected=_PREFIX,
    ),
    Parameter(
        name="TenantOwnerPrefix",
        group="Access",
        description="What the owners begin with whose threads a tenant may list. Empty for none.",
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
        group="Watching",
        description="Whether DynamoDB counts which keys are used most; shows thread ids, owners "
        "and labels to whoever may read CloudWatch.",
        default="false",
        values=BOOLEAN,
    ),
)

NUMBERS = frozenset(found.name for found in PARAMETERS if found.is_number)
"""Parameters that are numbers."""


_BY_NAME = {found.name: found for found in PARAMETERS}


def _given(name: str) -> Value:
    return given(_BY_NAME[name])


_KEYS = {"Fn::Join": ["", [ref("KmsKeyArn"), ref("BucketKmsKeyArn")]]}

CONDITIONS: Mapping[str, Value] = MappingProxyType(
    {
        "HasStore": _given("StoreTableName"),
        "NamesVectorIndex": _given("StoreVectorIndexName"),
        "HasDimensions": _given("StoreVectorDimensions"),
        "HasVectors": all_of(named("NamesVectorIndex"), named("HasStore")),
        "HasRunIdIndex": _given("RunIdIndexName"),
        "HasThreadIndex": _given("ThreadIndexOwner"),
        "HasIndex": {"Fn::Or": [named("HasRunIdIndex"), named("HasThreadIndex")]},
        "Expires": _given("TtlSeconds"),
        "LimitsReads": _given("MaxReadRequestUnits"),
        "LimitsWrites": _given("MaxWriteRequestUnits"),
        "IsRecoverable": equals("PointInTimeRecovery", "true"),
        "HasRecoveryDays": _given("PointInTimeRecoveryDays"),
        "IsProtected": equals("DeletionProtection", "true"),
        "HasKey": _given("KmsKeyArn"),
        "HasBucket": negated(equals("Bucket", "none")),
        "CreatesBucket": equals("Bucket", "create"),
        "NamesBucket": _given("BucketName"),
        "HasStoreObjects": all_of(named("HasStore"), named("HasBucket")),
        "HasBucketKey": _given("BucketKmsKeyArn"),
        "HasAnyKey": negated({"Fn::Equals": [_KEYS, ""]}),
        "IsVersioned": equals("BucketVersioning", "true"),
        "ExpiresObjects": _given("ObjectExpiryDays"),
        "CreatesPolicies": equals("CreatePolicies", "true"),
        "NamesPolicies": _given("PolicyNamePrefix"),
        "HasTenants": _given("TenantThreadIdPrefix"),
        "CreatesTenantPolicy": all_of(named("CreatesPolicies"), named("HasTenants")),
        "HasTenantOwners": all_of(_given("TenantOwnerPrefix"), named("HasThreadIndex")),
        "HasTenantRoot": all_of(_given("TenantRootLabel"), named("HasStore")),
        "HasTenantRootObjects": all_of(named("HasTenantRoot"), named("HasBucket")),
        "CountsContributors": equals("ContributorInsights", "true"),
    }
)
"""What of it is asked for, by parameters."""

RULES: Mapping[str, Value] = MappingProxyType(
    {
        "TablesDiffer": rule(
            all_of(
                negated(equals("WritesTableName", ref("CheckpointsTableName"))),
                negated(equals("StoreTableName", ref("CheckpointsTableName"))),
                negated(equals("StoreTableName", ref("WritesTableName"))),
            ),
            "CheckpointsTableName, WritesTableName and StoreTableName must differ: the tables have "
            "other keys.",
        ),
        "VectorsAreOfStore": rule(
            all_of(_given("StoreVectorDimensions"), _given("StoreTableName")),
            "StoreVectorIndexName needs StoreTableName and StoreVectorDimensions.",
            where=_given("StoreVectorIndexName"),
        ),
        "KeyPrefixesDiffer": rule(
            negated(equals("StoreBucketKeyPrefix", ref("BucketKeyPrefix"))),
            "StoreBucketKeyPrefix must differ from BucketKeyPrefix: the saver's objects expire.",
        ),
        "IndexesDiffer": rule(
            negated(equals("ThreadIndexName", ref("RunIdIndexName"))),
            "ThreadIndexName must differ from RunIdIndexName: the indexes have other keys.",
            where=_given("ThreadIndexOwner"),
        ),
        "DaysAreOfRecovery": rule(
            equals("PointInTimeRecovery", "true"),
            "PointInTimeRecoveryDays needs PointInTimeRecovery=true.",
            where=_given("PointInTimeRecoveryDays"),
        ),
        "ExistingBucketIsNamed": rule(
            _given("BucketName"),
            "With Bucket=existing, BucketName must say which.",
            where=equals("Bucket", "existing"),
        ),
        "NoBucketHasNoName": rule(
            equals("BucketName", ""),
            "BucketName needs Bucket=create or Bucket=existing.",
            where=equals("Bucket", "none"),
        ),
        "BucketKeyIsOfExistingBucket": rule(
            equals("Bucket", "existing"),
            "BucketKmsKeyArn needs Bucket=existing; a bucket made here has KmsKeyArn.",
            where=_given("BucketKmsKeyArn"),
        ),
        "ObjectsExpireInCreatedBucket": rule(
            equals("Bucket", "create"),
            "ObjectExpiryDays needs Bucket=create; give a bucket that exists such a rule yourself.",
            where=_given("ObjectExpiryDays"),
        ),
        "ObjectsExpireAfterItems": rule(
            _given("TtlSeconds"),
            "ObjectExpiryDays needs TtlSeconds: items that stay would lose their objects.",
            where=_given("ObjectExpiryDays"),
        ),
        "TenantsOwnThreads": rule(
            all_of(_given("TenantThreadIdPrefix"), _given("ThreadIndexOwner")),
            "TenantOwnerPrefix needs TenantThreadIdPrefix and ThreadIndexOwner: it is for the role "
            "tenant, on the index of threads.",
            where=_given("TenantOwnerPrefix"),
        ),
        "TenantsOwnLabels": rule(
            all_of(_given("TenantThreadIdPrefix"), _given("StoreTableName")),
            "TenantRootLabel needs TenantThreadIdPrefix and StoreTableName: it is for the role "
            "tenant, on the table of a store.",
            where=_given("TenantRootLabel"),
        ),
    }
)
"""What must hold between parameters; the construct's checks of the same say the same."""

"""Conditions and rules of the template of the tables."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb_cdk.template.declarations import (
    condition_ref,
    equals,
    fn_and,
    fn_not,
    is_set,
    rule,
)
from langgraph_checkpoint_dynamodb_cdk.template.intrinsics import Value, ref
from langgraph_checkpoint_dynamodb_cdk.template.parameters import PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Mapping

_BY_NAME = {parameter.name: parameter for parameter in PARAMETERS}


def _is_set(name: str) -> Value:
    return is_set(_BY_NAME[name])


_ALL_KEY_ARNS = {"Fn::Join": ["", [ref("KmsKeyArn"), ref("BucketKmsKeyArn")]]}

CONDITIONS: Mapping[str, Value] = MappingProxyType(
    {
        "HasStore": _is_set("StoreTableName"),
        "NamesVectorIndex": _is_set("StoreVectorIndexName"),
        "HasDimensions": _is_set("StoreVectorDimensions"),
        "HasVectors": fn_and(condition_ref("NamesVectorIndex"), condition_ref("HasStore")),
        "HasRunIdIndex": _is_set("RunIdIndexName"),
        "HasThreadIndex": _is_set("ThreadIndexOwner"),
        "HasIndex": {"Fn::Or": [condition_ref("HasRunIdIndex"), condition_ref("HasThreadIndex")]},
        "Expires": _is_set("TtlSeconds"),
        "LimitsReads": _is_set("MaxReadRequestUnits"),
        "LimitsWrites": _is_set("MaxWriteRequestUnits"),
        "IsRecoverable": equals("PointInTimeRecovery", "true"),
        "HasRecoveryDays": _is_set("PointInTimeRecoveryDays"),
        "IsProtected": equals("DeletionProtection", "true"),
        "HasKey": _is_set("KmsKeyArn"),
        "HasBucket": fn_not(equals("Bucket", "none")),
        "CreatesBucket": equals("Bucket", "create"),
        "NamesBucket": _is_set("BucketName"),
        "HasStoreObjects": fn_and(condition_ref("HasStore"), condition_ref("HasBucket")),
        "HasBucketKey": _is_set("BucketKmsKeyArn"),
        "HasAnyKey": fn_not({"Fn::Equals": [_ALL_KEY_ARNS, ""]}),
        "IsVersioned": equals("BucketVersioning", "true"),
        "ExpiresObjects": _is_set("ObjectExpiryDays"),
        "CreatesPolicies": equals("CreatePolicies", "true"),
        "NamesPolicies": _is_set("PolicyNamePrefix"),
        "HasTenants": _is_set("TenantThreadIdPrefix"),
        "CreatesTenantPolicy": fn_and(
            condition_ref("CreatesPolicies"), condition_ref("HasTenants")
        ),
        "HasTenantOwners": fn_and(_is_set("TenantOwnerPrefix"), condition_ref("HasThreadIndex")),
        "HasTenantRoot": fn_and(_is_set("TenantRootLabel"), condition_ref("HasStore")),
        "HasTenantRootObjects": fn_and(condition_ref("HasTenantRoot"), condition_ref("HasBucket")),
        "CountsContributors": equals("ContributorInsights", "true"),
    }
)
"""Conditions on parameters, by name."""

RULES: Mapping[str, Value] = MappingProxyType(
    {
        "TablesDiffer": rule(
            fn_and(
                fn_not(equals("WritesTableName", ref("CheckpointsTableName"))),
                fn_not(equals("StoreTableName", ref("CheckpointsTableName"))),
                fn_not(equals("StoreTableName", ref("WritesTableName"))),
            ),
            "CheckpointsTableName, WritesTableName and StoreTableName must differ: the tables have "
            "different keys.",
        ),
        "VectorsAreOfStore": rule(
            fn_and(_is_set("StoreVectorDimensions"), _is_set("StoreTableName")),
            "StoreVectorIndexName needs StoreTableName and StoreVectorDimensions.",
            when=_is_set("StoreVectorIndexName"),
        ),
        "KeyPrefixesDiffer": rule(
            fn_not(equals("StoreBucketKeyPrefix", ref("BucketKeyPrefix"))),
            "StoreBucketKeyPrefix must differ from BucketKeyPrefix: the saver's objects expire.",
        ),
        "IndexesDiffer": rule(
            fn_not(equals("ThreadIndexName", ref("RunIdIndexName"))),
            "ThreadIndexName must differ from RunIdIndexName: the indexes have different keys.",
            when=_is_set("ThreadIndexOwner"),
        ),
        "DaysAreOfRecovery": rule(
            equals("PointInTimeRecovery", "true"),
            "PointInTimeRecoveryDays needs PointInTimeRecovery=true.",
            when=_is_set("PointInTimeRecoveryDays"),
        ),
        "ExistingBucketIsNamed": rule(
            _is_set("BucketName"),
            "With Bucket=existing, BucketName must name the bucket.",
            when=equals("Bucket", "existing"),
        ),
        "NoBucketHasNoName": rule(
            equals("BucketName", ""),
            "BucketName needs Bucket=create or Bucket=existing.",
            when=equals("Bucket", "none"),
        ),
        "BucketKeyIsOfExistingBucket": rule(
            equals("Bucket", "existing"),
            "BucketKmsKeyArn needs Bucket=existing; a bucket created here has KmsKeyArn.",
            when=_is_set("BucketKmsKeyArn"),
        ),
        "ObjectsExpireInCreatedBucket": rule(
            equals("Bucket", "create"),
            "ObjectExpiryDays needs Bucket=create; an existing bucket needs its own rule.",
            when=_is_set("ObjectExpiryDays"),
        ),
        "ObjectsExpireAfterItems": rule(
            _is_set("TtlSeconds"),
            "ObjectExpiryDays needs TtlSeconds: items that do not expire would lose their objects.",
            when=_is_set("ObjectExpiryDays"),
        ),
        "TenantsOwnThreads": rule(
            fn_and(_is_set("TenantThreadIdPrefix"), _is_set("ThreadIndexOwner")),
            "TenantOwnerPrefix needs TenantThreadIdPrefix and ThreadIndexOwner: it is for the role "
            "tenant, on the thread index.",
            when=_is_set("TenantOwnerPrefix"),
        ),
        "TenantsOwnLabels": rule(
            fn_and(_is_set("TenantThreadIdPrefix"), _is_set("StoreTableName")),
            "TenantRootLabel needs TenantThreadIdPrefix and StoreTableName: it is for the role "
            "tenant, on the store table.",
            when=_is_set("TenantRootLabel"),
        ),
    }
)
"""Rules between parameters, as the construct checks them between arguments."""

"""The tables and the bucket of the construct, with a condition on each optional part."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from aws_cdk import CfnParameter, CfnResource
from aws_cdk import aws_s3 as s3
from constructs import Construct

from langgraph_checkpoint_dynamodb_cdk.checkpoint_store import CheckpointStore
from langgraph_checkpoint_dynamodb_cdk.schema import (
    RUN_ID_INDEX_KEY,
    THREAD_INDEX_KEYS,
    VECTOR_FILTERS,
)
from langgraph_checkpoint_dynamodb_cdk.template.intrinsics import Value, fn_if, ref
from langgraph_checkpoint_dynamodb_cdk.template.synthesis import synthesized_resources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import Stack

CHECKPOINTS = "CheckpointsTable"
WRITES = "WritesTable"
STORE = "StoreTable"
BUCKET = "LargeValuesBucket"
BUCKET_POLICY = "LargeValuesBucketPolicy"

_NONCURRENT = "NoncurrentVersionExpiration"

_Json = dict[str, Any]

_CONDITIONS = MappingProxyType(
    {STORE: "HasStore", BUCKET: "CreatesBucket", BUCKET_POLICY: "CreatesBucket"}
)
"""The condition of each optional resource, by logical id."""


def store_resources() -> _Json:
    """Make the resources of a store with all options, each optional part with its condition."""
    resources = synthesized_resources(_add_store)
    for name in (CHECKPOINTS, WRITES, STORE):
        _add_table_conditions(resources[name]["Properties"])
    _add_index_conditions(resources[CHECKPOINTS]["Properties"])
    _add_vector_conditions(resources[STORE]["Properties"])
    _add_bucket_conditions(resources[BUCKET]["Properties"])
    for name, condition in _CONDITIONS.items():
        resources[name] = {
            "Type": resources[name]["Type"],
            "Condition": condition,
            **resources[name],
        }
    return {name: resources[name] for name in (CHECKPOINTS, WRITES, *_CONDITIONS)}


def _add_store(stack: Stack) -> None:
    """Add a store whose arguments are parameters of the template."""
    store = CheckpointStore(
        stack,
        "Store",
        checkpoints_table_name=_text(stack, "CheckpointsTableName"),
        writes_table_name=_text(stack, "WritesTableName"),
        store_table_name=_text(stack, "StoreTableName"),
        store_vector_index_name=_text(stack, "StoreVectorIndexName"),
        store_vector_dimensions=_number(stack, "StoreVectorDimensions"),
        run_id_index_name=_text(stack, "RunIdIndexName"),
        thread_index_owner="any",  # the resources do not depend on it
        thread_index_name=_text(stack, "ThreadIndexName"),
        ttl_seconds=1,  # for the lifecycle rule of objects, whose days are a parameter
        max_read_request_units=_number(stack, "MaxReadRequestUnits"),
        max_write_request_units=_number(stack, "MaxWriteRequestUnits"),
        contributor_insights=True,
        create_bucket=True,
        bucket_name=_text(stack, "BucketName"),
        bucket_key_prefix=_text(stack, "BucketKeyPrefix"),
    )
    bucket = store.bucket
    if not isinstance(bucket, s3.Bucket) or bucket.policy is None:
        raise TypeError(f"the construct made {bucket!r}, expected a bucket with a policy")
    _set_logical_id(store.checkpoints_table, CHECKPOINTS)
    _set_logical_id(store.writes_table, WRITES)
    _set_logical_id(store.store_table, STORE)
    _set_logical_id(bucket, BUCKET)
    _set_logical_id(bucket.policy, BUCKET_POLICY)


def _text(stack: Stack, parameter: str) -> str:
    return CfnParameter(stack, parameter).value_as_string


def _number(stack: Stack, parameter: str) -> Any:
    # jsii represents a numeric token as a float.
    return CfnParameter(stack, parameter, type="Number").value_as_number


def _set_logical_id(construct: Any, logical_id: str) -> None:
    if not isinstance(construct, Construct):
        raise TypeError(f"the construct made {construct!r}, expected a construct")
    resource = construct.node.default_child
    if not isinstance(resource, CfnResource):
        raise TypeError(f"the construct made {resource!r}, expected a resource")
    resource.override_logical_id(logical_id)


def _add_table_conditions(table: _Json) -> None:
    (replica,) = table["Replicas"]
    _set_condition(table, "WriteOnDemandThroughputSettings", "LimitsWrites")
    _set_condition(replica, "ReadOnDemandThroughputSettings", "LimitsReads")
    _set_condition(replica, "ContributorInsightsSpecification", "CountsContributors")
    table["SSESpecification"] = fn_if(
        "HasKey", {"SSEEnabled": True, "SSEType": "KMS"}, table["SSESpecification"]
    )
    replica["SSESpecification"] = fn_if("HasKey", {"KMSMasterKeyId": ref("KmsKeyArn")})
    replica["DeletionProtectionEnabled"] = fn_if("IsProtected", True, False)
    recovery = replica["PointInTimeRecoverySpecification"]
    recovery["PointInTimeRecoveryEnabled"] = fn_if("IsRecoverable", True, False)
    recovery["RecoveryPeriodInDays"] = fn_if("HasRecoveryDays", ref("PointInTimeRecoveryDays"))
    replica["TableClass"] = ref("TableClass")


def _add_index_conditions(table: _Json) -> None:
    (replica,) = table["Replicas"]
    condition_by_attribute = {RUN_ID_INDEX_KEY: "HasRunIdIndex"}
    condition_by_attribute |= dict.fromkeys(THREAD_INDEX_KEYS, "HasThreadIndex")
    table["AttributeDefinitions"] = [
        _conditional_attribute(attribute, condition_by_attribute)
        for attribute in table["AttributeDefinitions"]
    ]
    for index in table["GlobalSecondaryIndexes"]:
        _set_condition(index, "WriteOnDemandThroughputSettings", "LimitsWrites")
    for index in replica["GlobalSecondaryIndexes"]:
        _set_condition(index, "ReadOnDemandThroughputSettings", "LimitsReads")
        _set_condition(index, "ContributorInsightsSpecification", "CountsContributors")
    conditions = [
        condition_by_attribute[index["KeySchema"][0]["AttributeName"]]
        for index in table["GlobalSecondaryIndexes"]
    ]
    for owner in (table, replica):
        indexes = owner["GlobalSecondaryIndexes"]
        owner["GlobalSecondaryIndexes"] = [
            fn_if(condition, index) for condition, index in zip(conditions, indexes, strict=True)
        ]
        _set_condition(owner, "GlobalSecondaryIndexes", "HasIndex")


def _conditional_attribute(attribute: _Json, conditions: Mapping[str, str]) -> Value:
    condition = conditions.get(attribute["AttributeName"])
    return attribute if condition is None else fn_if(condition, attribute)


def _add_vector_conditions(table: _Json) -> None:
    (index,) = table["VectorIndexes"]
    # A rule requires the parameter. Its default, 0, would be an invalid value even if unused.
    index["Dimensions"] = fn_if("HasDimensions", index["Dimensions"], 1)
    _set_condition(table, "VectorIndexes", "NamesVectorIndex")
    table["AttributeDefinitions"] = [
        _conditional_attribute(attribute, dict.fromkeys(VECTOR_FILTERS, "NamesVectorIndex"))
        for attribute in table["AttributeDefinitions"]
    ]


def _add_bucket_conditions(bucket: _Json) -> None:
    _set_condition(bucket, "BucketName", "NamesBucket")
    _set_condition(bucket, "VersioningConfiguration", "IsVersioned")
    rules = bucket["LifecycleConfiguration"]["Rules"]
    for expiration in (rule[_NONCURRENT] for rule in rules if _NONCURRENT in rule):
        expiration["NoncurrentDays"] = fn_if(
            "HasRecoveryDays", ref("PointInTimeRecoveryDays"), expiration["NoncurrentDays"]
        )
    bucket["LifecycleConfiguration"]["Rules"] = [
        fn_if("ExpiresObjects", {**rule, "ExpirationInDays": ref("ObjectExpiryDays")})
        if "ExpirationInDays" in rule
        else rule
        for rule in rules
    ]
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    encryption["ServerSideEncryptionByDefault"] = fn_if(
        "HasKey",
        {"KMSMasterKeyID": ref("KmsKeyArn"), "SSEAlgorithm": "aws:kms"},
        encryption["ServerSideEncryptionByDefault"],
    )
    encryption["BucketKeyEnabled"] = fn_if("HasKey", True)


def _set_condition(properties: _Json, name: str, condition: str) -> None:
    """Make a property conditional."""
    properties[name] = fn_if(condition, properties[name])

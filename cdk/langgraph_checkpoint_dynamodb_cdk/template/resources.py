"""The construct's own tables and bucket, with a condition on each part that can be left out."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from aws_cdk import App, BootstraplessSynthesizer, CfnParameter, CfnResource, Stack
from aws_cdk import aws_s3 as s3
from constructs import Construct

from langgraph_checkpoint_dynamodb_cdk.checkpoint_store import CheckpointStore
from langgraph_checkpoint_dynamodb_cdk.schema import (
    RUN_ID_INDEX_KEY,
    THREAD_INDEX_KEYS,
    VECTOR_FILTERS,
)
from langgraph_checkpoint_dynamodb_cdk.template.intrinsics import either, ref

CHECKPOINTS = "CheckpointsTable"
WRITES = "WritesTable"
STORE = "StoreTable"
BUCKET = "LargeValuesBucket"
BUCKET_POLICY = "LargeValuesBucketPolicy"

_NONCURRENT = "NoncurrentVersionExpiration"

_Object = dict[str, Any]

_CONDITIONS = MappingProxyType(
    {STORE: "HasStore", BUCKET: "CreatesBucket", BUCKET_POLICY: "CreatesBucket"}
)
"""Of what need not be there."""


def store_resources() -> _Object:
    """The resources of a store that has everything, each part under its condition."""
    made = _synthesized()
    for name in (CHECKPOINTS, WRITES, STORE):
        _condition_table(made[name]["Properties"])
    _condition_indexes(made[CHECKPOINTS]["Properties"])
    _condition_vectors(made[STORE]["Properties"])
    _condition_bucket(made[BUCKET]["Properties"])
    for name, condition in _CONDITIONS.items():
        made[name] = {"Type": made[name]["Type"], "Condition": condition, **made[name]}
    return {name: made[name] for name in (CHECKPOINTS, WRITES, *_CONDITIONS)}


def _synthesized() -> _Object:
    """What the construct makes of arguments that are parameters of the template."""
    with TemporaryDirectory() as folder:
        app = App(outdir=folder, analytics_reporting=False)
        stack = Stack(app, "Template", synthesizer=BootstraplessSynthesizer())
        store = CheckpointStore(
            stack,
            "Store",
            checkpoints_table_name=_text(stack, "CheckpointsTableName"),
            writes_table_name=_text(stack, "WritesTableName"),
            store_table_name=_text(stack, "StoreTableName"),
            store_vector_index_name=_text(stack, "StoreVectorIndexName"),
            store_vector_dimensions=_number(stack, "StoreVectorDimensions"),
            run_id_index_name=_text(stack, "RunIdIndexName"),
            thread_index_owner="any",  # its key is not that of the index
            thread_index_name=_text(stack, "ThreadIndexName"),
            ttl_seconds=1,  # for a rule of objects; its days are a parameter
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
        _rename(store.checkpoints_table, CHECKPOINTS)
        _rename(store.writes_table, WRITES)
        _rename(store.store_table, STORE)
        _rename(bucket, BUCKET)
        _rename(bucket.policy, BUCKET_POLICY)
        resources: _Object = app.synth().get_stack_by_name(stack.stack_name).template["Resources"]
        return resources


def _text(stack: Stack, parameter: str) -> str:
    return CfnParameter(stack, parameter).value_as_string


def _number(stack: Stack, parameter: str) -> Any:
    # To jsii, a number that CloudFormation fills in is a float.
    return CfnParameter(stack, parameter, type="Number").value_as_number


def _rename(construct: Any, logical_id: str) -> None:
    if not isinstance(construct, Construct):
        raise TypeError(f"the construct made {construct!r}, expected a part of itself")
    resource = construct.node.default_child
    if not isinstance(resource, CfnResource):
        raise TypeError(f"the construct made {resource!r}, expected a resource")
    resource.override_logical_id(logical_id)


def _condition_table(table: _Object) -> None:
    (replica,) = table["Replicas"]
    _only(table, "WriteOnDemandThroughputSettings", "LimitsWrites")
    _only(replica, "ReadOnDemandThroughputSettings", "LimitsReads")
    _only(replica, "ContributorInsightsSpecification", "CountsContributors")
    table["SSESpecification"] = either(
        "HasKey", {"SSEEnabled": True, "SSEType": "KMS"}, table["SSESpecification"]
    )
    replica["SSESpecification"] = either("HasKey", {"KMSMasterKeyId": ref("KmsKeyArn")})
    replica["DeletionProtectionEnabled"] = either("IsProtected", True, False)
    recovery = replica["PointInTimeRecoverySpecification"]
    recovery["PointInTimeRecoveryEnabled"] = either("IsRecoverable", True, False)
    recovery["RecoveryPeriodInDays"] = either("HasRecoveryDays", ref("PointInTimeRecoveryDays"))
    replica["TableClass"] = ref("TableClass")


def _condition_indexes(table: _Object) -> None:
    (replica,) = table["Replicas"]
    by_key = {RUN_ID_INDEX_KEY: "HasRunIdIndex"}
    by_key |= dict.fromkeys(THREAD_INDEX_KEYS, "HasThreadIndex")
    table["AttributeDefinitions"] = [
        either(by_key[found["AttributeName"]], found) if found["AttributeName"] in by_key else found
        for found in table["AttributeDefinitions"]
    ]
    for index in table["GlobalSecondaryIndexes"]:
        _only(index, "WriteOnDemandThroughputSettings", "LimitsWrites")
    for index in replica["GlobalSecondaryIndexes"]:
        _only(index, "ReadOnDemandThroughputSettings", "LimitsReads")
        _only(index, "ContributorInsightsSpecification", "CountsContributors")
    conditions = [
        by_key[i["KeySchema"][0]["AttributeName"]] for i in table["GlobalSecondaryIndexes"]
    ]
    for owner in (table, replica):
        indexes = owner["GlobalSecondaryIndexes"]
        owner["GlobalSecondaryIndexes"] = [
            either(condition, index) for condition, index in zip(conditions, indexes, strict=True)
        ]
        _only(owner, "GlobalSecondaryIndexes", "HasIndex")


def _condition_vectors(table: _Object) -> None:
    (index,) = table["VectorIndexes"]
    # A rule has it given; a number that DynamoDB would refuse may not even be its default.
    index["Dimensions"] = either("HasDimensions", index["Dimensions"], 1)
    _only(table, "VectorIndexes", "NamesVectorIndex")
    table["AttributeDefinitions"] = [
        either("NamesVectorIndex", found) if found["AttributeName"] in VECTOR_FILTERS else found
        for found in table["AttributeDefinitions"]
    ]


def _condition_bucket(bucket: _Object) -> None:
    _only(bucket, "BucketName", "NamesBucket")
    _only(bucket, "VersioningConfiguration", "IsVersioned")
    rules = bucket["LifecycleConfiguration"]["Rules"]
    for kept in (one[_NONCURRENT] for one in rules if _NONCURRENT in one):
        kept["NoncurrentDays"] = either(
            "HasRecoveryDays", ref("PointInTimeRecoveryDays"), kept["NoncurrentDays"]
        )
    bucket["LifecycleConfiguration"]["Rules"] = [
        either("ExpiresObjects", {**rule, "ExpirationInDays": ref("ObjectExpiryDays")})
        if "ExpirationInDays" in rule
        else rule
        for rule in rules
    ]
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    encryption["ServerSideEncryptionByDefault"] = either(
        "HasKey",
        {"KMSMasterKeyID": ref("KmsKeyArn"), "SSEAlgorithm": "aws:kms"},
        encryption["ServerSideEncryptionByDefault"],
    )
    encryption["BucketKeyEnabled"] = either("HasKey", True)


def _only(properties: _Object, name: str, condition: str) -> None:
    """Leave a property out unless a condition holds."""
    properties[name] = either(condition, properties[name])

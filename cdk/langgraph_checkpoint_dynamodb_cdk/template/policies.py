"""The policies of the roles, with a condition on each statement that can be left out."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from aws_cdk import App, Stack, Token

from langgraph_checkpoint_dynamodb_cdk.access import Resources, Role, document, statements
from langgraph_checkpoint_dynamodb_cdk.template.intrinsics import (
    Value,
    arn_of,
    either,
    joined,
    ref,
)
from langgraph_checkpoint_dynamodb_cdk.template.resources import BUCKET, CHECKPOINTS, WRITES

if TYPE_CHECKING:
    from collections.abc import Mapping

BUCKET_NAME = either("NamesBucket", ref("BucketName"), ref(BUCKET))
"""Name of the bucket: one that exists always has one given."""
BUCKET_ARN = either(
    "NamesBucket",
    joined("arn:", ref("AWS::Partition"), ":s3:::", ref("BucketName")),
    arn_of(BUCKET),
)

_CONDITIONS: Mapping[str, str] = MappingProxyType(
    {
        "Index": "HasRunIdIndex",
        "ThreadIndex": "HasThreadIndex",
        "Objects": "HasBucket",
        "Bucket": "HasBucket",
    }
)
"""Without which a statement has nothing to name."""


def policy_documents() -> dict[Role, Value]:
    """The policy of each role."""
    resources = _resources()
    written = {role.value: list(statements(role, resources, **_prefixes(role))) for role in Role}
    made = Stack(App(analytics_reporting=False), "Policies").resolve(written)
    return {
        role: document(tuple(_conditioned(role, statement) for statement in made[role.value]))
        for role in Role
    }


def policy_name(role: Role) -> Value:
    """Name of the managed policy of a role."""
    prefix = either("NamesPolicies", ref("PolicyNamePrefix"), ref("CheckpointsTableName"))
    return joined(prefix, f"-{role.value}")


def _prefixes(role: Role) -> dict[str, str]:
    if role is not Role.TENANT:
        return {}
    return {
        "thread_id_prefix": _token(ref("TenantThreadIdPrefix")),
        "owner_prefix": _token(ref("TenantOwnerPrefix")),
    }


def _resources() -> Resources:
    checkpoints = _token(arn_of(CHECKPOINTS))
    bucket = _token(BUCKET_ARN)
    return Resources(
        tables=(checkpoints, _token(arn_of(WRITES))),
        indexes=(f"{checkpoints}/index/{_token(ref('RunIdIndexName'))}",),
        thread_indexes=(f"{checkpoints}/index/{_token(ref('ThreadIndexName'))}",),
        objects=(f"{bucket}/{_token(ref('BucketKeyPrefix'))}",),
        bucket=(bucket,),
        # Which keys there are, and through what they are used, `_conditioned` says.
        keys=("keys",),
        key_services=("services",),
    )


def _token(value: Value) -> str:
    return Token.as_string(value)


def _conditioned(role: Role, statement: Value) -> Value:
    sid = statement["Sid"]
    if sid == "Key":
        return _of_keys(statement)
    if sid == "ThreadIndex" and role is Role.TENANT:
        return either("HasTenantOwners", statement)
    return either(_CONDITIONS[sid], statement) if sid in _CONDITIONS else statement


def _of_keys(statement: Value) -> Value:
    """Key of the tables and key of a bucket: each with its service, where there is one."""
    tables = joined("dynamodb.", ref("AWS::Region"), ".", ref("AWS::URLSuffix"))
    # A bucket and its key are in one region.
    region_of_key = {"Fn::Select": [3, {"Fn::Split": [":", ref("BucketKmsKeyArn")]}]}
    region = either("HasBucketKey", region_of_key, ref("AWS::Region"))
    buckets = [
        joined("s3.", where, ".", ref("AWS::URLSuffix")) for where in (region, region_of_key)
    ]
    table_key, bucket_key = ref("KmsKeyArn"), ref("BucketKmsKeyArn")

    def through(keys: list[Value], services: list[Value]) -> Value:
        condition = {"StringEquals": {"kms:ViaService": services}}
        return {**statement, "Resource": keys, "Condition": condition}

    with_table_key = through(
        [table_key, either("HasBucketKey", bucket_key)], [tables, either("HasBucket", buckets[0])]
    )
    with_bucket_key = through([bucket_key], [buckets[1]])
    return either("HasKey", with_table_key, either("HasBucketKey", with_bucket_key))

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
from langgraph_checkpoint_dynamodb_cdk.template.resources import (
    BUCKET,
    CHECKPOINTS,
    STORE,
    WRITES,
)

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
        "Store": "HasStore",
        "StoreVectors": "HasVectors",
        "StoreObjects": "HasStoreObjects",
        "Bucket": "HasBucket",
        "Key": "HasAnyKey",
    }
)
"""Without which a statement has nothing to name."""
_OF_TENANTS: Mapping[str, str] = MappingProxyType(
    {
        **_CONDITIONS,
        "ThreadIndex": "HasTenantOwners",
        "Store": "HasTenantRoot",
        "StoreRegistry": "HasTenantRoot",
        "StoreObjects": "HasTenantRootObjects",
    }
)
"""The same for the role `tenant`."""


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
        "root_label": _token(ref("TenantRootLabel")),
    }


def _resources() -> Resources:
    checkpoints = _token(arn_of(CHECKPOINTS))
    bucket = _token(BUCKET_ARN)
    return Resources(
        tables=(checkpoints, _token(arn_of(WRITES))),
        indexes=(f"{checkpoints}/index/{_token(ref('RunIdIndexName'))}",),
        thread_indexes=(f"{checkpoints}/index/{_token(ref('ThreadIndexName'))}",),
        objects=(f"{bucket}/{_token(ref('BucketKeyPrefix'))}",),
        store=(_token(arn_of(STORE)),),
        vectors=(f"{_token(arn_of(STORE))}/index/{_token(ref('StoreVectorIndexName'))}",),
        store_objects=(f"{bucket}/{_token(ref('StoreBucketKeyPrefix'))}",),
        bucket=(bucket,),
        # Which keys there are, and through what they are used, `_of_keys` says.
        keys=("keys",),
        key_services=("services",),
    )


def _token(value: Value) -> str:
    return Token.as_string(value)


def _conditioned(role: Role, statement: Value) -> Value:
    sid = statement["Sid"]
    conditions = _OF_TENANTS if role is Role.TENANT else _CONDITIONS
    written = _of_keys(statement) if sid == "Key" else statement
    return either(conditions[sid], written) if sid in conditions else written


def _of_keys(statement: Value) -> Value:
    """Key of the tables and key of a bucket, each with its service, where there is one."""
    table_key, bucket_key = ref("KmsKeyArn"), ref("BucketKmsKeyArn")
    region = ref("AWS::Region")
    # A bucket and its key are in one region.
    region_of_key = {"Fn::Select": [3, {"Fn::Split": [":", bucket_key]}]}
    of_bucket = either("HasBucketKey", region_of_key, region)
    keys = [either("HasKey", table_key), either("HasBucketKey", bucket_key)]
    services = [
        either("HasKey", _service("dynamodb", region)),
        either("HasBucket", _service("s3", of_bucket)),
    ]
    condition = {"StringEquals": {"kms:ViaService": services}}
    return {**statement, "Resource": keys, "Condition": condition}


def _service(name: str, region: Value) -> Value:
    return joined(f"{name}.", region, ".", ref("AWS::URLSuffix"))

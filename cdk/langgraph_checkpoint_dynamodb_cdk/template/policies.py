"""The policies of the roles, with a condition on each optional statement."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from aws_cdk import App, Stack, Token

from langgraph_checkpoint_dynamodb_cdk.access import (
    NO_LIMITS,
    Resources,
    Role,
    TenantLimits,
    document,
    statements,
)
from langgraph_checkpoint_dynamodb_cdk.template.intrinsics import (
    Value,
    arn_of,
    fn_if,
    fn_join,
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

BUCKET_NAME = fn_if("NamesBucket", ref("BucketName"), ref(BUCKET))
"""Name of the bucket. An existing bucket always has a BucketName."""
BUCKET_ARN = fn_if(
    "NamesBucket",
    fn_join("arn:", ref("AWS::Partition"), ":s3:::", ref("BucketName")),
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
"""The condition of each optional statement, by Sid."""
_TENANT_CONDITIONS: Mapping[str, str] = MappingProxyType(
    {
        **_CONDITIONS,
        "ThreadIndex": "HasTenantOwners",
        "Store": "HasTenantRoot",
        "StoreRegistry": "HasTenantRoot",
        "StoreObjects": "HasTenantRootObjects",
    }
)
"""The condition of each optional statement of the role `tenant`, by Sid."""


def policy_documents() -> dict[Role, Value]:
    """Make the policy of each role."""
    resources = _resources()
    unresolved = {
        role.value: list(statements(role, resources, _tenant_limits(role))) for role in Role
    }
    resolved = Stack(App(analytics_reporting=False), "Policies").resolve(unresolved)
    return {
        role: document(tuple(_conditional(role, statement) for statement in resolved[role.value]))
        for role in Role
    }


def policy_name(role: Role) -> Value:
    """Make the name of the managed policy of a role."""
    prefix = fn_if("NamesPolicies", ref("PolicyNamePrefix"), ref("CheckpointsTableName"))
    return fn_join(prefix, f"-{role.value}")


def _tenant_limits(role: Role) -> TenantLimits:
    if role is not Role.TENANT:
        return NO_LIMITS
    return TenantLimits(
        thread_id_prefix=_token(ref("TenantThreadIdPrefix")),
        owner_prefix=_token(ref("TenantOwnerPrefix")),
        root_label=_token(ref("TenantRootLabel")),
    )


def _resources() -> Resources:
    checkpoints = _token(arn_of(CHECKPOINTS))
    bucket = _token(BUCKET_ARN)
    return Resources(
        tables=(checkpoints, _token(arn_of(WRITES))),
        run_indexes=(f"{checkpoints}/index/{_token(ref('RunIdIndexName'))}",),
        thread_indexes=(f"{checkpoints}/index/{_token(ref('ThreadIndexName'))}",),
        objects=(f"{bucket}/{_token(ref('BucketKeyPrefix'))}",),
        store=(_token(arn_of(STORE)),),
        vector_indexes=(f"{_token(arn_of(STORE))}/index/{_token(ref('StoreVectorIndexName'))}",),
        store_objects=(f"{bucket}/{_token(ref('StoreBucketKeyPrefix'))}",),
        bucket=(bucket,),
        # Placeholders: `_key_statement` replaces both.
        keys=("keys",),
        key_services=("services",),
    )


def _token(value: Value) -> str:
    return Token.as_string(value)


def _conditional(role: Role, statement: Value) -> Value:
    sid = statement["Sid"]
    conditions = _TENANT_CONDITIONS if role is Role.TENANT else _CONDITIONS
    if sid == "Key":
        statement = _key_statement(statement)
    return fn_if(conditions[sid], statement) if sid in conditions else statement


def _key_statement(statement: Value) -> Value:
    """Name the KMS keys of tables and bucket, if any, and the service of each."""
    table_key, bucket_key = ref("KmsKeyArn"), ref("BucketKmsKeyArn")
    region = ref("AWS::Region")
    # A bucket and its key are in the same region.
    key_region = {"Fn::Select": [3, {"Fn::Split": [":", bucket_key]}]}
    bucket_region = fn_if("HasBucketKey", key_region, region)
    keys = [fn_if("HasKey", table_key), fn_if("HasBucketKey", bucket_key)]
    services = [
        fn_if("HasKey", _service("dynamodb", region)),
        fn_if("HasBucket", _service("s3", bucket_region)),
    ]
    condition = {"StringEquals": {"kms:ViaService": services}}
    return {**statement, "Resource": keys, "Condition": condition}


def _service(name: str, region: Value) -> Value:
    return fn_join(f"{name}.", region, ".", ref("AWS::URLSuffix"))

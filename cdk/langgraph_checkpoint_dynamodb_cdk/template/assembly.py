"""The template of the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb_cdk.access import Role
from langgraph_checkpoint_dynamodb_cdk.template.conditions import CONDITIONS, RULES
from langgraph_checkpoint_dynamodb_cdk.template.declarations import interface
from langgraph_checkpoint_dynamodb_cdk.template.intrinsics import (
    Value,
    arn_of,
    fn_if,
    json_text,
    ref,
    with_substitutions,
)
from langgraph_checkpoint_dynamodb_cdk.template.parameters import NUMBERS, PARAMETERS
from langgraph_checkpoint_dynamodb_cdk.template.policies import (
    BUCKET_ARN,
    BUCKET_NAME,
    policy_documents,
    policy_name,
)
from langgraph_checkpoint_dynamodb_cdk.template.resources import (
    CHECKPOINTS,
    STORE,
    WRITES,
    store_resources,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_DESCRIPTION = "Tables of langgraph-checkpoint-dynamodb, optionally with a bucket and policies."


def make_template() -> dict[str, Any]:
    """Make the template from the construct."""
    documents = policy_documents()
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": _DESCRIPTION,
        "Metadata": interface(PARAMETERS),
        "Parameters": {parameter.name: parameter.definition for parameter in PARAMETERS},
        "Rules": dict(RULES),
        "Conditions": dict(CONDITIONS),
        "Resources": with_substitutions({**store_resources(), **_policies(documents)}),
        "Outputs": with_substitutions(_outputs(documents)),
    }


def _policy_id(role: Role) -> str:
    return f"{role.value.capitalize()}Policy"


def _policies(documents: Mapping[Role, Value]) -> dict[str, Any]:
    return {
        _policy_id(role): {
            "Type": "AWS::IAM::ManagedPolicy",
            "Condition": "CreatesTenantPolicy" if role is Role.TENANT else "CreatesPolicies",
            "Properties": {
                "ManagedPolicyName": policy_name(role),
                "PolicyDocument": documents[role],
            },
        }
        for role in Role
    }


def _outputs(documents: Mapping[Role, Value]) -> dict[str, Any]:
    arns = {
        role.value: fn_if("HasTenants", ref(_policy_id(role)))
        if role is Role.TENANT
        else ref(_policy_id(role))
        for role in Role
    }
    return {
        "CheckpointsTableName": _output(ref(CHECKPOINTS)),
        "CheckpointsTableArn": _output(arn_of(CHECKPOINTS)),
        "WritesTableName": _output(ref(WRITES)),
        "WritesTableArn": _output(arn_of(WRITES)),
        "StoreTableName": _output(ref(STORE), "HasStore"),
        "StoreTableArn": _output(arn_of(STORE), "HasStore"),
        "RunIdIndexName": _output(ref("RunIdIndexName"), "HasRunIdIndex"),
        "ThreadIndexName": _output(ref("ThreadIndexName"), "HasThreadIndex"),
        "BucketName": _output(BUCKET_NAME, "HasBucket"),
        "BucketArn": _output(BUCKET_ARN, "HasBucket"),
        "BucketKeyPrefix": _output(ref("BucketKeyPrefix"), "HasBucket"),
        "SaverSettings": _output(json_text(_saver_settings(), NUMBERS)),
        "StoreSettings": _output(json_text(_store_settings()), "HasStore"),
        **{
            f"{_policy_id(role)}Json": _output(
                json_text(documents[role]), "HasTenants" if role is Role.TENANT else None
            )
            for role in Role
        },
        "PolicyArns": _output(json_text(arns), "CreatesPolicies"),
    }


def _output(value: Value, condition: str | None = None) -> Value:
    return {"Value": value} if condition is None else {"Condition": condition, "Value": value}


def _saver_settings() -> Value:
    index = {"owner": ref("ThreadIndexOwner"), "index_name": ref("ThreadIndexName")}
    offload = {"bucket_name": BUCKET_NAME, "key_prefix": ref("BucketKeyPrefix")}
    return {
        "checkpoints_table_name": ref(CHECKPOINTS),
        "writes_table_name": ref(WRITES),
        "region_name": ref("AWS::Region"),
        "run_id_index": fn_if("HasRunIdIndex", ref("RunIdIndexName")),
        "thread_index": fn_if("HasThreadIndex", index),
        "ttl_seconds": fn_if("Expires", ref("TtlSeconds")),
        "s3_offload_config": fn_if("HasBucket", offload),
    }


def _store_settings() -> Value:
    offload = {"bucket_name": BUCKET_NAME, "key_prefix": ref("StoreBucketKeyPrefix")}
    return {
        "store_table_name": ref(STORE),
        "vector_index": fn_if("HasVectors", ref("StoreVectorIndexName")),
        "region_name": ref("AWS::Region"),
        "s3_offload_config": fn_if("HasBucket", offload),
    }

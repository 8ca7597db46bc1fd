"""Acknowledged findings of cdk-nag, each with its reason."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import IConstruct


def acknowledge_bucket(bucket: s3.Bucket) -> None:
    """Acknowledge that the bucket writes no access logs."""
    Validations.of(bucket).acknowledge(
        Acknowledgment(
            id="AwsSolutions-S1",
            reason=(
                "Access logs need a bucket of their own, and how long they are kept is for the "
                "account to decide. CloudTrail data events record the same requests."
            ),
        )
    )


def acknowledge_policy(policy: iam.ManagedPolicy) -> None:
    """Acknowledge the wildcard behind the key prefixes of objects, and no other wildcard."""
    document = Stack.of(policy).resolve(policy.document)
    arns = [
        arn
        for statement in document["Statement"]
        if statement["Sid"] in ("Objects", "StoreObjects")
        for arn in _listed(statement["Resource"])
    ]
    for arn in arns:
        _acknowledge_wildcard(
            policy,
            arn,
            "The keys of objects are made from ids and digests. The key prefix in front of the "
            "wildcard is the saver's or the store's own.",
        )


def acknowledge_sweep(role: iam.Role, function: lambda_.Function, wildcards: Sequence[str]) -> None:
    """Acknowledge the wildcards in the role of the function, and its Python version.

    Args:
        role: The role.
        function: The function.
        wildcards: ARNs that end in a wildcard.
    """
    for arn in wildcards:
        _acknowledge_wildcard(
            role,
            Stack.of(role).resolve(arn),
            "Lambda generates the names of log streams, and the keys of objects are made from "
            "thread ids and digests. What is in front of the wildcard is the function's own.",
        )
    Validations.of(function).acknowledge(
        Acknowledgment(
            id="AwsSolutions-L1",
            reason="The package is built for this Python version and tested with it.",
        )
    )


def _acknowledge_wildcard(construct: IConstruct, arn: Any, reason: str) -> None:
    acknowledgment = Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{_flat(arn)}]", reason=reason)
    # The CDK rejects an id with an unpaired bracket, and before 2.270 an id with a whole ARN in it.
    # The app then sees the finding, which is better than a failed synthesis.
    with suppress(RuntimeError):
        Validations.of(construct).acknowledge(acknowledgment)


def _listed(value: Any) -> list[Any]:
    # The CDK renders a list with a single value as that value.
    return value if isinstance(value, list) else [value]


def _flat(value: Any) -> str:
    """Write an ARN in the notation of cdk-nag: `<...>` around references."""
    match value:
        case str():
            return value.replace("${", "<").replace("}", ">")
        case {"Fn::Join": [str(separator), [*parts]]}:
            return separator.join(map(_flat, parts))
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"<{resource}.{attribute}>"
        case {"Ref": name}:
            return f"<{name}>"
    return json.dumps(value, separators=(",", ":"))

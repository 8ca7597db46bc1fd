"""Findings of cdk-nag that are meant to be as they are, each with its reason."""

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


def acknowledge_bucket(bucket: s3.Bucket) -> None:
    """Say why the bucket writes no access logs."""
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
    """Say why the objects a policy names end in `*`. Any other wildcard is still found."""
    document = Stack.of(policy).resolve(policy.document)
    arns = [
        arn
        for statement in document["Statement"]
        if statement["Sid"] in ("Objects", "StoreObjects")
        for arn in _listed(statement["Resource"])
    ]
    for arn in arns:
        acknowledgment = Acknowledgment(
            id=f"AwsSolutions-IAM5[Resource::{_flat(arn)}]",
            reason=(
                "The keys of objects are made from ids and digests. The key prefix in front of the "
                "wildcard is the saver's or the store's own."
            ),
        )
        # CDK refuses an id with an unpaired bracket, and before 2.270 one with a whole ARN in it.
        # Then the finding is left to the app: it is no reason to fail.
        with suppress(RuntimeError):
            Validations.of(policy).acknowledge(acknowledgment)


def acknowledge_sweep(role: iam.Role, function: lambda_.Function, wildcards: Sequence[str]) -> None:
    """Say why ARNs of the function's role end in `*`, and why its Python is what it is.

    Args:
        role: The role.
        function: The function.
        wildcards: The ARNs that end so.
    """
    for arn in wildcards:
        with suppress(RuntimeError):
            Validations.of(role).acknowledge(
                Acknowledgment(
                    id=f"AwsSolutions-IAM5[Resource::{_flat(Stack.of(role).resolve(arn))}]",
                    reason=(
                        "Names of log streams are made up by Lambda, keys of objects from thread "
                        "ids and digests; what is in front of the wildcard is the function's own."
                    ),
                )
            )
    Validations.of(function).acknowledge(
        Acknowledgment(
            id="AwsSolutions-L1",
            reason="The package is made for this Python: what it holds is tested with it.",
        )
    )


def _listed(value: Any) -> list[Any]:
    # A list of one is rendered as that one.
    return value if isinstance(value, list) else [value]


def _flat(value: Any) -> str:
    """An ARN in the notation of cdk-nag: `<...>` around what CloudFormation fills in."""
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

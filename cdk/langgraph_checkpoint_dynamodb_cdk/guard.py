"""Protection from deployments that remove resources because a setting was forgotten.

A deployment without `-c run_id_index_name=...` deletes the index, and one without
`-c bucket=create` leaves the bucket behind, with its objects. The ready-made app compares the
deployed template with the new one, and rejects such a deployment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

_SHORT_TIMEOUTS = Config(connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 2})


class Protected(NamedTuple):
    """A table, index, replica or bucket that a deployment must not remove by accident.

    Attributes:
        name: Its kind and name.
        on_removal: What a deployment without it does: it is "deleted", or "left behind" outside the
            stack.
    """

    name: str
    on_removal: str


class UnknownStackError(Exception):
    """The deployed stack cannot be read; the message says why."""


def protected(template: Mapping[str, Any]) -> set[Protected]:
    """List the tables, their indexes and replicas, and the buckets of a template."""
    found = set()
    for resource in template.get("Resources", {}).values():
        properties = resource.get("Properties", {})
        on_removal = "left behind" if resource.get("DeletionPolicy") == "Retain" else "deleted"
        match resource["Type"]:
            case "AWS::DynamoDB::GlobalTable":
                table = properties["TableName"]
                found.add(Protected(f"the table {table}", on_removal))
                for index in (
                    *properties.get("GlobalSecondaryIndexes", []),
                    *properties.get("VectorIndexes", []),
                ):
                    found.add(Protected(f"the index {index['IndexName']} of {table}", "deleted"))
                for replica in properties["Replicas"]:
                    if isinstance(replica["Region"], str):
                        found.add(Protected(f"{table} in {replica['Region']}", "deleted"))
            case "AWS::S3::Bucket":
                name = properties.get("BucketName", "with a generated name")
                found.add(Protected(f"the bucket {name}", on_removal))
    return found


def removed(deployed: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[Protected]:
    """List what the deployed template has and the new one has not."""
    kept = {resource.name for resource in protected(wanted)}
    return sorted(resource for resource in protected(deployed) if resource.name not in kept)


def removal_error(stack_name: str, resources: list[Protected]) -> str:
    """Make the error text for a deployment that would remove these resources."""
    listed = ", ".join(f"{resource.name} ({resource.on_removal})" for resource in resources)
    return (
        f"{stack_name}: these settings would remove deployed resources: {listed}. Restore the "
        "settings, preferably in cdk.json, or confirm the removal with -c allow_removal=true"
    )


def deployed_template(stack_name: str, account: str, region: str) -> Mapping[str, Any]:
    """Read the deployed template of a stack.

    Args:
        stack_name: Name of the stack.
        account: The account of the stack.
        region: The region of the stack.

    Returns:
        The template, empty if the stack does not exist.

    Raises:
        UnknownStackError: The template cannot be read.
    """
    try:
        client = boto3.client("cloudformation", region_name=region, config=_SHORT_TIMEOUTS)
        (stack,) = client.describe_stacks(StackName=stack_name)["Stacks"]
        if f":{account}:" not in stack["StackId"]:
            raise UnknownStackError(f"the credentials belong to another account than {account}")
        template = client.get_template(StackName=stack_name)["TemplateBody"]
    except ClientError as error:
        if "does not exist" in error.response["Error"].get("Message", ""):
            return {}
        raise UnknownStackError(str(error)) from error
    except BotoCoreError as error:
        raise UnknownStackError(str(error)) from error
    if not isinstance(template, Mapping):
        raise UnknownStackError("its template is not JSON")
    return template

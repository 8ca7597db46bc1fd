"""What a deployment would take away from a stack that is there: a forgotten setting is no wish.

CloudFormation makes a stack what its template says, so a deploy without `-c run_id_index_name=...`
deletes the index, and one without `-c bucket=create` leaves the bucket behind with all that is in
it. The ready-made app asks CloudFormation what the stack has, and refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

_QUICK = Config(connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 2})


class Thing(NamedTuple):
    """Something that holds data or answers queries.

    Attributes:
        name: What it is.
        fate: What becomes of it once the template has it no more.
    """

    name: str
    fate: str


class UnknownStackError(Exception):
    """What the stack has cannot be seen; the message says why."""


def things(template: Mapping[str, Any]) -> set[Thing]:
    """What a stack has by its template: tables, their indexes and replicas, buckets."""
    found = set()
    for resource in template.get("Resources", {}).values():
        properties = resource.get("Properties", {})
        kept = "left behind" if resource.get("DeletionPolicy") == "Retain" else "deleted"
        match resource["Type"]:
            case "AWS::DynamoDB::GlobalTable":
                table = properties["TableName"]
                found.add(Thing(f"the table {table}", kept))
                indexes = ("GlobalSecondaryIndexes", "VectorIndexes")
                for index in (one for kind in indexes for one in properties.get(kind, [])):
                    found.add(Thing(f"the index {index['IndexName']} of {table}", "deleted"))
                for replica in properties["Replicas"]:
                    if isinstance(replica["Region"], str):
                        found.add(Thing(f"{table} in {replica['Region']}", "deleted"))
            case "AWS::S3::Bucket":
                name = properties.get("BucketName", "with a generated name")
                found.add(Thing(f"the bucket {name}", kept))
    return found


def lost(deployed: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[Thing]:
    """What a stack has that a template leaves out."""
    left = {thing.name for thing in things(wanted)}
    return sorted(thing for thing in things(deployed) if thing.name not in left)


def refusal(stack_name: str, taken: list[Thing]) -> str:
    """What to say of that."""
    said = ", ".join(f"{thing.name} ({thing.fate})" for thing in taken)
    return (
        f"{stack_name} has what these settings leave out: {said}. Set it again as it was, best in "
        "cdk.json, or take it away with -c allow_removal=true"
    )


def deployed_template(stack_name: str, account: str, region: str) -> Mapping[str, Any]:
    """The template that a stack was deployed with; an empty one where there is no such stack.

    Args:
        stack_name: Name of the stack.
        account: The account that the stack is to be in.
        region: The region.

    Raises:
        UnknownStackError: It cannot be seen.
    """
    try:
        client = boto3.client("cloudformation", region_name=region, config=_QUICK)
        (stack,) = client.describe_stacks(StackName=stack_name)["Stacks"]
        if f":{account}:" not in stack["StackId"]:
            raise UnknownStackError(f"the credentials are of another account than {account}")
        template = client.get_template(StackName=stack_name)["TemplateBody"]
    except ClientError as error:
        if "does not exist" in error.response["Error"].get("Message", ""):
            return {}
        raise UnknownStackError(str(error)) from error
    except BotoCoreError as error:
        raise UnknownStackError(str(error)) from error
    if not isinstance(template, Mapping):
        raise UnknownStackError("its template is no JSON")
    return template

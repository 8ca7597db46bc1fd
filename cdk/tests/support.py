"""Shared by the tests: creates stacks, and evaluates templates as after deployment."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import App, Environment, Stack
from aws_cdk.assertions import Template
from langgraph_checkpoint_dynamodb_cdk import CheckpointStore, CheckpointStoreStack

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNT = "123456789012"
REGION = "us-east-1"
ENVIRONMENT = Environment(account=ACCOUNT, region=REGION)
KEY_ID = "11111111-2222-3333-4444-555555555555"

CHECKPOINTS = "langgraph-checkpoints"
WRITES = "langgraph-writes"

FULLEST: dict[str, Any] = {
    "run_id_index_name": "by-run",
    "thread_index_owner": "user_id",
    "ttl_seconds": 7 * 24 * 60 * 60,
    "max_read_request_units": 1000,
    "max_write_request_units": 500,
    "replica_regions": ["eu-west-1", "ap-south-1"],
    "create_bucket": True,
    "tenant_thread_id_prefix": "${aws:PrincipalTag/tenant}_",
    "tenant_owner_prefix": "${aws:PrincipalTag/tenant}-",
}
"""Arguments of both the store and the stack that create every resource and statement."""


def key_arn(region: str = REGION) -> str:
    """ARN of a key in that region."""
    return f"arn:aws:kms:{region}:{ACCOUNT}:key/{KEY_ID}"


def table_arn(name: str, region: str = REGION) -> str:
    """ARN of a table in that region."""
    return f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/{name}"


@dataclass(frozen=True)
class Synthesized:
    """A template, with the values that CloudFormation fills in."""

    template: dict[str, Any]

    @classmethod
    def of(cls, stack: Stack) -> Synthesized:
        """The template of a stack."""
        return cls(dict(Template.from_stack(stack).to_json()))

    def only(self, kind: str) -> dict[str, Any]:
        """The one resource of a type."""
        (resource,) = self.all(kind)
        return resource

    def all(self, kind: str) -> list[dict[str, Any]]:
        """The resources of a type."""
        resources = self.template["Resources"].values()
        return [self.filled(resource) for resource in resources if resource["Type"] == kind]

    def table(self, name: str) -> dict[str, Any]:
        """The table of that name."""
        (table,) = [
            table
            for table in self.all("AWS::DynamoDB::GlobalTable")
            if table["Properties"]["TableName"] == name
        ]
        return table

    def replicas(self, name: str) -> dict[str, dict[str, Any]]:
        """The replicas of a table by region, including its own region."""
        replicas = self.table(name)["Properties"]["Replicas"]
        return {replica["Region"]: replica for replica in replicas}

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs by name."""
        outputs = self.template.get("Outputs", {})
        return {name: self.filled(output["Value"]) for name, output in outputs.items()}

    def policy(self, role: str) -> list[dict[str, Any]]:
        """The statements of a role's policy, from its output."""
        document = json.loads(self.outputs[f"{role.capitalize()}PolicyJson"])
        assert document["Version"] == "2012-10-17"
        statements: list[dict[str, Any]] = document["Statement"]
        return statements

    def granted(self) -> list[dict[str, Any]]:
        """The statements that grants gave to the stack's one role, with single values as lists."""
        policy = self.only("AWS::IAM::Policy")
        return [
            {
                **statement,
                "Action": listed(statement["Action"]),
                "Resource": listed(statement["Resource"]),
            }
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        ]

    def filled(self, value: Any) -> Any:
        """A value of the template as after deployment."""
        match value:
            case {"Ref": str(name)}:
                return self._physical_name(name)
            case {"Fn::GetAtt": [str(name), "Arn"]}:
                return self._arn(name)
            case {"Fn::Join": [str(separator), list(parts)]}:
                return separator.join(self.filled(part) for part in parts)
            case dict():
                return {key: self.filled(part) for key, part in value.items()}
            case list():
                return [self.filled(part) for part in value]
        return value

    def _physical_name(self, logical_id: str) -> str:
        known = {
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
        }
        if logical_id in known:
            return known[logical_id]
        if logical_id not in self.template["Resources"]:
            return f"value of {logical_id}"
        resource = self.template["Resources"][logical_id]
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::DynamoDB::GlobalTable":
                return str(properties["TableName"])
            case "AWS::S3::Bucket":
                return str(properties.get("BucketName", "generated-name"))
            case "AWS::IAM::ManagedPolicy":
                return f"arn:aws:iam::{ACCOUNT}:policy/{properties['ManagedPolicyName']}"
        return logical_id

    def _arn(self, logical_id: str) -> str:
        name = self._physical_name(logical_id)
        match self.template["Resources"][logical_id]["Type"]:
            case "AWS::DynamoDB::GlobalTable":
                return table_arn(name)
            case "AWS::S3::Bucket":
                return f"arn:aws:s3:::{name}"
        return f"arn of {name}"


def listed(value: Any) -> list[Any]:
    """A list; IAM accepts a single value for a list of one."""
    return value if isinstance(value, list) else [value]


class Synthesizer:
    """Creates stacks and templates, each in an app of its own."""

    def __init__(self, directory: Callable[[], str]) -> None:
        self._directory = directory

    def app(self, context: dict[str, Any] | None = None) -> App:
        """An empty app."""
        return App(outdir=self._directory(), context=context, analytics_reporting=False)

    def stack(
        self, env: Environment | None = ENVIRONMENT, context: dict[str, Any] | None = None
    ) -> Stack:
        """An empty stack."""
        return Stack(self.app(context), "Test", env=env)

    def store(self, **arguments: Any) -> Synthesized:
        """The template of a stack with only a store."""
        stack = self.stack()
        CheckpointStore(stack, "Store", **arguments)
        return Synthesized.of(stack)

    def ready_made(self, **arguments: Any) -> Synthesized:
        """The template of the ready-made stack."""
        arguments.setdefault("env", ENVIRONMENT)
        return Synthesized.of(CheckpointStoreStack(self.app(), "Test", **arguments))


def saying(*parts: str) -> str:
    """A pattern for messages that contain these texts, in this order."""
    return ".*".join(map(re.escape, parts))

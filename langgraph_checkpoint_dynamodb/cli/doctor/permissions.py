"""What this identity may do: by IAM's own judgement where it may be asked, else by trying.

What is tried changes nothing: reads of a key that is not there, and writes on the condition that it
is. They cost a unit or less each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from botocore.exceptions import BotoCoreError, ClientError

from langgraph_checkpoint_dynamodb.format.tables import SPECS, Table, run_index, thread_index

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from langgraph_checkpoint_dynamodb.cli.connection import Connection
    from langgraph_checkpoint_dynamodb.format.tables import IndexSpec
    from langgraph_checkpoint_dynamodb.payloads.policy import S3Policy

_REFUSALS = ("AccessDenied", "AccessDeniedException", "403", "NotAuthorized", "UnauthorizedAccess")
_AWS_HOSTS = ("amazonaws.com", "amazonaws.com.cn", "api.aws")
_ASSUMED = re.compile(
    r"arn:(?P<partition>[\w-]+):sts::(?P<account>\d+):assumed-role/(?P<role>[^/]+)/.*"
)


@dataclass(frozen=True, slots=True)
class Access:
    """What an identity may do.

    Attributes:
        who: The identity; `None` where it is not known.
        how: How this was found.
        allowed: By action, and what it is done to (a kind that
            `policies.Role` has):
            whether it is; `None` where nobody knows.
    """

    who: str | None
    how: str
    allowed: Mapping[tuple[str, str], bool | None]

    def of(self, action: str, kind: str) -> bool | None:
        """Whether an action is allowed; `None` where nobody knows."""
        return self.allowed.get((action, kind))


def find_access(
    connection: Connection,
    tables: Collection[Table],
    resources: Mapping[str, Collection[str]],
    actions: Mapping[str, Collection[str]],
) -> Access:
    """Find what this identity may do.

    Args:
        connection: The saver.
        tables: What it is to do that with.
        resources: By kind, the ARNs of what there is.
        actions: By kind, the actions.
    """
    who = _identity(connection)
    if who is not None:
        try:
            allowed = _simulate(connection, _principal(connection, who), resources, actions)
        except (ClientError, BotoCoreError):
            pass  # Most identities may not ask that.
        else:
            return Access(who, "by IAM's simulation (iam:SimulatePrincipalPolicy)", allowed)
    return Access(
        who,
        "by trying what changes nothing, since IAM cannot be asked (iam:SimulatePrincipalPolicy)",
        dict(_probe(connection, tables)),
    )


def _identity(connection: Connection) -> str | None:
    """Who asks; `None` where STS is not of the same world as DynamoDB, or does not answer."""
    if _is_aws(connection.sts) != _is_aws(connection.dynamodb):
        return None
    try:
        return str(connection.sts.get_caller_identity()["Arn"])
    except (ClientError, BotoCoreError):
        return None


def _is_aws(client: Any) -> bool:
    host = urlparse(client.meta.endpoint_url).hostname or ""
    return host.endswith(_AWS_HOSTS)


def _principal(connection: Connection, who: str) -> str:
    """What IAM judges: of a session, the role it has."""
    session = _ASSUMED.fullmatch(who)
    if session is None:
        return who
    return str(connection.iam.get_role(RoleName=session["role"])["Role"]["Arn"])


def _simulate(
    connection: Connection,
    principal: str,
    resources: Mapping[str, Collection[str]],
    actions: Mapping[str, Collection[str]],
) -> dict[tuple[str, str], bool | None]:
    allowed: dict[tuple[str, str], bool | None] = {}
    for kind, names in actions.items():
        for arn in resources.get(kind, ()):
            pages = connection.iam.get_paginator("simulate_principal_policy").paginate(
                PolicySourceArn=principal, ActionNames=sorted(names), ResourceArns=[arn]
            )
            for result in (one for page in pages for one in page["EvaluationResults"]):
                key = (result["EvalActionName"], kind)
                allowed[key] = _both(allowed.get(key, True), _decision(result))
    return allowed


def _decision(result: Mapping[str, Any]) -> bool | None:
    if result["EvalDecision"] == "allowed":
        return True
    # A condition, on the keys for example, that the simulation was told nothing of.
    return None if result.get("MissingContextValues") else False


def _both(first: bool | None, second: bool | None) -> bool | None:
    if first is False or second is False:
        return False
    return None if first is None or second is None else True


def _probe(
    connection: Connection, tables: Collection[Table]
) -> Iterator[tuple[tuple[str, str], bool | None]]:
    allowed: dict[str, bool | None] = {}
    for table in tables:
        for action, attempt in _attempts(connection, table):
            allowed[action] = _both(allowed.get(action, True), _may(attempt))
    yield from (((action, "tables"), may) for action, may in allowed.items())
    if Table.STORE in tables:
        return
    yield from _probe_indexes(connection)
    s3 = connection.saver._settings.payloads.s3
    if s3 is not None:
        yield from _probe_bucket(connection, s3)


def _probe_indexes(connection: Connection) -> Iterator[tuple[tuple[str, str], bool | None]]:
    settings = connection.saver._settings
    if settings.run_id_index is not None:
        runs = run_index(settings.run_id_index)
        yield ("dynamodb:Query", "index"), _may(partial(_query_index, connection, runs))
    if settings.thread_index is not None:
        threads = thread_index(settings.thread_index.index_name)
        yield ("dynamodb:Query", "threads"), _may(partial(_query_index, connection, threads))
        yield ("dynamodb:Scan", "threads"), _may(partial(_scan_index, connection, threads))


def _query_index(connection: Connection, index: IndexSpec) -> object:
    return connection.dynamodb.query(
        TableName=connection.name(Table.CHECKPOINTS),
        IndexName=index.name,
        KeyConditionExpression="#p = :p",
        ExpressionAttributeNames={"#p": index.keys[0]},
        ExpressionAttributeValues={":p": {"S": f"doctor-{token_hex(8)}"}},
    )


def _scan_index(connection: Connection, index: IndexSpec) -> object:
    return connection.dynamodb.scan(
        TableName=connection.name(Table.CHECKPOINTS), IndexName=index.name, Limit=1
    )


def _attempts(connection: Connection, table: Table) -> Iterator[tuple[str, Callable[[], object]]]:
    """Requests on a key that is not there, by the action that allows them."""
    client, name, spec = connection.dynamodb, connection.name(table), SPECS[table]
    key = {
        spec.partition_key: {"S": f"doctor-{token_hex(8)}"},
        spec.sort_key: {"S": "doctor"},
    }
    there = {
        "ConditionExpression": "attribute_exists(#p)",
        "ExpressionAttributeNames": {"#p": spec.partition_key},
    }
    yield "dynamodb:DescribeTable", lambda: client.describe_table(TableName=name)
    yield "dynamodb:DescribeTimeToLive", lambda: client.describe_time_to_live(TableName=name)
    yield "dynamodb:GetItem", lambda: client.get_item(TableName=name, Key=key)
    if table is Table.STORE:
        yield (
            "dynamodb:BatchGetItem",
            lambda: client.batch_get_item(RequestItems={name: {"Keys": [key]}}),
        )
    yield (
        "dynamodb:Query",
        lambda: client.query(
            TableName=name,
            KeyConditionExpression="#p = :p",
            ExpressionAttributeNames={"#p": spec.partition_key},
            ExpressionAttributeValues={":p": key[spec.partition_key]},
        ),
    )
    yield (
        "dynamodb:Scan",
        lambda: client.scan(TableName=name, Limit=1, ProjectionExpression=spec.partition_key),
    )
    yield "dynamodb:PutItem", lambda: client.put_item(TableName=name, Item=key, **there)
    yield "dynamodb:DeleteItem", lambda: client.delete_item(TableName=name, Key=key, **there)
    yield (
        "dynamodb:UpdateItem",
        lambda: client.update_item(
            TableName=name,
            Key=key,
            UpdateExpression="SET doctor = :t",
            ExpressionAttributeValues={":t": {"BOOL": True}},
            **there,
        ),
    )
    yield (
        "dynamodb:BatchWriteItem",
        lambda: client.batch_write_item(RequestItems={name: [{"DeleteRequest": {"Key": key}}]}),
    )


def _probe_bucket(
    connection: Connection, s3: S3Policy
) -> Iterator[tuple[tuple[str, str], bool | None]]:
    client, key = connection.s3, f"{s3.key_prefix}doctor-{token_hex(8)}"
    read = _may(lambda: client.get_object(Bucket=s3.bucket, Key=key))
    yield ("s3:GetObject", "objects"), read
    # Without it a missing object is said to be forbidden.
    yield ("s3:ListBucket", "bucket"), read
    delete = {"Objects": [{"Key": key}], "Quiet": True}
    yield (
        ("s3:DeleteObject", "objects"),
        _may(lambda: client.delete_objects(Bucket=s3.bucket, Delete=delete)),
    )


def _may(attempt: Callable[[], object]) -> bool | None:
    """Whether a request is allowed. That its condition fails, or that nothing is there, says so."""
    try:
        answer = attempt()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _REFUSALS:
            return False
        return True if code in ("ConditionalCheckFailedException", "NoSuchKey", "404") else None
    except BotoCoreError:
        return None
    errors = answer.get("Errors", []) if isinstance(answer, dict) else []
    return not any(one.get("Code") in _REFUSALS for one in errors)

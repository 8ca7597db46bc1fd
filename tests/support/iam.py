"""IAM at the request boundary: the permissions a request needs, and whether a policy grants them.

Rejects unknown policy elements: to ignore an element would make a policy look narrower or wider
than it is.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from langgraph_checkpoint_dynamodb.format.tables import RUN_ID_INDEX_KEY, SPECS, THREAD_INDEX_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ACCOUNT = "123456789012"
REGION = "us-east-1"

_ELEMENTS = {"Version", "Statement"}
_STATEMENT = {"Sid", "Effect", "Action", "Resource", "Condition"}
_KINDS = {"Put": "PutItem", "Delete": "DeleteItem", "Update": "UpdateItem"}
_PARTITION_KEYS = {spec.partition_key for spec in SPECS.values()} | {
    RUN_ID_INDEX_KEY,
    THREAD_INDEX_KEYS[0],
}
_OWN_KEYS = [(spec.partition_key, spec.sort_key) for spec in SPECS.values()]


@dataclass(frozen=True)
class Ask:
    """One permission that a request needs.

    Attributes:
        action: The IAM action.
        resource: ARN of the resource.
        leading_keys: Values of the partition keys in the request; empty if it has none.
    """

    action: str
    resource: str
    leading_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Policy:
    """An identity-based policy with only `Allow` statements.

    Attributes:
        statements: Its statements, as in its JSON.
        variables: Values of the policy variables, such as `aws:PrincipalTag/tenant`.
    """

    statements: tuple[Mapping[str, Any], ...]
    variables: Mapping[str, str]

    @classmethod
    def parse(cls, text: str, **variables: str) -> Policy:
        """Parse a policy in JSON, for a principal with these tags."""
        document = json.loads(text)
        _require_known(document.keys(), _ELEMENTS)
        for statement in document["Statement"]:
            _require_known(statement.keys(), _STATEMENT)
            if statement["Effect"] != "Allow":
                raise ValueError(f"only Allow is evaluated, not {statement['Effect']!r}")
        tags = {f"aws:PrincipalTag/{name}": value for name, value in variables.items()}
        return cls(tuple(document["Statement"]), tags)

    def allows(self, ask: Ask) -> bool:
        """Whether a statement grants the permission."""
        return any(self._allows(statement, ask) for statement in self.statements)

    def _allows(self, statement: Mapping[str, Any], ask: Ask) -> bool:
        return (
            any(self._matches(pattern, ask.action) for pattern in _texts(statement["Action"]))
            and any(self._matches(p, ask.resource) for p in _texts(statement["Resource"]))
            and all(
                self._holds(operator, key, _texts(wanted), ask)
                for operator, keys in statement.get("Condition", {}).items()
                for key, wanted in keys.items()
            )
        )

    def _holds(self, operator: str, key: str, wanted: list[str], ask: Ask) -> bool:
        match operator, key:
            case "ForAllValues:StringLike", "dynamodb:LeadingKeys":
                return all(
                    any(self._matches(pattern, value) for pattern in wanted)
                    for value in ask.leading_keys
                )
            case "Null", "dynamodb:LeadingKeys":
                return wanted == [str(not ask.leading_keys).lower()]
            case "StringEquals", "kms:ViaService":
                return False  # No request of the saver is made to KMS itself.
        raise ValueError(f"the condition {operator} on {key} is not evaluated")

    def _matches(self, pattern: str, value: str) -> bool:
        """Match IAM's wildcards, with policy variables inserted as plain text."""
        return _expression(pattern, tuple(self.variables.items())).fullmatch(value) is not None


@cache
def _expression(pattern: str, variables: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    parts = re.split(r"(\$\{[^}]+\}|\*|\?)", pattern)
    wild = {"*": ".*", "?": "."}
    values = dict(variables)
    expression = "".join(
        wild.get(part) or re.escape(values[part[2:-1]] if part.startswith("${") else part)
        for part in parts
    )
    return re.compile(expression, flags=re.DOTALL)


def asks(operation: str, params: Mapping[str, Any]) -> Iterator[Ask]:
    """The permissions a request needs, from its parameters before they are serialized."""
    match operation:
        case "CopyObject":
            # The SDK joins bucket and key to one string before this handler runs.
            bucket, _, key = unquote(params["CopySource"]).partition("/")
            yield _on_object("GetObject", bucket, key)
            yield _on_object("PutObject", params["Bucket"], params["Key"])
        case "DeleteObjects":
            for found in params["Delete"]["Objects"]:
                yield _on_object("DeleteObject", params["Bucket"], found["Key"])
        case "GetObject" | "PutObject":
            yield _on_object(operation, params["Bucket"], params["Key"])
        case "TransactWriteItems":
            for element in params["TransactItems"]:
                for kind, inner in element.items():
                    yield _on_table(_KINDS.get(kind, "ConditionCheckItem"), inner)
        case "BatchWriteItem":
            for name, requests in params["RequestItems"].items():
                keys = [_partition_of(part) for request in requests for part in request.values()]
                yield Ask("dynamodb:BatchWriteItem", _table_arn(name), tuple(keys))
        case "BatchGetItem":
            for name, wanted in params["RequestItems"].items():
                keys = [_partition_of({"Key": key}) for key in wanted["Keys"]]
                yield Ask("dynamodb:BatchGetItem", _table_arn(name), tuple(keys))
        case _:
            yield _on_table(operation, params)


def _on_table(action: str, params: Mapping[str, Any]) -> Ask:
    arn = _table_arn(params["TableName"])
    if "IndexName" in params:
        arn += f"/index/{params['IndexName']}"
    keys: tuple[str, ...] = ()
    if "KeyConditionExpression" in params:
        keys = (_queried_partition(params),)
    elif "Item" in params or "Key" in params:
        keys = (_partition_of(params),)
    return Ask(f"dynamodb:{action}", arn, keys)


def _partition_of(params: Mapping[str, Any]) -> str:
    key = params.get("Key") or params["Item"]
    # Writes table items have no thread id; checkpoints table items may have a run id.
    found = next(partition for partition, sort in _OWN_KEYS if partition in key and sort in key)
    value: str = key[found]["S"]
    return value


def _queried_partition(params: Mapping[str, Any]) -> str:
    aliases = [a for a, n in params["ExpressionAttributeNames"].items() if n in _PARTITION_KEYS]
    for alias in aliases:
        found = re.search(rf"{re.escape(alias)} = (:\w+)", params["KeyConditionExpression"])
        if found:
            value: str = params["ExpressionAttributeValues"][found[1]]["S"]
            return value
    raise ValueError(f"no partition key in {params['KeyConditionExpression']!r}")


def _on_object(action: str, bucket: str, key: str) -> Ask:
    return Ask(f"s3:{action}", f"arn:aws:s3:::{bucket}/{key}")


def _table_arn(name: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"


def _texts(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _require_known(found: Iterable[str], known: set[str]) -> None:
    if unknown := set(found) - known:
        raise ValueError(f"a policy with {sorted(unknown)} is not evaluated")

"""Tables, policies and outputs as each tool defines them, in one form to compare.

Every function here reads the output of a tool: a request of `setup()`, the JSON of a Terraform
plan, a CDK template. None contains the expected values.
"""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph_checkpoint_dynamodb_cdk import CheckpointStoreStack

from langgraph_checkpoint_dynamodb.format.tables import (
    SAVER_TABLES,
    SPECS,
    VECTOR_FILTERS,
    Attribute,
    Table,
)
from langgraph_checkpoint_dynamodb.policies import ROLES, STORE_ROLES
from tests.infra.tools import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from langgraph_checkpoint_dynamodb.format.tables import IndexSpec, VectorIndexSpec


@dataclass(frozen=True)
class Index:
    """A global secondary index: its name, its keys by kind and its projection."""

    name: str
    keys: tuple[tuple[str, str], ...]
    projection: str


@dataclass(frozen=True)
class Vectors:
    """A vector index: its name, its vectors with their distance function, and its filters."""

    name: str
    attribute: str
    dims: int
    distance: str
    searched_by: tuple[tuple[str, str], ...]
    projection: str


@dataclass(frozen=True)
class Shape:
    """Everything in a table that a saver or a store depends on.

    Attributes:
        keys: Kind and name of each key attribute.
        types: Name and type of each defined attribute, except those of vector indexes.
        indexes: The indexes.
        ttl: The TTL attribute.
        vectors: The vector indexes.
    """

    keys: tuple[tuple[str, str], ...]
    types: frozenset[tuple[str, str]]
    indexes: frozenset[Index]
    ttl: str | None
    vectors: frozenset[Vectors] = frozenset()


class Statement(NamedTuple):
    """A statement of a policy, with unordered fields as sets."""

    sid: str
    actions: frozenset[str]
    resources: frozenset[str]
    condition: str


ALL_TABLES = (*SAVER_TABLES, Table.STORE)


def specified(
    specs: Sequence[IndexSpec],
    tables: Sequence[Table] = ALL_TABLES,
    vectors: VectorIndexSpec | None = None,
) -> dict[str, Shape]:
    """According to the package's own specification, with these indexes."""

    def shape(table: Table) -> Shape:
        spec = SPECS[table]
        names = [spec.partition_key, spec.sort_key]
        indexes = []
        if table is Table.CHECKPOINTS:
            for index in specs:
                names += index.keys
                keys = tuple(zip(("HASH", "RANGE"), index.keys, strict=False))
                indexes.append(Index(index.name, keys, "ALL" if index.whole else "KEYS_ONLY"))
        return Shape(
            (("HASH", spec.partition_key), ("RANGE", spec.sort_key)),
            frozenset((name, "S") for name in names),
            frozenset(indexes),
            Attribute.TTL,
            frozenset([] if vectors is None or table is not Table.STORE else [_specified(vectors)]),
        )

    return {table.value: shape(table) for table in tables}


def _specified(spec: VectorIndexSpec) -> Vectors:
    kinds = ("HASH", *["INLINE_FILTER"] * (len(VECTOR_FILTERS) - 1))
    searched_by = tuple(zip(VECTOR_FILTERS, kinds, strict=True))
    return Vectors(spec.name, Attribute.VECTOR, spec.dims, "COSINE", searched_by, "KEYS_ONLY")


def requested(
    requests: Iterable[tuple[str, Mapping[str, Any]]], names: Mapping[str, str]
) -> dict[str, Shape]:
    """According to the requests of `setup()`: the API action and the parameters of each."""
    made = {p["TableName"]: p for action, p in requests if action == "CreateTable"}
    expiring = {
        p["TableName"]: p["TimeToLiveSpecification"]
        for action, p in requests
        if action == "UpdateTimeToLive"
    }
    return {role: _described(made[name], expiring.get(name)) for role, name in names.items()}


def templated(template: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Shape]:
    """According to a CloudFormation template."""
    tables = {
        resource["Properties"]["TableName"]: resource["Properties"]
        for resource in of_type(template, "AWS::DynamoDB::GlobalTable")
    }
    return {
        role: _described(tables[name], tables[name].get("TimeToLiveSpecification"))
        for role, name in names.items()
    }


def _described(table: Mapping[str, Any], ttl: Mapping[str, Any] | None) -> Shape:
    def keys(schema: Iterable[Mapping[str, str]]) -> tuple[tuple[str, str], ...]:
        return tuple((key["KeyType"], key["AttributeName"]) for key in schema)

    vectors = [
        Vectors(
            found["IndexName"],
            found["VectorAttribute"]["AttributeName"],
            found["Dimensions"],
            found["DistanceFunction"],
            tuple(
                (s["AttributeName"], s["SearchSchemaElementType"]) for s in found["SearchSchema"]
            ),
            found["Projection"]["ProjectionType"],
        )
        for found in table.get("VectorIndexes", [])
    ]
    searched_by = {name for one in vectors for name, _ in one.searched_by}
    types = {d["AttributeName"]: d["AttributeType"] for d in table["AttributeDefinitions"]}
    return Shape(
        keys(table["KeySchema"]),
        frozenset((name, kind) for name, kind in types.items() if name not in searched_by),
        frozenset(
            Index(i["IndexName"], keys(i["KeySchema"]), i["Projection"]["ProjectionType"])
            for i in table.get("GlobalSecondaryIndexes", [])
        ),
        ttl["AttributeName"] if ttl is not None and ttl["Enabled"] else None,
        # All filters must be strings.
        frozenset(one for one in vectors if all(types[name] == "S" for name in searched_by)),
    )


def declared() -> dict[str, str]:
    """Every variable that the Terraform module declares, with the text of its block."""
    text = (ROOT / "terraform" / "variables.tf").read_text(encoding="utf-8")
    blocks = re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text, flags=re.DOTALL | re.MULTILINE)
    return dict(blocks)


def defaults() -> dict[str, str]:
    """The default of every variable, as in the source; every variable has one."""
    found = {
        name: re.search(r"^  default\s+= (.+)$", block, flags=re.MULTILINE)
        for name, block in declared().items()
    }
    return {name: default[1] for name, default in found.items() if default is not None}


def planned(plan: Mapping[str, Any]) -> dict[str, Shape]:
    """According to the JSON of a Terraform plan of the module."""
    return {role: _planned(table) for role, table in planned_tables(plan).items()}


def planned_tables(plan: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The planned tables, by role."""
    return {
        resource["index"]: resource["values"]
        for resource in planned_resources(plan, "aws_dynamodb_table")
    }


def planned_resources(plan: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    """The planned resources of one type."""
    resources = plan["planned_values"]["root_module"]["resources"]
    return [resource for resource in resources if resource["type"] == kind]


def _planned(table: Mapping[str, Any]) -> Shape:
    def keys(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        kinds = (("HASH", values["hash_key"]), ("RANGE", values.get("range_key")))
        return tuple((kind, name) for kind, name in kinds if name)

    (ttl,) = table["ttl"]
    return Shape(
        keys(table),
        frozenset((a["name"], a["type"]) for a in table["attribute"]),
        frozenset(
            Index(i["name"], keys(i), i["projection_type"]) for i in table["global_secondary_index"]
        ),
        ttl["attribute_name"] if ttl["enabled"] else None,
    )


def specified_actions() -> dict[str, dict[str, frozenset[str]]]:
    """The actions of each role's statements, according to the package's own list."""
    return {
        name: {
            sid: actions
            for sid, actions in (
                ("Tables", role.tables),
                ("Index", role.index),
                ("ThreadIndex", role.threads),
                ("Objects", role.objects),
                ("Store", STORE_ROLES[name].tables),
                ("StoreVectors", STORE_ROLES[name].vectors),
                ("StoreObjects", STORE_ROLES[name].objects),
                # One statement for both the saver and the store.
                ("Bucket", role.bucket | STORE_ROLES[name].bucket),
                ("Key", role.key | STORE_ROLES[name].key),
            )
            if actions
        }
        for name, role in ROLES.items()
    }


def actions_of(policy: Iterable[Statement]) -> dict[str, frozenset[str]]:
    """The actions of a policy's statements."""
    return {statement.sid: statement.actions for statement in policy}


def statements(text: str) -> frozenset[Statement]:
    """A policy's statements, from its JSON."""
    document = json.loads(text)
    if document["Version"] != "2012-10-17":
        raise ValueError(f"a policy of version {document['Version']!r}")
    return frozenset(map(_statement, document["Statement"]))


def _statement(statement: Mapping[str, Any]) -> Statement:
    def several(value: str | list[str]) -> frozenset[str]:
        return frozenset([value] if isinstance(value, str) else value)

    if statement["Effect"] != "Allow":
        raise ValueError("a role's policy denies")
    condition = {
        operator: {key: sorted(several(wanted)) for key, wanted in keys.items()}
        for operator, keys in statement.get("Condition", {}).items()
    }
    return Statement(
        statement["Sid"],
        several(statement["Action"]),
        several(statement["Resource"]),
        json.dumps(condition, sort_keys=True),
    )


def of_type(template: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    """The resources of one type in a template."""
    return [found for found in template["Resources"].values() if found["Type"] == kind]


def stack_settings() -> dict[str, Any]:
    """Keyword arguments of the CDK stack, with their defaults."""
    parameters = inspect.signature(CheckpointStoreStack.__init__).parameters
    return {
        name: parameter.default
        for name, parameter in parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }

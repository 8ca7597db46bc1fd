"""Checks whether the permissions of the identity cover the published policies."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.cli.doctor.findings import Finding, ok, unknown, wrong
from langgraph_checkpoint_dynamodb.cli.doctor.permissions import Access, find_access
from langgraph_checkpoint_dynamodb.errors import ServiceError
from langgraph_checkpoint_dynamodb.format.tables import SAVER_TABLES, Table
from langgraph_checkpoint_dynamodb.policies import ROLES, STORE_ROLES, Role

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from langgraph_checkpoint_dynamodb.cli.connection import Connection

KINDS = tuple(field.name for field in fields(Role))
"""The kinds of resources: the fields of `policies.Role`."""
_PURPOSES = {
    "read": "to read threads",
    "runtime": "to run graphs",
    "setup": "to make tables",
    "admin": "to delete, prune, copy and sweep",
}
_STORE_PURPOSES = {
    "read": "to read items, namespaces and entries",
    "runtime": "to use a store or a cache",
    "setup": "to make its table",
    "admin": "to use and sweep it",
}


@dataclass(frozen=True, slots=True)
class _PublishedPolicies:
    """The published policies for the tables of a saver, or of a store.

    Attributes:
        title: The beginning of the subject of a finding.
        roles: The policies, by name.
        purposes: The purpose of each policy.
        tables: The tables.
    """

    title: str
    roles: Mapping[str, Role]
    purposes: Mapping[str, str]
    tables: Sequence[Table]


_SAVER_POLICIES = _PublishedPolicies("policy", ROLES, _PURPOSES, SAVER_TABLES)
_STORE_POLICIES = _PublishedPolicies("store policy", STORE_ROLES, _STORE_PURPOSES, (Table.STORE,))


def check_access(connection: Connection, roles: Sequence[str]) -> Iterator[Finding]:
    """Check the permissions for the saver's tables.

    Args:
        connection: The connection.
        roles: Names of the policies that the identity must cover.
    """
    access, found = _check(connection, _SAVER_POLICIES, roles)
    yield ok("identity", f"{access.identity or 'not known here'}; rights are found {access.method}")
    yield from found


def check_store_access(connection: Connection, roles: Sequence[str]) -> Iterator[Finding]:
    """Check the permissions for the store's table."""
    _, found = _check(connection, _STORE_POLICIES, roles)
    yield from found


def _check(
    connection: Connection, published: _PublishedPolicies, roles: Sequence[str]
) -> tuple[Access, list[Finding]]:
    resources = _resources(connection, published.tables)
    actions = {kind: _actions(published, kind) for kind in KINDS if kind in resources}
    access = find_access(connection, published.tables, resources, actions)
    return access, [
        _role_finding(access, published, name, resources, asked=name in roles)
        for name in published.roles
    ]


def _actions(published: _PublishedPolicies, kind: str) -> set[str]:
    return {action for role in published.roles.values() for action in getattr(role, kind)}


def _role_finding(
    access: Access, published: _PublishedPolicies, name: str, kinds: Collection[str], *, asked: bool
) -> Finding:
    subject = f"{published.title} {name}"
    role = published.roles[name]
    denied = sorted(_actions_answered(access, role, kinds, False))
    not_known = sorted(_actions_answered(access, role, kinds, None))
    purpose = published.purposes[name]
    if denied:
        said = f"{purpose}, it lacks {', '.join(denied)}"
        if not asked:
            return ok(subject, f"{said}; not asked for (--role {name})")
        return wrong(
            subject, said, f"attach the published policy `{name}`, or add these actions to its own"
        )
    if not not_known:
        return ok(subject, f"{purpose}, it has every action")
    said = f"{purpose}, nothing is lacking that can be tried"
    return (
        unknown(subject, f"{said}; not known: {', '.join(not_known)}")
        if asked
        else ok(subject, said)
    )


def _actions_answered(
    access: Access, role: Role, kinds: Collection[str], answer: bool | None
) -> Iterator[str]:
    for kind in KINDS:
        if kind not in kinds:
            continue
        for action in getattr(role, kind):
            if access.of(action, kind) is answer:
                yield action if kind == "tables" else f"{action} ({kind})"


def _resources(connection: Connection, tables: Sequence[Table]) -> dict[str, list[str]]:
    """Return the ARNs of the resources by kind, without the kinds that the options do not have."""
    found: dict[str, list[str]] = {"tables": []}
    keys: set[str] = set()
    for table in tables:
        try:
            described = connection.describe(table) or {}
        except ServiceError:
            described = {}
        arn = described.get("TableArn", connection.name(table))
        found["tables"].append(arn)
        if table is Table.CHECKPOINTS:
            found |= _index_arns(connection, arn)
        key = described.get("SSEDescription", {}).get("KMSMasterKeyArn")
        keys |= set() if key is None else {key}
    s3 = connection.saver._settings.payloads.s3
    if s3 is not None and Table.STORE not in tables:  # A store has its own object prefix.
        bucket = s3.bucket if s3.bucket.startswith("arn:") else f"arn:aws:s3:::{s3.bucket}"
        found |= {"objects": [f"{bucket}/{s3.key_prefix}*"], "bucket": [bucket]}
    return found | ({"key": sorted(keys)} if keys else {})


def _index_arns(connection: Connection, table: str) -> dict[str, list[str]]:
    settings = connection.saver._settings
    names = {
        "index": settings.run_id_index,
        "threads": None if settings.thread_index is None else settings.thread_index.index_name,
    }
    return {kind: [f"{table}/index/{name}"] for kind, name in names.items() if name is not None}

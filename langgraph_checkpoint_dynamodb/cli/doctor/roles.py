"""What `doctor` says of rights: which of the published policies this identity's suffices for."""

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
"""What actions are done to, as `policies.Role` has it."""
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
class _Published:
    """The published policies for some tables.

    Attributes:
        title: What their findings are about.
        roles: The policies, by name.
        purposes: What each is for.
        tables: The tables.
    """

    title: str
    roles: Mapping[str, Role]
    purposes: Mapping[str, str]
    tables: Sequence[Table]


_OF_SAVER = _Published("policy", ROLES, _PURPOSES, SAVER_TABLES)
_OF_STORE = _Published("store policy", STORE_ROLES, _STORE_PURPOSES, (Table.STORE,))


def check_access(connection: Connection, roles: Sequence[str]) -> Iterator[Finding]:
    """Look at what this identity may do with the tables of the saver.

    Args:
        connection: The saver.
        roles: The roles it must suffice for.
    """
    access, found = _check(connection, _OF_SAVER, roles)
    yield ok("identity", f"{access.who or 'not known here'}; rights are found {access.how}")
    yield from found


def check_store_access(connection: Connection, roles: Sequence[str]) -> Iterator[Finding]:
    """The same of the store's table, by the policies that are published for it."""
    _, found = _check(connection, _OF_STORE, roles)
    yield from found


def _check(
    connection: Connection, published: _Published, roles: Sequence[str]
) -> tuple[Access, list[Finding]]:
    resources = _resources(connection, published.tables)
    actions = {kind: _actions(published, kind) for kind in KINDS if kind in resources}
    access = find_access(connection, published.tables, resources, actions)
    return access, [
        _role(access, published, name, resources, asked=name in roles) for name in published.roles
    ]


def _actions(published: _Published, kind: str) -> set[str]:
    return {action for role in published.roles.values() for action in getattr(role, kind)}


def _role(
    access: Access, published: _Published, name: str, kinds: Collection[str], *, asked: bool
) -> Finding:
    subject = f"{published.title} {name}"
    role = published.roles[name]
    denied = sorted(_with(access, role, kinds, False))
    open_ = sorted(_with(access, role, kinds, None))
    purpose = published.purposes[name]
    if denied:
        said = f"{purpose}, it lacks {', '.join(denied)}"
        if not asked:
            return ok(subject, f"{said}; not asked for (--role {name})")
        return wrong(
            subject, said, f"attach the published policy `{name}`, or add these actions to its own"
        )
    if not open_:
        return ok(subject, f"{purpose}, it has every action")
    said = f"{purpose}, nothing is lacking that can be tried"
    return (
        unknown(subject, f"{said}; not known: {', '.join(open_)}") if asked else ok(subject, said)
    )


def _with(access: Access, role: Role, kinds: Collection[str], answer: bool | None) -> Iterator[str]:
    for kind in KINDS:
        if kind not in kinds:
            continue
        for action in getattr(role, kind):
            if access.of(action, kind) is answer:
                yield action if kind == "tables" else f"{action} ({kind})"


def _resources(connection: Connection, tables: Sequence[Table]) -> dict[str, list[str]]:
    """ARNs of what there is, by kind; a kind that these options do not have is left out."""
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
            found |= _indexes(connection, arn)
        key = described.get("SSEDescription", {}).get("KMSMasterKeyArn")
        keys |= set() if key is None else {key}
    s3 = connection.saver._settings.payloads.s3
    if s3 is not None and Table.STORE not in tables:  # Its objects have prefixes of their own.
        bucket = s3.bucket if s3.bucket.startswith("arn:") else f"arn:aws:s3:::{s3.bucket}"
        found |= {"objects": [f"{bucket}/{s3.key_prefix}*"], "bucket": [bucket]}
    return found | ({"key": sorted(keys)} if keys else {})


def _indexes(connection: Connection, table: str) -> dict[str, list[str]]:
    settings = connection.saver._settings
    names = {
        "index": settings.run_id_index,
        "threads": None if settings.thread_index is None else settings.thread_index.index_name,
    }
    return {kind: [f"{table}/index/{name}"] for kind, name in names.items() if name is not None}

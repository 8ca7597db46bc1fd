"""What `doctor` says of rights: which of the published policies this identity's suffices for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.cli.asking_aws import Access, find_access
from langgraph_checkpoint_dynamodb.cli.findings import Finding, ok, unknown, wrong
from langgraph_checkpoint_dynamodb.errors import ServiceError
from langgraph_checkpoint_dynamodb.keys import SAVER_TABLES, Table
from langgraph_checkpoint_dynamodb.policies import ROLES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from langgraph_checkpoint_dynamodb.cli.connection import Connection

KINDS = ("tables", "index", "objects", "bucket", "key")
"""What actions are done to, as `policies.Role` has it."""
_PURPOSES = {
    "read": "to read threads",
    "runtime": "to run graphs",
    "setup": "to make tables",
    "admin": "to delete, prune, copy and sweep",
}


def check_access(connection: Connection, roles: Sequence[str]) -> tuple[Access, list[Finding]]:
    """Look at what this identity may do.

    Args:
        connection: The saver.
        roles: The roles it must suffice for.
    """
    resources = _resources(connection)
    actions = {kind: _actions(kind) for kind in KINDS if kind in resources}
    access = find_access(connection, resources, actions)
    return access, [
        ok("identity", f"{access.who or 'not known here'}; rights are found {access.how}"),
        *(_role(access, name, resources, asked=name in roles) for name in ROLES),
    ]


def _actions(kind: str) -> set[str]:
    return {action for role in ROLES.values() for action in getattr(role, kind)}


def _role(access: Access, name: str, kinds: Collection[str], *, asked: bool) -> Finding:
    subject = f"policy {name}"
    denied = sorted(_with(access, name, kinds, False))
    open_ = sorted(_with(access, name, kinds, None))
    purpose = _PURPOSES[name]
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


def _with(access: Access, name: str, kinds: Collection[str], answer: bool | None) -> Iterator[str]:
    role = ROLES[name]
    for kind in KINDS:
        if kind not in kinds:
            continue
        for action in getattr(role, kind):
            if access.of(action, kind) is answer:
                yield action if kind == "tables" else f"{action} ({kind})"


def _resources(connection: Connection) -> dict[str, list[str]]:
    """ARNs of what there is, by kind; a kind that these options do not have is left out."""
    found: dict[str, list[str]] = {"tables": []}
    keys: set[str] = set()
    for table in SAVER_TABLES:
        try:
            described = connection.describe(table) or {}
        except ServiceError:
            described = {}
        arn = described.get("TableArn", connection.name(table))
        found["tables"].append(arn)
        if table is Table.CHECKPOINTS and connection.saver._settings.indexes:
            found["index"] = [
                f"{arn}/index/{index.name}" for index in connection.saver._settings.indexes
            ]
        key = described.get("SSEDescription", {}).get("KMSMasterKeyArn")
        keys |= set() if key is None else {key}
    s3 = connection.saver._settings.payloads.s3
    if s3 is not None:
        bucket = s3.bucket if s3.bucket.startswith("arn:") else f"arn:aws:s3:::{s3.bucket}"
        found |= {"objects": [f"{bucket}/{s3.key_prefix}*"], "bucket": [bucket]}
    return found | ({"key": sorted(keys)} if keys else {})

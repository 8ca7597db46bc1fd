"""Who may do what: one table of roles, and the one function that makes statements from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import Any

Statement = Mapping[str, Any]
"""A statement of an IAM policy, as it is written in JSON."""


class Role(str, Enum):
    """What somebody does with the tables.

    Attributes:
        READ: Reads threads: `get_tuple`, `list` of a thread.
        RUNTIME: Runs graphs.
        SETUP: Calls `setup()`, which creates or verifies the tables.
        ADMIN: Also deletes, prunes, copies, lists everything and sweeps.
        TENANT: Runs graphs, on threads whose id has a given prefix.
    """

    READ = "read"
    RUNTIME = "runtime"
    SETUP = "setup"
    ADMIN = "admin"
    TENANT = "tenant"


@dataclass(frozen=True, kw_only=True)
class Rights:
    """The actions of a role, for each kind of resource.

    Attributes:
        tables: On both tables of the saver.
        index: On the run index.
        threads: On the index of threads.
        objects: On the saver's objects.
        store: On the table of a store.
        registry: On the namespaces in it, where `store` does not hold for them.
        vectors: On its vector index. No condition on partition keys holds that.
        store_objects: On the store's objects.
        bucket: On the bucket.
        key: On the KMS keys.
    """

    tables: frozenset[str]
    index: frozenset[str] = frozenset()
    threads: frozenset[str] = frozenset()
    objects: frozenset[str] = frozenset()
    store: frozenset[str] = frozenset()
    registry: frozenset[str] = frozenset()
    vectors: frozenset[str] = frozenset()
    store_objects: frozenset[str] = frozenset()
    bucket: frozenset[str] = frozenset()
    key: frozenset[str] = frozenset()


_READ_TABLES = frozenset({"dynamodb:GetItem", "dynamodb:Query"})
_RUN_TABLES = _READ_TABLES | {"dynamodb:PutItem", "dynamodb:UpdateItem"}
# Of tables that are right, `setup()` asks no more: an application may call it when it starts.
_VERIFY = frozenset({"dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive"})
_SET_UP = _VERIFY | {
    "dynamodb:CreateTable",
    "dynamodb:UpdateTable",
    "dynamodb:UpdateTimeToLive",
}
_READ_STORE = frozenset({"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"})
_RUN_STORE = _READ_STORE | {
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
}
_SEARCH_VECTORS = frozenset({"dynamodb:SearchVectors"})
# An agent deletes what it has put into a store.
_RUN_STORE_OBJECTS = frozenset({"s3:DeleteObject", "s3:GetObject", "s3:PutObject"})
_LIST_OWN = frozenset({"dynamodb:Query"})
_LIST_ALL = _LIST_OWN | {"dynamodb:Scan"}
_READ_KEY = frozenset({"kms:Decrypt", "kms:DescribeKey"})
_WRITE_KEY = _READ_KEY | {
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
}
# Nothing is ever listed, but without this S3 calls a missing object forbidden. It cannot be held to
# the key prefix: the request that S3 asks about is no listing, and has no `s3:prefix`.
_LIST_BUCKET = frozenset({"s3:ListBucket"})

_RUNTIME = Rights(
    tables=_RUN_TABLES | _VERIFY,
    threads=_LIST_OWN,
    objects=frozenset({"s3:GetObject", "s3:PutObject"}),
    store=_RUN_STORE | _VERIFY,
    vectors=_SEARCH_VECTORS,
    store_objects=_RUN_STORE_OBJECTS,
    bucket=_LIST_BUCKET,
    key=_WRITE_KEY,
)

RIGHTS: Mapping[Role, Rights] = MappingProxyType(
    {
        Role.READ: Rights(
            tables=_READ_TABLES,
            threads=_LIST_ALL,
            objects=frozenset({"s3:GetObject"}),
            store=_READ_STORE,
            vectors=_SEARCH_VECTORS,
            store_objects=frozenset({"s3:GetObject"}),
            bucket=_LIST_BUCKET,
            key=_READ_KEY,
        ),
        Role.RUNTIME: _RUNTIME,
        Role.SETUP: Rights(tables=_SET_UP, store=_SET_UP),
        Role.ADMIN: Rights(
            tables=_RUN_TABLES
            | _VERIFY
            | {"dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:Scan"},
            index=frozenset({"dynamodb:Query"}),
            threads=_LIST_ALL,
            objects=frozenset({"s3:DeleteObject", "s3:GetObject", "s3:PutObject"}),
            store=_RUN_STORE | _VERIFY | {"dynamodb:Scan"},
            vectors=_SEARCH_VECTORS,
            store_objects=_RUN_STORE_OBJECTS,
            bucket=_LIST_BUCKET,
            key=_WRITE_KEY,
        ),
        # To list the bucket would show a tenant the thread ids of all the others.
        # The namespaces of a store, and its vector index, are of all tenants: it may enter its own
        # of them, list none, and not search that index.
        Role.TENANT: replace(
            _RUNTIME,
            tables=_RUN_TABLES,
            store=_RUN_STORE,
            registry=frozenset({"dynamodb:GetItem", "dynamodb:UpdateItem"}),
            vectors=frozenset(),
            bucket=frozenset(),
        ),
    }
)
"""What each role may do. The saver's `policies.py` says which of its calls need what."""


@dataclass(frozen=True, kw_only=True)
class Resources:
    """The ARNs that policies name. Empty where there is no such resource.

    Attributes:
        tables: Both tables of the saver and their replicas.
        indexes: The run index, in each region.
        thread_indexes: The index of threads, in each region.
        objects: All objects below the key prefix, without the final `*`.
        store: The table of a store and its replicas.
        vectors: Its vector index, in each region.
        store_objects: All objects below the store's key prefix, without the final `*`.
        bucket: The bucket.
        keys: The KMS keys, of replicas too.
        key_services: The services the keys may be used through.
    """

    tables: tuple[str, ...]
    indexes: tuple[str, ...]
    thread_indexes: tuple[str, ...]
    objects: tuple[str, ...]
    store: tuple[str, ...]
    vectors: tuple[str, ...]
    store_objects: tuple[str, ...]
    bucket: tuple[str, ...]
    keys: tuple[str, ...]
    key_services: tuple[str, ...]


def statements(
    role: Role,
    resources: Resources,
    *,
    thread_id_prefix: str | None = None,
    owner_prefix: str | None = None,
    root_label: str | None = None,
) -> tuple[Statement, ...]:
    """The statements of a role's policy, least privilege.

    Args:
        role: The role.
        resources: What the policy is about.
        thread_id_prefix: Prefix of the only thread ids the role may use; `None` for all threads.
        owner_prefix: Prefix of the only owners whose threads a role with `thread_id_prefix` may
            list; `None` for none. The partition key of that index is the owner, so the prefix of
            threads does not hold a query of it.
        root_label: The only root label of a store's namespaces that a role with `thread_id_prefix`
            may use; `None` for none.
    """
    rights = RIGHTS[role]
    prefix = thread_id_prefix or ""
    lists = rights.threads if not prefix or owner_prefix else frozenset[str]()
    objects = tuple(f"{arn}{prefix}*" for arn in resources.objects)
    # What a label is partitioned into, and the parts of its large values, follow a period.
    label = () if root_label is None else (root_label, f"{root_label}.*")
    stores = not prefix or label
    below = f"{root_label}/*" if label else "*"
    store_objects = tuple(f"{arn}{below}" for arn in resources.store_objects) if stores else ()
    store = resources.store if stores else ()
    parts = (
        ("Tables", rights.tables, resources.tables, _leading(*_beginning_with(prefix))),
        ("Index", rights.index, resources.indexes, None),
        (
            "ThreadIndex",
            lists,
            resources.thread_indexes,
            _leading(*_beginning_with(owner_prefix or "")),
        ),
        ("Objects", rights.objects, objects, None),
        ("Store", rights.store, store, _leading(*label)),
        ("StoreRegistry", rights.registry, store, _leading(".namespaces.*")),
        ("StoreVectors", rights.vectors, resources.vectors, None),
        ("StoreObjects", rights.store_objects, store_objects, None),
        ("Bucket", rights.bucket, resources.bucket, None),
        ("Key", rights.key, resources.keys, _through(resources.key_services)),
    )
    return tuple(
        _statement(sid, actions, arns, condition)
        for sid, actions, arns, condition in parts
        if actions and arns
    )


def document(parts: tuple[Statement, ...]) -> dict[str, Any]:
    """The policy of those statements, as it is written in JSON."""
    return {"Version": "2012-10-17", "Statement": list(parts)}


def _statement(
    sid: str,
    actions: frozenset[str],
    arns: tuple[str, ...],
    condition: Mapping[str, Any] | None,
) -> Statement:
    statement: dict[str, Any] = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": sorted(actions),
        "Resource": list(arns),
    }
    return statement if condition is None else {**statement, "Condition": condition}


def _beginning_with(prefix: str) -> tuple[str, ...]:
    return (f"{prefix}*",) if prefix else ()


def _leading(*patterns: str) -> Mapping[str, Any] | None:
    """Holds requests to partition keys.

    They are thread ids in both tables of a saver, owners in the index of them, and root labels in
    the table of a store.
    """
    if not patterns:
        return None
    return {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(patterns)},
        # "For all values" holds for a request that names no key at all.
        "Null": {"dynamodb:LeadingKeys": "false"},
    }


def _through(services: tuple[str, ...]) -> Mapping[str, Any]:
    return {"StringEquals": {"kms:ViaService": list(services)}}

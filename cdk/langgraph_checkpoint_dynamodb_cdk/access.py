"""The IAM actions of each role, and the policy statements made from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import Any

Statement = Mapping[str, Any]
"""A statement of an IAM policy, as in its JSON."""


class Role(str, Enum):
    """A role that an IAM principal can have on the tables.

    Attributes:
        READ: Reads threads: `get_tuple`, `list` of a thread.
        RUNTIME: Runs graphs.
        SETUP: Calls `setup()`, which creates or verifies the tables.
        ADMIN: Runs graphs, and deletes, prunes, copies, lists all threads and sweeps.
        TENANT: Runs graphs, only on threads whose id has a given prefix.
    """

    READ = "read"
    RUNTIME = "runtime"
    SETUP = "setup"
    ADMIN = "admin"
    TENANT = "tenant"


@dataclass(frozen=True, kw_only=True)
class Rights:
    """The IAM actions of a role, by kind of resource.

    Attributes:
        tables: Actions on both tables of the saver.
        index: Actions on the run id index.
        threads: Actions on the thread index.
        objects: Actions on the saver's objects.
        store: Actions on the store table.
        registry: Actions on the namespace registry in the store table, for a role whose `store`
            actions are limited to other partition keys.
        vectors: Actions on the vector index. A `dynamodb:LeadingKeys` condition does not apply to
            it.
        store_objects: Actions on the store's objects.
        bucket: Actions on the bucket.
        key: Actions on the KMS keys.
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
# Enough for `setup()` where the tables exist as configured, so applications may call it at startup.
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
# An agent also deletes the values that it put into a store.
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
# Without this right, S3 answers 403 instead of 404 for a missing object. A condition on `s3:prefix`
# does not work: S3 checks the right for a GetObject request, which has no prefix.
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
        # Listing the bucket would show the thread ids of other tenants. The namespace registry and
        # the vector index are shared by all tenants: a tenant may register its own namespaces, but
        # may not list namespaces or search the index.
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
"""The rights of each role. `policies.py` of the library lists the actions of each call."""


@dataclass(frozen=True, kw_only=True)
class Resources:
    """The ARNs that policies name. A tuple is empty if the resource does not exist.

    Attributes:
        tables: Both tables of the saver and their replicas.
        run_indexes: The run id index, in each region.
        thread_indexes: The thread index, in each region.
        objects: The prefix of the saver's objects, without the final `*`.
        store: The store table and its replicas.
        vector_indexes: The vector index of the store table, in each region.
        store_objects: The prefix of the store's objects, without the final `*`.
        bucket: The bucket.
        keys: The KMS keys of tables, replicas and bucket.
        key_services: Host names of the services through which the keys may be used.
    """

    tables: tuple[str, ...]
    run_indexes: tuple[str, ...]
    thread_indexes: tuple[str, ...]
    objects: tuple[str, ...]
    store: tuple[str, ...]
    vector_indexes: tuple[str, ...]
    store_objects: tuple[str, ...]
    bucket: tuple[str, ...]
    keys: tuple[str, ...]
    key_services: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TenantLimits:
    """What the role `tenant` is limited to.

    Attributes:
        thread_id_prefix: Prefix of the thread ids of a tenant; `None` for all threads.
        owner_prefix: Prefix of the owners whose threads a tenant may list; `None` for no listing.
            The partition key of the thread index is the owner, so `thread_id_prefix` cannot limit
            a query of that index.
        root_label: Root label of the store namespaces of a tenant; `None` for no use of the store.
    """

    thread_id_prefix: str | None = None
    owner_prefix: str | None = None
    root_label: str | None = None


NO_LIMITS = TenantLimits()


def statements(
    role: Role, resources: Resources, limits: TenantLimits = NO_LIMITS
) -> tuple[Statement, ...]:
    """Make the least-privilege statements of a role's policy.

    Args:
        role: The role.
        resources: The ARNs that the policy names.
        limits: The limits of the role `tenant`.

    Returns:
        The statements, without those whose resource does not exist.
    """
    rights = _limited(RIGHTS[role], limits)
    prefix = limits.thread_id_prefix or ""
    label = limits.root_label
    # A period separates the label from a partition number, and from the parts of large values.
    labels = () if label is None else (label, f"{label}.*")
    objects = f"{prefix}*"
    store_objects = "*" if label is None else f"{label}/*"
    parts = (
        ("Tables", rights.tables, resources.tables, _leading_keys(*_starting_with(prefix))),
        ("Index", rights.index, resources.run_indexes, None),
        (
            "ThreadIndex",
            rights.threads,
            resources.thread_indexes,
            _leading_keys(*_starting_with(limits.owner_prefix or "")),
        ),
        ("Objects", rights.objects, _suffixed(resources.objects, objects), None),
        ("Store", rights.store, resources.store, _leading_keys(*labels)),
        ("StoreRegistry", rights.registry, resources.store, _leading_keys(".namespaces.*")),
        ("StoreVectors", rights.vectors, resources.vector_indexes, None),
        (
            "StoreObjects",
            rights.store_objects,
            _suffixed(resources.store_objects, store_objects),
            None,
        ),
        ("Bucket", rights.bucket, resources.bucket, None),
        ("Key", rights.key, resources.keys, _via_services(resources.key_services)),
    )
    return tuple(
        _statement(sid, actions, arns, condition)
        for sid, actions, arns, condition in parts
        if actions and arns
    )


def document(parts: tuple[Statement, ...]) -> dict[str, Any]:
    """Make a policy document from statements."""
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


def _limited(rights: Rights, limits: TenantLimits) -> Rights:
    """Drop the rights of a tenant on resources that its limits do not cover."""
    none = frozenset[str]()
    if not limits.thread_id_prefix:
        return rights
    if not limits.owner_prefix:
        rights = replace(rights, threads=none)
    if limits.root_label is None:
        rights = replace(rights, store=none, registry=none, store_objects=none)
    return rights


def _suffixed(arns: tuple[str, ...], suffix: str) -> tuple[str, ...]:
    return tuple(f"{arn}{suffix}" for arn in arns)


def _starting_with(prefix: str) -> tuple[str, ...]:
    return (f"{prefix}*",) if prefix else ()


def _leading_keys(*patterns: str) -> Mapping[str, Any] | None:
    """Make a condition that limits requests to partition keys.

    The partition key is the thread id in both tables of a saver, the owner in the thread index, and
    the root label in the store table.
    """
    if not patterns:
        return None
    return {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(patterns)},
        # `ForAllValues` is also true for a request without a key.
        "Null": {"dynamodb:LeadingKeys": "false"},
    }


def _via_services(services: tuple[str, ...]) -> Mapping[str, Any]:
    return {"StringEquals": {"kms:ViaService": list(services)}}

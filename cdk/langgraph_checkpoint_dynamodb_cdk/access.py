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
    """The actions of a role, for each kind of resource."""

    tables: frozenset[str]
    index: frozenset[str] = frozenset()
    threads: frozenset[str] = frozenset()
    objects: frozenset[str] = frozenset()
    bucket: frozenset[str] = frozenset()
    key: frozenset[str] = frozenset()


_READ_TABLES = frozenset({"dynamodb:GetItem", "dynamodb:Query"})
_RUN_TABLES = _READ_TABLES | {"dynamodb:PutItem", "dynamodb:UpdateItem"}
# Of tables that are right, `setup()` asks no more: an application may call it when it starts.
_VERIFY = frozenset({"dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive"})
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
    bucket=_LIST_BUCKET,
    key=_WRITE_KEY,
)

RIGHTS: Mapping[Role, Rights] = MappingProxyType(
    {
        Role.READ: Rights(
            tables=_READ_TABLES,
            threads=_LIST_ALL,
            objects=frozenset({"s3:GetObject"}),
            bucket=_LIST_BUCKET,
            key=_READ_KEY,
        ),
        Role.RUNTIME: _RUNTIME,
        Role.SETUP: Rights(
            tables=frozenset(
                {
                    "dynamodb:CreateTable",
                    "dynamodb:DescribeTable",
                    "dynamodb:DescribeTimeToLive",
                    "dynamodb:UpdateTable",
                    "dynamodb:UpdateTimeToLive",
                }
            )
        ),
        Role.ADMIN: Rights(
            tables=_RUN_TABLES
            | _VERIFY
            | {"dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:Scan"},
            index=frozenset({"dynamodb:Query"}),
            threads=_LIST_ALL,
            objects=frozenset({"s3:DeleteObject", "s3:GetObject", "s3:PutObject"}),
            bucket=_LIST_BUCKET,
            key=_WRITE_KEY,
        ),
        # To list the bucket would show a tenant the thread ids of all the others.
        Role.TENANT: replace(_RUNTIME, tables=_RUN_TABLES, bucket=frozenset()),
    }
)
"""What each role may do. The saver's `policies.py` says which of its calls need what."""


@dataclass(frozen=True, kw_only=True)
class Resources:
    """The ARNs that policies name. Empty where there is no such resource.

    Attributes:
        tables: Both tables and their replicas.
        indexes: The run index, in each region.
        thread_indexes: The index of threads, in each region.
        objects: All objects below the key prefix, without the final `*`.
        bucket: The bucket.
        keys: The KMS keys, of replicas too.
        key_services: The services the keys may be used through.
    """

    tables: tuple[str, ...]
    indexes: tuple[str, ...]
    thread_indexes: tuple[str, ...]
    objects: tuple[str, ...]
    bucket: tuple[str, ...]
    keys: tuple[str, ...]
    key_services: tuple[str, ...]


def statements(
    role: Role,
    resources: Resources,
    *,
    thread_id_prefix: str | None = None,
    owner_prefix: str | None = None,
) -> tuple[Statement, ...]:
    """The statements of a role's policy, least privilege.

    Args:
        role: The role.
        resources: What the policy is about.
        thread_id_prefix: Prefix of the only thread ids the role may use; `None` for all threads.
        owner_prefix: Prefix of the only owners whose threads a role with `thread_id_prefix` may
            list; `None` for none. The partition key of that index is the owner, so the prefix of
            threads does not hold a query of it.
    """
    rights = RIGHTS[role]
    prefix = thread_id_prefix or ""
    lists = rights.threads if not prefix or owner_prefix else frozenset[str]()
    objects = tuple(f"{arn}{prefix}*" for arn in resources.objects)
    parts = (
        ("Tables", rights.tables, resources.tables, _beginning_with(prefix)),
        ("Index", rights.index, resources.indexes, None),
        ("ThreadIndex", lists, resources.thread_indexes, _beginning_with(owner_prefix or "")),
        ("Objects", rights.objects, objects, None),
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


def _beginning_with(prefix: str) -> Mapping[str, Any] | None:
    """Holds requests to partition keys: thread ids in both tables, owners in the index of them."""
    if not prefix:
        return None
    return {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{prefix}*"]},
        # "For all values" holds for a request that names no key at all.
        "Null": {"dynamodb:LeadingKeys": "false"},
    }


def _through(services: tuple[str, ...]) -> Mapping[str, Any]:
    return {"StringEquals": {"kms:ViaService": list(services)}}

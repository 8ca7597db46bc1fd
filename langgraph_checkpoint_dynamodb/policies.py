"""The IAM actions that each group of calls needs. The published policies are generated from them.

The Terraform module and the CDK construct repeat the roles in their own languages; a test compares
them with these.

A TransactWriteItems request of puts is authorized by `dynamodb:PutItem`; IAM has no separate
action for it (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html).
"""

from __future__ import annotations

from dataclasses import dataclass

READ_ACTIONS = frozenset({"dynamodb:GetItem", "dynamodb:Query"})
"""To read, list and rebuild threads."""

RUN_ACTIONS = READ_ACTIONS | {"dynamodb:PutItem"}
"""To run, resume, list and fork threads."""

LIST_OWN_ACTIONS = frozenset({"dynamodb:Query"})
"""On the thread index, for `list_threads` of an owner."""

LIST_ALL_ACTIONS = LIST_OWN_ACTIONS | {"dynamodb:Scan"}
"""Also for `list_threads` without an owner."""

TTL_EXTENSION_ACTIONS = frozenset({"dynamodb:UpdateItem"})
"""Also to run threads with DeltaChannels whose items expire, with `thread_index` or with
`on_conflict="raise"`, and for `update_thread`."""

DELETE_ACTIONS = RUN_ACTIONS | {"dynamodb:BatchWriteItem"}
"""Also to delete, prune and copy threads, and to clean up after large values that were replaced."""

SCAN_ACTIONS = DELETE_ACTIONS | {"dynamodb:Scan"}
"""Also for `list(None)`, for `reindex_threads`, and for `delete_for_runs` without a run index."""

SWEEP_ACTIONS = SCAN_ACTIONS | {"dynamodb:DeleteItem"}
"""Also for `sweep_orphans`, and for deletes of threads that are listed or fenced."""

SETUP_ACTIONS = frozenset(
    {
        "dynamodb:CreateTable",
        "dynamodb:DescribeTable",
        "dynamodb:DescribeTimeToLive",
        "dynamodb:UpdateTable",
        "dynamodb:UpdateTimeToLive",
    }
)
"""Only for `setup()`. UpdateTable is needed only to add an index to an existing table, the time to
live actions only with `ttl_seconds`."""

VERIFY_ACTIONS = frozenset({"dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive"})
"""For `setup()` of existing tables with the right schema: an application may call it at startup."""

S3_RUN_ACTIONS = frozenset({"s3:GetObject", "s3:PutObject"})
"""On the objects under the key prefix, to run and copy threads with values in S3."""

S3_BUCKET_ACTIONS = frozenset({"s3:ListBucket"})
"""On the bucket. The package never lists objects, but without this action S3 reports a missing
object as forbidden. A condition on `s3:prefix` would have the same effect: a GetObject request has
no prefix."""

S3_DELETE_ACTIONS = frozenset({"s3:DeleteObject"})
"""Also to delete, prune and sweep them, and to clean up after values that were replaced."""

KEY_READ_ACTIONS = frozenset({"kms:Decrypt", "kms:DescribeKey"})
"""On the KMS key of tables or bucket, if it is a customer managed key: a caller of DynamoDB or S3
needs the key, too. These and the next are the actions that the CDK's own TableV2 and Bucket grant;
this project has not been tested against a KMS that enforces permissions."""

KEY_WRITE_ACTIONS = KEY_READ_ACTIONS | {
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
}
"""Also to write."""


STORE_READ_ACTIONS = frozenset({"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"})
"""On the store's table: to get and search items, and to list namespaces."""

STORE_RUN_ACTIONS = STORE_READ_ACTIONS | {
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
}
"""Also to put and delete items, and to refresh the time to live of items that are read."""

STORE_REGISTER_ACTIONS = frozenset({"dynamodb:GetItem", "dynamodb:UpdateItem"})
"""On the namespace items of a store and the item that describes its vectors, for roles that may put
items but not list all namespaces: they cannot list namespaces or search with an empty prefix."""

STORE_SWEEP_ACTIONS = STORE_RUN_ACTIONS | {"dynamodb:Scan"}
"""Also for `sweep_orphans`."""

STORE_SEARCH_ACTIONS = frozenset({"dynamodb:SearchVectors"})
"""On the vector index of the store's table, if it has one. Conditions on `dynamodb:LeadingKeys` do
not restrict it: a role with this action can search the vectors of all tenants, and learn the
namespaces and keys of their items. A statement with such a condition never allows it. So it is in
no role of a tenant; a store without it compares vectors one by one."""

STORE_SETUP_ACTIONS = SETUP_ACTIONS
"""Only for `setup()`. UpdateTable is needed only to add the vector index to an existing table."""


@dataclass(frozen=True, slots=True)
class Role:
    """The actions of one kind of user, by resource.

    Attributes:
        tables: On both tables of a saver, or the table of a store.
        index: On the run index.
        threads: On the thread index.
        vectors: On the vector index of a store, if it has one and the role is not of a tenant.
        objects: On the objects under the key prefix.
        bucket: On the bucket.
        key: On the KMS key.
    """

    tables: frozenset[str]
    index: frozenset[str] = frozenset()
    threads: frozenset[str] = frozenset()
    vectors: frozenset[str] = frozenset()
    objects: frozenset[str] = frozenset()
    bucket: frozenset[str] = frozenset()
    key: frozenset[str] = frozenset()


ROLES = {
    "read": Role(
        READ_ACTIONS,
        threads=LIST_ALL_ACTIONS,
        objects=frozenset({"s3:GetObject"}),
        bucket=S3_BUCKET_ACTIONS,
        key=KEY_READ_ACTIONS,
    ),
    "runtime": Role(
        RUN_ACTIONS | TTL_EXTENSION_ACTIONS | VERIFY_ACTIONS,
        threads=LIST_OWN_ACTIONS,
        objects=S3_RUN_ACTIONS,
        bucket=S3_BUCKET_ACTIONS,
        key=KEY_WRITE_ACTIONS,
    ),
    "setup": Role(SETUP_ACTIONS),
    "admin": Role(
        SWEEP_ACTIONS | TTL_EXTENSION_ACTIONS | VERIFY_ACTIONS,
        index=frozenset({"dynamodb:Query"}),
        threads=LIST_ALL_ACTIONS,
        objects=S3_RUN_ACTIONS | S3_DELETE_ACTIONS,
        bucket=S3_BUCKET_ACTIONS,
        key=KEY_WRITE_ACTIONS,
    ),
}
"""The published policies: for read-only users, for agents, for `setup()`, for upkeep."""

STORE_ROLES = {
    "read": Role(
        STORE_READ_ACTIONS,
        vectors=STORE_SEARCH_ACTIONS,
        objects=frozenset({"s3:GetObject"}),
        bucket=S3_BUCKET_ACTIONS,
        key=KEY_READ_ACTIONS,
    ),
    "runtime": Role(
        STORE_RUN_ACTIONS | VERIFY_ACTIONS,
        vectors=STORE_SEARCH_ACTIONS,
        objects=S3_RUN_ACTIONS | S3_DELETE_ACTIONS,
        bucket=S3_BUCKET_ACTIONS,
        key=KEY_WRITE_ACTIONS,
    ),
    "setup": Role(STORE_SETUP_ACTIONS),
    "admin": Role(
        STORE_SWEEP_ACTIONS | VERIFY_ACTIONS,
        vectors=STORE_SEARCH_ACTIONS,
        objects=S3_RUN_ACTIONS | S3_DELETE_ACTIONS,
        bucket=S3_BUCKET_ACTIONS,
        key=KEY_WRITE_ACTIONS,
    ),
}
"""The same for the table of a store, or of a cache. An agent may delete items and their objects."""

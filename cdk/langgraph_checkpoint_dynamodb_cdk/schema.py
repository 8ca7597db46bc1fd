"""What the saver expects to find: copies of its constants, so that an app need not install it."""

from __future__ import annotations

from typing import NamedTuple


class TableSchema(NamedTuple):
    """Keys of a table. Both are strings.

    Attributes:
        partition_key: Name of the partition (hash) key attribute.
        sort_key: Name of the sort (range) key attribute.
    """

    partition_key: str
    sort_key: str


CHECKPOINTS = TableSchema("thread_id", "checkpoint_id")
WRITES = TableSchema("thread_id_checkpoint_id_checkpoint_ns", "task_id_idx")

STORE = TableSchema("root", "path")
"""Of LangGraph's store, which is no table of the saver."""

RUN_ID_INDEX_KEY = "run_id"
"""Partition key of the optional sparse, keys-only index on the checkpoints table."""

THREAD_INDEX_KEYS = TableSchema("owner", "updated")
"""Keys of the optional sparse index of threads on the checkpoints table. It holds whole items."""

VECTOR_ATTRIBUTE = "vector"
"""What the optional vector index on the table of a store compares. It holds keys alone."""
VECTOR_FILTERS = ("vector_root", "vector_label_2", "vector_label_3", "vector_label_4")
"""What that index is searched by: its partition key, then what it filters by."""

TTL_ATTRIBUTE = "ttl"
"""When DynamoDB may delete an item, in seconds since the epoch. Items without it stay."""

DEFAULT_CHECKPOINTS_TABLE_NAME = "langgraph-checkpoints"
DEFAULT_WRITES_TABLE_NAME = "langgraph-writes"
DEFAULT_THREAD_INDEX_NAME = "by-owner"
"""Also the saver's own default."""
DEFAULT_BUCKET_KEY_PREFIX = "langgraph-checkpoints/"
"""Also the saver's own default."""
DEFAULT_STORE_BUCKET_KEY_PREFIX = "langgraph-store/"
"""Also the store's own default."""

_DAY_SECONDS = 24 * 60 * 60
_GRACE_SECONDS = 60 * 60
_DELETION_DAYS = 2


def object_lifetime_days(ttl_seconds: int) -> int:
    """After how many days S3 may delete an object of a saver with that `ttl_seconds`.

    An item lives up to one and a half `ttl_seconds` and an hour after it or its object was last
    renewed, and DynamoDB deletes it within days. No object may go before the item that names it.
    """
    doubled_seconds = 3 * ttl_seconds + 2 * _GRACE_SECONDS
    return -(-doubled_seconds // (2 * _DAY_SECONDS)) + _DELETION_DAYS

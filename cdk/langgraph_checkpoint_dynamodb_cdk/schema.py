"""Names and keys that the saver and the store expect.

They are copies of constants of the library, so that a CDK app need not install it.
"""

from __future__ import annotations

from typing import NamedTuple


class TableSchema(NamedTuple):
    """Keys of a table or an index. Both are strings.

    Attributes:
        partition_key: Name of the partition (hash) key attribute.
        sort_key: Name of the sort (range) key attribute.
    """

    partition_key: str
    sort_key: str


CHECKPOINTS = TableSchema("thread_id", "checkpoint_id")
WRITES = TableSchema("thread_id_checkpoint_id_checkpoint_ns", "task_id_idx")

STORE = TableSchema("root", "path")
"""Keys of the table of a LangGraph store."""

RUN_ID_INDEX_KEY = "run_id"
"""Partition key of the optional sparse, keys-only index on the checkpoints table."""

THREAD_INDEX_KEYS = TableSchema("owner", "updated")
"""Keys of the optional sparse thread index on the checkpoints table. It projects all attributes."""

VECTOR_ATTRIBUTE = "vector"
"""The attribute of the optional vector index on the store table, which projects keys only."""
VECTOR_FILTERS = ("vector_root", "vector_label_2", "vector_label_3", "vector_label_4")
"""Partition key of the vector index, then its filter attributes."""

TTL_ATTRIBUTE = "ttl"
"""The attribute with the time when an item expires, in seconds since the epoch."""

DEFAULT_CHECKPOINTS_TABLE_NAME = "langgraph-checkpoints"
DEFAULT_WRITES_TABLE_NAME = "langgraph-writes"
DEFAULT_THREAD_INDEX_NAME = "by-owner"
"""The saver's default, too."""
DEFAULT_BUCKET_KEY_PREFIX = "langgraph-checkpoints/"
"""The saver's default, too."""
DEFAULT_STORE_BUCKET_KEY_PREFIX = "langgraph-store/"
"""The store's default, too."""

_DAY_SECONDS = 24 * 60 * 60
_GRACE_SECONDS = 60 * 60
_TTL_DELETION_DAYS = 2


def object_lifetime_days(ttl_seconds: int) -> int:
    """Return after how many days S3 may delete an object of a saver with that `ttl_seconds`.

    An item lives up to 1.5 * `ttl_seconds` and an hour after it or its object was last renewed, and
    DynamoDB deletes an expired item within days. An object must outlive the item that refers to it.
    """
    doubled_seconds = 3 * ttl_seconds + 2 * _GRACE_SECONDS
    return -(-doubled_seconds // (2 * _DAY_SECONDS)) + _TTL_DELETION_DAYS

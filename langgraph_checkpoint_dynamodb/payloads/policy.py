"""The settings that say how values are stored.

A value (a checkpoint, its metadata, or what a task wrote) stays in its item while the item fits
into DynamoDB's 400 KB. A larger one goes to chunk items in the writes table or, over a threshold
and with a bucket configured, to one S3 object. It may be compressed first, or stored as the
difference from an earlier value (`differences`).

Settings decide what is written. What is read follows the value's description alone
(`descriptions`), so a table may hold values of any earlier settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.parts import PartAddress, is_object_key
from langgraph_checkpoint_dynamodb.format.sizes import ITEM_LIMIT, write_units

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.format.parts import PartOwner
    from langgraph_checkpoint_dynamodb.payloads.compression import Codec

MAX_VALUE_BYTES = 64 * 1024 * 1024
"""Default ceiling of one serialized value."""


@dataclass(frozen=True, slots=True)
class S3Policy:
    """Which values go to S3, and where to.

    Attributes:
        bucket: Name of the bucket.
        key_prefix: Prefix of every key; empty, or ending with a slash.
        threshold_bytes: Values of more bytes, compressed, go to S3.
        former_buckets: Buckets that values went to before. They may be read and deleted there.
    """

    bucket: str
    key_prefix: str
    threshold_bytes: int
    former_buckets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PayloadPolicy:
    """How values are stored.

    Attributes:
        compression: The codec, used where it saves capacity; `None` for no compression.
        s3: Where large values go; `None` for chunk items.
        max_value_bytes: Larger values are refused, counted before compression.
        inline_limit: Largest item in bytes that keeps its values.
        chunk_bytes: Bytes in a chunk. 400,000 leave room for the longest key, and two chunks make
            a page of a Query.
        incremental: Whether checkpoints are stored as differences from bases.
        whole_bytes: Checkpoint items of up to this many bytes are stored whole all the same.
    """

    compression: Codec | None = None
    s3: S3Policy | None = None
    max_value_bytes: int = MAX_VALUE_BYTES
    inline_limit: int = ITEM_LIMIT
    chunk_bytes: int = 400_000
    incremental: bool = False
    whole_bytes: int = 0

    @property
    def readable_bytes(self) -> int:
        """Ceiling of a value outside its item that is read or unpacked.

        A lowered ceiling still reads what was stored under the default one.
        """
        return max(self.max_value_bytes, MAX_VALUE_BYTES)

    def effort(self, size: int) -> int:
        """How many of a value's bytes must be compressed or hashed to place it; 0 for none.

        Args:
            size: Bytes of the value.
        """
        limit = self.inline_limit
        if self.s3 is not None:
            limit = min(limit, self.s3.threshold_bytes)
        return 0 if self.compression is None and size <= limit else size

    def keeps_values(self, size: int, largest: int) -> bool:
        """Whether an item within its limit keeps its values as they are.

        Args:
            size: Bytes of the item.
            largest: Bytes of its largest value.
        """
        if self.compression is not None and write_units(size) > 1:
            return False
        return self.s3 is None or largest <= self.s3.threshold_bytes

    def owns(self, owner: PartOwner, address: PartAddress, bucket: str, key: str) -> bool:
        """Whether an S3 object is one that a saver with these settings has stored for a value.

        The check is for security: an item may name any bucket and key. A writer of one thread's
        items must not get another thread's objects read or deleted with the reader's permissions.
        """
        if self.s3 is None or bucket not in (self.s3.bucket, *self.s3.former_buckets):
            return False
        return is_object_key(key, owner, address)

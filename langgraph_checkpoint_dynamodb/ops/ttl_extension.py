"""Extending the TTL of the items that a DeltaChannel is rebuilt from.

A checkpoint stored now lives for `ttl_seconds`, and the ancestors that it is rebuilt from must
exist as long. So when a checkpoint is read that others will be rebuilt from, the TTL of the
checkpoint and its ancestors is extended if they would be deleted earlier than a checkpoint stored
now. The new TTL is half of `ttl_seconds` later than required, so that a thread in steady use
extends each item once in that time. An item must not wait until half of its life is left: a new
checkpoint would then outlive what it needs.

Only the time of deletion (`ttl`) changes, not the time at which a checkpoint expires (`expires`).

The read has already succeeded, so an error is only logged.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import DynamoDBSaverError
from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.items.writes_partition import part_keys
from langgraph_checkpoint_dynamodb.ops.bases import base_of_value, load_bases
from langgraph_checkpoint_dynamodb.payloads.kinds import S3Object
from langgraph_checkpoint_dynamodb.requests.items import ExtendTtl
from langgraph_checkpoint_dynamodb.requests.objects import CopyObject
from langgraph_checkpoint_dynamodb.requests.operations import send, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord
    from langgraph_checkpoint_dynamodb.ops.attachments import Attachments
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.payloads.differences import Base
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

_log = logging.getLogger("langgraph_checkpoint_dynamodb")


def extend_ttl(
    context: Context, checkpoints: Sequence[tuple[CheckpointRecord, Attachments]]
) -> Operation[None]:
    """Extend the TTL of checkpoints and their attachments beyond that of one stored now."""
    if context.ttl_seconds is None:
        return
    new_ttl = _required_ttl(context.now, context.ttl_seconds) + context.ttl_seconds // 2
    try:
        yield from _extend_bases(context, [record for record, _ in checkpoints], new_ttl)
        yield from together([_extend(context, *found, new_ttl) for found in checkpoints])
    except DynamoDBSaverError as error:
        _log.warning("the TTL of a DeltaChannel's history was not extended: %s", error)


def expires_too_early(context: Context, ttl: int | None) -> bool:
    """Whether an item with this TTL would be deleted earlier than a checkpoint stored now."""
    if context.ttl_seconds is None or ttl is None:
        return False
    return ttl < _required_ttl(context.now, context.ttl_seconds)


def _required_ttl(now: int, ttl_seconds: int) -> int:
    return now + ttl_seconds + GRACE_SECONDS


def _extend(
    context: Context, record: CheckpointRecord, attachments: Attachments, new_ttl: int
) -> Operation[None]:
    """Extend parts, then writes, then the checkpoint: parts must outlive what refers to them."""
    writes = [write for write in attachments.writes if expires_too_early(context, write.ttl)]
    values = [write.value for write in writes]
    if expires_too_early(context, record.ttl):
        values += [record.checkpoint, record.metadata]
    objects = [
        payload
        for value in values
        if isinstance(payload := value.payload, S3Object)
        and context.payloads.owns(record.ref, payload.address, payload.bucket, payload.key)
    ]
    parts = [
        chunk.key for chunk in attachments.chunks.values() if expires_too_early(context, chunk.ttl)
    ]
    parts += [key for payload in objects for key in part_keys(record.ref, payload)]
    yield from _extend_each(parts, new_ttl)
    yield from _refresh_objects(context, record.ref, objects)
    sorts = dict.fromkeys(write.source.sort for write in writes if write.source is not None)
    items = [Key(record.ref.writes_partition, sort) for sort in sorts]
    yield from _extend_each(items, new_ttl)
    if expires_too_early(context, record.ttl):
        yield from send(ExtendTtl(Table.CHECKPOINTS, record.ref.key, new_ttl))


def _extend_bases(
    context: Context, records: Iterable[CheckpointRecord], new_ttl: int
) -> Operation[None]:
    """Extend the TTL of the bases of checkpoints, each base once."""
    values = [(one.ref, one.checkpoint) for one in records if expires_too_early(context, one.ttl)]
    yield from load_bases(context, values)
    bases = [base for value in values if (base := base_of_value(context, *value)) is not None]
    distinct = {base.ref: base for base in bases}.values()
    yield from together([_extend_base(context, base, new_ttl) for base in distinct])


def _extend_base(context: Context, base: Base, new_ttl: int) -> Operation[None]:
    if base.ttl is None or base.ttl >= new_ttl:
        return
    yield from _extend_each(part_keys(base.ref, base.payload), new_ttl)
    if isinstance(base.payload, S3Object):
        yield from _refresh_objects(context, base.ref, [base.payload])
    yield from send(ExtendTtl(Table.CHECKPOINTS, base.ref.key, new_ttl))


def _refresh_objects(
    context: Context, ref: CheckpointRef, objects: Sequence[S3Object]
) -> Operation[None]:
    """Copy S3 objects onto themselves: the bucket's lifecycle rules count from their last write."""
    yield from together(
        [
            send(CopyObject(payload.bucket, payload.key, payload.key))
            for payload in objects
            if context.payloads.owns(ref, payload.address, payload.bucket, payload.key)
        ]
    )


def _extend_each(keys: Sequence[Key], ttl: int) -> Operation[None]:
    yield from together([send(ExtendTtl(Table.WRITES, key, ttl)) for key in keys])

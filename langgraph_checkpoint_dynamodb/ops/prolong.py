"""Giving more life to what a DeltaChannel is rebuilt from.

A checkpoint stored now counts for `ttl_seconds`. Every ancestor whose part it needs must be there
as long. So whenever a checkpoint is read that others will be rebuilt from, it and its ancestors are
prolonged, wherever they would be deleted earlier than a checkpoint stored now: to half of
`ttl_seconds` later than that, so that a thread in steady use prolongs each of them once in that
time. Waiting until half of a life is left would let a checkpoint outlive what it needs.

Only the time of deletion moves: how long a checkpoint counts as one stays as it was.

The read has succeeded by then, so a failure is only logged.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import DynamoDBSaverError
from langgraph_checkpoint_dynamodb.format.life import MARGIN
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.items.writes_partition import part_keys
from langgraph_checkpoint_dynamodb.ops.parts import base_of_value, find_bases
from langgraph_checkpoint_dynamodb.payloads.kinds import S3Object
from langgraph_checkpoint_dynamodb.requests.items import Prolong
from langgraph_checkpoint_dynamodb.requests.objects import CopyObject
from langgraph_checkpoint_dynamodb.requests.operations import send, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord
    from langgraph_checkpoint_dynamodb.ops.beside import Beside
    from langgraph_checkpoint_dynamodb.ops.store import Store
    from langgraph_checkpoint_dynamodb.payloads.differences import Base
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

_log = logging.getLogger("langgraph_checkpoint_dynamodb")


def prolong(
    store: Store, checkpoints: Sequence[tuple[CheckpointRecord, Beside]]
) -> Operation[None]:
    """Let checkpoints, and what lies beside them, be there as long as one stored now."""
    if store.ttl_seconds is None:
        return
    longer = _enough(store.now, store.ttl_seconds) + store.ttl_seconds // 2
    try:
        yield from _prolong_bases(store, [record for record, _ in checkpoints], longer)
        yield from together([_prolong(store, *found, longer) for found in checkpoints])
    except DynamoDBSaverError as error:
        _log.warning("the life of a DeltaChannel's history was not prolonged: %s", error)


def is_short(store: Store, ttl: int | None) -> bool:
    """Whether something would be deleted earlier than a checkpoint stored now."""
    if store.ttl_seconds is None or ttl is None:
        return False
    return ttl < _enough(store.now, store.ttl_seconds)


def _enough(now: int, ttl_seconds: int) -> int:
    return now + ttl_seconds + MARGIN


def _prolong(
    store: Store, record: CheckpointRecord, beside: Beside, longer: int
) -> Operation[None]:
    """First parts, then writes, then the checkpoint, so that parts outlive what refers to them."""
    writes = [write for write in beside.writes if is_short(store, write.ttl)]
    values = [write.value for write in writes]
    if is_short(store, record.ttl):
        values += [record.checkpoint, record.metadata]
    objects = [
        payload
        for value in values
        if isinstance(payload := value.payload, S3Object)
        and store.payloads.owns(record.ref, payload.address, payload.bucket, payload.key)
    ]
    parts = [chunk.key for chunk in beside.chunks.values() if is_short(store, chunk.ttl)]
    parts += [key for payload in objects for key in part_keys(record.ref, payload)]
    yield from _prolong_each(parts, longer)
    yield from _touch(store, record.ref, objects)
    sorts = dict.fromkeys(write.source.sort for write in writes if write.source is not None)
    items = [Key(record.ref.writes_partition, sort) for sort in sorts]
    yield from _prolong_each(items, longer)
    if is_short(store, record.ttl):
        yield from send(Prolong(Table.CHECKPOINTS, record.ref.key, longer))


def _prolong_bases(
    store: Store, records: Iterable[CheckpointRecord], longer: int
) -> Operation[None]:
    """What checkpoints are differences from, each base once."""
    values = [(one.ref, one.checkpoint) for one in records if is_short(store, one.ttl)]
    yield from find_bases(store, values)
    bases = [base for value in values if (base := base_of_value(store, *value)) is not None]
    distinct = {base.ref: base for base in bases}.values()
    yield from together([_prolong_base(store, base, longer) for base in distinct])


def _prolong_base(store: Store, base: Base, longer: int) -> Operation[None]:
    if base.ttl is None or base.ttl >= longer:
        return
    yield from _prolong_each(part_keys(base.ref, base.payload), longer)
    if isinstance(base.payload, S3Object):
        yield from _touch(store, base.ref, [base.payload])
    yield from send(Prolong(Table.CHECKPOINTS, base.ref.key, longer))


def _touch(store: Store, ref: CheckpointRef, objects: Sequence[S3Object]) -> Operation[None]:
    """Make S3 objects young for the bucket's lifecycle rules, which count from their storing."""
    yield from together(
        [
            send(CopyObject(payload.bucket, payload.key, payload.key))
            for payload in objects
            if store.payloads.owns(ref, payload.address, payload.bucket, payload.key)
        ]
    )


def _prolong_each(keys: Sequence[Key], ttl: int) -> Operation[None]:
    yield from together([send(Prolong(Table.WRITES, key, ttl)) for key in keys])

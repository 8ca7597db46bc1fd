"""Reading items by their keys, and refreshing their TTLs."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from langgraph.store.base import Item

from langgraph_checkpoint_dynamodb.errors import (
    ConditionFailedError,
    DynamoDBSaverError,
    UnprocessedItemsError,
)
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.requests.calls import ATTEMPTS, backoff, batched
from langgraph_checkpoint_dynamodb.requests.items import BatchGet, ExtendTtl, GetItem, UpdateItem
from langgraph_checkpoint_dynamodb.requests.operations import compute, send, together
from langgraph_checkpoint_dynamodb.store.items import keys_beside, parts_ttl, read_item
from langgraph_checkpoint_dynamodb.store.ops.parts import load_all

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from langgraph_checkpoint_dynamodb.format.tables import Key
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.store.context import Context
    from langgraph_checkpoint_dynamodb.store.items import ItemRecord
    from langgraph_checkpoint_dynamodb.store.keys import ItemRef
    from langgraph_checkpoint_dynamodb.store.ops.parts import Loaded

_log = logging.getLogger("langgraph_checkpoint_dynamodb")

BATCH_KEYS = 100
"""Maximum number of keys in a BatchGetItem."""


class Decoded(NamedTuple):
    """An item and its value."""

    record: ItemRecord
    value: dict[str, Any]


def get_all(
    context: Context, refs: Sequence[ItemRef], refreshed: Sequence[ItemRef]
) -> Operation[dict[ItemRef, Item]]:
    """The items that exist, by reference.

    Args:
        context: Settings and time of the call.
        refs: The items; each is read once.
        refreshed: The items among them whose TTL is refreshed.
    """
    found = yield from read_records(context, list(dict.fromkeys(refs)))
    records = [one for one in found if is_visible(context, one)]
    decoded = yield from decode_all(context, records)
    wanted = set(refreshed)
    yield from refresh_ttls(context, [one.record for one in decoded if one.record.ref in wanted])
    return {
        record.ref: Item(
            value=value,
            key=record.ref.key,
            namespace=record.ref.namespace,
            created_at=record.moment,
            updated_at=record.moment,
        )
        for record, value in decoded
    }


def is_visible(context: Context, record: ItemRecord) -> bool:
    """Whether reads return an item: it has not expired, or expired items are not omitted."""
    return not (context.omits_expired and record.expired(context.moment))


def decode_all(context: Context, records: Sequence[ItemRecord]) -> Operation[list[Decoded]]:
    """Items with their values, without those that were deleted meanwhile."""
    loaded = yield from load_all(context, records)
    # An item may have been replaced meanwhile, and the new one has expired already.
    there = [one for one in loaded if is_visible(context, one.record)]
    return (yield from compute(partial(_decoded, context, there), sum(len(d) for _, d in there)))


def refresh_ttls(context: Context, records: Sequence[ItemRecord]) -> Operation[None]:
    """Refresh the TTLs of items that were read."""
    yield from together([_refresh_ttl(context, record) for record in records])


def _refresh_ttl(context: Context, record: ItemRecord) -> Operation[None]:
    ttl = record.refreshed_ttl(context.moment)
    if ttl is None:
        return
    try:
        yield from _extend_attachments(record, ttl)
        yield from send(UpdateItem(record.ttl_update(ttl)))
    except ConditionFailedError:
        return  # It was replaced or deleted meanwhile: this TTL is not the new item's.
    except DynamoDBSaverError as error:
        _log.warning("the TTL of %s was not refreshed by a read: %s", record.ref, error)


def read_all(context: Context, keys: Sequence[Key]) -> Operation[list[StoredItem]]:
    """The items of these keys that exist, in no order. Keys must be unique."""
    if len(keys) == 1:
        item = yield from send(GetItem(Table.STORE, keys[0], context.consistent))
        return [] if item is None else [item]
    batches = [_get_batch(context, batch) for batch in batched(keys, BATCH_KEYS)]
    return [item for batch in (yield from together(batches)) for item in batch]


def read_records(context: Context, refs: Sequence[ItemRef]) -> Operation[list[ItemRecord]]:
    """The items that exist, expired or not, in no order. References must be unique."""
    items = yield from read_all(context, [ref.primary for ref in refs])
    records = [read_item(item, context.spread) for item in items]
    return [record for record in records if record is not None]


def _get_batch(context: Context, keys: tuple[Key, ...]) -> Operation[list[StoredItem]]:
    items: list[StoredItem] = []
    attempt = 0
    while True:
        found = yield from send(BatchGet(Table.STORE, keys, context.consistent))
        items += found.items
        if not found.left:
            return items
        attempt = attempt + 1 if len(found.left) == len(keys) else 1
        if attempt >= ATTEMPTS:
            left = [(Table.STORE.value, key.partition, key.sort) for key in found.left]
            raise UnprocessedItemsError(left, attempt)
        keys = found.left
        yield from send(backoff(attempt))


def _decoded(context: Context, loaded: Sequence[Loaded]) -> list[Decoded]:
    return [Decoded(record, record.decoded(context.serde, data)) for record, data in loaded]


def _extend_attachments(record: ItemRecord, ttl: int) -> Operation[None]:
    """Extend the TTL of chunks and vectors before their item's, as they must outlive it."""
    later = parts_ttl(ttl)
    keys = keys_beside(record)
    yield from together([send(ExtendTtl(Table.STORE, key, later)) for key in keys])

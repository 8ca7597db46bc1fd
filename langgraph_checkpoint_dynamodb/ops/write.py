"""Storing checkpoints and pending writes. Everything is serialized before an operation begins.

What does not fit into an item is stored first, then the item that refers to it: the one request
that makes the checkpoint or the writes exist.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.calls import (
    TRANSACTION_BYTES,
    TRANSACTION_ITEMS,
    put_atomically,
    put_one,
)
from langgraph_checkpoint_dynamodb.effects import GetItem, compute, send, together
from langgraph_checkpoint_dynamodb.items.attributes import outside_if_readable
from langgraph_checkpoint_dynamodb.items.beside import data_size
from langgraph_checkpoint_dynamodb.ops.parts import discard, if_possible, store_parts
from langgraph_checkpoint_dynamodb.sizes import item_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from langgraph_checkpoint_dynamodb.effects import Operation, StoredItem
    from langgraph_checkpoint_dynamodb.items.beside import WriteRecord
    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord
    from langgraph_checkpoint_dynamodb.items.values import Planned
    from langgraph_checkpoint_dynamodb.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.ops.store import Store


def put_checkpoint(store: Store, record: CheckpointRecord) -> Operation[None]:
    """Store a checkpoint, replacing one of the same id."""
    effort = store.payloads.effort(record.size)
    planned = yield from compute(lambda: record.plan(store.payloads, store.stamp), effort)
    yield from store_parts(record.ref, planned.parts, store.stamp)
    if planned.parts:
        yield from put_atomically([planned.put], once=True)
        return
    outcome = yield from put_one(planned.put)
    yield from _discard_replaced(store, record.ref, outcome.replaced)


def put_writes(store: Store, ref: CheckpointRef, writes: Sequence[WriteRecord]) -> Operation[None]:
    """Store a task's writes, all or none.

    LangGraph takes a task for finished as soon as one of its outputs is stored. Were the writes of
    a task stored one by one, a process that dies between them would leave a task that counts as
    finished and has lost the rest of its output.
    """
    effort = store.payloads.effort(data_size(writes))
    planned = yield from compute(lambda: _plan(store, ref, writes), effort)
    parts = [part for of_write in planned for part in of_write.parts]
    yield from store_parts(ref, parts, store.stamp)
    puts = [of_write.put for of_write in planned]
    outcome = yield from put_atomically(puts, once=bool(parts))
    yield from _discard_replaced(store, ref, outcome.replaced)
    lost = {put.key for put in outcome.lost}
    needless = [of_write for of_write in planned if of_write.parts and of_write.put.key in lost]
    yield from together([if_possible(ref, _discard_lost(store, ref, write)) for write in needless])


def _plan(store: Store, ref: CheckpointRef, writes: Sequence[WriteRecord]) -> list[Planned]:
    """What to store, with so little left in the items that one transaction holds them."""
    policy = store.payloads
    planned = [
        write.plan(ref, policy, store.stamp, position) for position, write in enumerate(writes)
    ]
    size = sum(item_size(of_write.put.item) for of_write in planned)
    if size <= TRANSACTION_BYTES or len(writes) > TRANSACTION_ITEMS:
        return planned
    smaller = replace(policy, inline_limit=TRANSACTION_BYTES // len(writes))
    return [
        write.plan(ref, smaller, store.stamp, position) for position, write in enumerate(writes)
    ]


def _discard_replaced(
    store: Store, ref: CheckpointRef, replaced: Iterable[StoredItem]
) -> Operation[None]:
    """Delete the parts of replaced items.

    An item that refers to parts is stored at most once, so one that was replaced never comes back.
    What such an item has replaced the service does not tell: those parts are left to the sweep.
    """
    old = [payload for item in replaced for payload in outside_if_readable(item, str(ref))]
    if old:
        yield from if_possible(ref, discard(store, ref, old))


def _discard_lost(store: Store, ref: CheckpointRef, planned: Planned) -> Operation[None]:
    """Delete the parts of a write that was not stored, unless it is the one that is there."""
    there = yield from send(GetItem(planned.put.table, planned.put.key, consistent=True))
    kept = () if there is None else outside_if_readable(there, str(ref))
    yield from discard(store, ref, [value for value in planned.payloads if value not in kept])

"""Storing and deleting items.

A namespace is entered in the registry before anything is stored in it: an item that a reader finds
by its namespace is also found by listing namespaces, wherever a process stops. An empty namespace
in the registry is seen by nobody: whoever lists looks whether it has items.

What lies outside an item is stored before the item that refers to it, and deleted after it. So are
its vectors, which are of one version of it: they count from the moment that the item is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import ConditionFailedError, TableMismatchError
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.requests.calls import put_atomically, put_one, write_all
from langgraph_checkpoint_dynamodb.requests.items import DeleteItem, GetItem, UpdateItem
from langgraph_checkpoint_dynamodb.requests.operations import both, send, together
from langgraph_checkpoint_dynamodb.store.items import parts_ttl
from langgraph_checkpoint_dynamodb.store.ops.agreeing import agree
from langgraph_checkpoint_dynamodb.store.ops.parts import discard_of, store_parts
from langgraph_checkpoint_dynamodb.store.registry import registration
from langgraph_checkpoint_dynamodb.store.vectors import vector_puts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langgraph_checkpoint_dynamodb.items.values import ItemPlan
    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.store.context import Context
    from langgraph_checkpoint_dynamodb.store.keys import ItemRef, Namespace
    from langgraph_checkpoint_dynamodb.store.vectors import Form


@dataclass(frozen=True, slots=True)
class ItemPut:
    """An item to be stored.

    Attributes:
        ref: Which item.
        planned: What stores it.
        ttl: When it expires, in seconds since the epoch; `None` for never.
        texts: What of it is embedded, a text for each of its vectors.
    """

    ref: ItemRef
    planned: ItemPlan
    ttl: int | None = None
    texts: tuple[str, ...] = ()

    @property
    def is_alone(self) -> bool:
        """Whether it is nothing but an item."""
        return not (self.planned.parts or self.texts)


def change_all(
    context: Context,
    puts: Sequence[ItemPut],
    deletes: Sequence[ItemRef],
    vectors: Mapping[str, bytes],
) -> Operation[None]:
    """Store and delete items, side by side. No two may be the same item.

    What is small is stored in batches. A batch does not tell what it has replaced: where that had
    parts or vectors, they are left to the sweep.

    Args:
        context: How to store them.
        puts: What is stored.
        deletes: What is deleted.
        vectors: The vector of each text that is embedded.

    Raises:
        TableMismatchError: The table is of a store with another spread, or has other vectors.
    """
    form: Form = "packed"
    if context.indexing is not None and any(put.texts for put in puts):
        form = yield from agree(context, context.indexing)
    yield from enter(context, [put.ref.namespace for put in puts])
    small = [put for put in puts if put.is_alone]
    large = [put for put in puts if not put.is_alone]
    changes = [
        _put_large(context, put, [vectors[text] for text in put.texts], form) for put in large
    ]
    changes += [_delete(context, ref) for ref in deletes]
    if len(small) == 1:
        changes.append(_put_small(context, small[0]))
    elif small:
        changes.append(write_all([put.planned.put for put in small]))
    yield from together(changes)


def enter(context: Context, namespaces: Sequence[Namespace]) -> Operation[None]:
    """Enter namespaces in the registry, those that this process has not entered lately."""
    unknown = context.registered.unknown(namespaces, context.now)
    yield from together([_enter(context, namespace) for namespace in unknown])


def _enter(context: Context, namespace: Namespace) -> Operation[None]:
    try:
        yield from send(UpdateItem(registration(namespace, context.now, context.spread)))
    except ConditionFailedError as error:
        raise other_spread(context, namespace) from error
    context.registered.entered(namespace, context.now)


def other_spread(context: Context, namespace: Namespace) -> TableMismatchError:
    """The error that says that a table is of a store with another spread."""
    return TableMismatchError(
        context.table_name,
        f"namespace {namespace!r} was stored with another spread than {context.spread}; the spread "
        "of a table never changes: pass the one it was first used with, or use another table",
    )


def _put_small(context: Context, put: ItemPut) -> Operation[None]:
    outcome = yield from put_one(put.planned.put)
    for replaced in outcome.replaced:
        yield from discard_of(context, put.ref, replaced)


def _put_large(
    context: Context, put: ItemPut, vectors: Sequence[bytes], form: Form
) -> Operation[None]:
    """Store an item with parts or vectors, at most once: a repeat by the SDK never brings it back.

    Somebody might have replaced it meanwhile, and have deleted them. Such a request does not tell
    what it has replaced, so that is read before, side by side with them.
    """
    ttl = None if put.ttl is None else parts_ttl(put.ttl)
    version = context.stamp.token
    beside = vector_puts(put.ref, version, vectors, context.now, ttl, form)
    storing = both(store_parts(put.ref, put.planned.parts, context.now, ttl), write_all(beside))
    reading = send(GetItem(Table.STORE, put.ref.primary, consistent=True))
    _, before = yield from both(storing, reading)
    yield from put_atomically([put.planned.put], once=True)
    yield from discard_of(context, put.ref, before)


def _delete(context: Context, ref: ItemRef) -> Operation[None]:
    gone = yield from send(DeleteItem(Table.STORE, ref.primary))
    yield from discard_of(context, ref, gone)

"""Storing and deleting items.

A namespace is registered before an item is stored in it: if the process stops at any point, the
namespaces of all items can be listed. No reader sees an empty namespace of the registry, because
listings check whether namespaces have items.

Parts and vectors are stored before the item that refers to them, and deleted after it. Vectors
belong to one version of an item: they become valid when the item is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import ConditionFailedError, TableMismatchError
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.requests.calls import put_one, put_skipping_existing, write_all
from langgraph_checkpoint_dynamodb.requests.items import DeleteItem, GetItem, UpdateItem
from langgraph_checkpoint_dynamodb.requests.operations import both, send, together
from langgraph_checkpoint_dynamodb.store.items import parts_ttl
from langgraph_checkpoint_dynamodb.store.ops.parts import delete_parts_of, store_parts
from langgraph_checkpoint_dynamodb.store.ops.vector_format import agree_on_form
from langgraph_checkpoint_dynamodb.store.registry import registration_update
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
        ref: Its namespace and key.
        planned: Its item and the parts of its value.
        ttl: When it expires, in seconds since the epoch; `None` for never.
        texts: The texts to embed, one for each of its vectors.
    """

    ref: ItemRef
    planned: ItemPlan
    ttl: int | None = None
    texts: tuple[str, ...] = ()

    @property
    def is_small(self) -> bool:
        """Whether it has neither parts nor vectors."""
        return not (self.planned.parts or self.texts)


def change_all(
    context: Context,
    puts: Sequence[ItemPut],
    deletes: Sequence[ItemRef],
    vectors: Mapping[str, bytes],
) -> Operation[None]:
    """Store and delete items concurrently. Every item must occur once.

    Small items are stored in batches. A batch does not return the items it replaces, so their parts
    and vectors are left to the sweep.

    Args:
        context: Settings, time and memory of the call.
        puts: Items to store.
        deletes: Items to delete.
        vectors: By text, its vector, packed.

    Raises:
        TableMismatchError: A store with another spread uses the table, or it has other vectors.
    """
    form: Form = "packed"
    if context.indexing is not None and any(put.texts for put in puts):
        form = yield from agree_on_form(context, context.indexing)
    yield from register(context, [put.ref.namespace for put in puts])
    small = [put for put in puts if put.is_small]
    large = [put for put in puts if not put.is_small]
    changes = [
        _put_large(context, put, [vectors[text] for text in put.texts], form) for put in large
    ]
    changes += [_delete(context, ref) for ref in deletes]
    if len(small) == 1:
        changes.append(_put_small(context, small[0]))
    elif small:
        changes.append(write_all([put.planned.put for put in small]))
    yield from together(changes)


def register(context: Context, namespaces: Sequence[Namespace]) -> Operation[None]:
    """Add namespaces to the registry, unless this process has done so recently."""
    unknown = context.memory.unregistered(namespaces, context.now)
    yield from together([_register(context, namespace) for namespace in unknown])


def _register(context: Context, namespace: Namespace) -> Operation[None]:
    try:
        yield from send(UpdateItem(registration_update(namespace, context.now, context.spread)))
    except ConditionFailedError as error:
        raise other_spread(context, namespace) from error
    context.memory.remember_namespace(namespace, context.now)


def other_spread(context: Context, namespace: Namespace) -> TableMismatchError:
    """The error for a table that a store with another spread uses."""
    return TableMismatchError(
        context.table_name,
        f"namespace {namespace!r} was stored with another spread than {context.spread}; the spread "
        "of a table never changes: pass the one it was first used with, or use another table",
    )


def _put_small(context: Context, put: ItemPut) -> Operation[None]:
    outcome = yield from put_one(put.planned.put)
    for replaced in outcome.replaced:
        yield from delete_parts_of(context, put.ref, replaced)


def _put_large(
    context: Context, put: ItemPut, vectors: Sequence[bytes], form: Form
) -> Operation[None]:
    """Store an item with parts or vectors, at most once even if the SDK retries the request.

    A retry could bring the item back after another process has replaced it and deleted its parts.
    Such a request does not return the item it replaces, so that is read before, while the parts and
    vectors are stored.
    """
    ttl = None if put.ttl is None else parts_ttl(put.ttl)
    version = context.stamp.token
    beside = vector_puts(put.ref, version, vectors, context.now, ttl, form)
    storing = both(store_parts(put.ref, put.planned.parts, context.now, ttl), write_all(beside))
    reading = send(GetItem(Table.STORE, put.ref.primary, consistent=True))
    _, before = yield from both(storing, reading)
    yield from put_skipping_existing([put.planned.put], once=True)
    yield from delete_parts_of(context, put.ref, before)


def _delete(context: Context, ref: ItemRef) -> Operation[None]:
    deleted = yield from send(DeleteItem(Table.STORE, ref.primary))
    yield from delete_parts_of(context, ref, deleted)

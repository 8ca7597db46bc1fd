"""How the vectors of a table are stored: agreed on once, by all who store any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import ConditionFailedError, TableMismatchError
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.requests.items import GetItem, UpdateItem
from langgraph_checkpoint_dynamodb.requests.operations import send
from langgraph_checkpoint_dynamodb.store.keys import VECTORS_RECORD
from langgraph_checkpoint_dynamodb.store.vectors import (
    Form,
    StoredVectors,
    read_record,
    record_of_vectors,
)

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.store.context import Context
    from langgraph_checkpoint_dynamodb.store.embedding import Indexing


def agree(context: Context, indexing: Indexing) -> Operation[Form]:
    """In which form to store vectors. The first one that stores any decides.

    Raises:
        TableMismatchError: Those of the table have other dimensions, or are not in the form that
            the vector index needs.
    """
    wanted = StoredVectors(indexing.dims, "packed" if context.vector_index is None else "list")
    stored = yield from stored_vectors(context)
    if stored is None:
        stored = yield from _record(context, wanted)
    if stored.dims != wanted.dims:
        raise TableMismatchError(
            context.table_name,
            f"has vectors of {stored.dims} numbers, and index.dims is {wanted.dims}; embed with "
            "the model that they were made by, or use another table",
        )
    if stored.form == "packed" and wanted.form == "list":
        raise TableMismatchError(
            context.table_name,
            "has vectors that were stored without vector_index, which the index does not hold; "
            "leave vector_index out, or store them anew in another table",
        )
    return stored.form


def stored_vectors(context: Context) -> Operation[StoredVectors | None]:
    """How vectors are stored, as this process knows or reads; `None` where there are none yet."""
    known = context.registered.vectors(context.now)
    if known is not None:
        return known
    item = yield from send(GetItem(Table.STORE, VECTORS_RECORD, consistent=True))
    if item is None:
        return None
    stored = read_record(item)
    context.registered.vectors_are(stored, context.now)
    return stored


def _record(context: Context, wanted: StoredVectors) -> Operation[StoredVectors]:
    try:
        yield from send(UpdateItem(record_of_vectors(wanted)))
    except ConditionFailedError:
        # Somebody else was first.
        stored = yield from stored_vectors(context)
        if stored is not None:
            return stored
        raise
    context.registered.vectors_are(wanted, context.now)
    return wanted

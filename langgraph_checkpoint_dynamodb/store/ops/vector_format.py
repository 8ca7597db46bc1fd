"""The format of a table's vectors: the first put with vectors sets it, all later ones keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import ConditionFailedError, TableMismatchError
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.requests.items import GetItem, UpdateItem
from langgraph_checkpoint_dynamodb.requests.operations import send
from langgraph_checkpoint_dynamodb.store.keys import VECTOR_FORMAT_KEY
from langgraph_checkpoint_dynamodb.store.vectors import (
    Form,
    VectorFormat,
    parse_vector_format,
    vector_format_update,
)

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.store.context import Context
    from langgraph_checkpoint_dynamodb.store.embedding import Indexing


def agree_on_form(context: Context, indexing: Indexing) -> Operation[Form]:
    """The form in which to store vectors. The first put with vectors decides it for the table.

    Raises:
        TableMismatchError: The table's vectors have other dimensions, or are not in the form that
            the vector index needs.
    """
    wanted = VectorFormat(indexing.dims, "packed" if context.vector_index is None else "list")
    stored = yield from read_vector_format(context)
    if stored is None:
        stored = yield from _store_format(context, wanted)
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


def read_vector_format(context: Context) -> Operation[VectorFormat | None]:
    """The vector format, remembered or read; `None` if the table has no vectors yet."""
    known = context.memory.vector_format(context.now)
    if known is not None:
        return known
    item = yield from send(GetItem(Table.STORE, VECTOR_FORMAT_KEY, consistent=True))
    if item is None:
        return None
    stored = parse_vector_format(item)
    context.memory.remember_vector_format(stored, context.now)
    return stored


def _store_format(context: Context, wanted: VectorFormat) -> Operation[VectorFormat]:
    try:
        yield from send(UpdateItem(vector_format_update(wanted)))
    except ConditionFailedError:
        # Another process has stored a format first.
        stored = yield from read_vector_format(context)
        if stored is not None:
            return stored
        raise
    context.memory.remember_vector_format(wanted, context.now)
    return wanted

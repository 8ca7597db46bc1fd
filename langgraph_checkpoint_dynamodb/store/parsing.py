"""Validates LangGraph's calls, and turns them into the arguments of operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from langgraph.store.base import GetOp, ListNamespacesOp, MatchCondition, PutOp, SearchOp

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, InvalidInputTypeError
from langgraph_checkpoint_dynamodb.settings.checks import require_number
from langgraph_checkpoint_dynamodb.store.embedding import texts_of
from langgraph_checkpoint_dynamodb.store.filters import require_filter
from langgraph_checkpoint_dynamodb.store.items import expiry, plan_item
from langgraph_checkpoint_dynamodb.store.keys import (
    ItemRef,
    require_namespace,
    require_room_for_vectors,
)
from langgraph_checkpoint_dynamodb.store.ops.batch import Calls
from langgraph_checkpoint_dynamodb.store.ops.namespaces import Listing
from langgraph_checkpoint_dynamodb.store.ops.put import ItemPut
from langgraph_checkpoint_dynamodb.store.ops.search import Criteria
from langgraph_checkpoint_dynamodb.store.settings import require_minutes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langgraph.store.base import Op

    from langgraph_checkpoint_dynamodb.store.context import Context


def parse_calls(context: Context, ops: Sequence[Op]) -> Calls:
    """Validate calls, and serialize the values to store.

    Raises:
        InvalidInputError: One of the calls is invalid.
    """
    calls = Calls(len(ops))
    puts: dict[ItemRef, PutOp] = {}
    for position, op in enumerate(ops):
        match op:
            case GetOp():
                ref = calls.gets[position] = _ref(context, op)
                if ref is not None and op.refresh_ttl:
                    calls.refreshed.append(ref)
            case SearchOp():
                calls.searches[position] = _criteria(context, op)
            case ListNamespacesOp():
                calls.listings[position] = _listing(op)
            case PutOp():
                ref = _ref(context, op)
                if ref is not None:
                    puts[ref] = op
            case _:
                raise InvalidInputTypeError("ops", f"unknown operation {type(op).__name__}")
    for ref, op in puts.items():
        if op.value is None:
            calls.deletes.append(ref)
        else:
            calls.puts.append(_put(context, ref, op, op.value))
    return calls


def _ref(context: Context, op: GetOp | PutOp) -> ItemRef | None:
    """The item of a call; `None` for a read or delete in the empty namespace: it has no items."""
    namespace = require_namespace("namespace", op.namespace)
    key: object = op.key
    if not isinstance(key, str):
        raise InvalidInputTypeError("key", f"must be a string, got {type(key).__name__}")
    if not namespace and not (isinstance(op, PutOp) and op.value is not None):
        return None
    return ItemRef(namespace, key, context.spread)


def _put(context: Context, ref: ItemRef, op: PutOp, value: object) -> ItemPut:
    if not isinstance(value, Mapping):
        raise InvalidInputTypeError("value", f"must be a mapping, got {type(value).__name__}")
    minutes = None if op.ttl is None else require_minutes("ttl", op.ttl)
    texts = texts_of(context.indexing, op)
    if texts:
        require_room_for_vectors(ref)
    planned = plan_item(context, ref, value, minutes, len(texts))
    ttl = None if minutes is None else expiry(context.moment, minutes)
    return ItemPut(ref, planned, ttl, texts)


def _criteria(context: Context, op: SearchOp) -> Criteria:
    require_number("limit", op.limit, at_least=0)
    require_number("offset", op.offset, at_least=0)
    prefix = require_namespace("namespace_prefix", op.namespace_prefix)
    query = op.query or None if context.indexing is not None else None
    if query is not None and not isinstance(query, str):
        raise InvalidInputTypeError("query", f"must be a string, got {type(query).__name__}")
    return Criteria(prefix, require_filter(op.filter), op.limit, op.offset, op.refresh_ttl, query)


def _listing(op: ListNamespacesOp) -> Listing:
    require_number("limit", op.limit, at_least=0)
    require_number("offset", op.offset, at_least=0)
    if op.max_depth is not None:
        require_number("max_depth", op.max_depth, at_least=0)
    return Listing(
        tuple(map(_condition, op.match_conditions or ())), op.max_depth, op.limit, op.offset
    )


def _condition(condition: MatchCondition) -> MatchCondition:
    if condition.match_type not in ("prefix", "suffix"):
        raise InvalidInputError(
            "match_conditions", f'must be "prefix" or "suffix", got {condition.match_type!r}'
        )
    path = require_namespace("match_conditions", condition.path)
    return MatchCondition(condition.match_type, path)

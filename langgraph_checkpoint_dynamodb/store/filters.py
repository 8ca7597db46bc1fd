"""Filters of a search, with the semantics of LangGraph's InMemoryStore.

One difference: if the field of an item is missing or not a number, `$gt`, `$gte`, `$lt` and `$lte`
do not match. InMemoryStore raises in that case, and the whole search fails.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, InvalidInputTypeError

_ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}
_OPERATORS = ("$eq", "$ne", *_ORDERS)


def require_filter(found: object) -> Mapping[str, Any]:
    """Check the filter of a search; empty if there is none.

    Raises:
        InvalidInputError: It has an unknown operator, or an operand that is not a number.
    """
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise InvalidInputTypeError("filter", f"must be a mapping, got {type(found).__name__}")
    for wanted in found.values():
        _require_known(wanted)
    return found


def matches(value: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a value matches a filter."""
    return all(_holds(value.get(name), condition) for name, condition in wanted.items())


def _holds(found: Any, condition: Any) -> bool:
    if isinstance(condition, dict):
        if _has_operators(condition):
            return all(_applies(found, name, operand) for name, operand in condition.items())
        return isinstance(found, dict) and all(
            _holds(found.get(name), inner) for name, inner in condition.items()
        )
    if isinstance(condition, (list, tuple)):
        return (
            isinstance(found, (list, tuple))
            and len(found) == len(condition)
            and all(map(_holds, found, condition))
        )
    return bool(found == condition)


def _applies(found: Any, name: str, operand: Any) -> bool:
    if name == "$eq":
        return bool(found == operand)
    if name == "$ne":
        return bool(found != operand)
    number = _number(found)
    return number is not None and _ORDERS[name](number, float(operand))


def _number(found: Any) -> float | None:
    try:
        return float(found)
    except (TypeError, ValueError, OverflowError):
        return None


def _has_operators(condition: dict[Any, Any]) -> bool:
    return any(isinstance(name, str) and name.startswith("$") for name in condition)


def _require_known(condition: Any) -> None:
    if isinstance(condition, (list, tuple)):
        for inner in condition:
            _require_known(inner)
    if not isinstance(condition, dict):
        return
    if not _has_operators(condition):
        for inner in condition.values():
            _require_known(inner)
        return
    for name, operand in condition.items():
        if name not in _OPERATORS:
            raise InvalidInputError(
                "filter", f"unknown operator {name!r}; known are {', '.join(_OPERATORS)}"
            )
        if name in _ORDERS and _number(operand) is None:
            raise InvalidInputError(
                "filter", f"{name} compares numbers, got {type(operand).__name__} to compare with"
            )

"""Checks of arguments that several methods share."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, InvalidInputTypeError
from langgraph_checkpoint_dynamodb.format.addressing import read_before
from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.format.key_text import require_text, require_thread_id
from langgraph_checkpoint_dynamodb.ops.listing import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_core.runnables import RunnableConfig

T = TypeVar("T")

SWEEP_AGE_SECONDS = 24 * 60 * 60
"""Default age from which `sweep_orphans` removes items: one day."""


def require_strings(field: str, values: object) -> tuple[str, ...]:
    """The values of a sequence of strings, in order and without duplicates.

    Raises:
        InvalidInputTypeError: It is a single string, or holds something other than strings.
    """
    return _require_each(field, values, require_text)


def require_thread_ids(field: str, values: object) -> tuple[str, ...]:
    """The thread ids of a sequence, in order and without duplicates.

    Raises:
        InvalidInputError: A value cannot be a thread id.
        InvalidInputTypeError: It is a single string, or a value has another type.
    """

    def require(field: str, value: object) -> str:
        # For `None`, the message of `require_thread_id` asks for a config, not for a string.
        return require_thread_id(require_text(field, value) if value is None else value, field)

    return _require_each(field, values, require)


def _require_each(
    field: str, values: object, require: Callable[[str, object], str]
) -> tuple[str, ...]:
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise InvalidInputTypeError(
            field, f"must be a sequence of strings, got {type(values).__name__}; wrap it in a list"
        )
    return tuple(dict.fromkeys(require(field, value) for value in values))


def require_optional(field: str, value: T | None, kind: type[T]) -> T | None:
    """Check that a value is `None` or of a type, and return it. A bool is not an int.

    Raises:
        InvalidInputTypeError: It is of another type.
    """
    if value is None or (isinstance(value, kind) and not isinstance(value, bool)):
        return value
    raise InvalidInputTypeError(
        field, f"must be a {kind.__name__} or None, got {type(value).__name__}"
    )


def read_wanted(
    metadata: dict[str, Any] | None, before: RunnableConfig | None, limit: int | None
) -> Wanted:
    """Which checkpoints a listing returns, from its arguments.

    Raises:
        InvalidInputError: An argument is invalid; the message names it.
    """
    return Wanted(
        before=read_before(before),
        metadata=require_optional("filter", metadata, dict),
        limit=require_optional("limit", limit, int),
    )


def require_seconds(field: str, value: object) -> int:
    """A duration in whole seconds, rounded up, from a `timedelta` or a number of seconds.

    Raises:
        InvalidInputTypeError: It is of another type.
        InvalidInputError: It is negative or not finite.
    """
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
        raise InvalidInputTypeError(
            field, f"must be a timedelta or a number of seconds, got {type(value).__name__}"
        )
    if not 0 <= seconds < float("inf"):
        raise InvalidInputError(field, f"must be finite and not negative, got {value!r}")
    return math.ceil(seconds)


def require_sweep(
    older_than: timedelta | float, resume_from: str | None, max_pages: int | None
) -> int:
    """Check the arguments of a sweep.

    Returns:
        The age in seconds from which items are removed.

    Raises:
        InvalidInputError: An argument is invalid; the message names it.
    """
    require_optional("resume_from", resume_from, str)
    require_optional("max_pages", max_pages, int)
    if max_pages is not None and max_pages < 1:
        raise InvalidInputError("max_pages", f"must be at least 1, got {max_pages}")
    seconds = require_seconds("older_than", older_than)
    if seconds < GRACE_SECONDS:
        raise InvalidInputError(
            "older_than",
            f"must be at least {GRACE_SECONDS} seconds, got {seconds}: a call that is under way "
            "has stored things that look left over, and clocks of writers may differ",
        )
    return seconds

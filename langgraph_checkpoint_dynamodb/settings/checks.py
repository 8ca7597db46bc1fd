"""Checks of single settings, and the patterns of names."""

from __future__ import annotations

import re
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, InvalidInputTypeError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html;
# an ARN in place of a name reaches a table of another account.
TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}|arn:[^\s]{1,1019}")

INDEX_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")

LONGEST_LIFE = 1000 * 366 * 24 * 60 * 60
"""Longest time to live, in seconds: a thousand years."""


def require_observer(on_request: object) -> None:
    """Check that `on_request` is a synchronous function or `None`.

    Raises:
        InvalidInputTypeError: It is neither.
    """
    if on_request is None:
        return
    if not callable(on_request):
        raise InvalidInputTypeError(
            "on_request", f"must be a function of one argument, got {type(on_request).__name__}"
        )
    if iscoroutinefunction(on_request):
        raise InvalidInputTypeError(
            "on_request", "must be a plain function: nobody awaits what it returns"
        )


def require_name(field: str, value: object, pattern: re.Pattern[str]) -> None:
    """Check that a value is a name that matches a pattern.

    Raises:
        InvalidInputError: It is not.
    """
    if not pattern.fullmatch(require_string(field, value)):
        raise InvalidInputError(
            field,
            f"{value!r} is no valid name: 3 to 255 characters of a-z, A-Z, 0-9, '_', '-' and '.'",
        )


def require_known_names(field: str, given: Mapping[str, object], known: Collection[str]) -> None:
    """Check that a mapping has no other names than the known ones."""
    unknown = sorted(map(repr, given.keys() - set(known)))
    if unknown:
        raise InvalidInputError(
            field, f"unknown names {', '.join(unknown)}; known are: {', '.join(known)}"
        )


def require_string(field: str, value: object) -> str:
    """Check that a value is a string, and return it."""
    if not isinstance(value, str):
        raise InvalidInputTypeError(field, f"must be a string, got {type(value).__name__}")
    return value


def require_bool(field: str, value: object) -> None:
    """Check that a value is a bool."""
    if not isinstance(value, bool):
        raise InvalidInputTypeError(field, f"must be a bool, got {type(value).__name__}")


def require_positive(field: str, value: object) -> None:
    """Check that a value is a whole number from 1 on."""
    require_number(field, value, at_least=1)


def require_number(field: str, value: object, *, at_least: int) -> None:
    """Check that a value is a whole number from `at_least` on."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidInputTypeError(field, f"must be an int, got {type(value).__name__}")
    if value < at_least:
        raise InvalidInputError(field, f"must be at least {at_least}, got {value}")

"""A cache's settings: frozen, checked when made."""

from __future__ import annotations

import math
from dataclasses import dataclass

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, InvalidInputTypeError
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.settings.checks import LONGEST_LIFE, TABLE_NAME, require_name
from langgraph_checkpoint_dynamodb.settings.connection import ConnectionSettings

KEY_PREFIX = "langgraph-cache/"
"""Default prefix of the keys of S3 objects."""


@dataclass(frozen=True, kw_only=True)
class CacheSettings(ConnectionSettings):
    """Everything a cache is configured with, beside `ConnectionSettings`.

    Attributes:
        cache_table_name: Name or ARN of the table.

    Raises:
        InvalidInputError: A value is invalid; the message names it.
    """

    cache_table_name: str

    def __post_init__(self) -> None:
        super().__post_init__()
        require_name("cache_table_name", self.cache_table_name, TABLE_NAME)

    @property
    def table_names(self) -> dict[Table, str]:
        """Name of each table."""
        return {Table.STORE: self.cache_table_name}


def require_life(ttl: object) -> float | None:
    """Check a time to live in seconds; `None` if the entry never expires.

    Raises:
        InvalidInputError: It is not a number of seconds, or too large.
    """
    if ttl is None:
        return None
    if isinstance(ttl, bool) or not isinstance(ttl, (int, float)):
        raise InvalidInputTypeError("ttl", f"must be a number of seconds, got {type(ttl).__name__}")
    if math.isnan(ttl) or ttl > LONGEST_LIFE:
        raise InvalidInputError(
            "ttl",
            f"must be at most {LONGEST_LIFE} seconds, got {ttl}; None is for ever",
        )
    return ttl

"""A cache's settings: frozen, checked when made."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, InvalidInputTypeError
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy
from langgraph_checkpoint_dynamodb.settings.checks import (
    LONGEST_LIFE,
    TABLE_NAME,
    require_bool,
    require_name,
    require_observer,
    require_positive,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph_checkpoint_dynamodb.settings.client import ClientSettings
    from langgraph_checkpoint_dynamodb.watching.observing import OnRequest

KEY_PREFIX = "langgraph-cache/"
"""Default prefix of the keys of S3 objects."""


@dataclass(frozen=True, kw_only=True)
class CacheSettings:
    """Everything a cache is configured with.

    Attributes:
        cache_table_name: Name or ARN of the table.
        client: How the clients are created.
        consistent_reads: Whether reads are strongly consistent.
        max_concurrency: Maximum number of requests in flight, at least 1; `None` for the number of
            connections of the client.
        payloads: Where values are stored, and how they are compressed.
        clock: Returns the time in seconds since the epoch.
        on_request: Is called after each request; `None` for no callback.

    Raises:
        InvalidInputError: A value is invalid; the message names it.
    """

    cache_table_name: str
    client: ClientSettings
    consistent_reads: bool = True
    max_concurrency: int | None = None
    payloads: PayloadPolicy = field(default_factory=PayloadPolicy)
    clock: Callable[[], float] = time.time
    on_request: OnRequest | None = None

    def __post_init__(self) -> None:
        require_name("cache_table_name", self.cache_table_name, TABLE_NAME)
        require_bool("consistent_reads", self.consistent_reads)
        require_observer(self.on_request)
        if self.max_concurrency is not None:
            require_positive("max_concurrency", self.max_concurrency)

    @property
    def table_names(self) -> dict[Table, str]:
        """Name of each table."""
        return {Table.STORE: self.cache_table_name}

    @property
    def uses_s3(self) -> bool:
        """Whether values may be in S3."""
        return self.payloads.s3 is not None


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

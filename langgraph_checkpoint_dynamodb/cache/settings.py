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
"""What the keys of S3 objects begin with where nothing else is said."""


@dataclass(frozen=True, kw_only=True)
class CacheSettings:
    """Everything a cache is configured with.

    Attributes:
        cache_table_name: Name or ARN of the table.
        client: Where the client comes from.
        consistent_reads: Whether reads are strongly consistent.
        max_concurrency: Most requests in flight at once, from 1; `None` for as many as the client
            has connections.
        payloads: How values are stored.
        clock: Tells the time, in seconds since the epoch.
        on_request: Is told of each request; `None` for nobody.

    Raises:
        InvalidInputError: A value cannot be used; the message names it.
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
    """How long an entry counts, in seconds; `None` for ever. From 0 down, it never does.

    Raises:
        InvalidInputError: It is no number of seconds.
    """
    if ttl is None:
        return None
    if isinstance(ttl, bool) or not isinstance(ttl, (int, float)):
        raise InvalidInputTypeError("ttl", f"must be a number of seconds, got {type(ttl).__name__}")
    if math.isnan(ttl) or ttl > LONGEST_LIFE:
        raise InvalidInputError(
            "ttl", f"must be at most {LONGEST_LIFE} seconds, got {ttl}; None is for ever"
        )
    return ttl

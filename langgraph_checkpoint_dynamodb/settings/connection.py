"""The settings that savers, stores and caches share."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy
from langgraph_checkpoint_dynamodb.settings.checks import (
    require_bool,
    require_observer,
    require_positive,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph_checkpoint_dynamodb.settings.client import ClientSettings
    from langgraph_checkpoint_dynamodb.watching.observing import OnRequest


@dataclass(frozen=True, kw_only=True)
class ConnectionSettings:
    """How to connect to the tables and how values are stored.

    Attributes:
        client: How the clients are created.
        consistent_reads: Whether reads are strongly consistent.
        max_concurrency: Maximum number of requests in flight, at least 1; `None` for the number of
            connections of the client.
        payloads: Where values are stored, and how they are compressed.
        clock: Returns the time in seconds since the epoch.
        on_request: Called after each request; `None` for no callback.

    Raises:
        InvalidInputError: A value is invalid; the message names it.
    """

    client: ClientSettings
    consistent_reads: bool = True
    max_concurrency: int | None = None
    payloads: PayloadPolicy = field(default_factory=PayloadPolicy)
    clock: Callable[[], float] = time.time
    on_request: OnRequest | None = None

    def __post_init__(self) -> None:
        require_bool("consistent_reads", self.consistent_reads)
        if self.max_concurrency is not None:
            require_positive("max_concurrency", self.max_concurrency)
        require_observer(self.on_request)

    @property
    def uses_s3(self) -> bool:
        """Whether values may be in S3."""
        return self.payloads.s3 is not None

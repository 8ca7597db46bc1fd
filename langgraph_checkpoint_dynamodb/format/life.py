"""How long items count, and what marks the items of one call.

Two times, both in seconds since the epoch. `expires`, of checkpoints alone, is when a checkpoint
stops counting as one. `ttl`, of every item, is when DynamoDB may delete it and nothing may be
rebuilt from it any more. The second is later: a checkpoint that still counts may need writes,
chunks and ancestors that are older than itself.
"""

from __future__ import annotations

from dataclasses import dataclass

MARGIN = 3600
"""Seconds between the two. A run takes no longer, from reading a DeltaChannel's history, which
prolongs it, to storing its last checkpoint; no call takes longer, with all its repeats; and no
clock is further behind another."""


def is_young(created: int | None, now: int) -> bool:
    """Whether the call that has stored an item may still be under way."""
    return created is not None and created > now - MARGIN


def is_live(expires_at: int | None, now: int) -> bool:
    """Whether an item still counts. DynamoDB deletes expired items some time later, within days."""
    return expires_at is None or now < expires_at


@dataclass(frozen=True, slots=True)
class Stamp:
    """When and by which call items are stored.

    Attributes:
        token: Of this call alone.
        created: Seconds since the epoch.
        expires_at: When a checkpoint stored now stops counting; `None` for never.
        fraction: Milliseconds on top of `created`.
    """

    token: str
    created: int
    expires_at: int | None = None
    fraction: int = 0

    @property
    def millis(self) -> int:
        """Milliseconds since the epoch."""
        return self.created * 1000 + self.fraction

    @property
    def ttl(self) -> int | None:
        """When items stored now may be deleted; `None` for never."""
        return None if self.expires_at is None else self.expires_at + MARGIN

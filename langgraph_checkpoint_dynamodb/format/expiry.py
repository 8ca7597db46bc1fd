"""Expiry of items, and the stamp that all items of one call share.

An item has up to two times, both in seconds since the epoch. `expires`, of checkpoints alone, is
when readers stop seeing the checkpoint. `ttl`, of every item, is when DynamoDB may delete it and no
checkpoint may be rebuilt from it. The second is later by `GRACE_SECONDS`, because a visible
checkpoint may need writes, chunks and ancestors that are older than itself.
"""

from __future__ import annotations

from dataclasses import dataclass

GRACE_SECONDS = 3600
"""Seconds between the two. It is assumed that no call takes longer, retries included; that no clock
is further behind another; and that no run takes longer from reading a DeltaChannel's history, which
extends its life, to storing its last checkpoint."""


def is_young(created: int | None, now: int) -> bool:
    """Whether the call that stored an item may still be running."""
    return created is not None and created > now - GRACE_SECONDS


def is_live(expires_at: int | None, now: int) -> bool:
    """Whether an item has not expired. DynamoDB deletes expired items within days."""
    return expires_at is None or now < expires_at


@dataclass(frozen=True, slots=True)
class Stamp:
    """When and by which call items are stored.

    Attributes:
        token: Unique to the call.
        created: Seconds since the epoch.
        expires_at: When readers stop seeing a checkpoint stored now; `None` for never.
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
        return None if self.expires_at is None else self.expires_at + GRACE_SECONDS

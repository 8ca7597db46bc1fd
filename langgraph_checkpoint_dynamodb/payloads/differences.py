"""When a checkpoint is stored as the difference from an earlier state, and from which.

Such a state is a *base*: a record of its own, stored once and never changed. A checkpoint is whole
or one difference away from a base, so reading one takes at most two items. A base refers to
nothing, and knows of no checkpoint.

A base is taken from where its parent was: a checkpoint goes on from the base that its parent is a
difference from, if this process has read or stored that parent. Otherwise, and where the
differences have become as dear as a new base, a new one is made of the state.

Age makes deletes safe. A checkpoint may refer to a base for `BASE_LIFE` after that was stored. One
that nothing refers to is deleted `BASE_REST` after it was stored, and no sooner: no call that is
under way can still come to refer to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.life import MARGIN
from langgraph_checkpoint_dynamodb.payloads.compression import LEAST_BASE
from langgraph_checkpoint_dynamodb.payloads.policy import stored_bytes

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.format.keys import BaseRef
    from langgraph_checkpoint_dynamodb.format.life import Stamp
    from langgraph_checkpoint_dynamodb.payloads.policy import Payload

BASE_LIFE = 6 * 3600
"""Seconds for which new checkpoints may refer to a base. A run in steady use makes a new base far
earlier; a shorter life would have threads in slow use make one for each visit."""
BASE_REST = BASE_LIFE + MARGIN
"""Seconds after which none comes to refer to it any more, whatever clocks and calls are slow."""
MARK_REST = BASE_REST + MARGIN
"""Seconds after which a mark of deleted bases has nothing more to say but of what is there: the
youngest base that it speaks of was stored `MARGIN` after it, by another clock."""
WHOLE_BYTES = 2 * 1024
"""Largest item of a checkpoint that is stored whole, two write units: what a difference could save
of it is one unit, and a cold read would take one request more."""


@dataclass(frozen=True, slots=True)
class Base:
    """A base that has been read or stored.

    Attributes:
        ref: Which one.
        data: Its bytes.
        digest: Their digest.
        created: When it was stored, in seconds since the epoch.
        ttl: When it may be deleted; `None` for never.
        payload: Where its bytes are stored.
    """

    ref: BaseRef
    data: bytes
    digest: str
    created: int
    ttl: int | None
    payload: Payload


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the differences from a base have come at a checkpoint.

    Attributes:
        base: The base.
        spent: Kilobytes that they have taken so far, above the first of each.
    """

    base: Base
    spent: int


def may_refer(base: Base, stamp: Stamp) -> bool:
    """Whether a checkpoint stored now may be a difference from a base.

    The base is not past its age, and is there as long as the checkpoint.
    """
    if stamp.created - base.created > BASE_LIFE:
        return False
    return base.ttl is None or (stamp.ttl is not None and stamp.ttl <= base.ttl)


def can_be_base(data: bytes) -> bool:
    """Whether a difference can be made from these bytes."""
    return len(data) >= LEAST_BASE


def is_dear(progress: Progress, size: int) -> bool:
    """Whether a new base is due: the differences have taken as much as it would.

    Args:
        progress: How far they have come, with that which is to be stored.
        size: How many bytes the state has now. A new base is packed as well as the old one.
    """
    base = progress.base
    return progress.spent * 1024 >= stored_bytes(base.payload) * size // len(base.data)


def base_stamp(stamp: Stamp) -> Stamp:
    """What stamps a base and its parts: they outlive the last checkpoint that may refer to it."""
    if stamp.expires_at is None:
        return stamp
    return replace(stamp, expires_at=stamp.expires_at + BASE_REST)


def is_settled(created: int | None, now: int) -> bool:
    """Whether nothing that is under way can come to refer to a base that was stored then."""
    return created is not None and created <= now - BASE_REST

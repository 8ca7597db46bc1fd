"""When a checkpoint is stored as the difference from an earlier state, and from which.

That earlier state is a *base*: an item of its own, stored once and never changed. A checkpoint is
either whole or one difference away from a base, so reading one takes at most two items. A base
refers to nothing.

A checkpoint uses the base of its parent, if this process has read or stored that parent. Otherwise,
and once the differences have cost as much as a new base, the state is stored as a new base.

Age makes deletes safe. New checkpoints may refer to a base until it is `BASE_MAX_AGE` old. An
unreferenced base is deleted once it is `BASE_RETENTION` old, and no sooner: by then no running call
can still store a reference to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.payloads.compression import MIN_BASE_BYTES
from langgraph_checkpoint_dynamodb.payloads.kinds import stored_bytes

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.format.expiry import Stamp
    from langgraph_checkpoint_dynamodb.format.keys import BaseRef
    from langgraph_checkpoint_dynamodb.payloads.kinds import Payload

BASE_MAX_AGE = 6 * 3600
"""Seconds for which new checkpoints may refer to a base. A busy thread makes a new base far
earlier; with a lower limit, a thread in slow use would store a new base on every visit."""
BASE_RETENTION = BASE_MAX_AGE + GRACE_SECONDS
"""Seconds for which a base is kept without a reference. After that no slow call and no slow clock
can add one."""
MARK_RETENTION = BASE_RETENTION + GRACE_SECONDS
"""Seconds for which the mark of deleted bases is kept: the youngest base it covers was stored
`GRACE_SECONDS` after it, by another clock."""
WHOLE_BYTES = 2 * 1024
"""Checkpoint items up to this size are stored whole. A difference could save one of their two write
units, and a cold read would take one more request."""


@dataclass(frozen=True, slots=True)
class Base:
    """A base that has been read or stored.

    Attributes:
        ref: Its reference.
        data: Its bytes, unpacked.
        digest: Digest of `data`.
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
    """What the differences from a base have cost up to a checkpoint.

    Attributes:
        base: The base.
        spent: Kilobytes that the differences have taken so far, without the first of each.
    """

    base: Base
    spent: int


def may_refer(base: Base, stamp: Stamp) -> bool:
    """Whether a checkpoint stored now may be a difference from a base.

    The base must be young enough, and must not expire before the checkpoint.
    """
    if stamp.created - base.created > BASE_MAX_AGE:
        return False
    return base.ttl is None or (stamp.ttl is not None and stamp.ttl <= base.ttl)


def can_be_base(data: bytes) -> bool:
    """Whether a difference can be made from these bytes."""
    return len(data) >= MIN_BASE_BYTES


def is_new_base_due(progress: Progress, size: int) -> bool:
    """Whether the differences have cost as much as a new base would.

    Args:
        progress: The cost so far, including the difference that is about to be stored.
        size: Bytes of the state now. A new base is assumed to compress as well as the old one.
    """
    base = progress.base
    return progress.spent * 1024 >= stored_bytes(base.payload) * size // len(base.data)


def base_stamp(stamp: Stamp) -> Stamp:
    """The stamp of a base and its parts, which outlive every checkpoint that may refer to it."""
    if stamp.expires_at is None:
        return stamp
    return replace(stamp, expires_at=stamp.expires_at + BASE_RETENTION)


def is_settled(created: int | None, now: int) -> bool:
    """Whether a base is so old that no running call can still store a reference to it."""
    return created is not None and created <= now - BASE_RETENTION

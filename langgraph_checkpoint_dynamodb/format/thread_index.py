"""Partition keys of the thread index: the owners of threads."""

from __future__ import annotations

from langgraph_checkpoint_dynamodb.errors import InvalidInputError
from langgraph_checkpoint_dynamodb.format.key_text import (
    digest_of,
    fits_index_key,
    id_text,
)
from langgraph_checkpoint_dynamodb.format.tables import Attribute

_NO_OWNER = "\0"

_NO_OWNER_PARTITIONS = 64
"""Partitions of the threads without an owner. One takes 1,000 write units a second."""


def thread_index_key(owner: str | None, thread_id: str) -> str:
    """Partition key of a thread in the thread index: its owner, if it has one."""
    if owner is not None:
        return owner
    return f"{_NO_OWNER}{int(digest_of((thread_id,)), 16) % _NO_OWNER_PARTITIONS:02}"


def owner_in_key(key: str) -> str | None:
    """The owner in a partition key of the thread index; `None` for a thread without one."""
    return None if key.startswith(_NO_OWNER) else key


def thread_owner_text(owner: object) -> str | None:
    """An owner as text; `None` if the value cannot be a partition key of the thread index.

    An integer or a UUID is converted to text, as for a thread id.
    """
    try:
        text = id_text(Attribute.OWNER, owner)
    except InvalidInputError:
        return None
    return str(text) if fits_index_key(text) and not str(text).startswith(_NO_OWNER) else None

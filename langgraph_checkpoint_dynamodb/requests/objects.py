"""Requests to S3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from langgraph_checkpoint_dynamodb.requests.operations import Request


@dataclass(frozen=True, slots=True)
class PutObject(Request[None]):
    """Store an S3 object."""

    bucket: str
    key: str
    data: bytes


@dataclass(frozen=True, slots=True)
class GetObject(Request["bytes | None"]):
    """Read an S3 object whole; `None` if there is none."""

    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class CopyObject(Request[bool]):
    """Copy an S3 object within its bucket; replies whether it was there.

    A copy onto itself makes it as young as a new one, for the bucket's lifecycle rules.
    """

    bucket: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class DeleteObjects(Request[None]):
    """Delete up to 1,000 S3 objects. Those that are not there count as deleted.

    Raises:
        ObjectsNotDeletedError: Some are still there.
    """

    bucket: str
    keys: tuple[str, ...]


ObjectRequest: TypeAlias = PutObject | GetObject | CopyObject | DeleteObjects

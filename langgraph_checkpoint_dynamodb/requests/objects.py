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
    """Read a whole S3 object; `None` if there is none."""

    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class CopyObject(Request[bool]):
    """Copy an S3 object within its bucket; replies whether it existed.

    A copy onto itself resets its age for the bucket's lifecycle rules.
    """

    bucket: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class DeleteObjects(Request[None]):
    """Delete up to 1,000 S3 objects. Absent objects count as deleted.

    Raises:
        ObjectsNotDeletedError: Some objects still exist.
    """

    bucket: str
    keys: tuple[str, ...]


ObjectRequest: TypeAlias = PutObject | GetObject | CopyObject | DeleteObjects

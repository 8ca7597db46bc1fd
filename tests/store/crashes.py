"""Calls of a store or cache that stop after any of their requests, and what they leave behind."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.items.payload_attributes import outside
from langgraph_checkpoint_dynamodb.requests.items import BatchWrite
from langgraph_checkpoint_dynamodb.requests.operations import Backoff, Compute
from langgraph_checkpoint_dynamodb.requests.relaying import relay
from langgraph_checkpoint_dynamodb.store.items import part_keys
from tests.support.stopping import StoppedError
from tests.support.walking import have_walked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Request
    from tests.store.faces import StoreT, StoreTable
    from tests.support.buckets import Bucket
    from tests.support.walking import Walk


class Stopping:
    """Performs requests one after the other, up to a number of them.

    Args:
        requests: The number of requests; `None` for no limit.
        backward: Whether the members of a group are performed in reverse order.
    """

    def __init__(self, requests: int | None, *, backward: bool) -> None:
        self.performed = 0
        self._requests = requests
        self._backward = backward

    def way(self, operation: Operation[Any]) -> Walk:
        return relay(operation, self._one, self._group)

    def _one(self, request: Request[Any]) -> Walk:
        if isinstance(request, (Backoff, Compute)):
            return None if isinstance(request, Backoff) else (yield request)
        if self.performed == self._requests:
            raise StoppedError
        self.performed += 1
        if isinstance(request, BatchWrite) and len(request.changes) > 1:
            yield BatchWrite(request.changes[:1])
            return request.changes[1:]
        return (yield request)

    def _group(self, operations: Sequence[Operation[Any]]) -> Walk:
        results = {}
        members = list(enumerate(operations))
        for number, operation in reversed(members) if self._backward else members:
            results[number] = yield from self.way(operation)
        return [results[number] for number, _ in members]


def stops(user: StoreT, act: Callable[[StoreT], object], stopping: Stopping) -> bool:
    """Whether a call of a store or cache was stopped before its end."""
    have_walked(user, stopping.way)  # type: ignore[arg-type]  # it has a runner as savers do
    try:
        act(user)
    except StoppedError:
        return True
    return False


def every_stop(
    begin: Callable[[], None], make: Callable[[], StoreT], act: Callable[[StoreT], object]
) -> Iterator[None]:
    """Make a call and stop it after each number of its requests, in both orders of groups.

    Args:
        begin: Sets up the table before each call.
        make: Makes the store or cache of each call.
        act: The call.

    Yields:
        After each stopped call, and after each that has reached its end.
    """
    for backward in (False, True):
        requests, stopped = 0, True
        while stopped:
            begin()
            user = make()
            with user:
                stopped = stops(user, act, Stopping(requests, backward=backward))
            requests += 1
            yield


def loose_ends(
    table: StoreTable, bucket: Bucket | None, read: Callable[[dict[str, Any]], Any]
) -> Counter[str]:
    """Count parts that nothing refers to, and parts that are referred to and not there.

    Args:
        table: The table.
        bucket: The bucket, if values are in S3.
        read: Parses an item or entry.
    """
    needed = set()
    objects = set()
    for item in table.heads():
        record = read(item)
        assert record is not None
        needed |= {tuple(key) for key in part_keys(record.ref, record.value.payload)}
        objects |= {getattr(one, "key", "") for one in outside(item, "an item").values()}
    there = {(one["root"]["S"], one["path"]["S"]) for one in table.parts()}
    in_bucket = set(() if bucket is None else bucket.keys())
    missing = (needed - there) | (set() if bucket is None else objects - in_bucket)
    needless = (there - needed) | (in_bucket - objects)
    return Counter(missing=len(missing), needless=len(needless))

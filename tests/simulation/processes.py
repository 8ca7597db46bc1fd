"""A call as steps that can be repeated from any point.

An operation is a generator and cannot be copied. But its steps depend only on the replies, so a
point in it is the list of replies so far: a node of a tree. For another reply at an earlier point,
the operation is run again up to that point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import DynamoDBSaverError
from langgraph_checkpoint_dynamodb.requests.operations import Backoff, Compute, Concurrently, Emit

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from random import Random

    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Request, Stream
    from tests.simulation.world import Reply

    Steps = Generator[Request[Any], Any, Any]
    """Single requests in sequence, and finally the result."""

FORWARD, BACKWARD, TURNS = "forward", "backward", "turns"
"""How the members of a group run: in order, in reverse order, or interleaved."""


@dataclass(frozen=True)
class Ended:
    """The end of a call.

    Attributes:
        value: The returned value; the values of a stream as a list.
        error: The raised error, if any.
    """

    value: Any = None
    error: Exception | None = None


class Node:
    """A point in a call.

    Attributes:
        request: The request at this point; `None` at the end.
        ended: The result, at the end.
        path: The replies that lead to this point.
    """

    __slots__ = ("_children", "_live", "_script", "ended", "path", "request")

    def __init__(self, script: Script, path: tuple[Reply, ...], live: Steps) -> None:
        self.path = path
        self.request: Request[Any] | None = None
        self.ended: Ended | None = None
        self._script = script
        self._children: dict[object, Node] = {}
        self._live: Steps | None = live

    def after(self, reply: Reply) -> Node:
        """The next point after a reply."""
        found = self._children.get(reply.mark)
        if found is None:
            live, self._live = self._live, None
            found = Node(
                self._script,
                (*self.path, reply),
                self._script.again(self.path) if live is None else live,
            )
            self._children[reply.mark] = found
            found._go_on(reply)
        return found

    def _go_on(self, reply: Reply | None) -> None:
        live = self._live
        assert live is not None
        try:
            self.request = hand(live, reply)
        except StopIteration as stop:
            self.ended = Ended(value=stop.value)
        except Exception as error:
            self.ended = Ended(error=error)
        if self.ended is not None:
            self._live = None


class Script:
    """A call that can be repeated from its beginning, always with the same steps."""

    def __init__(self, make: Callable[[], Steps]) -> None:
        self._make = make
        self.first = Node(self, (), make())
        self.first._go_on(None)

    def again(self, path: tuple[Reply, ...]) -> Steps:
        """The call, run again up to the point after these replies."""
        steps = self._make()
        hand(steps, None)
        for reply in path:
            hand(steps, reply)
        return steps


def hand(steps: Steps, reply: Reply | None) -> Request[Any]:
    """Send a reply, or begin; returns the next request."""
    if reply is None:
        return next(steps)
    if reply.error is not None:
        return steps.throw(reply.error())
    return steps.send(reply.value)


def steps(operation: Operation[Any] | Stream[Any], order: str | Random) -> Steps:
    """The requests of an operation, one by one.

    Args:
        operation: The operation. The values a stream emits are its result.
        order: How the members of groups run. A `Random` interleaves them at random.
    """
    emitted: list[Any] = []
    streamed = False
    running: Any = operation
    try:
        request = next(running)
        while True:
            try:
                match request:
                    case Emit(values):
                        emitted += values
                        streamed = True
                        reply = None
                    case Backoff():
                        reply = None
                    case Compute(work):
                        reply = work()
                    case Concurrently(operations):
                        reply = yield from _group(operations, order)
                    case _:
                        reply = yield request
            except DynamoDBSaverError as error:  # noqa: PERF203 - each request has its own error
                request = running.throw(error)
            else:
                request = running.send(reply)
    except StopIteration as stop:
        return emitted if streamed else stop.value
    finally:
        running.close()


def _group(operations: Sequence[Operation[Any]], order: str | Random) -> Steps:
    """The members' requests. After an error no further member begins, as in the runners."""
    waiting = list(range(len(operations)))
    if order == BACKWARD:
        waiting.reverse()
    running: dict[int, tuple[Steps, Request[Any]]] = {}
    results: dict[int, Any] = {}
    errors: dict[int, DynamoDBSaverError] = {}
    turn = 0
    while running or (waiting and not errors):
        member = _next_member(waiting, running, turn, order, stop=bool(errors))
        turn += 1
        try:
            if member not in running:
                waiting.remove(member)
                begun = steps(operations[member], order)
                running[member] = (begun, next(begun))
            going, request = running.pop(member)
            try:
                reply = yield request
            except DynamoDBSaverError as error:
                running[member] = (going, going.throw(error))
            else:
                running[member] = (going, going.send(reply))
        except StopIteration as stop:
            results[member] = stop.value
        except DynamoDBSaverError as error:
            errors[member] = error
    if errors:
        raise errors[min(errors)]
    return [results[member] for member in sorted(results)]


def _next_member(
    waiting: list[int], running: dict[int, Any], turn: int, order: str | Random, *, stop: bool
) -> int:
    candidates = [*running] if stop else [*running, *waiting]
    if not isinstance(order, str):
        return order.choice(candidates)
    if order == TURNS:
        return sorted(candidates)[turn % len(candidates)]
    return candidates[0]

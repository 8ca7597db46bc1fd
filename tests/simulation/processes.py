"""A call as steps that can be taken again from any point.

An operation is a generator and cannot be copied. But what it does depends on the replies alone, so
a point in it is the list of replies so far: a node of a tree. Another reply at a point that was
passed before is answered by running the operation anew up to there.
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
    """Single requests, one after the other, and at the end the result."""

FORWARD, BACKWARD, TURNS = "forward", "backward", "turns"
"""How the members of a group are run: one after the other, from the last, or taking turns."""


@dataclass(frozen=True)
class Ended:
    """How a call has ended.

    Attributes:
        value: What it has returned; the values of a stream as a list.
        error: What it has raised instead.
    """

    value: Any = None
    error: Exception | None = None


class Node:
    """A point in a call.

    Attributes:
        request: What the call asks for here; `None` at its end.
        ended: How it has ended, at its end.
        path: The replies that lead here.
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
        """The point that a reply leads to."""
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
    """A call that can be made from its beginning any number of times, always the same."""

    def __init__(self, make: Callable[[], Steps]) -> None:
        self._make = make
        self.first = Node(self, (), make())
        self.first._go_on(None)

    def again(self, path: tuple[Reply, ...]) -> Steps:
        """The call, run anew up to the point that these replies lead to."""
        steps = self._make()
        hand(steps, None)
        for reply in path:
            hand(steps, reply)
        return steps


def hand(steps: Steps, reply: Reply | None) -> Request[Any]:
    """Go on with a reply, or begin; the next request."""
    if reply is None:
        return next(steps)
    if reply.error is not None:
        return steps.throw(reply.error())
    return steps.send(reply.value)


def steps(operation: Operation[Any] | Stream[Any], order: str | Random) -> Steps:
    """The requests of an operation one by one.

    Args:
        operation: The operation. What a stream emits is its result.
        order: How the members of groups are run. A source of random numbers runs them anyhow.
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
    """The members' requests. After an error none is begun any more, as the runners have it."""
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

"""Every order in which the requests of a few actors can take effect.

An actor is a generator of requests, one saver call after the other. Concurrent requests of a call
run sequentially here: only the requests of others in between matter. Any actor may crash after any
of its requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import DynamoDBSaverError
from tests.simulation.processes import FORWARD, hand, steps
from tests.simulation.scenarios import ALL
from tests.simulation.world import Universe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Request
    from tests.simulation.processes import Steps
    from tests.simulation.world import Reply, World


def one_by_one(operation: Operation[Any]) -> Steps:
    """The requests of a call, one after the other."""
    return steps(operation, FORWARD)


class Played:
    """A completed order.

    Attributes:
        world: The final contents of the tables.
        results: By actor, its result or exception; `None` if it crashed.
        choices: At each step, the actors that could continue, and the one that was chosen.
    """

    def __init__(
        self,
        universe: Universe,
        world: World,
        actors: Sequence[Steps],
        order: Sequence[int],
        see: Callable[[World], None],
    ) -> None:
        self.world = world
        self.results: list[Any] = [None] * len(actors)
        self.choices: list[tuple[tuple[int, ...], int]] = []
        waiting: dict[int, Request[Any]] = {}
        for number in range(len(actors)):
            self._advance(waiting, actors, number, None)
        while waiting:
            able = tuple(sorted(waiting))
            step = len(self.choices)
            chosen = order[step] if step < len(order) else able[0]
            self.choices.append((able, chosen))
            if chosen < 0:  # It crashes.
                actors[-1 - chosen].close()
                del waiting[-1 - chosen]
                continue
            self.world, reply = universe.after(self.world, waiting.pop(chosen), ALL)
            see(self.world)
            self._advance(waiting, actors, chosen, reply)

    def _advance(
        self,
        waiting: dict[int, Request[Any]],
        actors: Sequence[Steps],
        number: int,
        reply: Reply | None,
    ) -> None:
        try:
            waiting[number] = hand(actors[number], reply)
        except StopIteration as stop:
            self.results[number] = stop.value
        except DynamoDBSaverError as error:
            self.results[number] = error


def every_order(
    begin: Callable[[Universe], World],
    make: Callable[[], Sequence[Steps]],
    *,
    mortal: Sequence[int] = (),
    see: Callable[[World], None] = lambda _: None,
    universe: Universe | None = None,
) -> Iterator[Played]:
    """Run every order, depth first.

    Args:
        begin: Creates the initial contents.
        make: Creates the actors, once for each order.
        mortal: Actors that may crash, after any of their requests.
        see: Called with the world after every request.
        universe: The universe of the worlds; a new one if `None`.
    """
    universe = universe or Universe()
    world = begin(universe)
    order: list[int] = []
    while True:
        played = Played(universe, world, make(), order, see)
        yield played
        order = [chosen for _, chosen in played.choices]
        while order:
            able, chosen = played.choices[len(order) - 1]
            options = [*able, *(-1 - number for number in able if number in mortal)]
            later = options[options.index(chosen) + 1 :]
            order.pop()
            if later:
                order.append(later[0])
                break
        else:
            return


def alone(universe: Universe, world: World, actor: Steps) -> World:
    """The world after one actor."""
    return Played(universe, world, [actor], [], lambda _: None).world

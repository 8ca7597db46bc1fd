"""Every order in which the requests of a few actors can take effect.

An actor is a generator of requests, one call of a saver after the other. What a call does side by
side it does here in its order: what matters is what others do in between. Any actor may die after
any of its requests.
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
    """One order, played to its end.

    Attributes:
        world: What is stored in the end.
        results: By actor, what it has returned or raised; `None` where it has died.
        choices: At each step, the actors that could go on, and the one that did.
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
            if chosen < 0:  # It dies.
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
    """Play every order, depth first.

    Args:
        begin: Makes what is stored in the beginning.
        make: Makes the actors, anew for each order.
        mortal: Those that may die, each at any of its requests.
        see: Called with the world after every request.
        universe: Where the worlds are; one of its own if `None`.
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

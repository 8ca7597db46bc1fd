"""What must be true of every schedule.

- Sequential calls leave the same state as in `InMemorySaver`.
- The result of a read was valid at one moment between its beginning and its end: it equals the
  result of the same read alone in a world of that time; or, if two calls ran at the same time, the
  result after some of them in a possible order. For a listing this holds per checkpoint. And each
  checkpoint in the result is as some order of the calls leaves it.
- A read raises no error, except for the history of a checkpoint whose ancestors are being deleted.
- In the final state each checkpoint is as some sequential order of the calls would have left it: an
  order in which no call precedes one that ended before it began. A call that crashed may be in the
  order or not. So acknowledged data is there unless a call deleted it, deleted data stays deleted,
  and the first and the last write win as they should.
- The data that a DeltaChannel is rebuilt from is complete, or reading the channel is an error. The
  data is never silently incomplete.
- After a sweep nothing is orphaned or missing, and no reader notices the sweep.
- Every error is one of the package.

Some things are not guaranteed and not checked. If a call stores a checkpoint under an id that
another call is deleting, the checkpoint may be deleted or lose its writes, and a reader may see the
old checkpoint with new writes: LangGraph never reuses an id, but a second copy to the same thread
does. A copy concurrent with the deletion of a run's checkpoints may keep them; so may a checkpoint
stored just before, if runs are found by the index. A prune concurrent with another delete keeps
what was needed when the prune read the thread.

The pages of a query are not a snapshot. A reader of several pages of writes, concurrent with two
calls that write, may see a part of the writes of one call. A search for the newest checkpoint,
concurrent with a delete and a put, may find a checkpoint that the delete is about to reach.
"""

from __future__ import annotations

from itertools import combinations, permutations
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph_checkpoint_dynamodb.errors import DynamoDBSaverError, UnreadableItemError
from langgraph_checkpoint_dynamodb.format.tables import Key
from tests.simulation.findings import (
    findings,
    has_no_writes,
    ids_of,
    is_mixed,
    parent_of,
    place_of,
    text_of,
    was_made_from,
)
from tests.simulation.scenarios import (
    LATER,
    SWEEP_AGE,
    TARGET,
    THREAD,
    Call,
    in_turn,
    reference_after,
    run,
)
from tests.simulation.variants import NOW
from tests.simulation.world import expired
from tests.support.stored import Stored, loose_ends
from tests.support.values import config

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from langgraph.checkpoint.base import CheckpointTuple

    from tests.simulation.processes import Ended
    from tests.simulation.variants import Variant
    from tests.simulation.world import Universe, World

_UNREADABLE = "UnreadableItemError"
_SHORT = "shorter than it was, in silence:"
_HISTORY = f"history of {THREAD}//0004"
_NEEDED: dict[str, set[str]] = {
    "0001": set(),
    "0003": {"0002"},
    "0004": {"0002", "0003"},
    "0005": {"0002", "0003"},
    "0006": {"0002", "0003"},
}
"""The writes that the DeltaChannel of a checkpoint must at least be rebuilt from."""
_HELD = "0002"
"""The checkpoint that initially stores the channel's whole value."""


class Party(NamedTuple):
    """A call and its process.

    Attributes:
        call: The call.
        token: The token of its calls.
        now: The time of its clock.
    """

    call: Call
    token: str
    now: int = NOW


class Judge:
    """Checks the schedules of some calls on a world."""

    def __init__(
        self,
        universe: Universe,
        variant: Variant,
        world: World,
        parties: Sequence[Party],
        *,
        paged: bool = False,
    ) -> None:
        self._universe = universe
        self._variant = variant
        self._world = world
        self._parties = parties
        self._paged = paged
        self._orders: dict[tuple[int, ...], Mapping[str, str]] = {}
        self._worlds: dict[tuple[int, ...], World] = {}
        self._visible: dict[World, Mapping[str, str]] = {}
        self._settled: dict[World, tuple[str, ...]] = {}
        self._solo: dict[tuple[int, World], frozenset[tuple[str, str]]] = {}
        self._final: dict[object, tuple[str, ...]] = {}
        self._unlike: list[str] = []

    def seen(self, party: int, world: World) -> frozenset[tuple[str, str]]:
        """The result of a read alone in a world."""
        known = self._solo.get((party, world))
        if known is None:
            call, token, now = self._parties[party]
            _, ended = run(self._universe, world, call.script(self._variant, token, now))
            known = self._solo[party, world] = frozenset(findings(ended).items())
        return known

    def read(
        self,
        party: int,
        ended: Ended,
        candidates: Iterable[frozenset[tuple[str, str]]],
        begun: frozenset[int],
        before: frozenset[Any],
    ) -> list[str]:
        """The problems of a read's result.

        Args:
            party: The reading call.
            ended: The result.
            candidates: The results it would have had at each time.
            begun: The calls that have begun so far and do not only read.
            before: Pairs of calls in which the first ended before the second began.
        """
        found = findings(ended)
        name = self._parties[party].call.name
        ended_before = frozenset(first for first, second in before if second == party)
        orders = _orders(ended_before & begun, begun, before)
        after = [self._after(order) for order in orders]
        if ended.error is not None:
            lost = any(_HISTORY not in order or order[_HISTORY] == _UNREADABLE for order in after)
            if isinstance(ended.error, UnreadableItemError) and "history" in name and lost:
                return []  # Its ancestors are being deleted: its value would be incomplete.
            return [f"{name} raised {ended.error!r}"]
        moments = [dict(moment) for moment in candidates]
        several = len(self._parties) > 2
        calls = [self._parties[one].call for one in begun]
        if several:
            # No order of the calls contains half a run.
            if any(call.stores_again or call.several for call in calls):
                return []
            moments += [dict(self.seen(party, self._worlds[order])) for order in orders]
        pages_apart = several and self._paged and len(calls) > 1
        if name == "history(0004)":
            written = {value for _, _, value in ended.value["log"]["writes"]}
            if not written >= _NEEDED["0004"]:
                return [f"{name} returned {sorted(written)}, {_SHORT} {sorted(_NEEDED['0004'])}"]
        apart = set()
        if "history" not in name:
            for place, text in found.items():
                texts = {order[place] for order in after if place in order}
                if text in texts:
                    continue
                if not (pages_apart and is_mixed(text, texts)):
                    return [f"{name} returned {text} for {place}, as no order of calls leaves it"]
                apart.add(place)
        if name.startswith("list"):
            places = found.keys() | {place for moment in moments for place in moment}
            return [
                f"{name} returned for {place}: {found.get(place)}, never true in its time"
                for place in sorted(places - apart)
                if all(found.get(place) != moment.get(place) for moment in moments)
            ]
        if pages_apart and "newest" in name and any(call.deletes for call in calls):
            return []
        if found not in moments and not apart:
            return [f"{name} returned {found}, never true in its time; true were {moments}"]
        return []

    def ended(self, party: int, ended: Ended) -> list[str]:
        """The problems of a call's end."""
        if ended.error is None or isinstance(ended.error, DynamoDBSaverError):
            return []
        name = self._parties[party].call.name
        return [f"{name} raised {ended.error!r}, which is no error of the package"]

    def final(
        self, world: World, done: frozenset[int], begun: frozenset[int], before: frozenset[Any]
    ) -> tuple[str, ...]:
        """The problems of the final state.

        Args:
            world: The final world.
            done: The acknowledged calls.
            begun: All calls that began.
            before: Pairs of calls in which the first ended before the second began.
        """
        key = (world, done, begun, before)
        if key not in self._final:
            problems = (*self._unexplained(*key), *self._unsettled(world))
            self._final[key] = (*problems, *self._unlike)
        return self._final[key]

    def visible(self, world: World) -> Mapping[str, str]:
        """What a new reader sees in a world."""
        known = self._visible.get(world)
        if known is None:
            known = self._visible[world] = self._look(world)
        return known

    def _unexplained(
        self, world: World, done: frozenset[int], begun: frozenset[int], before: frozenset[Any]
    ) -> list[str]:
        found = self.visible(world)
        short = [place for place, text in found.items() if text.startswith(_SHORT)]
        if short:
            return [f"in the end {place} is {found[place]}" for place in short]
        if any(self._parties[one].call.several for one in begun):
            # Other calls may run between its calls, so no order of whole runs explains the state.
            lost = [*self._lost_before_runs(found, done, before)]
            return [*lost, *self._lost_of_runs(found, done, begun, before)]
        if sum(self._parties[one].call.deletes for one in begun) > 1:
            done -= {one for one in done if self._parties[one].call.name.startswith("prune")}
        orders = [self._after(order) for order in _orders(done, begun, before)]
        places = found.keys() | {place for order in orders for place in order}
        problems = []
        for place in sorted(places):
            seen = found.get(place)
            if any(seen == order.get(place) for order in orders):
                continue
            if self._not_promised(place, seen, begun, before):
                continue
            if seen == _UNREADABLE and any(
                order.get(place, _UNREADABLE) == _UNREADABLE for order in orders
            ):
                continue
            wanted = {order.get(place) for order in orders}
            problems.append(f"in the end {place} is {seen}; after the calls in turn {wanted}")
        return problems

    def _lost_before_runs(
        self, found: Mapping[str, str], done: frozenset[int], before: frozenset[Any]
    ) -> Iterator[str]:
        """Writes that existed when a run began and are missing in its checkpoint's history."""
        for first, second in before:
            name = self._parties[second].call.name
            made = f"{THREAD}//{name[4:8]}"
            if self._parties[first].call.name != "put_writes(0004)" or first not in done:
                continue
            same = {at for at, party in enumerate(self._parties) if party.call.name == name}
            if any((first, one) not in before for one in same):
                continue  # The checkpoint may belong to a run that began earlier.
            if made not in found or not was_made_from(found[made], "0004"):
                continue  # Another checkpoint is its parent.
            history = found.get(f"history of {made}", _UNREADABLE)
            if history != _UNREADABLE and not {"0004", "0005"} & {*history.split("'")}:
                yield f"in the end the history of {name} lacks what was there before it: {history}"

    def _lost_of_runs(
        self,
        found: Mapping[str, str],
        done: frozenset[int],
        begun: frozenset[int],
        before: frozenset[Any],
    ) -> Iterator[str]:
        """Unreadable data, and runs that left nothing though no call can have deleted them."""
        if "" in found:
            yield f"in the end a listing raises {found['']}"
            return
        deletes = {one for one in begun if self._parties[one].call.deletes}
        newest = max((place for place in found if place.startswith(f"{THREAD}//")), default="")
        for one in done:
            call = self._parties[one].call
            # The later of several calls store nothing if the thread is deleted.
            if (
                not call.several
                or call.delta
                or any((delete, one) not in before for delete in deletes)
            ):
                continue
            made = f"{THREAD}//{call.name[-5:-1]}"
            if newest < made:
                yield f"in the end {newest!r} is the newest, though {call.name} came after it"

    def _not_promised(
        self, place: str, seen: str | None, begun: frozenset[int], before: frozenset[Any]
    ) -> bool:
        """Whether a checkpoint was stored again or copied while it was being deleted."""
        several = len(self._parties) > 2
        for one, other in permutations(sorted(begun), 2):
            first, second = self._parties[one].call, self._parties[other].call
            if first.across and self._variant.relaxed:
                # The index did not contain yet what had just been stored.
                rest = [party for party in sorted(begun) if party != one]
                if any(seen == self._after(order).get(place) for order in permutations(rest)):
                    return True
            if {(one, other), (other, one)} & before:
                continue
            copied_away = second.name == "copy_thread(t, c)" and f"{TARGET}/" in place
            if several and first.stores_again and copied_away:
                return True
            if not first.deletes:
                continue
            again = several and any(self._parties[one].call.stores_again for one in begun)
            if again and seen and second.name.startswith("put_writes"):
                # Some writes were there already, from another call, and the checkpoint is new.
                left = [self._after(order) for order in permutations(sorted(begun))]
                if is_mixed(seen, {order[place] for order in left if place in order}):
                    return True
            if first.across and copied_away:
                rest = [party for party in sorted(begun) if party != one]
                orders = [(other,), *permutations(rest)]
                return seen is None or any(seen == self._after(o).get(place) for o in orders)
            copied = second.name == "copy_thread(o, t)"
            if second.stores_again and (copied or several):
                return seen is None or has_no_writes(seen) or not copied
        return False

    def _after(self, order: tuple[int, ...]) -> Mapping[str, str]:
        known = self._orders.get(order)
        if known is None:
            made = [self._parties[party] for party in order]
            world = in_turn(self._universe, self._world, self._variant, made)
            self._worlds[order] = world
            known = self._orders[order] = self.visible(world)
            self._compare([self._parties[party].call for party in order], known)
        return known

    def _compare(self, made: Sequence[Call], visible: Mapping[str, str]) -> None:
        """Check that sequential calls leave the same as in memory. There nothing expires."""
        if self._variant.ttl_seconds is not None:
            return
        saver = reference_after(self._variant, made)
        expected = {place_of(one): text_of(one) for one in saver.list(None)}
        if self._variant.delta:
            for one in saver.list(None):
                place = f"history of {place_of(one)}"
                if visible.get(place, _UNREADABLE) != _UNREADABLE:
                    told = saver.get_delta_channel_history(config=one.config, channels=["log"])
                    expected[place] = repr(told)
                    for writes in saver.possible_writes(one.config, "log"):
                        possible = repr({"log": {**told["log"], "writes": writes}})
                        if visible[place] == possible:
                            expected[place] = possible
        found = {place: text for place, text in visible.items() if text != _UNREADABLE}
        if found != expected:
            names = [call.name for call in made]
            self._unlike.append(f"after {names} there is {found}; in memory {expected}")

    def _unsettled(self, world: World) -> tuple[str, ...]:
        known = self._settled.get(world)
        if known is None:
            known = self._settled[world] = tuple(self._settle(world))
        return known

    def _settle(self, world: World) -> list[str]:
        swept = world
        for place in [*expired(world, NOW)]:
            swept = self._universe.without(swept, place)
        sweep = Call("", lambda saver: saver._sweep_orphans(SWEEP_AGE, None, None))
        for token in ("sweep1", "sweep2"):
            swept, ended = run(self._universe, swept, sweep.script(self._variant, token, LATER))
            if ended.error is not None:
                return [f"a later sweep raised {ended.error!r}"]
        items = {
            (place.table, Key(place.partition, place.sort)): dict(entry.item)
            for place, entry in swept.items.items()
        }
        objects = {key: "tag" for _, key in swept.objects}
        # Calls with different clocks set different expiry times for a part and its item. Both
        # times are later than any time at which a call needs them.
        several = len(self._parties) > 2
        problems = [
            f"after a sweep: {one}"
            for one in loose_ends(Stored(items, objects))
            if not (several and one.startswith("short-lived"))
        ]
        if self.visible(swept) != self.visible(world):
            problems.append("a later sweep has changed what readers see")
        return problems

    def _look(self, world: World) -> dict[str, str]:
        look = Call("", lambda saver: saver._list(None, None, None, None), stream=True)
        _, ended = run(self._universe, world, look.script(self._variant, "look"))
        found = findings(ended)
        newest = Call("", lambda saver: saver._get_tuple(config(THREAD)))
        _, got = run(self._universe, world, newest.script(self._variant, "look"))
        # A run resumes from the newest of the listed checkpoints.
        ids = [place for place in found if place.startswith(f"{THREAD}//")]
        newest_listed = {max(ids): found[max(ids)]} if ids else {}
        if findings(got) != newest_listed and ended.error is None:
            found["newest"] = f"{findings(got)}, not the newest that is listed"
        if self._variant.delta and ended.error is None:
            parents = {ids_of(one): parent_of(one) for one in ended.value}
            for one in ended.value:
                parts = one.config["configurable"]
                # LangGraph requests the history of what the checkpoint does not store itself.
                held = "log" in one.checkpoint["channel_values"]
                if parts["thread_id"] in (THREAD, TARGET) and not held:
                    found[f"history of {place_of(one)}"] = self._history(world, one, parents)
        return found

    def _history(
        self, world: World, one: CheckpointTuple, parents: Mapping[tuple[str, str], str | None]
    ) -> str:
        look = Call("", lambda saver: saver._history(one.config, ["log"]))
        _, ended = run(self._universe, world, look.script(self._variant, "look"))
        if isinstance(ended.error, UnreadableItemError):
            return _UNREADABLE
        if ended.error is not None:
            return repr(ended.error)
        written = [value for _, _, value in ended.value["log"]["writes"]]
        needed = _needed(ids_of(one), parents)
        seed = ended.value["log"].get("seed")
        if "0005" in repr(seed):
            needed = needed - {_HELD, "0003"}  # They precede the checkpoint.
        whole = set(written) >= needed and (seed is not None or _HELD not in needed)
        return repr(ended.value) if whole or not needed else f"{_SHORT} {written}"


def _needed(ids: tuple[str, str], parents: Mapping[tuple[str, str], str | None]) -> set[str]:
    """The writes that a checkpoint's DeltaChannel must at least be rebuilt from.

    A run continues from whichever checkpoint was newest, and its own writes are included.
    """
    thread_id, checkpoint_id = ids
    if checkpoint_id in _NEEDED:
        return _NEEDED[checkpoint_id]
    needed = {f"run {checkpoint_id}"}
    parent_id = parents.get(ids)
    while parent_id is not None and parent_id != _HELD and parent_id not in _NEEDED:
        needed.add(f"run {parent_id}")
        parent_id = parents.get((thread_id, parent_id))
    if parent_id in (_HELD, "0003"):
        needed.add(parent_id)
    return needed | _NEEDED.get(parent_id or "", set())


def _orders(
    done: frozenset[int], begun: frozenset[int], before: frozenset[Any]
) -> list[tuple[int, ...]]:
    """Every order of the completed calls and some of those that had begun."""
    unsure = sorted(begun - done)
    found = []
    for size in range(len(unsure) + 1):
        for some in combinations(unsure, size):
            for order in permutations(sorted({*done, *some})):
                at = {party: place for place, party in enumerate(order)}
                if all(
                    at[first] < at[second]
                    for first, second in before
                    if first in at and second in at
                ):
                    found.append(order)
    return found

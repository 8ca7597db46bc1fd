"""Small threads, and the calls made on them concurrently."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import DeltaHistoryError
from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.payloads.differences import BASE_MAX_AGE
from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy
from langgraph_checkpoint_dynamodb.requests.operations import Emit, done
from tests.simulation.processes import FORWARD, Script, steps
from tests.simulation.variants import NOW, TTL_SECONDS
from tests.support.model import ReferenceSaver
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Stream
    from tests.simulation.processes import Ended
    from tests.simulation.variants import Saver, Variant
    from tests.simulation.world import Universe, World

LONG_AGO = NOW - 7 * 24 * 60 * 60
"""When the initial data of a scenario was stored."""
LATER = NOW + 2 * 24 * 60 * 60
"""A time at which a sweep may take all leftovers."""
SWEEP_AGE = 24 * 60 * 60
ALL = 1_000
"""More items than any page has."""
THREAD, OTHER, TARGET = "t", "o", "c"


class Reference:
    """The reference for a saver, with the calls that acts make. The calls run at once."""

    def __init__(self) -> None:
        self.saver = ReferenceSaver()

    def _get_tuple(self, config: Any) -> Operation[Any]:
        return done(self.saver.get_tuple(config))

    def _put(self, config: Any, made: Any, told: Any) -> tuple[Operation[None], None]:
        self.saver.put(config, made, told, made["channel_versions"])
        return done(None), None

    def _put_writes(
        self, config: Any, writes: Any, task_id: str, task_path: str
    ) -> Operation[None]:
        self.saver.put_writes(config, writes, task_id, task_path)
        return done(None)

    def _delete_thread(self, thread_id: str) -> None:
        self.saver.delete_thread(thread_id)

    def _prune(self, thread_ids: Any, strategy: str) -> None:
        self.saver.prune(thread_ids, strategy=strategy)

    def _copy_thread(self, source: str, target: str) -> None:
        self.saver.copy_thread(source, target)

    def _delete_for_runs(self, run_ids: Any) -> None:
        with suppress(DeltaHistoryError):
            self.saver.delete_for_runs(run_ids)

    def _sweep_orphans(self, *_: Any) -> None:
        """Do nothing: in memory there are no orphans."""


@dataclass(frozen=True)
class Call:
    """A call of a saver.

    Attributes:
        name: Its name in reports.
        act: Creates its operation.
        reads: Whether it only reads.
        deletes: Whether it deletes checkpoints.
        stores_again: Whether it stores checkpoints with their writes under existing ids.
        across: Whether it searches all threads for the checkpoints to delete.
        stream: Whether it returns the values that a stream emits.
        delta: Whether it only makes sense on threads with a DeltaChannel.
        several: Whether it consists of several sequential calls of one process.
        knows: Whether that process has read the newest checkpoint in the initial state.
    """

    name: str
    act: Callable[[Saver], Operation[Any] | Stream[Any]]
    reads: bool = False
    deletes: bool = False
    stores_again: bool = False
    across: bool = False
    stream: bool = False
    delta: bool = False
    several: bool = False
    knows: bool = False

    def script(
        self,
        variant: Variant,
        token: str,
        now: int = NOW,
        order: str | int = FORWARD,
        known: tuple[Universe, World] | None = None,
    ) -> Script:
        """The call as steps.

        Args:
            variant: How values are stored.
            token: The token of the call.
            now: The time of its process's clock.
            order: How the members of groups run; a number is a seed for a random order.
            known: The initial state, for calls that know it.
        """

        def make() -> Any:
            saver = variant.saver(token, now)
            if self.knows and known is not None:
                run(*known, Script(lambda: steps(saver._get_tuple(config(THREAD)), FORWARD)))
            return self._steps(saver, order)

        return Script(make)

    def _steps(self, saver: Saver, chosen: str | int) -> Any:
        operation = self.act(saver)
        order = chosen if isinstance(chosen, str) else Random(chosen)  # noqa: S311 - no secret
        if self.stream:
            return (yield from steps(_streamed(operation), order))
        return (yield from steps(operation, order))


def _streamed(stream: Any) -> Any:
    """The result of a stream, which may be empty."""
    yield Emit([])
    return (yield from stream)


def _put(
    checkpoint_id: str,
    parent_id: str | None,
    *,
    thread_id: str = THREAD,
    checkpoint_ns: str = "",
    run_id: str = "run",
    mark: str = "",
    small: bool = False,
) -> Any:
    """Put a checkpoint; a `small` one stays inline where others are stored outside their items."""
    state = f"source {checkpoint_id}" if small else f"{checkpoint_id}{mark}"

    def act(saver: Saver) -> Operation[None]:
        made = checkpoint(checkpoint_id, state=state)
        made["channel_versions"] = {"state": f"{checkpoint_id} {state}"}
        return saver._put(
            config(thread_id, checkpoint_ns, parent_id), made, metadata(run_id=run_id)
        )[0]

    return act


def _put_delta(
    checkpoint_id: str, parent_id: str | None, *, held: bool = False, thread_id: str = THREAD
) -> Any:
    """Put a checkpoint of a graph whose channel `log` is a DeltaChannel."""

    def act(saver: Saver) -> Operation[None]:
        made = checkpoint(checkpoint_id, **({"log": _snapshot(checkpoint_id)} if held else {}))
        made["channel_versions"] = {"log": checkpoint_id}
        counted = {} if held else {"counters_since_delta_snapshot": {"log": [1, 1]}}
        told = metadata(run_id=f"run-{checkpoint_id}", **counted)
        return saver._put(config(thread_id, "", parent_id), made, told)[0]

    return act


def _run(checkpoint_id: str) -> Any:
    """A step of a graph: read the newest checkpoint, store a task's writes and the next one."""

    def act(saver: Saver) -> Operation[None]:
        found = yield from saver._get_tuple(config(THREAD))
        if found is None or found.config["configurable"]["checkpoint_id"] >= checkpoint_id:
            return
        parent_id = found.config["configurable"]["checkpoint_id"]
        writes = _writes(parent_id, f"run {checkpoint_id}", ("log", f"run {checkpoint_id}"))
        yield from writes(saver)
        yield from _put_delta(checkpoint_id, parent_id)(saver)

    return act


def _go_on(checkpoint_id: str) -> Any:
    """Two steps of a graph: read the newest checkpoint, and store two that continue from it."""

    def act(saver: Saver) -> Operation[None]:
        found = yield from saver._get_tuple(config(THREAD))
        parent_id = None if found is None else found.config["configurable"]["checkpoint_id"]
        if parent_id is not None and parent_id >= checkpoint_id:
            return
        yield from _put(checkpoint_id, parent_id)(saver)
        yield from _put(f"{checkpoint_id}+", checkpoint_id)(saver)

    return act


def _resume(saver: Saver) -> Operation[Any]:
    """What a graph does to resume: read the newest checkpoint and its history, twice."""
    found = yield from saver._get_tuple(config(THREAD))
    found = yield from saver._get_tuple(config(THREAD))
    return found


def _snapshot(checkpoint_id: str) -> Any:
    from langgraph.checkpoint.serde.types import _DeltaSnapshot

    return _DeltaSnapshot([f"up to {checkpoint_id}"])


def _writes(
    checkpoint_id: str,
    task_id: str,
    *writes: tuple[str, Any],
    thread_id: str = THREAD,
    checkpoint_ns: str = "",
) -> Any:
    return lambda saver: saver._put_writes(
        config(thread_id, checkpoint_ns, checkpoint_id), writes, task_id, "path"
    )


_LARGE = "l" * 200
_GONE = NOW - TTL_SECONDS - 2 * GRACE_SECONDS
"""When the data that DynamoDB may delete was stored."""
JUST = NOW - 100
"""When the bases that runs continue from were stored."""
LAST = JUST + BASE_MAX_AGE
"""The last second in which a checkpoint may be stored as a difference from these bases."""


def first_calls(variant: Variant) -> list[tuple[int, Any]]:
    """The calls that store the initial threads of a scenario, and their times."""
    first, then = (LONG_AGO, LONG_AGO) if variant.ttl_seconds is None else (_GONE, JUST)
    if variant.payloads.incremental:
        then = JUST  # Older checkpoints cannot be bases for new ones.
    if variant.delta:
        return [
            (first, _put_delta("0001", None)),
            (first, _writes("0001", "task", ("log", "0001"))),
            (then, _put_delta("0002", "0001", held=True)),
            (then, _writes("0002", "task", ("log", "0002"))),
            (then, _put_delta("0003", "0002")),
            (then, _writes("0003", "task", ("log", "0003"))),
            (then, _put_delta("0004", "0003")),
        ]
    return [
        (first, _put("0001", None, run_id="first")),
        (first, _writes("0001", "task", ("log", "w1"))),
        (then, _put("0002", "0001")),
        (then, _writes("0002", "task", ("log", "w2"), ("out", _LARGE))),
        (then, _put("0001", None, checkpoint_ns="sub")),
        (then, _put("0001", None, thread_id=OTHER)),
        (then, _writes("0001", "task", ("log", "o"), thread_id=OTHER)),
    ]


READS = (
    Call("get_tuple(newest)", lambda saver: saver._get_tuple(config(THREAD)), reads=True),
    Call("get_tuple(newest) twice", _resume, reads=True),
    Call("get_tuple(0002)", lambda saver: saver._get_tuple(config(THREAD, "", "0002")), reads=True),
    Call(
        "list(t)",
        lambda saver: saver._list(config(THREAD, None), None, None, None),
        reads=True,
        stream=True,
    ),
    Call("list(all)", lambda saver: saver._list(None, None, None, None), reads=True, stream=True),
    Call(
        "history(newest)",
        lambda saver: saver._history(config(THREAD), ["log"]),
        reads=True,
        delta=True,
    ),
    Call(
        "history(0004)",
        lambda saver: saver._history(config(THREAD, "", "0004"), ["log"]),
        reads=True,
        delta=True,
    ),
)
PLAIN_WRITES = (
    Call("put(0003)", _put("0003", "0002")),
    Call("put(0002) anew", _put("0002", "0001", mark=_LARGE), stores_again=True),
    Call("put(0002) small", _put("0002", "0001", small=True), stores_again=True),
    Call("put_writes(0002, other task)", _writes("0002", "task2", ("log", "x"), ("out", _LARGE))),
    Call("put_writes(0002, same task)", _writes("0002", "task", ("log", "y"), ("out", "y" * 200))),
    Call(
        "put_writes(0002, same task, more)",
        _writes("0002", "task", ("log", "z"), ("out", "z" * 200), ("more", "z" * 200)),
    ),
    Call(
        "put_writes(0002, other task, resumed)",
        _writes("0002", "task2", ("__resume__", "r"), ("out", "r" * 200), ("more", "r")),
    ),
    Call("put_writes(0002, other task, one)", _writes("0002", "task2", ("log", "1"))),
    Call("put_writes(0002, interrupt)", _writes("0002", "task", ("__interrupt__", "a" * 200))),
    Call(
        "put_writes(0002, interrupt again)", _writes("0002", "task", ("__interrupt__", "b" * 200))
    ),
    Call("put_writes(0003)", _writes("0003", "task", ("log", "w3"))),
)
DELTA_WRITES = (
    Call("put(0005)", _put_delta("0005", "0004"), delta=True),
    Call("put(0006 on 0003)", _put_delta("0006", "0003"), delta=True),
    Call("put(0005, whole)", _put_delta("0005", "0004", held=True), delta=True),
    Call("put_writes(0004)", _writes("0004", "task", ("log", "0004")), delta=True),
    Call("run(0007)", _run("0007"), delta=True, several=True),
    Call("run(0008)", _run("0008"), delta=True, several=True),
)
INCREMENTAL_WRITES = (
    Call("go on(0005)", _go_on("0005"), several=True),
    Call("go on(0006)", _go_on("0006"), several=True, knows=True),
)
UPKEEP = (
    Call("delete_thread(t)", lambda saver: saver._delete_thread(THREAD), deletes=True),
    Call("prune(t)", lambda saver: saver._prune([THREAD], "keep_latest"), deletes=True),
    Call("copy_thread(t, c)", lambda saver: saver._copy_thread(THREAD, TARGET)),
    Call("sweep_orphans()", lambda saver: saver._sweep_orphans(GRACE_SECONDS, None, None)),
)
PLAIN_UPKEEP = (
    Call(
        "delete_for_runs(first)",
        lambda saver: saver._delete_for_runs(["first"]),
        deletes=True,
        across=True,
    ),
    Call("copy_thread(o, t)", lambda saver: saver._copy_thread(OTHER, THREAD), stores_again=True),
)
DELTA_UPKEEP = (
    Call(
        "delete_for_runs(run-0001)",
        lambda saver: saver._delete_for_runs(["run-0001"]),
        deletes=True,
        across=True,
    ),
    Call(
        "delete_for_runs(run-0004)",
        lambda saver: saver._delete_for_runs(["run-0004"]),
        deletes=True,
        across=True,
    ),
)


def calls(variant: Variant) -> tuple[Call, ...]:
    """The calls that are made on the threads of a variant."""
    reads = [call for call in READS if variant.delta or not call.delta]
    if variant.delta:
        return (*reads, *DELTA_WRITES, *UPKEEP, *DELTA_UPKEEP)
    further = INCREMENTAL_WRITES if variant.payloads.incremental else ()
    return (*reads, *PLAIN_WRITES, *further, *UPKEEP, *PLAIN_UPKEEP)


def run(universe: Universe, world: World, script: Script, page: int = ALL) -> tuple[World, Ended]:
    """Run a call alone; returns the world after it and its end."""
    node = script.first
    while node.ended is None:
        assert node.request is not None
        world, reply = universe.after(world, node.request, page)
        node = node.after(reply)
    return world, node.ended


def beginning(universe: Universe, variant: Variant) -> World:
    """The initial world of a scenario."""
    world = universe.empty
    for number, (stored, act) in enumerate(first_calls(variant)):
        # Expiring data is kept in few items, because each may be deleted at any time.
        how = replace(variant, payloads=PayloadPolicy()) if stored == _GONE else variant
        world, ended = run(universe, world, Call("", act).script(how, f"first{number}", stored))
        assert ended.error is None, ended.error
    return world


def reference_after(variant: Variant, made: Sequence[Call]) -> ReferenceSaver:
    """`InMemorySaver` after the initial calls of a scenario and further sequential calls."""
    reference: Any = Reference()
    for _, act in first_calls(variant):
        act(reference)
    for call in made:
        operation: Any = call.act(reference)
        for request in operation or ():
            raise AssertionError(f"the reference asks for {request}")
    found: ReferenceSaver = reference.saver
    return found


def in_turn(
    universe: Universe, world: World, variant: Variant, made: Sequence[tuple[Call, str, int]]
) -> World:
    """The world after sequential calls, each with its token and its clock."""
    for call, token, now in made:
        world, _ = run(universe, world, call.script(variant, token, now))
    return world

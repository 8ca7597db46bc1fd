"""Compares the same graph on two savers: plays one scenario on each and compares the results.

A scenario is a function that drives graphs through a `Stage`. It returns the values it saw and
leaves checkpoints and pending writes. Both are compared with those of the same scenario on
LangGraph's `InMemorySaver`, except for ids and times.
"""

import operator
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.pregel import Pregel
from langgraph.types import Durability, StateSnapshot, StateUpdate
from typing_extensions import TypedDict

from tests.support.calls import AsyncCalls, Calls, LoopThread, SyncCalls

T = TypeVar("T")
Graph: TypeAlias = Pregel[Any, Any, Any, Any]

THREAD = "thread"
HEAD: RunnableConfig = {"configurable": {"thread_id": THREAD}}


class Log(TypedDict):
    """The state of most graphs here: what was written, in the order in which it was applied."""

    log: Annotated[list[str], operator.add]


class NodeFailedError(Exception):
    """Raised by a failing node."""


@dataclass(frozen=True)
class Mode:
    """How a graph is run: with sync or async methods, and with which durability."""

    face: Literal["sync", "async"]
    durability: Durability

    def __str__(self) -> str:
        return f"{self.face}-{self.durability}"


_FACES: tuple[Literal["sync", "async"], ...] = ("sync", "async")
_DURABILITIES: tuple[Durability, ...] = ("sync", "async", "exit")

in_every_mode = pytest.mark.parametrize(
    "mode", [Mode(face, durability) for face in _FACES for durability in _DURABILITIES], ids=str
)
in_stepwise_modes = pytest.mark.parametrize(
    "mode", [Mode(face, durability) for face in _FACES for durability in _DURABILITIES[:2]], ids=str
)
"""The modes that store every superstep, for scenarios that return to an earlier one."""
in_chosen_modes = pytest.mark.parametrize(
    "mode",
    [
        Mode("sync", "async"),
        Mode("async", "sync"),
        Mode("sync", "exit"),
        Mode("async", "exit"),
    ],
    ids=str,
)
"""Sync and async, and each durability, for tests with other parameters as well."""
by_both_faces = pytest.mark.parametrize("mode", [Mode(face, "async") for face in _FACES], ids=str)


class Stage:
    """The environment of a scenario: graphs on one saver, driven in one mode.

    Keeps every call's result for the comparison. Nodes made here count their runs.

    Attributes:
        saver: The saver of all graphs.
        runs: How often each node has run.
        awaits: Whether graphs are run with their async methods.
    """

    def __init__(self, saver: BaseCheckpointSaver[str], mode: Mode, loop: LoopThread) -> None:
        self.saver = saver
        self.runs: Counter[str] = Counter()
        self.results: list[object] = []
        self.graphs: list[Graph] = []
        self.calls: Calls = SyncCalls(saver) if mode.face == "sync" else AsyncCalls(saver, loop)
        self.awaits = mode.face == "async"
        self._mode = mode
        self._loop = loop

    @property
    def delta_channels(self) -> set[str]:
        """The names of the DeltaChannels of all graphs."""
        return {
            name
            for graph in self.graphs
            for name, channel in graph.channels.items()
            if isinstance(channel, DeltaChannel)
        }

    def compile(self, builder: Any, **settings: Any) -> Graph:
        """Compile a graph with the saver. Its history is compared after the scenario."""
        graph: Graph = builder.compile(checkpointer=self.saver, **settings)
        return self.adopt(graph)

    def adopt(self, graph: Graph) -> Graph:
        """Add a graph whose history is compared after the scenario."""
        self.graphs.append(graph)
        return graph

    def node(self, name: str) -> Callable[[Any], Log]:
        """A node that counts its run and logs its name."""

        def log_name(_: Any) -> Log:
            self.ran(name)
            return {"log": [name]}

        return log_name

    def fails_once(self, name: str) -> Callable[[Any], Log]:
        """A node that raises when it first runs and logs its name when it runs again."""

        def fail_once(_: Any) -> Log:
            if self.ran(name) == 1:
                raise NodeFailedError(name)
            return {"log": [name]}

        return fail_once

    def ran(self, name: str) -> int:
        """Count a node's run."""
        self.runs[name] += 1
        return self.runs[name]

    def invoke(self, graph: Graph, value: Any, config: RunnableConfig = HEAD, **how: Any) -> Any:
        """Run a graph to its end or next interrupt; returns its result."""
        how.setdefault("durability", self._mode.durability)
        if not self.awaits:
            result = graph.invoke(value, config, **how)
        else:
            result = self._loop.run(graph.ainvoke(value, config, **how))
        return self._keep(result)

    def fail(self, graph: Graph, value: Any, config: RunnableConfig = HEAD) -> None:
        """Run a graph whose node fails."""
        with pytest.raises(NodeFailedError) as caught:
            self.invoke(graph, value, config)
        self._keep(caught.value)

    def stream(self, graph: Graph, value: Any, config: RunnableConfig = HEAD) -> Any:
        """Run a graph and collect its stream: updates, values and tasks, by superstep."""
        modes: Any = ["values", "updates", "tasks"]
        durability = self._mode.durability
        if not self.awaits:
            chunks: Any = list(
                graph.stream(value, config, stream_mode=modes, durability=durability)
            )
        else:
            streamed = graph.astream(value, config, stream_mode=modes, durability=durability)
            chunks = self._loop.run(_collect(streamed))
        return self._keep(_ordered(chunks))

    def state(
        self, graph: Graph, config: RunnableConfig = HEAD, *, subgraphs: bool = False
    ) -> StateSnapshot:
        """The state of a graph."""
        if not self.awaits:
            return self._keep(graph.get_state(config, subgraphs=subgraphs))
        return self._keep(self._loop.run(graph.aget_state(config, subgraphs=subgraphs)))

    def history(self, graph: Graph, config: RunnableConfig = HEAD) -> list[StateSnapshot]:
        """The state history of a graph, newest first."""
        if not self.awaits:
            return self._keep(list(graph.get_state_history(config)))
        return self._keep(self._loop.run(_collect(graph.aget_state_history(config))))

    def update(
        self,
        graph: Graph,
        values: Any,
        config: RunnableConfig = HEAD,
        *,
        as_node: str | None = None,
    ) -> RunnableConfig:
        """Write to a graph's state as if a node had; returns the config of the new checkpoint."""
        if not self.awaits:
            return graph.update_state(config, values, as_node)
        return self._loop.run(graph.aupdate_state(config, values, as_node))

    def bulk_update(self, graph: Graph, supersteps: Sequence[Sequence[StateUpdate]]) -> None:
        """Write several supersteps to a graph's state."""
        if not self.awaits:
            graph.bulk_update_state(HEAD, supersteps)
            return
        self._loop.run(graph.abulk_update_state(HEAD, supersteps))

    def _keep(self, result: T) -> T:
        # A copy: a later superstep may change a value that is still referenced.
        self.results.append(plain(result))
        return result


Scenario: TypeAlias = Callable[[Stage], object]


def compare(
    scenario: Scenario,
    mode: Mode,
    saver: BaseCheckpointSaver[str],
    loop: LoopThread,
    *,
    stored: bool = True,
) -> None:
    """Play a scenario on a saver and on `InMemorySaver`; both must give the same results.

    Args:
        scenario: The scenario. Its own assertions hold on both.
        mode: How its graphs are run.
        saver: The saver under test.
        loop: Where asynchronous graphs run.
        stored: Whether to also compare the stored data and the whole history, not only the
            results. False if the scenario prunes, which `InMemorySaver` cannot.
    """
    expected, found = (
        _observe(scenario, Stage(each, mode, loop), stored=stored)
        for each in (InMemorySaver(), saver)
    )
    assert found.runs == expected.runs
    assert list(differences(found.stored, expected.stored)) == []
    assert list(differences(found.results, expected.results)) == []
    assert list(differences(found.history, expected.history)) == []


@dataclass(frozen=True)
class _Observed:
    runs: Counter[str]
    stored: object
    results: object
    history: object


def _observe(scenario: Scenario, stage: Stage, *, stored: bool) -> _Observed:
    scenario(stage)
    names = Names()
    # Stored data first: its order is fixed, so it determines the numbers of the ids.
    checkpoints = (
        names.normal(stored_checkpoints(stage.calls, stage.delta_channels)) if stored else []
    )
    results = names.normal(stage.results)
    states = [plain(stage.history(graph)) for graph in stage.graphs] if stored else []
    return _Observed(stage.runs, checkpoints, results, names.normal(states))


def differences(found: Any, expected: Any, place: str = "") -> Iterator[str]:
    """Where two plain values differ: each place in a short line."""
    if isinstance(found, dict) and isinstance(expected, dict) and found.keys() == expected.keys():
        for name in found:
            yield from differences(found[name], expected[name], f"{place}.{name}")
    elif _are_sequences(found, expected) and len(found) == len(expected):
        for position, pair in enumerate(zip(found, expected, strict=True)):
            yield from differences(*pair, f"{place}[{position}]")
    elif found != expected:
        yield f"{place}: {found!r}, expected {expected!r}"


def _are_sequences(*values: object) -> bool:
    return all(isinstance(value, list | tuple) for value in values)


def stored_checkpoints(calls: Calls, delta_channels: Collection[str] = ()) -> object:
    """Every checkpoint of the thread with its pending writes, by namespace, oldest first.

    The order of namespaces does not depend on ids, which differ between runs.
    """
    by_namespace: defaultdict[str, list[CheckpointTuple]] = defaultdict(list)
    for found in calls.list(HEAD):
        by_namespace[found.config["configurable"]["checkpoint_ns"]].append(found)
    ordered = sorted(by_namespace.items(), key=lambda pair: _place(*pair))
    return [
        (checkpoint_ns, _plain_tuples(tuples[::-1], delta_channels))
        for checkpoint_ns, tuples in ordered
    ]


def _place(checkpoint_ns: str, tuples: Sequence[CheckpointTuple]) -> tuple[str, str]:
    return (_ID.sub("", checkpoint_ns), tuples[-1].checkpoint["id"])


def _plain_tuples(
    tuples: Sequence[CheckpointTuple], delta_channels: Collection[str]
) -> list[dict[str, Any]]:
    versions = {found.checkpoint["id"]: found.checkpoint["channel_versions"] for found in tuples}
    plain_tuples = []
    for found in tuples:
        parent = plain_config(found.parent_config)
        inherited = versions.get(parent[2], {}) if parent else {}
        checkpoint: dict[str, Any] = {**found.checkpoint, "ts": None}
        checkpoint["channel_values"] = {
            name: value
            for name, value in found.checkpoint["channel_values"].items()
            # LangGraph puts an unchanged DeltaChannel without its value. InMemorySaver returns the
            # parent's value, which has the same version. A saver that stores whole checkpoints does
            # not, and the value is rebuilt, as the comparison of states shows.
            if name not in delta_channels
            or inherited.get(name) != found.checkpoint["channel_versions"][name]
        }
        plain_tuples.append(
            {
                "checkpoint": plain(checkpoint),
                "metadata": plain(found.metadata),
                "parent": parent,
                "writes": plain(found.pending_writes),
            }
        )
    return plain_tuples


def plain(value: object) -> Any:
    """A copy of a value as text, lists and dicts that compares by content.

    The type stays visible: a tuple is not equal to a list, nor `True` to `1`.
    """
    match value:
        case StateSnapshot():
            return plain_snapshot(value)
        case dict():
            return {str(name): plain(value[name]) for name in sorted(value, key=str)}
        case list():
            return [plain(one) for one in value]
        case tuple():
            return [f"a {type(value).__name__} of", *(plain(one) for one in value)]
        case set() | frozenset():
            return [f"a {type(value).__name__} of", *sorted(map(repr, value))]
    return repr(value)


def plain_snapshot(state: StateSnapshot) -> dict[str, Any]:
    """A state without its time. Configs are reduced to the keys that name a checkpoint."""
    return {
        "config": plain_config(state.config),
        "parent": plain_config(state.parent_config),
        "values": plain(state.values),
        "next": plain(state.next),
        "metadata": plain(state.metadata),
        "interrupts": plain(state.interrupts),
        "tasks": [
            {
                "id": task.id,
                "name": task.name,
                "path": plain(task.path),
                "error": repr(task.error),
                "interrupts": plain(task.interrupts),
                "result": plain(task.result),
                "state": (
                    plain_snapshot(task.state)
                    if isinstance(task.state, StateSnapshot)
                    else plain(task.state)
                ),
            }
            for task in state.tasks
        ],
    }


def plain_config(config: RunnableConfig | None) -> list[Any] | None:
    """The three keys that name a checkpoint. `InMemorySaver` also returns other keys."""
    if config is None:
        return None
    names = ("thread_id", "checkpoint_ns", "checkpoint_id")
    return [config["configurable"].get(name) for name in names]


_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<![0-9a-f])[0-9a-f]{32}")
"""Checkpoint ids, task ids and the hashes that name interrupts."""
_VERSION = re.compile(r"(?<!\d)(\d{32})\.\d[-.e\d]*")


@dataclass
class Names:
    """Replaces ids with numbers in the order of first use, and versions with their counts."""

    known: dict[str, str] = field(default_factory=dict)

    def normal(self, value: Any) -> Any:
        """The plain value with ids replaced by numbers, and versions without their random part."""
        match value:
            case str():
                counted = _VERSION.sub(lambda found: f"version {int(found[1])}", value)
                return _ID.sub(lambda found: self._name(found[0]), counted)
            case {"__interrupt__": list(asked), **others}:
                # Concurrent tasks ask in no fixed order.
                named = [self.normal(one) for one in sorted(asked, key=_text)]
                return {**self.normal(others), "__interrupt__": sorted(named)}
            case dict():
                return {self.normal(name): self.normal(one) for name, one in value.items()}
            case list() | tuple():
                return [self.normal(one) for one in value]
        return value

    def _name(self, found: str) -> str:
        return self.known.setdefault(found, f"#{len(self.known)}")


async def _collect(values: Any) -> list[Any]:
    return [value async for value in values]


def _ordered(chunks: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Chunks with those of concurrent tasks in a fixed order: such tasks finish in any order."""
    ordered: list[tuple[str, Any]] = []
    for concurrent, group in groupby(chunks, key=lambda chunk: chunk[0] != "values"):
        found = list(group)
        ordered += sorted(found, key=_text) if concurrent else found
    return ordered


def _text(value: object) -> str:
    """A sort key for values in no fixed order: their text without ids, which differ by run."""
    return _ID.sub("", repr(value))

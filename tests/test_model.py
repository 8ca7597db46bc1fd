"""The saver and LangGraph's `InMemorySaver` side by side: every call must give the same result.

`MODEL_EXAMPLES` sets the number of runs; the default is short enough for every change.
"""

from __future__ import annotations

import itertools
import os
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph_checkpoint_dynamodb.errors import DeltaHistoryError, UnreadableItemError
from tests.support import strategies as given
from tests.support.calls import AsyncCalls, SyncCalls
from tests.support.effort import amount
from tests.support.model import (
    ReferenceSaver,
    plain_history,
    plain_tuple,
    plain_tuples,
)
from tests.support.strategies import AMBIGUOUS, Cast, Change, Step, Turn
from tests.support.tables import with_payloads
from tests.support.values import config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata

    from tests.support.buckets import Bucket
    from tests.support.calls import Calls, LoopThread
    from tests.support.savers import Saver
    from tests.support.tables import Tables

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", amount(24, 4)))
STEPS = 25

threads = st.integers(0, given.THREADS - 1)
namespaces = st.integers(0, given.NAMESPACES - 1)
ids = st.integers(0, given.IDS - 1)
tasks = st.integers(0, given.TASKS - 1)
positions = st.integers(0, given.THREADS * given.NAMESPACES - 1)
some_ids = st.none() | st.just("") | ids
"""The checkpoint id of a config: omitted, empty, or by position."""


class SmallPages:
    """Makes the service return short pages, as it may at any time."""

    def __init__(self, tables: Tables) -> None:
        self.size: int | None = None
        for action in ("Query", "Scan"):
            tables.on(f"before-parameter-build.dynamodb.{action}", self._cut)

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Pages as the service returns them, where only the result matters."""
        self.size, size = None, self.size
        yield
        self.size = size

    def _cut(self, params: dict[str, Any], **_: object) -> None:
        if self.size is not None:
            params["Limit"] = min(self.size, params.get("Limit", self.size))


class Namespaces(Enum):
    """What to list, given a thread and a namespace."""

    ONE = "only the namespace"
    OF_THE_THREAD = "no namespace in the config"
    NONE_NAMED = "None as the namespace in the config"
    OF_ALL_THREADS = "no config"


class SaverMachine(RuleBasedStateMachine):
    """Calls the saver and the reference with the same arguments and compares."""

    def __init__(self, tables: Tables, pages: SmallPages, calls: Calls) -> None:
        super().__init__()
        self.tables = tables
        self.pages = pages
        self.calls = calls
        self.reference = ReferenceSaver()
        self.names: Cast = AMBIGUOUS
        self.versions = itertools.count(1)
        # Where items expire, updates counted under a parent that was never put raise.
        self.counting = True

    @initialize(
        names=given.casts,
        page_size=given.page_sizes,
        chains=st.lists(
            st.tuples(threads, namespaces, given.chains),
            min_size=2,
            max_size=4,
            unique_by=lambda chain: chain[:2],
        ),
    )
    def begin(
        self, names: Cast, page_size: int | None, chains: list[tuple[int, int, list[Turn]]]
    ) -> None:
        self.names = names
        self.pages.size = page_size
        for thread, namespace, turns in chains:
            self._put_chain(thread, namespace, turns)

    def teardown(self) -> None:
        self.pages.size = None
        cast("Saver", self.calls.saver).close()
        self.tables.drop()

    # Storing

    @rule(
        thread=threads,
        namespace=namespaces,
        one=ids,
        other=ids,
        odd_parent=st.none() | given.unstorable_ids,
        step=given.steps,
    )
    def put(
        self,
        thread: int,
        namespace: int,
        one: int,
        other: int,
        odd_parent: str | None,
        step: Step,
    ) -> None:
        parent = self.names.ids[min(one, other)] if one != other else odd_parent
        stored = self._put(thread, namespace, self.names.ids[max(one, other)], parent, step)
        self._compare_tuples(stored)

    @rule(thread=threads, namespace=namespaces, turns=given.chains)
    def put_chain(self, thread: int, namespace: int, turns: list[Turn]) -> None:
        self._put_chain(thread, namespace, turns)

    @rule(
        thread=threads,
        namespace=namespaces,
        checkpoint=ids,
        writes=given.task_writes,
        task=tasks,
        path=tasks,
    )
    def put_writes(
        self,
        thread: int,
        namespace: int,
        checkpoint: int,
        writes: list[tuple[Any, Any]],
        task: int,
        path: int,
    ) -> None:
        at = self._config(thread, namespace, checkpoint)
        self._write(at, writes, self.names.tasks[task], self.names.paths[path])

    @rule(picked=positions, writes=given.task_writes, path=tasks)
    def put_writes_of_a_task_again(
        self, picked: int, writes: list[tuple[Any, Any]], path: int
    ) -> None:
        earlier = self.reference.tasks_with_writes()
        if earlier:
            thread_id, checkpoint_ns, checkpoint_id, task_id = earlier[picked % len(earlier)]
            at = config(thread_id, checkpoint_ns, checkpoint_id)
            self._write(at, writes, task_id, self.names.paths[path])

    # Reading

    @rule(position=positions, root_by_default=st.booleans(), wanted=given.wanted_channels)
    def read_every_checkpoint_with_its_history(
        self, position: int, root_by_default: bool, wanted: Sequence[int]
    ) -> None:
        names = [self.names.channels[channel] for channel in wanted]
        for at in self._every_config(position, root_by_default):
            self._compare_tuples(at)
            if self.reference.is_cut(at, names):
                with pytest.raises(UnreadableItemError):
                    self.calls.get_delta_channel_history(config=at, channels=names)
                continue
            found = self.calls.get_delta_channel_history(config=at, channels=names)
            expected = self.reference.get_delta_channel_history(config=at, channels=names)
            if plain_history(found) != plain_history(expected):
                assert found.keys() == expected.keys()
                for name in names:
                    assert self.reference.may_be_history(at, name, found[name])

    @rule(
        thread=threads,
        namespace=st.none() | namespaces,
        checkpoint=some_ids | given.unstorable_ids,
    )
    def get_tuple(self, thread: int, namespace: int | None, checkpoint: int | str | None) -> None:
        self._compare_tuples(self._config(thread, namespace, checkpoint))

    @rule(
        position=positions,
        namespaces_wanted=st.sampled_from(Namespaces),
        checkpoint=st.none() | some_ids | given.unstorable_ids,
        before=st.none() | some_ids | given.unstorable_ids,
        metadata=given.filters,
        limit=given.limits,
    )
    def list_checkpoints(
        self,
        position: int,
        namespaces_wanted: Namespaces,
        checkpoint: int | str | None,
        before: int | str | None,
        metadata: dict[str, Any] | None,
        limit: int | None,
    ) -> None:
        at = self._listed(position, namespaces_wanted, checkpoint)
        self._compare_lists(at, metadata, self._config(0, None, before), limit)

    @rule(
        position=positions,
        namespaces_wanted=st.sampled_from(Namespaces),
        picked=positions,
        limit=st.sampled_from((1, 1, 2, None)),
    )
    def list_before_and_like_others(
        self, position: int, namespaces_wanted: Namespaces, picked: int, limit: int | None
    ) -> None:
        """Before each id in turn, and with each metadata value of one of the checkpoints."""
        at = self._listed(position, namespaces_wanted)
        for before in range(given.IDS):
            self._compare_lists(at, None, self._config(0, None, before), limit)
        every = [*self.reference.list(at)]
        if every:
            metadata = cast("dict[str, Any]", every[picked % len(every)].metadata)
            for key, value in metadata.items():
                self._compare_lists(at, {key: value}, None, limit)

    # Copying and deleting

    @rule(position=positions)
    def delete_thread(self, position: int) -> None:
        thread_id, _ = self._place(position)
        self.calls.delete_thread(thread_id)
        self.reference.delete_thread(thread_id)
        self._compare_threads(thread_id)

    @rule(position=positions, copy=threads)
    def copy_thread(self, position: int, copy: int) -> None:
        ends = (self._place(position)[0], self.names.threads[copy])
        if self.reference.has_strays(*ends):
            return
        self.calls.copy_thread(*ends)
        self.reference.copy_thread(*ends)
        self._compare_threads(*set(ends))

    @rule(
        some=st.just(range(given.THREADS * given.NAMESPACES)) | st.lists(positions, max_size=2),
        strategy=st.sampled_from(("keep_latest", "keep_latest", "keep_latest", "delete")),
    )
    def prune(self, some: Sequence[int], strategy: str) -> None:
        thread_ids = [self._place(position)[0] for position in some]
        self.calls.prune(thread_ids, strategy=strategy)
        self.reference.prune(thread_ids, strategy=strategy)
        self._compare_threads(*set(thread_ids))

    @rule(run_ids=st.lists(st.sampled_from(given.SOUGHT_RUN_IDS), max_size=2))
    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        assert _refused_threads(lambda: self.calls.delete_for_runs(run_ids)) == _refused_threads(
            lambda: self.reference.delete_for_runs(run_ids)
        )
        self._compare_threads(*self.names.threads)

    def _put_chain(self, thread: int, namespace: int, turns: list[Turn]) -> None:
        parent = None
        for checkpoint_id, turn in zip(self.names.ids, turns, strict=False):
            at = self._put(thread, namespace, checkpoint_id, parent, turn.step)
            task_id, path = self.names.tasks[turn.task], self.names.paths[turn.task]
            self._write(at, turn.writes, task_id, path)
            parent = checkpoint_id

    def _put(
        self, thread: int, namespace: int, checkpoint_id: str, parent: str | None, step: Step
    ) -> RunnableConfig:
        """Store a checkpoint as LangGraph's runtime does: a kept value keeps its version, every
        other version is new.
        """
        at = config(self.names.threads[thread], self.names.namespaces[namespace], parent)
        before = self.reference.get_tuple(at) if parent else None
        values = dict(before.checkpoint["channel_values"]) if before else {}
        versions = dict(before.checkpoint["channel_versions"]) if before else {}
        new_versions: ChannelVersions = {}
        for channel, (change, value) in zip(self.names.channels, step.changes, strict=True):
            if change is not Change.KEEP:
                values.pop(channel, None)
                versions.pop(channel, None)
            if change in (Change.SET, Change.CONSUME):
                versions[channel] = new_versions[channel] = f"{next(self.versions):032}.5"
            if change is Change.SET:
                values[channel] = value
        checkpoint: Checkpoint = {
            "v": 4,
            "id": checkpoint_id,
            "ts": "2026-01-01T00:00:00+00:00",
            "channel_values": values,
            "channel_versions": versions,
            "versions_seen": {"node": new_versions},
            "updated_channels": sorted(new_versions),
        }
        counters = {self.names.channels[channel]: (1, 2) for channel in sorted(step.counted)}
        metadata = cast("CheckpointMetadata", step.metadata)
        if counters and self.counting:
            metadata = {**metadata, "counters_since_delta_snapshot": counters}
        if step.root is not None:
            parents = {"": self.names.ids[step.root], "another": checkpoint_id}
            metadata = {**metadata, "parents": parents}
        own_metadata, configurable = step.merged
        merged: RunnableConfig = {
            "configurable": {**configurable, **at["configurable"]},
            "metadata": own_metadata,
        }
        stored = self.calls.put(merged, checkpoint, metadata, new_versions)
        assert stored == self.reference.put(merged, checkpoint, metadata, new_versions)
        return stored

    def _write(
        self, at: RunnableConfig, writes: list[tuple[Any, Any]], task_id: str, path: str
    ) -> None:
        named = [
            (self.names.channels[channel] if isinstance(channel, int) else channel, value)
            for channel, value in writes
        ]
        self.calls.put_writes(at, named, task_id, path)
        self.reference.put_writes(at, named, task_id, path)
        self._compare_tuples(at)

    def _config(
        self, thread: int, namespace: int | None, checkpoint: int | str | None
    ) -> RunnableConfig:
        return config(
            self.names.threads[thread],
            None if namespace is None else self.names.namespaces[namespace],
            self.names.ids[checkpoint] if isinstance(checkpoint, int) else checkpoint,
        )

    def _place(self, position: int) -> tuple[str, str]:
        """Thread and namespace; one with checkpoints as long as there is any."""
        places = self.reference.places() or [(self.names.threads[0], self.names.namespaces[0])]
        return places[position % len(places)]

    def _every_config(self, position: int, root_by_default: bool) -> list[RunnableConfig]:
        """For one place: the config of the newest checkpoint, and of every id, stored or not."""
        thread_id, checkpoint_ns = self._place(position)
        named = None if root_by_default and not checkpoint_ns else checkpoint_ns
        return [config(thread_id, named, id_) for id_ in (None, "", *self.names.ids)]

    def _listed(
        self, position: int, wanted: Namespaces, checkpoint: int | str | None = None
    ) -> RunnableConfig | None:
        if wanted is Namespaces.OF_ALL_THREADS:
            return None
        thread_id, checkpoint_ns = self._place(position)
        at = self._config(0, None, checkpoint)
        at["configurable"]["thread_id"] = thread_id
        if wanted is not Namespaces.OF_THE_THREAD:
            at["configurable"]["checkpoint_ns"] = (
                None if wanted is Namespaces.NONE_NAMED else checkpoint_ns
            )
        return at

    def _compare_tuples(self, at: RunnableConfig) -> None:
        assert plain_tuple(self.calls.get_tuple(at)) == plain_tuple(self.reference.get_tuple(at))

    def _compare_lists(
        self,
        at: RunnableConfig | None,
        metadata: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> None:
        """A limit may leave out any namespace; within a namespace it leaves out the oldest."""
        found = [*self.calls.list(at, filter=metadata, before=before, limit=limit)]
        matching = [*self.reference.list(at, filter=metadata, before=before)]
        wanted = plain_tuples(matching)
        assert len(found) == len(matching[: None if limit is None else max(0, limit)])
        for place, listed in plain_tuples(found).items():
            assert listed == wanted[place][: len(listed)]

    def _compare_threads(self, *thread_ids: str) -> None:
        """These threads have equal checkpoints and writes, and the tables hold no other item."""
        with self.pages.whole():
            for thread_id in thread_ids:
                self._compare_lists(config(thread_id, None))
            heads, beside = self.tables.heads(), self.tables.write_items()
        writes = sum(
            len(item["writes"]["L"]) if "writes" in item else "channel" in item for item in beside
        )
        assert (len(heads), writes) == self.reference.counts()


def _refused_threads(delete: Callable[[], None]) -> tuple[str, ...]:
    try:
        delete()
    except DeltaHistoryError as error:
        return error.thread_ids
    return ()


class PaddedSerializer(JsonPlusSerializer):
    """Makes every value so large and repetitive that compressing it saves a write unit."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        tag, data = super().dumps_typed(obj)
        return tag, bytes(PADDING) + data

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        return super().loads_typed((data[0], data[1][PADDING:]))


PADDING = 3_000


@dataclass(frozen=True)
class Variant:
    """A configuration of the saver.

    Attributes:
        name: Name of the variant.
        asynchronous: Whether its `a*` methods are called.
        settings: Arguments of the saver.
        payloads: Changes to the payload policy.
        in_s3: Whether every value is stored in S3.
        share: Share of the examples.
    """

    name: str
    asynchronous: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    payloads: Mapping[str, Any] = field(default_factory=dict)
    in_s3: bool = False
    share: float = 0.5

    def saver(self, tables: Tables, bucket: Bucket) -> Saver:
        offload = {"s3_offload_config": bucket.config()} if self.in_s3 else {}
        made = tables.saver(**{**tables.quick(bucket), **self.settings, **offload})
        return with_payloads(made, **self.payloads)


SMALL = {"inline_limit": 300, "chunk_bytes": 200}
VARIANTS = (
    Variant("sync, scanning for runs", share=1),
    Variant("async, with a run index", True, {"run_id_index": "by-run-id"}, share=1),
    Variant("sync, in chunks", payloads=SMALL),
    Variant("async, in chunks", True, payloads=SMALL),
    Variant("sync, in S3", in_s3=True, share=0.25),
    Variant("async, in S3", True, in_s3=True, share=0.25),
    *(
        Variant(codec, settings={"compression": codec, "serde": PaddedSerializer()}, share=0.25)
        for codec in ("gzip", "zstd")
    ),
    Variant(
        "gzip, in chunks, expiring",
        settings={"compression": "gzip", "serde": PaddedSerializer(), "ttl_seconds": 1000},
        payloads={"inline_limit": 300, "chunk_bytes": 50},
        share=0.25,
    ),
    Variant("expiring", settings={"ttl_seconds": 1000}, share=0.25),
    Variant("incremental", settings={"compression": "incremental"}, payloads={"whole_bytes": 0}),
    Variant(
        "async, incremental, in chunks",
        True,
        settings={"compression": "incremental"},
        payloads={"whole_bytes": 0, "inline_limit": 300, "chunk_bytes": 50},
        share=0.25,
    ),
    Variant(
        "incremental, expiring",
        settings={"compression": "incremental", "ttl_seconds": 1000},
        payloads={"whole_bytes": 0},
        share=0.25,
    ),
)


@pytest.mark.sample(3)
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_every_call_gives_the_answer_of_the_in_memory_saver(
    tables: Tables, bucket: Bucket, loop_thread: LoopThread, variant: Variant
) -> None:
    pages = SmallPages(tables)
    numbers = itertools.count()

    class FreshTables(SaverMachine):
        def __init__(self) -> None:
            number = next(numbers)
            # The client is shared: creating one takes longer than the first calls of a run.
            run = replace(
                tables,
                checkpoints=f"{tables.checkpoints}-{number}",
                writes=f"{tables.writes}-{number}",
            )
            saver = variant.saver(run, bucket)
            saver.setup()
            calls = AsyncCalls(saver, loop_thread) if variant.asynchronous else SyncCalls(saver)
            super().__init__(run, pages, calls)
            self.counting = "ttl_seconds" not in variant.settings

    examples = max(1, int(EXAMPLES * variant.share))
    run_state_machine_as_test(
        FreshTables, settings=settings(max_examples=examples, stateful_step_count=STEPS)
    )

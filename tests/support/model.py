"""The reference for the savers: LangGraph's `InMemorySaver` with simple versions of what it lacks.

The code is as simple as possible, even if slow, because the savers are judged by it.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.memory import InMemorySaver

from langgraph_checkpoint_dynamodb.errors import DeltaHistoryError
from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
from tests.support.values import config

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import (
        ChannelVersions,
        Checkpoint,
        CheckpointMetadata,
        CheckpointTuple,
        DeltaChannelHistory,
    )


class ReferenceSaver(InMemorySaver):
    """`InMemorySaver` with copying, pruning and deleting runs.

    It differs from its base class in one point: deleting a thread leaves the writes of checkpoints
    that were never stored. On DynamoDB nothing refers to those writes, and no reader sees them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._early: dict[tuple[str, str, str], dict[Any, Any]] = {}

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        stored = super().put(config, checkpoint, metadata, new_versions)
        place = _place(stored)
        parent_id = config["configurable"].get("checkpoint_id")
        self._early[place] = dict(self.writes[place[0], place[1], parent_id]) if parent_id else {}
        return stored

    def may_be_history(self, at: RunnableConfig, channel: str, found: DeltaChannelHistory) -> bool:
        """Whether a history is a valid result for a channel.

        A valid history has, of each ancestor, the writes that existed when the child was stored,
        and none or all of the later writes. It may have none if the channel's version is unchanged
        in the child.
        """
        expected = self.get_delta_channel_history(config=at, channels=[channel])[channel]
        seeds = [
            plain_history({channel: {**history, "writes": []}}) for history in (expected, found)
        ]
        if seeds[0] != seeds[1]:
            return False
        rest = [exact(write) for write in found["writes"]]
        choices = [
            [[exact(write) for write in some] for some in ancestor]
            for ancestor in self._choices(at, channel)
        ]
        return _may_be(choices, rest)

    def possible_writes(self, at: RunnableConfig, channel: str) -> Iterator[list[object]]:
        """The writes of every valid history of a channel."""
        for some in product(*self._choices(at, channel)):
            yield [write for of_ancestor in some for write in of_ancestor]

    def _choices(self, at: RunnableConfig, channel: str) -> list[list[list[object]]]:
        """For each ancestor, oldest first, the alternatives of its writes in a valid history."""
        choices: list[list[list[object]]] = []
        child = self.get_tuple(at)
        walked = set()
        while child is not None and (parent_id := _parent_id(child)):
            place = _place(child.config)
            parent = self.get_tuple(config(place[0], place[1], parent_id))
            if parent is None or parent_id in walked:
                break
            walked.add(parent_id)
            early = self._early.get(place, {})
            late = self.writes[place[0], place[1], parent_id]
            some = [self._given(writes, channel) for writes in (early, late)]
            version = child.checkpoint["channel_versions"].get(channel)
            if version is not None and version == parent.checkpoint["channel_versions"].get(
                channel
            ):
                some.append([])
            different = [
                one for at, one in enumerate(some) if exact(one) not in map(exact, some[:at])
            ]
            choices.insert(0, different)
            child = parent
            if channel in parent.checkpoint["channel_values"]:
                break
        return choices

    def _given(self, writes: Mapping[Any, Any], channel: str) -> list[object]:
        ordered = sorted(writes.items(), key=lambda pair: (pair[1][3], *pair[0]))
        return [
            (task_id, name, self.serde.loads_typed(value))
            for _, (task_id, name, value, _) in ordered
            if name == channel
        ]

    def delete_thread(self, thread_id: str) -> None:
        for checkpoint_ns in self._namespaces(thread_id):
            self._remove(thread_id, checkpoint_ns, self.ids(thread_id, checkpoint_ns))

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        if source_thread_id == target_thread_id:
            return
        for checkpoint_ns in self._namespaces(source_thread_id):
            stored = self.storage[source_thread_id][checkpoint_ns]
            self.storage[target_thread_id][checkpoint_ns].update(stored)
            for checkpoint_id in stored:
                writes = self.writes[source_thread_id, checkpoint_ns, checkpoint_id]
                target = self.writes[target_thread_id, checkpoint_ns, checkpoint_id]
                # The outputs of a task are those of the source; those of another run are dropped.
                tasks = {task_id for task_id, idx in writes if idx >= 0}
                for task_id, idx in list(target):
                    if task_id in tasks and idx >= 0:
                        del target[task_id, idx]
                target.update(writes)
        for (thread_id, *rest), writes in list(self._early.items()):
            if thread_id == source_thread_id:
                self._early[target_thread_id, rest[0], rest[1]] = writes
        for (thread_id, checkpoint_ns, channel, version), blob in list(self.blobs.items()):
            if thread_id == source_thread_id:
                self.blobs[target_thread_id, checkpoint_ns, channel, version] = blob

    def has_strays(self, source_thread_id: str, target_thread_id: str) -> bool:
        """Whether the target has outputs of a copied task, but not their checkpoint.

        Tests do not compare these: what remains of them depends on how they are stored.
        """
        for (thread_id, checkpoint_ns, checkpoint_id), writes in self.writes.items():
            if thread_id != target_thread_id:
                continue
            if checkpoint_id in self.ids(target_thread_id, checkpoint_ns):
                continue
            copied = self.writes.get((source_thread_id, checkpoint_ns, checkpoint_id), {})
            tasks = {task_id for task_id, idx in copied if idx >= 0}
            if checkpoint_id in self.ids(source_thread_id, checkpoint_ns) and any(
                task_id in tasks and idx >= 0 for task_id, idx in writes
            ):
                return True
        return False

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        # Each thread once: the state before the call decides which channels are DeltaChannels.
        for thread_id in set(thread_ids):
            if strategy == "delete":
                self.delete_thread(thread_id)
                continue
            gone = self._calls_to_prune(thread_id)
            for checkpoint_ns in self._namespaces(thread_id):
                ids = self.ids(thread_id, checkpoint_ns)
                kept = set() if checkpoint_ns in gone else self._needed(thread_id, checkpoint_ns)
                self._remove(thread_id, checkpoint_ns, ids - kept)

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        doomed: dict[tuple[str, str], set[str]] = {}
        refused = set()
        for thread_id in list(self.storage):
            for checkpoint_ns in self._namespaces(thread_id):
                stored = self._stored(thread_id, checkpoint_ns)
                victims = {
                    checkpoint_id
                    for checkpoint_id, found in stored.items()
                    if found.metadata.get("run_id") in run_ids
                }
                doomed[thread_id, checkpoint_ns] = victims
                for survivor in stored.keys() - victims:
                    if self._rebuilt_from(thread_id, checkpoint_ns, survivor) & victims:
                        refused.add(thread_id)
        if refused:
            raise DeltaHistoryError(sorted(refused))
        for (thread_id, checkpoint_ns), victims in doomed.items():
            self._remove(thread_id, checkpoint_ns, victims)

    def ids(self, thread_id: str, checkpoint_ns: str) -> set[str]:
        """Ids of the checkpoints of a namespace."""
        return set(self.storage.get(thread_id, {}).get(checkpoint_ns, {}))

    def places(self) -> list[tuple[str, str]]:
        """Thread and namespace of all checkpoints."""
        return [
            (thread_id, checkpoint_ns)
            for thread_id in self.storage
            for checkpoint_ns in self._namespaces(thread_id)
        ]

    def tasks_with_writes(self) -> list[tuple[str, str, str, str]]:
        """Thread, namespace, checkpoint id and task id of all writes."""
        return [
            (*place, task_id)
            for place, writes in self.writes.items()
            for task_id in dict.fromkeys(task_id for task_id, _ in writes)
        ]

    def is_cut(self, at: RunnableConfig, channels: Sequence[str]) -> bool:
        """Whether the checkpoint, or an ancestor needed to rebuild one of the channels, is deleted.

        `InMemorySaver` returns what is left. That is another value, so the savers raise an error.
        """
        found = self.get_tuple(at)
        if found is None:
            names = at["configurable"]
            checkpoint_id = names.get("checkpoint_id")
            ref = checkpoint_id and CheckpointRef.if_possible(
                names["thread_id"], names.get("checkpoint_ns", ""), checkpoint_id
            )
            return bool(ref and channels)
        names = found.config["configurable"]
        stored = self._stored(names["thread_id"], names.get("checkpoint_ns", ""))
        left, walked = set(channels), {names["checkpoint_id"]}
        while left and (parent := _parent_id(found)) and parent not in walked:
            if parent not in stored:
                left &= found.checkpoint["channel_versions"].keys()
                return not left.isdisjoint(found.metadata.get("counters_since_delta_snapshot", {}))
            walked.add(parent)
            found = stored[parent]
            left -= found.checkpoint["channel_values"].keys()
        return False

    def counts(self) -> tuple[int, int]:
        """The numbers of checkpoints and of writes in all threads."""
        stored = [ids for namespaces in self.storage.values() for ids in namespaces.values()]
        return sum(map(len, stored)), sum(map(len, self.writes.values()))

    def _calls_to_prune(self, thread_id: str) -> set[str]:
        """Namespaces of subgraph calls whose root checkpoint is pruned or already deleted.

        A root checkpoint above the newest stored one is not deleted: it is yet to be stored.
        """
        roots = self.ids(thread_id, "")
        kept = self._needed(thread_id, "") if roots else set()
        gone = set()
        for checkpoint_ns in self._namespaces(thread_id):
            stored = self._stored(thread_id, checkpoint_ns)
            parents = stored[max(stored)].metadata.get("parents")
            root = parents.get("") if isinstance(parents, dict) else None
            if (
                ":" in checkpoint_ns
                and isinstance(root, str)
                and root not in kept
                and roots
                and (root in roots or root < max(roots))
            ):
                gone.add(checkpoint_ns)
        return gone

    def _needed(self, thread_id: str, checkpoint_ns: str) -> set[str]:
        """The newest checkpoint of a namespace and the checkpoints it is rebuilt from."""
        newest = max(self.ids(thread_id, checkpoint_ns))
        return {newest} | self._rebuilt_from(thread_id, checkpoint_ns, newest)

    def _rebuilt_from(self, thread_id: str, checkpoint_ns: str, checkpoint_id: str) -> set[str]:
        """The ancestors needed to rebuild each DeltaChannel that the checkpoint does not store: to
        the first one that stores the channel or does not know it yet. A channel is a DeltaChannel
        if any checkpoint has counted it.
        """
        stored = self._stored(thread_id, checkpoint_ns)
        counted = {
            channel
            for found in stored.values()
            for channel in found.metadata.get("counters_since_delta_snapshot", {})
        }
        checkpoint = stored[checkpoint_id].checkpoint
        missing = checkpoint["channel_versions"].keys() - checkpoint["channel_values"].keys()
        needed = set()
        for channel in counted & missing:
            ancestor = _parent_id(stored[checkpoint_id])
            while ancestor in stored:
                needed.add(ancestor)
                at = stored[ancestor].checkpoint
                if channel in at["channel_values"] or channel not in at["channel_versions"]:
                    break
                ancestor = _parent_id(stored[ancestor])
        return needed

    def _stored(self, thread_id: str, checkpoint_ns: str) -> dict[str, CheckpointTuple]:
        listed = self.list(config(thread_id, checkpoint_ns))
        return {found.config["configurable"]["checkpoint_id"]: found for found in listed}

    def _namespaces(self, thread_id: str) -> list[str]:
        return [ns for ns, ids in self.storage.get(thread_id, {}).items() if ids]

    def _remove(self, thread_id: str, checkpoint_ns: str, ids: Iterable[str]) -> None:
        for checkpoint_id in ids:
            del self.storage[thread_id][checkpoint_ns][checkpoint_id]
            self.writes.pop((thread_id, checkpoint_ns, checkpoint_id), None)


def plain_tuple(found: CheckpointTuple | None) -> object:
    """A tuple in a comparable form, with only the three config keys that our savers return."""
    if found is None:
        return None
    configurable = found.config["configurable"]
    return exact(
        {
            "config": {
                "thread_id": configurable["thread_id"],
                "checkpoint_ns": configurable.get("checkpoint_ns", ""),
                "checkpoint_id": configurable["checkpoint_id"],
            },
            "checkpoint": {
                **found.checkpoint,
                "channel_values": plain_value(found.checkpoint["channel_values"]),
            },
            "metadata": found.metadata,
            "parent_config": found.parent_config,
            "pending_writes": found.pending_writes,
        }
    )


def plain_tuples(listed: Iterable[CheckpointTuple]) -> dict[tuple[str, str], list[object]]:
    """The listed tuples by thread and namespace; the order between namespaces is undefined."""
    groups: defaultdict[tuple[str, str], list[object]] = defaultdict(list)
    for found in listed:
        configurable = found.config["configurable"]
        place = (configurable["thread_id"], configurable["checkpoint_ns"])
        groups[place].append(plain_tuple(found))
    return groups


def _may_be(choices: list[list[list[object]]], found: list[object]) -> bool:
    """Whether the writes are, in order, one of the alternatives of each ancestor."""
    ends = {0}
    for some in choices:
        ends = {
            end + len(one) for end in ends for one in some if found[end : end + len(one)] == one
        }
    return len(found) in ends


def _place(at: RunnableConfig) -> tuple[str, str, str]:
    names = at["configurable"]
    return names["thread_id"], names.get("checkpoint_ns", ""), names["checkpoint_id"]


def plain_history(history: Mapping[str, DeltaChannelHistory]) -> object:
    """A DeltaChannel history in a comparable form."""
    return exact(
        {
            channel: {**found, "seed": plain_value(found["seed"])} if "seed" in found else found
            for channel, found in history.items()
        }
    )


def plain_value(value: object) -> object:
    """A channel value as read from a whole checkpoint.

    The serde keeps a `bytearray` only if it is the whole value; inside others it becomes bytes.
    """
    match value:
        case bytearray():
            return bytes(value)
        case dict():
            return {key: plain_value(part) for key, part in value.items()}
    return value


def exact(value: object) -> object:
    """A form whose equality also tells `True` from `1`, `0.0` from `-0.0`, a tuple from a list."""
    match value:
        case dict():
            parts: Any = {key: exact(part) for key, part in value.items()}
        case list() | tuple():
            parts = [exact(part) for part in value]
        case _:
            parts = repr(value)
    return (type(value).__name__, parts)


def _parent_id(found: CheckpointTuple) -> str:
    return str(found.parent_config["configurable"]["checkpoint_id"]) if found.parent_config else ""

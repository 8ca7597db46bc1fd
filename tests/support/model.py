"""What the saver should do: LangGraph's `InMemorySaver`, and plainly the calls it lacks.

Everything here is as simple as it can be, at any cost in speed: it is what the saver is judged by.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.memory import InMemorySaver

from langgraph_checkpoint_dynamodb.errors import DeltaHistoryError
from langgraph_checkpoint_dynamodb.keys import CheckpointRef
from tests.support.values import config

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import CheckpointTuple, DeltaChannelHistory


class ReferenceSaver(InMemorySaver):
    """`InMemorySaver` with copying, pruning and deleting runs.

    One thing differs from its base on purpose: deleting a thread leaves the writes of checkpoints
    that were never stored. Nothing leads to those on DynamoDB, and no reader sees them.
    """

    def delete_thread(self, thread_id: str) -> None:
        for checkpoint_ns in self._namespaces(thread_id):
            self._remove(thread_id, checkpoint_ns, self.ids(thread_id, checkpoint_ns))

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        for checkpoint_ns in self._namespaces(source_thread_id):
            stored = self.storage[source_thread_id][checkpoint_ns]
            self.storage[target_thread_id][checkpoint_ns].update(stored)
            for checkpoint_id in stored:
                writes = self.writes[source_thread_id, checkpoint_ns, checkpoint_id]
                self.writes[target_thread_id, checkpoint_ns, checkpoint_id].update(writes)
        for (thread_id, checkpoint_ns, channel, version), blob in list(self.blobs.items()):
            if thread_id == source_thread_id:
                self.blobs[target_thread_id, checkpoint_ns, channel, version] = blob

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        # Each once: which channels are DeltaChannels is judged by what is there before the call.
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
        """Whether the checkpoint or an ancestor is gone that one of the channels is rebuilt from.

        The in-memory saver gives what is left. That is another value, so ours refuses.
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
        """How many checkpoints and how many writes there are, in all threads."""
        stored = [ids for namespaces in self.storage.values() for ids in namespaces.values()]
        return sum(map(len, stored)), sum(map(len, self.writes.values()))

    def _calls_to_prune(self, thread_id: str) -> set[str]:
        """Namespaces of subgraph calls that ran under a root checkpoint which goes or is gone.

        One above the newest root checkpoint is not gone: it is still to be stored.
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
        """The newest checkpoint of a namespace and what it is rebuilt from."""
        newest = max(self.ids(thread_id, checkpoint_ns))
        return {newest} | self._rebuilt_from(thread_id, checkpoint_ns, newest)

    def _rebuilt_from(self, thread_id: str, checkpoint_ns: str, checkpoint_id: str) -> set[str]:
        """For each DeltaChannel the checkpoint has but does not store: the ancestors down to the
        first one that stores it or does not know it yet. A channel is a DeltaChannel if any
        checkpoint has counted it.
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
    """A tuple to compare, with the config that ours has: exactly three keys."""
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
    """The tuples of a listing by thread and namespace, between which there is no order."""
    groups: defaultdict[tuple[str, str], list[object]] = defaultdict(list)
    for found in listed:
        configurable = found.config["configurable"]
        place = (configurable["thread_id"], configurable["checkpoint_ns"])
        groups[place].append(plain_tuple(found))
    return groups


def plain_history(history: Mapping[str, DeltaChannelHistory]) -> object:
    """A delta channel history to compare."""
    return exact(
        {
            channel: {**found, "seed": plain_value(found["seed"])} if "seed" in found else found
            for channel, found in history.items()
        }
    )


def plain_value(value: object) -> object:
    """A channel value as it comes back out of a whole checkpoint.

    The serde keeps a `bytearray` only where it is the whole value; inside others it becomes bytes.
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

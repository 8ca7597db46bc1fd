"""Checks the arguments of a saver's methods and creates operations from them. No runner, no I/O."""

from __future__ import annotations

import random
from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING, Any, cast

from langgraph.checkpoint.base import BaseCheckpointSaver, get_checkpoint_metadata

from langgraph_checkpoint_dynamodb.errors import InvalidInputError
from langgraph_checkpoint_dynamodb.format.addressing import read_address, to_config
from langgraph_checkpoint_dynamodb.format.expiry import Stamp
from langgraph_checkpoint_dynamodb.format.key_text import require_thread_id
from langgraph_checkpoint_dynamodb.format.thread_index import thread_owner_text
from langgraph_checkpoint_dynamodb.items.codec import (
    encode_checkpoint,
    encode_writes,
    is_output,
    require_checkpoint,
    waits_of,
)
from langgraph_checkpoint_dynamodb.ops.context import Context
from langgraph_checkpoint_dynamodb.ops.copy import copy_thread
from langgraph_checkpoint_dynamodb.ops.delete import delete_thread
from langgraph_checkpoint_dynamodb.ops.delete_runs import delete_for_runs
from langgraph_checkpoint_dynamodb.ops.history import get_delta_channel_history
from langgraph_checkpoint_dynamodb.ops.listing import list_all, list_thread
from langgraph_checkpoint_dynamodb.ops.memory import Memory
from langgraph_checkpoint_dynamodb.ops.prune import prune
from langgraph_checkpoint_dynamodb.ops.read import get_tuple
from langgraph_checkpoint_dynamodb.ops.sweep import sweep_orphans
from langgraph_checkpoint_dynamodb.ops.tables import set_up
from langgraph_checkpoint_dynamodb.ops.thread_item import RunInfo, TaskStatus, keeps_thread_item
from langgraph_checkpoint_dynamodb.ops.write import put_checkpoint, put_writes
from langgraph_checkpoint_dynamodb.requests.operations import done
from langgraph_checkpoint_dynamodb.runners.process import PerProcess
from langgraph_checkpoint_dynamodb.settings.arguments import (
    read_wanted,
    require_optional,
    require_strings,
    require_sweep,
    require_thread_ids,
)
from langgraph_checkpoint_dynamodb.watching.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import (
        Checkpoint,
        CheckpointMetadata,
        CheckpointTuple,
        DeltaChannelHistory,
    )

    from langgraph_checkpoint_dynamodb.ops.sweep import SweepReport
    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Stream
    from langgraph_checkpoint_dynamodb.settings.saver import Settings


_DELETE = ("delete", "delete_all")
"""Names of the strategy that deletes threads: LangGraph's, and that of its agent server."""


class SaverBase(BaseCheckpointSaver[str]):
    """Turns calls into operations. A saver adds the runner that performs them."""

    _settings: Settings
    _memories: PerProcess[Memory]
    _watcher: Watcher

    def _configure(self, settings: Settings) -> None:
        """Set what the methods need, except for the runner."""
        self._settings = settings
        self._watcher = Watcher(settings.on_request, threads=settings.observe_threads)
        self._memories = PerProcess(lambda _: Memory(settings.memory_bytes))

    def _forget(self) -> None:
        self._memories.get().clear()

    def get_next_version(self, current: str | None, channel: None) -> str:  # noqa: ARG002 - LangGraph's signature
        """The version after `current`: a sortable count and a random part.

        The random part distinguishes two branches that continue from the same version. If an older
        writer started a thread with numeric versions, its versions remain numbers: LangGraph
        compares the versions in a checkpoint with each other, and text cannot be compared with
        numbers.

        Args:
            current: The current version; `None` for no version.
            channel: No longer used by LangGraph.

        Returns:
            32 digits, a point and a random fraction; after a number, the next number.
        """
        version: object = current
        if isinstance(version, (int, float)):
            return cast("str", version + 1)
        count = int(current.partition(".")[0]) if current is not None else 0
        return f"{count + 1:032}.{random.random():016}"  # noqa: S311 - unique, not secret

    def _context(self) -> Context:
        settings = self._settings
        moment = settings.clock()
        now = int(moment)
        ttl = settings.ttl_seconds
        return Context(
            # Read at each call: LangGraph replaces it on a clone (`with_allowlist`).
            serde=self.serde,
            payloads=settings.payloads,
            stamp=Stamp(
                token_hex(8), now, None if ttl is None else now + ttl, int(moment % 1 * 1000)
            ),
            memory=self._memories.get(),
            consistent=settings.consistent_reads,
            run_id_index=settings.run_id_index,
            ttl_seconds=ttl,
            lists_threads=settings.thread_index is not None,
            fences=settings.fences,
        )

    def _set_up(self) -> Operation[None]:
        settings = self._settings
        expiring = settings.ttl_seconds is not None
        return set_up(settings.table_names, settings.indexes, expiring=expiring)

    def _get_tuple(self, config: RunnableConfig) -> Operation[CheckpointTuple | None]:
        address = read_address(config)
        return done(None) if address.leads_nowhere else get_tuple(self._context(), address)

    def _list(
        self,
        config: RunnableConfig | None,
        metadata: dict[str, Any] | None,
        before: RunnableConfig | None,
        limit: int | None,
    ) -> Stream[CheckpointTuple]:
        wanted = read_wanted(metadata, before, limit)
        if not config:
            return list_all(self._context(), wanted)
        address = read_address(config)
        if address.leads_nowhere:
            return done(0)
        wanted = replace(wanted, checkpoint_id=address.checkpoint_id)
        return list_thread(self._context(), address, wanted)

    def _put(
        self, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata
    ) -> tuple[Operation[None], RunnableConfig]:
        require_checkpoint(checkpoint)
        address = read_address(config)
        merged = get_checkpoint_metadata(config, metadata)
        record = encode_checkpoint(self.serde, address, checkpoint, merged)
        ref = record.ref
        context = self._context()
        run = None
        if keeps_thread_item(context, ref):
            # LangGraph copies only scalars of the config to the metadata, so not a UUID.
            said = {**config["configurable"], **(config.get("metadata") or {}), **merged}
            run = RunInfo(self._owner_of(said), merged.get("source"), merged.get("step"))
        stored = to_config(ref.thread_id, ref.checkpoint_ns, ref.checkpoint_id)
        return put_checkpoint(context, record, run), stored

    def _owner_of(self, metadata: Mapping[str, Any]) -> str | None:
        """The owner in a checkpoint's metadata, which include the run's `configurable`."""
        index = self._settings.thread_index
        return None if index is None else thread_owner_text(metadata.get(index.owner))

    def _put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str,
    ) -> Operation[None]:
        ref = read_address(config).checkpoint
        if ref is None:
            raise InvalidInputError(
                "checkpoint_id", "is missing; writes belong to a checkpoint, so the config names it"
            )
        records = encode_writes(self.serde, writes, task_id, task_path)
        context = self._context()
        status = None
        if context.lists_threads and keeps_thread_item(context, ref):
            waits = waits_of([(task_id, channel, value) for channel, value in writes])
            if waits or is_output(writes):
                status = TaskStatus(task_id, waits.get(task_id))
        return put_writes(context, ref, records, status)

    def _delete_thread(self, thread_id: str) -> Operation[None]:
        return delete_thread(self._context(), require_thread_id(thread_id))

    def _delete_for_runs(self, run_ids: Sequence[str]) -> Operation[None]:
        return delete_for_runs(self._context(), require_strings("run_ids", run_ids))

    def _copy_thread(self, source_thread_id: str, target_thread_id: str) -> Operation[None]:
        return copy_thread(
            self._context(),
            require_thread_id(source_thread_id, "source_thread_id"),
            require_thread_id(target_thread_id, "target_thread_id"),
        )

    def _prune(
        self, thread_ids: Sequence[str], strategy: str, keep_last: int | None = None
    ) -> Operation[None]:
        threads = require_thread_ids("thread_ids", thread_ids)
        if strategy not in ("keep_latest", *_DELETE):
            raise InvalidInputError(
                "strategy",
                f'must be "keep_latest" or "delete" ("delete_all" is the same), got {strategy!r}',
            )
        require_optional("keep_last", keep_last, int)
        if strategy in _DELETE:
            if keep_last is not None:
                raise InvalidInputError("keep_last", f"means nothing with strategy {strategy!r}")
            return prune(self._context(), threads, 0)
        kept = 1 if keep_last is None else keep_last
        if kept < 1:
            raise InvalidInputError("keep_last", f"must be at least 1, got {keep_last}")
        return prune(self._context(), threads, kept)

    def _history(
        self, config: RunnableConfig, channels: Sequence[str]
    ) -> Operation[Mapping[str, DeltaChannelHistory]]:
        names = require_strings("channels", channels)
        address = read_address(config)
        if address.leads_nowhere:
            return done({name: {"writes": []} for name in names})
        return get_delta_channel_history(self._context(), address, names)

    def _sweep_orphans(
        self, older_than: timedelta | float, resume_from: str | None, max_pages: int | None
    ) -> Operation[SweepReport]:
        seconds = require_sweep(older_than, resume_from, max_pages)
        return sweep_orphans(self._context(), seconds, resume_from, max_pages)

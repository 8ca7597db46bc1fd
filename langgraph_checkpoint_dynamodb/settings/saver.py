"""The settings of a saver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, InvalidInputTypeError
from langgraph_checkpoint_dynamodb.format.tables import IndexSpec, Table, run_index, thread_index
from langgraph_checkpoint_dynamodb.ops.memory import MEMORY_BYTES
from langgraph_checkpoint_dynamodb.settings.checks import (
    INDEX_NAME,
    LONGEST_LIFE,
    TABLE_NAME,
    require_bool,
    require_known_names,
    require_name,
    require_number,
    require_positive,
)
from langgraph_checkpoint_dynamodb.settings.connection import ConnectionSettings


@dataclass(frozen=True)
class ThreadIndex:
    """Settings for listing threads by owner.

    Attributes:
        owner: The key of a run's `configurable` or metadata that contains the owner of its thread:
            text of 1 to 2,048 bytes. An integer or a UUID is converted to text. A thread whose runs
            have no owner is listed without an owner.
        index_name: Name of the index on the checkpoints table, which `setup()` creates.
    """

    owner: str
    index_name: str = "by-owner"

    def __post_init__(self) -> None:
        owner: object = self.owner
        if not isinstance(owner, str) or not owner:
            raise InvalidInputError("thread_index.owner", f"must name a key, got {owner!r}")
        require_name("thread_index.index_name", self.index_name, INDEX_NAME)


@dataclass(frozen=True, kw_only=True)
class Settings(ConnectionSettings):
    """The settings of a saver, in addition to `ConnectionSettings`.

    Attributes:
        checkpoints_table_name: Name or ARN of the table of checkpoints.
        writes_table_name: Name or ARN of the table of pending writes.
        run_id_index: Name of the index on `run_id`, `None` for no index.
        ttl_seconds: How long a checkpoint lives, at least 1; `None` for no expiry.
        memory_bytes: Size of the memory of served threads; 0 for no memory.
        thread_index: How threads are listed; `None` if they are not listed.
        on_conflict: What to do if another run has continued the thread of a run: `"fork"` lets both
            continue, `"raise"` ends the run.
        observe_threads: Whether `on_request` receives thread ids.

    Raises:
        InvalidInputError: A value is invalid; the message names it.
    """

    checkpoints_table_name: str
    writes_table_name: str
    run_id_index: str | None = None
    ttl_seconds: int | None = None
    memory_bytes: int = MEMORY_BYTES
    thread_index: ThreadIndex | None = None
    on_conflict: str = "fork"
    observe_threads: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require_name("checkpoints_table_name", self.checkpoints_table_name, TABLE_NAME)
        require_name("writes_table_name", self.writes_table_name, TABLE_NAME)
        if self.checkpoints_table_name == self.writes_table_name:
            raise InvalidInputError(
                "writes_table_name", "must differ from checkpoints_table_name; their keys differ"
            )
        if self.run_id_index is not None:
            require_name("run_id_index", self.run_id_index, INDEX_NAME)
        require_number("memory_bytes", self.memory_bytes, at_least=0)
        self._require_thread_index()
        self._require_conflict_policy()
        require_bool("observe_threads", self.observe_threads)
        if self.ttl_seconds is not None:
            require_positive("ttl_seconds", self.ttl_seconds)
            if self.ttl_seconds > LONGEST_LIFE:
                raise InvalidInputError(
                    "ttl_seconds", f"must be at most {LONGEST_LIFE}; leave it out to keep for ever"
                )

    def _require_thread_index(self) -> None:
        index = self.thread_index
        if index is not None and index.index_name == self.run_id_index:
            raise InvalidInputError("thread_index.index_name", "must differ from run_id_index")

    def _require_conflict_policy(self) -> None:
        if self.on_conflict not in ("fork", "raise"):
            raise InvalidInputError(
                "on_conflict", f'must be "fork" or "raise", got {self.on_conflict!r}'
            )
        if self.fences and not self.memory_bytes:
            raise InvalidInputError(
                "memory_bytes",
                'must be more than 0 with on_conflict="raise", which remembers what may be forked',
            )

    @property
    def fences(self) -> bool:
        """Whether a run may continue only from the newest checkpoint of its thread."""
        return self.on_conflict == "raise"

    @property
    def indexes(self) -> tuple[IndexSpec, ...]:
        """The indexes on the checkpoints table."""
        runs = [] if self.run_id_index is None else [run_index(self.run_id_index)]
        threads = [] if self.thread_index is None else [thread_index(self.thread_index.index_name)]
        return (*runs, *threads)

    @property
    def table_names(self) -> dict[Table, str]:
        """Name of each table."""
        return {
            Table.CHECKPOINTS: self.checkpoints_table_name,
            Table.WRITES: self.writes_table_name,
        }


def read_thread_index(given: object) -> ThreadIndex | None:
    """How threads are listed, from the user's argument, which may be a mapping.

    Raises:
        InvalidInputError: The argument is invalid; the message names the field.
    """
    if given is None or isinstance(given, ThreadIndex):
        return given
    if not isinstance(given, Mapping):
        raise InvalidInputTypeError(
            "thread_index", f"must be a ThreadIndex or a mapping, got {type(given).__name__}"
        )
    require_known_names("thread_index", given, [one.name for one in fields(ThreadIndex)])
    if "owner" not in given:
        raise InvalidInputError("thread_index.owner", "is missing; it must name a key")
    return ThreadIndex(**given)

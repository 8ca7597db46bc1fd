"""What a `RunnableConfig` addresses, read once and checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, InvalidInputTypeError
from langgraph_checkpoint_dynamodb.format.keys import ROOT_NAMESPACE, CheckpointRef
from langgraph_checkpoint_dynamodb.format.life import MARGIN
from langgraph_checkpoint_dynamodb.format.texts import require_text, require_thread_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_core.runnables import RunnableConfig

T = TypeVar("T")

SWEEP_AGE_SECONDS = 24 * 60 * 60
"""What `sweep_orphans` leaves alone where nothing else is said: anything younger than a day."""


@dataclass(frozen=True, slots=True)
class Address:
    """The addressing part of a config.

    Attributes:
        thread_id: The thread.
        checkpoint_ns: The namespace; `None` where the config names none.
        checkpoint_id: The checkpoint; `None` where the config names none or an empty one. It may
            be one that no checkpoint can have.
    """

    thread_id: str
    checkpoint_ns: str | None
    checkpoint_id: str | None

    @property
    def namespace(self) -> str:
        """The namespace, the root's where none is named."""
        return self.checkpoint_ns or ROOT_NAMESPACE

    def ref(self, checkpoint_id: str) -> CheckpointRef:
        """The checkpoint of that id in this thread and namespace."""
        return CheckpointRef(self.thread_id, self.namespace, checkpoint_id)

    @property
    def checkpoint(self) -> CheckpointRef | None:
        """The checkpoint addressed, `None` where the config names none.

        Raises:
            InvalidInputError: No checkpoint can have that id.
        """
        return None if self.checkpoint_id is None else self.ref(self.checkpoint_id)

    @property
    def parent_id(self) -> str | None:
        """The id as that of a parent, which is remembered and need not be there.

        Raises:
            InvalidInputError: It is no text that can be stored.
        """
        if self.checkpoint_id is None:
            return None
        return require_text("checkpoint_id", self.checkpoint_id)

    @property
    def leads_nowhere(self) -> bool:
        """Whether it names an id that no checkpoint can have. Nothing needs to be looked for."""
        return self.checkpoint_id is not None and (
            CheckpointRef.if_possible(self.thread_id, self.namespace, self.checkpoint_id) is None
        )


def read_address(config: RunnableConfig) -> Address:
    """The address in a config.

    Raises:
        InvalidInputError: The thread id is missing or empty, or a part is no text.
    """
    configurable = _configurable("config", config)
    checkpoint_id = configurable.get("checkpoint_id")
    checkpoint_ns = configurable.get("checkpoint_ns")
    return Address(
        thread_id=require_thread_id(configurable.get("thread_id")),
        checkpoint_ns=(
            None if checkpoint_ns is None else require_text("checkpoint_ns", checkpoint_ns)
        ),
        checkpoint_id=_id_or_none("checkpoint_id", checkpoint_id),
    )


def read_before(before: object) -> str | None:
    """The checkpoint id of a `before` config, `None` where it names none.

    Takes the bare mapping of a `configurable` too, as LangGraph's agent server passes it.
    """
    if not before:
        return None
    if isinstance(before, Mapping) and "configurable" not in before and "checkpoint_id" in before:
        configurable: Mapping[str, object] = before
    else:
        configurable = _configurable("before", before)
    checkpoint_id = _id_or_none("before.checkpoint_id", configurable.get("checkpoint_id"))
    return None if checkpoint_id is None else require_text("before.checkpoint_id", checkpoint_id)


def to_config(thread_id: str, checkpoint_ns: str, checkpoint_id: str) -> RunnableConfig:
    """The complete config of a checkpoint.

    LangGraph indexes all three keys (`patch_checkpoint_map`), so none is ever left out.
    """
    return {
        "configurable": {
            "thread_id": thread_id,
            "checkpoint_ns": checkpoint_ns,
            "checkpoint_id": checkpoint_id,
        }
    }


def _configurable(field: str, config: object) -> Mapping[str, object]:
    configurable = config.get("configurable") if isinstance(config, Mapping) else None
    if not isinstance(configurable, Mapping):
        raise InvalidInputError(
            field, 'must be a mapping like {"configurable": {"thread_id": "..."}}'
        )
    return configurable


def _id_or_none(field: str, value: object) -> str | None:
    """A checkpoint id as it was passed, whether or not it can be one that is stored."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else require_text(field, value)


def require_strings(field: str, values: object) -> tuple[str, ...]:
    """The values of a sequence of strings, without repetitions, in order.

    Raises:
        InvalidInputTypeError: It is one bare string, or holds something else than strings.
    """
    return _require_each(field, values, require_text)


def require_thread_ids(field: str, values: object) -> tuple[str, ...]:
    """The thread ids of a sequence, without repetitions, in order.

    Raises:
        InvalidInputError: One of them can be no thread id.
        InvalidInputTypeError: It is one bare string, or holds something that is no id.
    """

    def require(field: str, value: object) -> str:
        # `None` is no config that lacks its thread id.
        return require_thread_id(require_text(field, value) if value is None else value, field)

    return _require_each(field, values, require)


def _require_each(
    field: str, values: object, require: Callable[[str, object], str]
) -> tuple[str, ...]:
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise InvalidInputTypeError(
            field, f"must be a sequence of strings, got {type(values).__name__}; wrap it in a list"
        )
    return tuple(dict.fromkeys(require(field, value) for value in values))


def require_optional(field: str, value: T | None, kind: type[T]) -> T | None:
    """The value, if it is `None` or of that type. A bool is no number.

    Raises:
        InvalidInputTypeError: It is something else.
    """
    if value is None or (isinstance(value, kind) and not isinstance(value, bool)):
        return value
    raise InvalidInputTypeError(
        field, f"must be a {kind.__name__} or None, got {type(value).__name__}"
    )


def require_seconds(field: str, value: object) -> int:
    """A length of time in whole seconds, from a `timedelta` or a number of seconds.

    Raises:
        InvalidInputTypeError: It is neither.
        InvalidInputError: It is negative or no finite number.
    """
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
        raise InvalidInputTypeError(
            field, f"must be a timedelta or a number of seconds, got {type(value).__name__}"
        )
    if not 0 <= seconds < float("inf"):
        raise InvalidInputError(field, f"must be finite and not negative, got {value!r}")
    return math.ceil(seconds)


def require_sweep(
    older_than: timedelta | float, resume_from: str | None, max_pages: int | None
) -> int:
    """The arguments of a sweep; how old in seconds something must be that it takes.

    Raises:
        InvalidInputError: One of them cannot be used; the message names it.
    """
    require_optional("resume_from", resume_from, str)
    require_optional("max_pages", max_pages, int)
    if max_pages is not None and max_pages < 1:
        raise InvalidInputError("max_pages", f"must be at least 1, got {max_pages}")
    seconds = require_seconds("older_than", older_than)
    if seconds < MARGIN:
        raise InvalidInputError(
            "older_than",
            f"must be at least {MARGIN} seconds, got {seconds}: a call that is under way has "
            "stored things that look left over, and clocks of writers may differ",
        )
    return seconds

"""The address in a `RunnableConfig`: thread, namespace and checkpoint, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import InvalidInputError
from langgraph_checkpoint_dynamodb.format.key_text import require_text, require_thread_id
from langgraph_checkpoint_dynamodb.format.keys import ROOT_NAMESPACE, CheckpointRef

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig


@dataclass(frozen=True, slots=True)
class Address:
    """The addressing part of a config.

    Attributes:
        thread_id: The thread.
        checkpoint_ns: The namespace; `None` if the config has none.
        checkpoint_id: The checkpoint id; `None` if the config has none or an empty one. It may be
            one that no checkpoint can have.
    """

    thread_id: str
    checkpoint_ns: str | None
    checkpoint_id: str | None

    @property
    def namespace(self) -> str:
        """The namespace; the root namespace if the config has none."""
        return self.checkpoint_ns or ROOT_NAMESPACE

    def ref(self, checkpoint_id: str) -> CheckpointRef:
        """The reference to a checkpoint of this thread and namespace."""
        return CheckpointRef(self.thread_id, self.namespace, checkpoint_id)

    @property
    def checkpoint(self) -> CheckpointRef | None:
        """The checkpoint, `None` if the config has no checkpoint id.

        Raises:
            InvalidInputError: No checkpoint can have that id.
        """
        return None if self.checkpoint_id is None else self.ref(self.checkpoint_id)

    @property
    def parent_id(self) -> str | None:
        """The checkpoint id as that of a parent, which need not exist.

        Raises:
            InvalidInputError: DynamoDB cannot store it.
        """
        if self.checkpoint_id is None:
            return None
        return require_text("checkpoint_id", self.checkpoint_id)

    @property
    def leads_nowhere(self) -> bool:
        """Whether no checkpoint can have this id, so that no request is needed."""
        return self.checkpoint_id is not None and (
            CheckpointRef.if_possible(self.thread_id, self.namespace, self.checkpoint_id) is None
        )


def read_address(config: RunnableConfig) -> Address:
    """The address in a config.

    Raises:
        InvalidInputError: The thread id is missing or empty, or a part is not text.
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
    """The checkpoint id of a `before` config, `None` if it has none.

    A bare `configurable` mapping is accepted too, as LangGraph's agent server passes it.
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

    LangGraph reads all three keys without a default (`patch_checkpoint_map`).
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
    """A checkpoint id, unchecked: it may be one that cannot be stored."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else require_text(field, value)

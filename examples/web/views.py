"""JSON values for the page, made from objects of LangGraph and the saver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from langgraph.types import Interrupt, StateSnapshot

    from langgraph_checkpoint_dynamodb import ThreadInfo

_LABEL = 80
"""Maximum length of a label."""


def thread_view(info: ThreadInfo, conversation: str, *, running: bool) -> dict[str, Any]:
    """A conversation in the list."""
    return {
        "id": conversation,
        "title": info.title,
        "status": "running" if running else info.status,
        "updated": info.updated.isoformat(),
    }


def state_view(state: StateSnapshot) -> dict[str, Any]:
    """The state of a conversation at a checkpoint, or before its first checkpoint."""
    return {
        "checkpoint": _checkpoint_id(state.config),
        "messages": [message_view(message) for message in messages_of(state)],
        "questions": [question_view(question) for question in state.interrupts],
        "status": status_of(state),
        "error": next((str(task.error) for task in state.tasks if task.error), None),
        "next": unfinished(state),
        "step": (state.metadata or {}).get("step"),
        "created": state.created_at,
    }


def history_view(state: StateSnapshot) -> dict[str, Any]:
    """A checkpoint in the tree."""
    metadata: dict[str, Any] = dict(state.metadata or {})
    return {
        "checkpoint": _checkpoint_id(state.config),
        "parent": _checkpoint_id(state.parent_config),
        "step": metadata.get("step"),
        "run": metadata.get("run"),
        "forked": metadata.get("source") == "fork",
        "status": status_of(state),
        "label": _label(state),
        "created": state.created_at,
    }


def message_view(message: AnyMessage) -> dict[str, Any]:
    """A message."""
    return {
        "id": message.id,
        "type": message.type,
        "text": message.text,
        "name": message.name if isinstance(message, ToolMessage) else None,
        "calls": [call["name"] for call in message.tool_calls]
        if isinstance(message, AIMessage)
        else [],
    }


def question_view(question: Interrupt) -> dict[str, Any]:
    """A pending question."""
    return {"id": question.id, "text": question.value["text"]}


def messages_of(state: StateSnapshot) -> list[AnyMessage]:
    """All messages up to a checkpoint."""
    found: list[AnyMessage] = state.values.get("messages", []) if state.values else []
    return found


def last_id(messages: Iterable[AnyMessage]) -> str:
    """The id of the last message; empty if there is none."""
    *_, last = ["", *(message.id or "" for message in messages)]
    return last


def unfinished(state: StateSnapshot) -> list[str]:
    """Names of the tasks of the unfinished step.

    `state.next` omits tasks whose writes are stored. If a run was cut off after it stored the
    writes and before it stored the checkpoint of the step, `state.next` is empty although the step
    is unfinished.
    """
    return [task.name for task in state.tasks]


def status_of(state: StateSnapshot) -> str:
    """The status of a checkpoint.

    Returns:
        `"idle"` if it waits for a message, `"waiting"` for an answer, `"failed"` if a step has
        raised an error, `"stopped"` if a run was cut off.
    """
    if state.interrupts:
        return "waiting"
    if any(task.error for task in state.tasks):
        return "failed"
    return "stopped" if state.tasks else "idle"


def _label(state: StateSnapshot) -> str:
    messages = messages_of(state)
    last = messages[-1] if messages else None
    if state.interrupts:
        return "A person has to decide"
    if unfinished(state) == ["__start__"]:
        return "A message arrives"
    match last:
        case HumanMessage():
            return _short(f"You: {last.text}")
        case ToolMessage():
            return f"{last.name} answers"
        case AIMessage(tool_calls=[call, *_]):
            return f"The model calls {call['name']}"
        case AIMessage():
            return _short(f"Answer: {last.text}")
    return "The beginning"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LABEL else f"{line[: _LABEL - 1]}…"


def _checkpoint_id(config: Any) -> str | None:
    found: str | None = (config or {}).get("configurable", {}).get("checkpoint_id")
    return found

"""Decide what a request does, given the stored state: begin, continue or repeat a turn.

Requests are retried: by people, by browsers, by SDKs after a timeout. A message has an id chosen by
its sender, and is answered once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AnyMessage, HumanMessage
from langgraph.types import Command, Interrupt, StateSnapshot

if TYPE_CHECKING:
    from purchase_desk.agent import Verdict


class RefusedError(Exception):
    """A request that does not fit the stored state; the message says what to do."""


@dataclass(frozen=True)
class Turn:
    """What to do for a request.

    Attributes:
        told: Messages of the turn that are already stored.
        questions: Pending questions of the turn.
        runs: Whether the graph has to run.
        given: Input of that run; `None` to continue where the last run was cut off.
    """

    told: list[AnyMessage] = field(default_factory=list)
    questions: tuple[Interrupt, ...] = ()
    runs: bool = False
    given: Any = None


def of_message(stored: StateSnapshot, message_id: str, text: str) -> Turn:
    """The turn of a message.

    Args:
        stored: The stored state of the conversation.
        message_id: Id of the message, chosen by its sender.
        text: The message.

    Raises:
        RefusedError: The turn of another message has not ended.
    """
    messages = messages_of(stored)
    begun = [at for at, one in enumerate(messages) if one.id == message_id]
    if not begun:
        if _unfinished(stored):
            raise RefusedError("the turn before waits or was cut off: answer it, or send it again")
        return Turn(runs=True, given={"messages": [HumanMessage(text, id=message_id)]})
    told = _until_next(messages[begun[0] + 1 :])
    if begun[0] + 1 + len(told) < len(messages):
        return Turn(told)
    return Turn(told, stored.interrupts, runs=_unfinished(stored) and not stored.interrupts)


def of_answer(stored: StateSnapshot, question_id: str, verdict: Verdict) -> Turn:
    """The turn that continues with the answer to its question.

    Raises:
        RefusedError: The question is not pending.
    """
    if question_id in {question.id for question in stored.interrupts}:
        return Turn(runs=True, given=Command(resume={question_id: verdict}))
    if _unfinished(stored) and not stored.interrupts:
        return Turn(runs=True)
    raise RefusedError("this question does not wait for an answer; read the conversation")


def messages_of(stored: StateSnapshot) -> list[AnyMessage]:
    """All messages of the conversation."""
    found: list[AnyMessage] = stored.values.get("messages", [])
    return found


def _unfinished(stored: StateSnapshot) -> bool:
    # `tasks` lists all tasks of the current step. `next` omits tasks whose writes are stored,
    # although the step only ends when its checkpoint is stored.
    # A run that was cut off before its first step has only stored its input, and the message is not
    # in the state yet. Such a run is started again.
    return bool(stored.tasks) and stored.next != ("__start__",)


def _until_next(messages: list[AnyMessage]) -> list[AnyMessage]:
    ends = (at for at, one in enumerate(messages) if isinstance(one, HumanMessage))
    return messages[: next(ends, len(messages))]

"""What a request amounts to, given what is stored: begin a turn, go on with one, or tell it again.

Requests are repeated: by people, by browsers, by SDKs after a timeout. A message has an id that its
sender has made up, and is answered once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AnyMessage, HumanMessage
from langgraph.types import Command, Interrupt, StateSnapshot

if TYPE_CHECKING:
    from purchase_desk.agent import Verdict


class RefusedError(Exception):
    """A request that does not fit what is stored; the message says what to do."""


@dataclass(frozen=True)
class Turn:
    """What to do for a request.

    Attributes:
        told: Messages of the turn that are stored already.
        questions: What it waits for, if it waits.
        runs: Whether the graph has to run.
        given: What the graph is given then; `None` to go on where it was cut off.
    """

    told: list[AnyMessage] = field(default_factory=list)
    questions: tuple[Interrupt, ...] = ()
    runs: bool = False
    given: Any = None


def of_message(stored: StateSnapshot, message_id: str, text: str) -> Turn:
    """The turn of a message.

    Args:
        stored: The conversation as it is.
        message_id: Id of the message, made up by its sender.
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
    """The turn that goes on with an answer to its question.

    Raises:
        RefusedError: The question does not wait.
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
    # `tasks` are all of the step at hand. `next` leaves those out whose writes are stored, although
    # the step has not ended before its checkpoint is.
    # A run that was cut off before its first step has only stored what it was given. Of that, the
    # message is not in the state yet, so it is begun anew.
    return bool(stored.tasks) and stored.next != ("__start__",)


def _until_next(messages: list[AnyMessage]) -> list[AnyMessage]:
    ends = (at for at, one in enumerate(messages) if isinstance(one, HumanMessage))
    return messages[: next(ends, len(messages))]

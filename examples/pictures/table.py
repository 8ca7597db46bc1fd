"""The table of the pictures: the thread that is shown, and others for the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.types import Interrupt

from examples.pictures.refund import tell_of_refund
from examples.pictures.story import NOW, Teller

if TYPE_CHECKING:
    from examples.pictures.story import Clock
    from langgraph_checkpoint_dynamodb import DynamoDBSaver

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
ASSISTANT = "shop"


class Other(NamedTuple):
    """A thread that is only in the list.

    Attributes:
        thread_id: Its id.
        title: Its title.
        age: Seconds since its last run.
        question: Its pending question, or empty.
        error: The error it failed with, or empty.
    """

    thread_id: str
    title: str
    age: float
    question: str = ""
    error: str = ""


OTHERS = (
    Other("gift-card-c41d", "Gift card does not work", 35 * _MINUTE, error="TimeoutError()"),
    Other("size-chart-02ab", "Which size fits?", 2 * _HOUR),
    Other("address-77e0", "New delivery address", 3 * _HOUR, question="Is this the flat above?"),
    Other("invoice-19f4", "Invoice for January", 5 * _HOUR),
    Other("subscription-5b6c", "Pause my coffee subscription", 9 * _HOUR),
    Other("warranty-e3a8", "Grinder makes a strange noise", _DAY),
    Other("bulk-order-d5c2", "Forty mugs with our logo on them", 2 * _DAY, question="Which blue?"),
    Other("lost-parcel-8e1f", "Parcel lost in Lisbon", 3 * _DAY),
    Other("loyalty-3c9d", "Points are missing", 6 * _DAY),
    Other("recipe-b0b0", "Recipe for cold brew", 12 * _DAY),
)


def fill(saver: DynamoDBSaver, clock: Clock) -> None:
    """Store all threads.

    Args:
        saver: A saver with a `thread_index` of the owners in `story.OWNER`.
        clock: Its clock.
    """
    for other in reversed(OTHERS):
        _tell(saver, clock, other)
    tell_of_refund(Teller(saver, clock, "refund-a1042-7f31", ASSISTANT, NOW - 4430))
    saver.update_thread("refund-a1042-7f31", title="Espresso machine arrived broken")


def _tell(saver: DynamoDBSaver, clock: Clock, other: Other) -> None:
    teller = Teller(saver, clock, other.thread_id, ASSISTANT, NOW - other.age - 10)
    said = [HumanMessage(other.title)]
    first = teller.step(-1, "input", {"__start__": {"messages": said}}, ["__start__"])
    last = teller.step(0, "loop", {"messages": said}, ["model"], after=first)
    if other.question:
        teller.writes(last, "model", ("__interrupt__", (Interrupt(other.question, id="1"),)))
    elif other.error:
        teller.writes(last, "model", ("__error__", other.error))
    else:
        teller.step(1, "loop", {"messages": [*said, AIMessage("Gladly.")]}, after=last)
    saver.update_thread(other.thread_id, title=other.title)

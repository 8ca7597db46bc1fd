"""The agent's tools: look up an order, ask a carrier that fails at first, and issue a refund."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypedDict

from langchain_core.tools import InjectedToolCallId, tool
from langgraph.types import interrupt

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

_ORDERS = {
    "A-1042": "espresso machine, 129.00 EUR, delivered 3 days ago",
    "A-1077": "desk lamp, 39.90 EUR, delivered yesterday",
    "A-1103": "headphones, 89.50 EUR, on its way",
}
_asked_before: set[str] = set()
"""Ids of calls to the carrier that have failed once in this process."""


class CarrierError(RuntimeError):
    """The carrier does not answer."""


class Verdict(TypedDict):
    """A person's decision.

    Attributes:
        approved: Whether the refund is approved.
        reason: The reason, in the person's words.
    """

    approved: bool
    reason: str


@tool
def look_up_order(order_id: str) -> str:
    """Look up what was ordered, its price and when it was delivered."""
    if order_id not in _ORDERS:
        return f"there is no order {order_id}, only {', '.join(_ORDERS)}"
    return f"{order_id}: {_ORDERS[order_id]}"


@tool
def track_parcel(order_id: str, tool_call_id: Annotated[str, InjectedToolCallId]) -> str:
    """Ask the carrier where the parcel of an order is."""
    # The first call always fails, so that there is an error to show.
    if tool_call_id not in _asked_before:
        _asked_before.add(tool_call_id)
        raise CarrierError("the carrier does not answer; try again in a moment")
    if order_id not in _ORDERS:
        return f"there is no parcel of {order_id}"
    return f"the parcel of {order_id} left the depot this morning and arrives before six"


@tool
def issue_refund(order_id: str, amount: str) -> str:
    """Pay a customer back, once a person has approved it."""
    # A resumed run repeats the code up to `interrupt`: there must be no side effects before it.
    verdict: Verdict = interrupt({"text": f"Refund {amount} for order {order_id}?"})
    if not verdict["approved"]:
        return f"refused: {verdict['reason'] or 'nobody has said why'}"
    return f"paid: {amount} for order {order_id}"


TOOLS: list[BaseTool] = [look_up_order, track_parcel, issue_refund]

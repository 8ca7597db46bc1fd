"""The graph: a loop of a model and its tools, interrupted when a person has to decide."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from langchain_core.tools import BaseTool, tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import interrupt

from purchase_desk.model import make_model

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langgraph.checkpoint.base import BaseCheckpointSaver

Agent: TypeAlias = CompiledStateGraph[MessagesState, None, MessagesState, MessagesState]

LIMIT = Decimal(500)
"""Most euros that are spent without approval."""
_PRICES = {"lamp": Decimal("39.90"), "chair": Decimal("80.00"), "desk": Decimal("310.00")}


class UnknownItemError(LookupError):
    """Unknown item; the message lists the known ones, for the model."""


class Verdict(TypedDict):
    """A person's decision.

    Attributes:
        approved: Whether to order.
        reason: The reason, in the person's words.
    """

    approved: bool
    reason: str


@tool
def look_up_price(item: str) -> str:
    """Look up what one of something costs."""
    return f"one {item} costs {_price(item)} EUR"


@tool
def place_order(item: str, count: int) -> str:
    """Order something; a person is asked where it costs much."""
    cost = count * _price(item)
    # A resumed run repeats the code up to `interrupt`: there must be no side effects before it.
    if cost > LIMIT:
        verdict: Verdict = interrupt(f"Order {count} {item}(s) for {cost} EUR?")
        if not verdict["approved"]:
            return f"not ordered: {verdict['reason']}"
    return f"ordered {count} {item}(s) for {cost} EUR"


def build_agent(saver: BaseCheckpointSaver[Any], model: str | None = None) -> Agent:
    """Build the agent.

    Args:
        saver: The checkpointer.
        model: See `make_model`.
    """
    tools: list[BaseTool] = [look_up_price, place_order]
    bound = make_model(model, tools)

    async def think(state: MessagesState) -> dict[str, list[BaseMessage]]:
        return {"messages": [await bound.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("model", think)
    builder.add_node("tools", ToolNode(tools, handle_tool_errors=_explain))
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", tools_condition)
    builder.add_edge("tools", "model")
    return builder.compile(checkpointer=saver)


def _price(item: str) -> Decimal:
    if item not in _PRICES:
        raise UnknownItemError(f"there is no {item} to order, only {', '.join(_PRICES)}")
    return _PRICES[item]


def _explain(error: UnknownItemError) -> str:
    # ToolNode reads the annotation: other errors are raised.
    return str(error)

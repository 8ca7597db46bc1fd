"""A support agent that looks up orders and asks a human for approval before a refund.

A real LangGraph agent with a scripted model: no API key, no network, the same output in every run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import interrupt

if TYPE_CHECKING:
    from langchain_core.callbacks import CallbackManagerForLLMRun
    from langgraph.checkpoint.base import BaseCheckpointSaver

Agent: TypeAlias = CompiledStateGraph[MessagesState, None, MessagesState, MessagesState]

REQUEST = "The espresso machine of order A-1042 arrived broken. I want my money back."
_ORDERS = {"A-1042": "espresso machine, 129.00 EUR, delivered 3 days ago"}


class Verdict(TypedDict):
    """The human's decision.

    Attributes:
        approved: Whether the refund is approved.
        reason: The reason, in the human's words.
    """

    approved: bool
    reason: str


@tool
def look_up_order(order_id: str) -> str:
    """Look up what was ordered, its price and when it was delivered."""
    return _ORDERS[order_id]


@tool
def issue_refund(order_id: str, amount: str) -> str:
    """Pay a customer back, once a human has approved it."""
    # The first run stops here. The resumed run calls the tool again and gets the human's answer.
    verdict: Verdict = interrupt({"question": f"Refund {amount} for order {order_id}?"})
    if not verdict["approved"]:
        return f"refused: {verdict['reason']}"
    return f"paid: {amount} for order {order_id}"


class ScriptedModel(BaseChatModel):
    """A chat model with a scripted reply to the last message."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - LangChain's signature
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - the same
        **kwargs: Any,  # noqa: ARG002 - the same
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=_reply(messages[-1]))])


def build_agent(saver: BaseCheckpointSaver[str]) -> Agent:
    """Build the agent: a loop of a model and its tools.

    Args:
        saver: The checkpointer.
    """
    builder = StateGraph(MessagesState)
    builder.add_node("model", _call_model)
    builder.add_node("tools", ToolNode([look_up_order, issue_refund]))
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", tools_condition)
    builder.add_edge("tools", "model")
    return builder.compile(checkpointer=saver)


def _call_model(state: MessagesState) -> dict[str, list[BaseMessage]]:
    return {"messages": [ScriptedModel().invoke(state["messages"])]}


def _reply(last: BaseMessage) -> AIMessage:
    if isinstance(last, HumanMessage):
        return _call("I look up the order first.", "look_up_order", order_id="A-1042")
    if last.name == "look_up_order":
        return _call(
            "It is recent enough for a refund. A human has to approve that.",
            "issue_refund",
            order_id="A-1042",
            amount="129.00 EUR",
        )
    outcome, _, detail = str(last.content).partition(": ")
    if outcome == "paid":
        return AIMessage(f"Good news: we have paid back {detail}.")
    return AIMessage(f"I am sorry, there is no refund: {detail}.")


def _call(text: str, name: str, **args: str) -> AIMessage:
    return AIMessage(text, tool_calls=[ToolCall(name=name, args=args, id=f"call-{name}")])

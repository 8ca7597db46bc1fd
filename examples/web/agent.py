"""The graph: a loop of a model and its tools, interrupted when a person has to decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from examples.web.shop import TOOLS

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import Runnable
    from langgraph.checkpoint.base import BaseCheckpointSaver

Agent: TypeAlias = CompiledStateGraph[MessagesState, None, MessagesState, MessagesState]


def build_agent(saver: BaseCheckpointSaver[Any], model: Runnable[Any, Any]) -> Agent:
    """Build the agent.

    Args:
        saver: The checkpointer.
        model: The model, bound to the tools of the shop.
    """

    async def think(state: MessagesState) -> dict[str, list[BaseMessage]]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("model", think)
    # An error of a tool ends the run, which can be retried from there.
    builder.add_node("tools", ToolNode(TOOLS, handle_tool_errors=False))
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", tools_condition)
    builder.add_edge("tools", "model")
    return builder.compile(checkpointer=saver)

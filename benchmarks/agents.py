"""An agent of the package deepagents, with a model that does not think.

Its messages are a DeltaChannel, and so are its files and its list of things to do, which few steps
write to. Its middleware adds steps to every turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deepagents import create_deep_agent
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from benchmarks.texts import ANSWER, QUESTION, piece

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

_WRITES_A_FILE = 5
"""In one turn of so many the agent writes a file before it answers."""


class _Model(BaseChatModel):
    """Answers with pieces of text, chosen by how many questions there were."""

    @property
    def _llm_type(self) -> str:
        return "benchmark"

    def bind_tools(self, tools: Any, **_: Any) -> Any:  # noqa: ARG002 - it knows which it calls
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        number = sum(message.type == "human" for message in messages) - 1
        message = AIMessage(piece(number, ANSWER))
        if messages[-1].type == "human" and _writes(number):
            arguments = {"file_path": f"/notes/{number}.md", "content": piece(number, ANSWER)}
            call = {"name": "write_file", "args": arguments, "id": f"call-{number}"}
            message = AIMessage("", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=message)])


def deep_agent(saver: Any) -> Any:
    """The agent, as `create_deep_agent` makes it."""
    return create_deep_agent(model=_Model(), checkpointer=saver)


def request(number: int) -> dict[str, Any]:
    """What a person says in a turn, counted from 0."""
    return {"messages": [HumanMessage(piece(number, QUESTION))]}


def messages_after(turns: int) -> int:
    """How many messages there are then."""
    return sum(4 if _writes(number) else 2 for number in range(turns))


def _writes(number: int) -> bool:
    return number % _WRITES_A_FILE == 0

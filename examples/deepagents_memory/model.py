"""The agent's scripted model: no API key, no network, the same output in every run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolCall
from langchain_core.outputs import ChatGeneration, ChatResult

if TYPE_CHECKING:
    from langchain_core.callbacks import CallbackManagerForLLMRun

MEMORY = "/memories/guest.md"
"""The file with the memories of a guest."""


class ScriptedModel(BaseChatModel):
    """A chat model that answers from the messages since the last question."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **_: Any) -> Any:  # noqa: ARG002 - LangChain's signature
        """Return the model itself: the script needs no tools."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - LangChain's signature
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - the same
        **kwargs: Any,  # noqa: ARG002 - the same
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=_reply(messages))])


def _reply(messages: list[BaseMessage]) -> AIMessage:
    asked = max(i for i, message in enumerate(messages) if message.type == "human")
    question = str(messages[asked].content)
    found = {str(one.name): str(one.content) for one in messages[asked:] if one.type == "tool"}
    if "remember" in question.lower() and "write_file" not in found:
        return _call("I write that down.", "write_file", file_path=MEMORY, content=question)
    if "remember" in question.lower():
        return AIMessage("I will remember that.")
    if "read_file" not in found:
        return _call("I read what I know of you.", "read_file", file_path=MEMORY)
    if "find_restaurants" not in found:
        return _call("I look for restaurants.", "find_restaurants", city="Lisbon")
    if "no nuts" in found["read_file"]:
        safe = [one for one in found["find_restaurants"].split(", ") if "walnut" not in one]
        return AIMessage(f"Without nuts, as you told me: {', '.join(safe)}.")
    return AIMessage(f"{found['find_restaurants']}.")


def _call(text: str, name: str, **args: str) -> AIMessage:
    return AIMessage(text, tool_calls=[ToolCall(name=name, args=args, id=f"call-{name}")])

"""The models: a scripted one that needs no API key, and any other by name."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    ToolMessage,
)
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langchain_core.callbacks import CallbackManagerForLLMRun
    from langchain_core.runnables import Runnable
    from langchain_core.tools import BaseTool

_WANTED = re.compile(r"(\d+) (\w+?)s?\b")


def make_model(name: str | None, tools: Sequence[BaseTool]) -> Runnable[Any, BaseMessage]:
    """Make the model of that name with these tools; without a name, the scripted one.

    Args:
        name: For example `bedrock_converse:anthropic.claude-sonnet-4-5-20250929-v1:0`. Requires
            LangChain and the provider's package in addition to the other requirements.
        tools: The tools that the model may call.
    """
    if name is None:
        return ScriptedModel()
    # LangChain is optional and imported only here: it would be a third of the cold start.
    from langchain.chat_models import init_chat_model

    chosen: BaseChatModel = init_chat_model(name)
    return chosen.bind_tools(tools)


class ScriptedModel(BaseChatModel):
    """A scripted model: it streams words and depends only on the messages it gets."""

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
        return ChatResult(generations=[ChatGeneration(message=_reply(messages))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - LangChain's signature
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,  # noqa: ARG002 - the same
    ) -> Iterator[ChatGenerationChunk]:
        for piece in _pieces(_reply(messages)):
            chunk = ChatGenerationChunk(message=piece)
            if run_manager is not None:
                run_manager.on_llm_new_token(str(piece.content), chunk=chunk)
            yield chunk


def _pieces(message: AIMessage) -> Iterator[AIMessageChunk]:
    for word in re.findall(r"\S+\s*", str(message.content)):
        yield AIMessageChunk(content=word)
    calls = [
        tool_call_chunk(
            name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=number
        )
        for number, call in enumerate(message.tool_calls)
    ]
    if calls:
        yield AIMessageChunk(content="", tool_call_chunks=calls)


def _reply(messages: list[BaseMessage]) -> AIMessage:
    asked = [message for message in messages if isinstance(message, HumanMessage)]
    wanted = _WANTED.search(str(asked[-1].content))
    if wanted is None:
        return AIMessage(
            f"That is message {len(asked)} of this conversation. Tell me how many of what to order."
        )
    count, item = int(wanted[1]), wanted[2]
    match messages[-1]:
        case ToolMessage(name="look_up_price", status="success"):
            return _call(asked[-1], f"I order {count}. ", "place_order", item=item, count=count)
        case ToolMessage(content=content):
            return AIMessage(f"Here is what came of it: {content}.")
    return _call(asked[-1], f"I look up the price of one {item}. ", "look_up_price", item=item)


def _call(asked: BaseMessage, text: str, name: str, **args: Any) -> AIMessage:
    # The id of the call is made from the message id, so that a repeated call has the same id.
    return AIMessage(text, tool_calls=[{"name": name, "args": args, "id": f"{name}-{asked.id}"}])

"""The models: a scripted one that needs no API key, and any other by name."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableLambda

from examples.web.shop import TOOLS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun

_SYSTEM = (
    "You are the support desk of a small shop. Look an order up before you refund it, and refund "
    "what it has cost. Answer in two or three short sentences."
)
_ORDER = re.compile(r"\bA-\d{4}\b", re.IGNORECASE)
_REFUND = re.compile(r"refund|money back|broken|return|damaged", re.IGNORECASE)
_PARCEL = re.compile(r"where|parcel|track|arriv|deliver", re.IGNORECASE)
_HELP = (
    "I am the support desk of a small shop. I can look up an order, find its parcel, or arrange a "
    "refund, which a person has to approve. The orders of today are A-1042, A-1077 and A-1103."
)


class ModelError(Exception):
    """The model is not usable; the message says what is missing."""


def make_model(name: str | None, word_seconds: float) -> Runnable[Any, Any]:
    """Make the model of that name with the shop's tools; without a name, the scripted one.

    Args:
        name: A name for LangChain's `init_chat_model`, for example `openai:gpt-5-mini`.
        word_seconds: Pause after each word of the scripted model.

    Raises:
        ModelError: A package is missing, or the model does not exist.
    """
    if name is None:
        return ScriptedModel(word_seconds=word_seconds)
    try:
        from langchain.chat_models import init_chat_model

        bound = init_chat_model(name).bind_tools(TOOLS)
    except ImportError as error:
        raise ModelError(
            f"the model {name!r} needs a package that is not installed ({error}): "
            "pip install langchain, and the package of its provider, such as langchain-openai"
        ) from error
    except Exception as error:
        # Each provider raises its own errors, mostly for a missing API key.
        raise ModelError(
            f"the model {name!r} cannot be used ({type(error).__name__}): {error}"
        ) from error
    instructed: Runnable[Any, Any] = RunnableLambda(_instructed) | bound
    return instructed


class ScriptedModel(BaseChatModel):
    """A scripted model: it streams words and depends only on the messages it gets.

    Attributes:
        word_seconds: Pause after each word.
    """

    word_seconds: float = 0

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

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - LangChain's signature
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,  # noqa: ARG002 - the same
    ) -> AsyncIterator[ChatGenerationChunk]:
        for piece in _pieces(_reply(messages)):
            chunk = ChatGenerationChunk(message=piece)
            if run_manager is not None:
                await run_manager.on_llm_new_token(str(piece.content), chunk=chunk)
            yield chunk
            await asyncio.sleep(self.word_seconds)


def _instructed(messages: list[BaseMessage]) -> list[BaseMessage]:
    return [SystemMessage(_SYSTEM), *messages]


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
    last = messages[-1]
    asked = [message for message in messages if isinstance(message, HumanMessage)][-1]
    if isinstance(last, ToolMessage):
        return _after_tool(asked, last)
    order = _order_of(messages)
    if order is None:
        return AIMessage(_HELP)
    if _PARCEL.search(asked.text) and not _REFUND.search(asked.text):
        return _call(asked, f"I ask the carrier about {order}.", "track_parcel", order_id=order)
    return _call(asked, f"I look up order {order} first.", "look_up_order", order_id=order)


def _after_tool(asked: HumanMessage, last: ToolMessage) -> AIMessage:
    text = last.text
    if last.name == "look_up_order":
        price = re.search(r"\d+\.\d\d EUR", text)
        if price is None:
            return AIMessage(f"I am sorry: {text}.")
        if not _REFUND.search(asked.text):
            return AIMessage(f"Here is what I found: {text}. Shall I arrange anything for it?")
        order = text.partition(":")[0]
        return _call(
            asked,
            f"I found it: {text.partition(': ')[2]}. That is recent enough for a refund. "
            "A person has to approve it, so I ask one now.",
            "issue_refund",
            order_id=order,
            amount=price[0],
        )
    outcome, _, detail = text.partition(": ")
    if outcome == "paid":
        return AIMessage(
            f"Good news: we have paid back {detail}. It takes two days to reach your account."
        )
    if outcome == "refused":
        return AIMessage(f"I am sorry, there will be no refund: {detail}.")
    return AIMessage(f"The carrier says: {text}.")


def _order_of(messages: list[BaseMessage]) -> str | None:
    """The order that the user's messages named last."""
    said = (message.text for message in reversed(messages) if isinstance(message, HumanMessage))
    found = next(filter(None, map(_ORDER.search, said)), None)
    return found[0].upper() if found else None


def _call(asked: HumanMessage, text: str, name: str, **args: str) -> AIMessage:
    # The id of the call is made from the message id, so that a repeated call has the same id.
    return AIMessage(text, tool_calls=[{"name": name, "args": args, "id": f"{name}-{asked.id}"}])

"""Real text: Python's own reference, cut into messages."""

from __future__ import annotations

from functools import cache
from pydoc_data.topics import topics
from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage, HumanMessage

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

QUESTION = 200
"""Characters of what a person writes."""
ANSWER = 1_000
"""Characters of what a model answers."""


@cache
def _reference() -> str:
    return "".join(topics[name] for name in sorted(topics))


def piece(number: int, size: int) -> str:
    """The piece of that number, of that many characters. They repeat once the text is used up."""
    text = _reference()
    start = number * size % (len(text) - size)
    return text[start : start + size]


def question(number: int) -> HumanMessage:
    """Message `number` of a chat, by a person."""
    return HumanMessage(piece(number, QUESTION), id=str(number))


def answer(number: int, size: int = ANSWER) -> AIMessage:
    """Message `number` of a chat, by a model."""
    return AIMessage(piece(number, size), id=str(number))


def chat(size: int) -> list[BaseMessage]:
    """A chat of about so many bytes of text."""
    messages: list[BaseMessage] = []
    for number in range(0, 2 * size // (QUESTION + ANSWER), 2):
        messages += [question(number), answer(number + 1)]
    return messages


def long_text(size: int) -> str:
    """So many characters of text."""
    text = _reference()
    return (text * (size // len(text) + 1))[:size]

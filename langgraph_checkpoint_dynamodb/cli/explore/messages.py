"""Messages of a chat, readable: who says what, which tools are called and what they answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from rich.text import Text

from langgraph_checkpoint_dynamodb.cli.explore.rendering import one_line, safe
from langgraph_checkpoint_dynamodb.cli.explore.values import brief

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from langgraph_checkpoint_dynamodb.cli.explore.rendering import Palette
    from langgraph_checkpoint_dynamodb.cli.explore.values import Bounds

_MOST_ARGUMENT = 60
_ROLES = {"user": "human", "assistant": "ai"}


@dataclass(frozen=True)
class Said:
    """A message.

    Attributes:
        role: `human`, `ai`, `tool`, `system` or another.
        name: Of the tool or the speaker; empty for none.
        text: What is said.
        calls: The tools that are called, each as source.
        failed: Whether it is the error of a tool.
    """

    role: str
    name: str
    text: str
    calls: tuple[str, ...] = ()
    failed: bool = False


def said(value: object) -> Said | None:
    """A message, of LangChain or as OpenAI's mapping; `None` for anything else."""
    if isinstance(value, BaseMessage):
        return Said(
            role=value.type,
            name=value.name or "",
            text=_content(value.content),
            calls=tuple(_calls(value)),
            failed=isinstance(value, ToolMessage) and value.status == "error",
        )
    if isinstance(value, dict) and isinstance(value.get("role"), str) and "content" in value:
        role = str(value["role"])
        name = str(value.get("name") or "")
        return Said(_ROLES.get(role, role), name, _content(value["content"]))
    return None


def are_messages(value: object) -> bool:
    """Whether a value is a list of messages and of nothing else."""
    return isinstance(value, list) and bool(value) and all(said(one) is not None for one in value)


def role_text(one: Said, palette: Palette) -> Text:
    """Who says it."""
    colours = {"human": palette.accent, "ai": palette.good, "tool": palette.warn}
    colour = palette.bad if one.failed else colours.get(one.role, palette.muted)
    return Text(safe(one.role), f"bold {colour}")


def body_text(one: Said, palette: Palette, bounds: Bounds) -> Text:
    """What is said and called."""
    most = len(one.text) if bounds.string is None else bounds.string
    shown = safe(one.text[:most].strip())
    text = Text(style=palette.bad if one.failed else palette.plain)
    if one.name:
        text.append(f"{one_line(one.name)}: ", palette.muted)
    text.append(shown)
    if len(one.text) > most:
        text.append(f" +{len(one.text) - most:,} characters", palette.muted)
    for call in one.calls:
        if text:
            text.append("\n")
        text.append("→ ", palette.muted).append(call, palette.warn)
    return text


def _calls(message: BaseMessage) -> Iterator[str]:
    for call in message.tool_calls if isinstance(message, AIMessage) else ():
        given: Mapping[str, Any] = call["args"]
        arguments = ", ".join(f"{name}={_argument(value)}" for name, value in given.items())
        yield one_line(f"{call['name']}({arguments})")


def _argument(value: object) -> str:
    return f"{brief(value, _MOST_ARGUMENT)!r}" if isinstance(value, str) else brief(value)


def _content(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    return "\n".join(filter(None, map(_part, parts)))


def _part(part: object) -> str:
    """The text of a part, else its kind in brackets; a call is told of by itself."""
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return brief(part)
    if isinstance(part.get("text"), str):
        return str(part["text"])
    kind = str(part.get("type", "part"))
    return "" if kind == "tool_use" else f"[{kind}]"

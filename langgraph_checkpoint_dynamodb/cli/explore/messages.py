"""Chat messages as text: role, content and tool calls."""

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
class ChatMessage:
    """A message.

    Attributes:
        role: `human`, `ai`, `tool`, `system` or another.
        name: Name of the tool or the author; empty for none.
        text: The content.
        calls: The tool calls, each as Python source.
        failed: Whether it is the error of a tool.
    """

    role: str
    name: str
    text: str
    calls: tuple[str, ...] = ()
    failed: bool = False


def chat_message(value: object) -> ChatMessage | None:
    """Convert a message of LangChain, or a mapping of OpenAI's format; `None` for other values."""
    if isinstance(value, BaseMessage):
        return ChatMessage(
            role=value.type,
            name=value.name or "",
            text=_content(value.content),
            calls=tuple(_calls(value)),
            failed=isinstance(value, ToolMessage) and value.status == "error",
        )
    if isinstance(value, dict) and isinstance(value.get("role"), str) and "content" in value:
        role = str(value["role"])
        name = str(value.get("name") or "")
        return ChatMessage(_ROLES.get(role, role), name, _content(value["content"]))
    return None


def are_messages(value: object) -> bool:
    """Return whether a value is a list of messages only."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(chat_message(one) is not None for one in value)
    )


def role_text(message: ChatMessage, palette: Palette) -> Text:
    """Return the role of a message."""
    colours = {"human": palette.accent, "ai": palette.good, "tool": palette.warn}
    colour = palette.bad if message.failed else colours.get(message.role, palette.muted)
    return Text(safe(message.role), f"bold {colour}")


def body_text(message: ChatMessage, palette: Palette, bounds: Bounds) -> Text:
    """Return the content and the tool calls of a message."""
    most = len(message.text) if bounds.string is None else bounds.string
    shown = safe(message.text[:most].strip())
    text = Text(style=palette.bad if message.failed else palette.plain)
    if message.name:
        text.append(f"{one_line(message.name)}: ", palette.muted)
    text.append(shown)
    if len(message.text) > most:
        text.append(f" +{len(message.text) - most:,} characters", palette.muted)
    for call in message.calls:
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
    """Return the text of a part, else its type in brackets. Tool calls are rendered elsewhere."""
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return brief(part)
    if isinstance(part.get("text"), str):
        return str(part["text"])
    kind = str(part.get("type", "part"))
    return "" if kind == "tool_use" else f"[{kind}]"

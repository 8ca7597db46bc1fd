"""Events of an agent run, as lines of JSON that one process prints and another one reads."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, AnyMessage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_core.runnables import RunnableConfig

    from examples.agent import Agent


@dataclass(frozen=True)
class Event:
    """An event of a run.

    Attributes:
        kind: `customer` or `guest`, `model`, `calls`, `tool`, `asks`, `waits`, `human` or
            `answer`.
        text: The message, call or result.
        tool: Name of the tool, for `tool`.
    """

    kind: str
    text: str
    tool: str = ""

    def to_line(self) -> str:
        """The event as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_line(cls, line: str) -> Event:
        """Parse a line of JSON."""
        return cls(**json.loads(line))


def run(agent: Agent, given: Any, config: RunnableConfig) -> Iterator[Event]:
    """Run the agent on an input until it ends or is interrupted."""
    for update in agent.stream(given, config, stream_mode="updates"):
        for source, content in update.items():
            if source == "__interrupt__":
                yield from (Event("waits", asked.value["question"]) for asked in content)
                continue
            for message in content["messages"]:
                yield from events_of(message)


def events_of(message: AnyMessage) -> Iterator[Event]:
    """The events of a message."""
    if not isinstance(message, AIMessage):
        yield Event("tool", str(message.content), tool=str(message.name))
        return
    if not message.tool_calls:
        yield Event("answer", str(message.content))
        return
    yield Event("model", str(message.content))
    for call in message.tool_calls:
        args = ", ".join(f"{name}={value!r}" for name, value in call["args"].items())
        yield Event("calls", f"{call['name']}({args})")

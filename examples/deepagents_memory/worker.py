"""One process of the example: asks the agent questions in one thread and prints the events.

Its arguments are a thread id, the name of a guest, and the questions. The rest is read from
DynamoDB.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from examples.deepagents_memory.agent import Guest, build_agent, open_cache, open_store
from examples.engine import open_saver
from examples.events import Event, events_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(thread_id: str, guest: str, questions: Sequence[str]) -> None:
    """Ask the questions of a guest in order."""
    with open_saver() as saver, open_store() as store, open_cache() as cache:
        agent = build_agent(saver, store, cache)
        for question in questions:
            _ask(agent, thread_id, Guest(guest), question)


def _ask(agent: Any, thread_id: str, guest: Guest, question: str) -> None:
    _tell(Event("guest", question))
    config = {"configurable": {"thread_id": thread_id}}
    before = len(agent.get_state(config).values.get("messages", []))
    given = {"messages": [("user", question)]}
    messages = agent.invoke(given, config, context=guest)["messages"]
    for message in messages[before + 1 :]:
        for event in events_of(message):
            _tell(event)


def _tell(event: Event) -> None:
    print(event.to_line(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])

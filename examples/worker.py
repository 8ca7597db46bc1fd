"""One process of the example: runs the agent until it ends or asks, tells what happened, exits.

It gets a thread id and, to resume, the human's verdict. All else it reads from DynamoDB.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from langgraph.types import Command

from examples.agent import REQUEST, build_agent
from examples.engine import open_saver
from examples.events import Event, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_core.runnables import RunnableConfig

    from examples.agent import Agent, Verdict


def main() -> None:
    """Parse the command line and run the agent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("thread_id")
    parser.add_argument("--back-to", metavar="CHECKPOINT_ID", help="ask again from there")
    parser.add_argument("--verdict", type=json.loads, help="answer what it waits for, in JSON")
    wanted = parser.parse_args()
    with open_saver() as saver:
        for event in _work(build_agent(saver), wanted.thread_id, wanted.back_to, wanted.verdict):
            print(event.to_line(), flush=True)


def _work(
    agent: Agent, thread_id: str, back_to: str | None, verdict: Verdict | None
) -> Iterator[Event]:
    config: RunnableConfig = {"configurable": {"thread_id": thread_id}}
    if verdict is None:
        yield Event("customer", REQUEST)
        yield from run(agent, {"messages": [("user", REQUEST)]}, config)
        return
    if back_to is not None:
        # Replaying from a checkpoint adds a fork of it to the thread and asks again. Resuming the
        # old checkpoint itself would store the second answer next to the first one.
        past: RunnableConfig = {"configurable": {"thread_id": thread_id, "checkpoint_id": back_to}}
        yield from run(agent, None, past)
    yield Event("human", f"{'yes' if verdict['approved'] else 'no'}, {verdict['reason']}")
    yield from run(agent, Command(resume=verdict), config)


if __name__ == "__main__":
    main()

"""Two consecutive processes: the second uses what the first has learned in another thread.

Run it from the root of the repository (the extra `[deepagents]`):

    python -m examples.deepagents_memory

It starts a local engine; set `DYNAMODB_ENDPOINT_URL` to use another one.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from uuid import uuid4

from examples import terminal
from examples.deepagents_memory.agent import open_cache, open_store
from examples.engine import isolate, open_saver, running_engine
from examples.events import Event

_ROOT = Path(__file__).resolve().parent.parent.parent
_SECONDS = 120
_WORKER = [sys.executable, "-W", "error", "-m", "examples.deepagents_memory.worker"]
_TOLD = "Please remember: I am Ann, and I eat no nuts."
_ASKED = "Where shall I have dinner in Lisbon?"
_ANSWER = "Without nuts, as you told me: Mar Azul (fish), Horta (vegetables)."


def main() -> int:
    """Run both processes; return 1 if a check failed."""
    isolate()
    with running_engine() as engine:
        terminal.line("engine", engine)
        with open_saver() as saver, open_store() as store, open_cache() as cache:
            saver.setup()
            store.setup()
            cache.clear()
        return _run_both(uuid4().hex[:8])


def _run_both(run: str) -> int:
    threads = [f"monday-{run}", f"friday-{run}"]
    terminal.title("1. A process hears of a guest's allergy, and looks up where to eat")
    first = _process(threads[0], _TOLD, _ASKED)
    terminal.title("2. Another process, in another thread, knows it and need not look up again")
    second = _process(threads[1], _ASKED)
    terminal.title("What was shown and checked")
    with open_saver() as saver, open_store() as store:
        files = [one.key for one in store.search(("ann", "memories"))]
        kept = [saver.get_tuple({"configurable": {"thread_id": one}}) for one in threads]
    checks = {
        "the first process has asked the guide": "asks" in _kinds(first),
        "what it was told is a file in the store": files == ["/guest.md"],
        "both have given the same answer": _answers(first)[-1:] == _answers(second) == [_ANSWER],
        "the second has not asked the guide": "asks" not in _kinds(second),
        "both threads are there, to go on with": None not in kept,
    }
    for claim, holds in checks.items():
        terminal.line("checked" if holds else "WRONG", claim)
    return 0 if all(checks.values()) else 1


def _process(thread_id: str, *questions: str) -> list[Event]:
    """Run the worker in a process; return the events that it printed."""
    done = subprocess.run(  # noqa: S603 - our own example
        [*_WORKER, thread_id, "ann", *questions],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        text=True,
        timeout=_SECONDS,
        check=True,
    )
    events = [Event.from_line(line) for line in done.stdout.splitlines()]
    for event in events:
        text = " ".join(event.text.split())
        terminal.line(event.kind, f"{event.tool}: {text}" if event.tool else text)
    return events


def _kinds(events: list[Event]) -> set[str]:
    return {event.kind for event in events}


def _answers(events: list[Event]) -> list[str]:
    return [event.text for event in events if event.kind == "answer"]


if __name__ == "__main__":
    sys.exit(main())

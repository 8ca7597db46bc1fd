"""An agent waits for a human, its process exits, and other processes resume it from DynamoDB.

Run it from the root of the repository, without arguments:

    python -m examples.approval_agent

It starts a local engine; set `DYNAMODB_ENDPOINT_URL` to use another one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

if not __package__:  # As a script, Python searches only the script's folder for modules.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from examples import terminal
from examples.agent import Agent, Verdict, build_agent
from examples.engine import (
    CHECKPOINTS_TABLE,
    ENDPOINT,
    WRITES_TABLE,
    isolate,
    open_saver,
    running_engine,
)
from examples.events import Event
from examples.history import Row, ancestry, read_history, short, table
from langgraph_checkpoint_dynamodb import DynamoDBSaverError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
APPROVAL = Verdict(approved=True, reason="the photo shows the damage")
REFUSAL = Verdict(approved=False, reason="the photo shows another machine")
PAID = "Good news: we have paid back 129.00 EUR for order A-1042."
REFUSED = "I am sorry, there is no refund: the photo shows another machine."
_SECONDS = 30


class DemoError(Exception):
    """A check of this example failed."""


@dataclass(frozen=True)
class Told:
    """The output of a process that has exited.

    Attributes:
        pid: Its process id.
        events: The events that it printed.
    """

    pid: int
    events: list[Event]

    def texts(self, kind: str) -> list[str]:
        """Texts of the events of one kind."""
        return [event.text for event in self.events if event.kind == kind]

    @property
    def tools(self) -> list[str]:
        """Names of the tools that ran."""
        return [event.tool for event in self.events if event.kind == "tool"]


def main() -> int:
    """Run the example.

    Returns:
        Exit code: 0 if all checks passed.
    """
    isolate()
    began = time.monotonic()
    try:
        with running_engine() as engine, open_saver() as saver:
            terminal.title("A refund that waits for a human: one thread, three processes, DynamoDB")
            terminal.line("engine", f"{engine}, {os.environ[ENDPOINT]}")
            saver.setup()
            terminal.line("tables", f"{CHECKPOINTS_TABLE}, {WRITES_TABLE}")
            _tell(build_agent(saver))
    except (DemoError, DynamoDBSaverError) as error:
        terminal.fail(str(error))
        return 1
    except ModuleNotFoundError as error:
        terminal.fail(f"{error}; install this package with its extra [demo]")
        return 1
    terminal.say(f"\nDone in {time.monotonic() - began:.1f} s.")
    return 0


def _tell(agent: Agent) -> None:
    thread_id = f"refund-{uuid4().hex[:8]}"
    terminal.line("thread", thread_id)

    terminal.title("1. Process A takes the request and stops where a human has to decide")
    asked = _ask(thread_id)

    terminal.title("2. Process B finds the thread in DynamoDB and goes on with a yes")
    paid = _approve(thread_id)

    terminal.title("3. The thread's history, newest first")
    before = read_history(agent, thread_id)
    question = _show_line(before)

    terminal.title(f"4. Process C goes back to {short(question.checkpoint_id)} and hears a no")
    refused = _refuse(thread_id, question)

    terminal.title("5. Both branches are in the history, newest first")
    after = read_history(agent, thread_id)
    _show_branches(before, after, question)

    terminal.title("What was shown and checked")
    _sum_up([asked, paid, refused], before, after)


def _ask(thread_id: str) -> Told:
    told = _run("A", [thread_id])
    _expect(told.tools == ["look_up_order"], f"process A should only look up, ran {told.tools}")
    _expect(len(told.texts("waits")) == 1, "process A should wait for one answer")
    _expect(not told.texts("answer"), "process A should not have answered yet")
    return told


def _approve(thread_id: str) -> Told:
    told = _run("B", [thread_id, "--verdict", json.dumps(APPROVAL)])
    _expect(told.tools == ["issue_refund"], f"process B should only refund, ran {told.tools}")
    _expect(told.texts("answer") == [PAID], f"process B answered {told.texts('answer')}")
    return told


def _refuse(thread_id: str, question: Row) -> Told:
    back = ["--back-to", question.checkpoint_id]
    told = _run("C", [thread_id, *back, "--verdict", json.dumps(REFUSAL)])
    _expect(len(told.texts("waits")) == 1, "process C should be asked again")
    _expect(told.texts("answer") == [REFUSED], f"process C answered {told.texts('answer')}")
    return told


def _show_line(rows: list[Row]) -> Row:
    """Print a history without branches; return the checkpoint that waited for the human."""
    waiting = [row for row in rows if row.waiting]
    _expect(len(waiting) == 1, f"one checkpoint should hold the question, not {len(waiting)}")
    _expect(len(_line_of(rows, rows[0])) == len(rows), "the history should be one line")
    _expect(rows[0].last_text == PAID, f"the thread should end with the refund: {rows[0]}")
    question = waiting[0]
    notes = {rows[0].checkpoint_id: "refund paid", question.checkpoint_id: "the question"}
    terminal.block(table(rows, notes))
    return question


def _show_branches(before: list[Row], after: list[Row], question: Row) -> None:
    refused, paid = after[0], before[0]
    forks = [row for row in after if row.source == "fork"]
    _expect(len(forks) == 1, f"there should be one fork, not {len(forks)}")
    _expect(forks[0].parent_id == question.checkpoint_id, "the fork should be at the question")
    _expect(refused.last_text == REFUSED, f"the new branch should end with the no: {refused}")
    _expect(forks[0].checkpoint_id in _line_of(after, refused), "the no should follow the fork")
    _expect(after[len(after) - len(before) :] == before, "the first branch should be as it was")
    notes = {
        refused.checkpoint_id: "refused",
        forks[0].checkpoint_id: "fork: asked again",
        paid.checkpoint_id: "refund paid",
        question.checkpoint_id: "the question",
    }
    terminal.block(table(after, notes, question.checkpoint_id))


def _sum_up(processes: list[Told], before: list[Row], after: list[Row]) -> None:
    pids = [os.getpid(), *(told.pid for told in processes)]
    _expect(len(set(pids)) == len(pids), f"every process should be another one: {pids}")
    a, b, c = pids[1:]
    terminal.line("checked", f"the agent stopped in process {a} and went on in process {b}")
    terminal.line("checked", "nothing was done twice: A looked the order up, B only paid it back")
    terminal.line("checked", f"process {c} forked the thread at the question and heard the no")
    terminal.line("checked", f"the {len(before)} checkpoints from before the fork are as they were")
    largest = max(row.size for row in after)
    terminal.line(
        "checked", f"{len(after)} checkpoints in the table, the largest {largest:,} bytes"
    )


def _run(name: str, arguments: list[str]) -> Told:
    """Run a process until it exits and print its events as they arrive."""
    command = [sys.executable, "-W", "error", "-m", "examples.worker", *arguments]
    with (
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process,  # noqa: S603 - our own arguments
        _time_limit(process),
    ):
        terminal.line("process", f"{name} has pid {process.pid}")
        events = [_retell(line) for line in process.stdout or ()]
        code = process.wait()
    _expect(
        code == 0, f"process {name} (pid {process.pid}) ended with code {code}; it had {_SECONDS} s"
    )
    terminal.line("process", f"{name} has ended, exit code {code}")
    return Told(process.pid, events)


@contextmanager
def _time_limit(process: subprocess.Popen[str]) -> Iterator[None]:
    watchdog = threading.Timer(_SECONDS, process.kill)
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()


def _retell(line: str) -> Event:
    event = Event.from_line(line)
    terminal.line(event.kind, f"{event.tool}: {event.text}" if event.tool else event.text)
    return event


def _line_of(rows: list[Row], tip: Row) -> list[str]:
    return ancestry(rows, tip.checkpoint_id)


def _expect(fact: bool, otherwise: str) -> None:
    if not fact:
        raise DemoError(otherwise)


if __name__ == "__main__":
    sys.exit(main())

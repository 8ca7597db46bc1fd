"""The application as `make web` runs it, in separate processes, and its HTTP client."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx

from tests.support.relays import PATIENCE, Relay, running_relay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.relays import Asked

ROOT = Path(__file__).parent.parent.parent
BROKEN = "The espresso machine of order A-1042 arrived broken. I want my money back."
QUESTION = "Refund 129.00 EUR for order A-1042?"
PAID = (
    "Good news: we have paid back 129.00 EUR for order A-1042. "
    "It takes two days to reach your account."
)
WHERE = "Where is the parcel of order A-1103?"
WHAT = "What did I buy with order A-1077?"
FOUND = (
    "Here is what I found: A-1077: desk lamp, 39.90 EUR, delivered yesterday. "
    "Shall I arrange anything for it?"
)
_numbers = itertools.count()


@dataclass(frozen=True)
class TableNames:
    """Names of the tables of an application."""

    checkpoints: str
    writes: str
    costs: str

    @classmethod
    def new(cls) -> TableNames:
        """Unique names."""
        suffix = f"{os.getpid()}-{next(_numbers)}"
        return cls(f"web-checkpoints-{suffix}", f"web-writes-{suffix}", f"web-costs-{suffix}")

    @property
    def arguments(self) -> list[str]:
        """Command line options for these names."""
        return [
            f"--checkpoints-table={self.checkpoints}",
            f"--writes-table={self.writes}",
            f"--costs-table={self.costs}",
        ]


@dataclass
class Told:
    """The event stream of a page."""

    lines: Iterator[str]

    def next(self) -> tuple[str, dict[str, Any]]:
        """The next event, without list changes and keep-alive events."""
        name = ""
        for line in self.lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: ") and name not in ("list", "silence"):
                return name, json.loads(line.removeprefix("data: "))
        raise EOFError("the stream has ended")

    def until(self, wanted: str) -> dict[str, Any]:
        """The next event of that name."""
        return self.all_until(wanted)[-1][1]

    def all_until(self, wanted: str) -> list[tuple[str, dict[str, Any]]]:
        """All events up to the next event of that name."""
        events = [self.next()]
        while events[-1][0] != wanted:
            events.append(self.next())
        return events


@dataclass(frozen=True)
class Talk:
    """A conversation of a user, over the application's HTTP interface."""

    chat: Chat
    user: str
    id: str = field(default_factory=lambda: uuid4().hex)

    @property
    def path(self) -> str:
        """Path of the conversation."""
        return f"/api/{self.user}/conversations/{self.id}"

    @contextmanager
    def listening(self) -> Iterator[Told]:
        """The event stream of a page that shows the conversation; the first event is its state."""
        with self.chat.client.stream(
            "GET", f"/api/{self.user}/events", params={"conversation": self.id}
        ) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield Told(answer.iter_lines())

    def say(
        self, text: str, id_: str | None = None, checkpoint: str | None = None
    ) -> httpx.Response:
        """Send a message."""
        message = {"id": id_ or uuid4().hex, "text": text, "checkpoint": checkpoint}
        return self.chat.client.post(f"{self.path}/messages", json=message)

    def answer(self, question: str, *, approved: bool, reason: str = "") -> httpx.Response:
        """Answer a question."""
        given = {"question": question, "approved": approved, "reason": reason}
        return self.chat.client.post(f"{self.path}/answers", json=given)

    def go_on(self, checkpoint: str | None = None) -> httpx.Response:
        """Run the next step."""
        return self.chat.client.post(f"{self.path}/continuations", json={"checkpoint": checkpoint})

    def history(self) -> list[dict[str, Any]]:
        """The newest checkpoints of the conversation."""
        found: list[dict[str, Any]] = self.chat.get(f"{self.path}/history")["checkpoints"]
        return found

    def state(self) -> dict[str, Any]:
        """The state of the conversation, once no run is in progress."""
        with self.listening() as told:
            return told.until("state")

    def turn(self, text: str, **where: Any) -> dict[str, Any]:
        """Send a message, and wait for the state after its turn."""
        with self.listening() as told:
            told.next()
            taken(self.say(text, **where))
            return told.until("state")

    def decide(self, *, approved: bool, reason: str = "") -> dict[str, Any]:
        """Answer the pending question, and wait for the state after its turn."""
        with self.listening() as told:
            (question,) = told.until("state")["questions"]
            taken(self.answer(question["id"], approved=approved, reason=reason))
            return told.until("state")

    def run_again(self, checkpoint: str | None = None) -> dict[str, Any]:
        """Run the next step, and wait for the state after the run."""
        with self.listening() as told:
            told.next()
            taken(self.go_on(checkpoint))
            return told.until("state")


@dataclass(frozen=True)
class Chat:
    """A running application.

    Attributes:
        url: Its address.
        client: HTTP client for it.
        relay: The relay that it uses as DynamoDB endpoint.
        tables: Its tables.
        process: Its supervisor process.
        output: The lines that it has printed.
    """

    url: str
    client: httpx.Client
    relay: Relay
    tables: TableNames
    process: subprocess.Popen[str]
    output: list[str]

    def get(self, path: str, **params: Any) -> Any:
        """The JSON response of a GET request."""
        answer = self.client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    @property
    def worker(self) -> int:
        """Process id of the current server."""
        found: int = self.get("/api/about")["process"]
        return found

    def end_worker(self) -> None:
        """Kill the server as a crash would, and wait until the next one serves."""
        old = self.worker
        os.kill(old, signal.SIGKILL)
        while True:
            # The old server may still respond until it has exited.
            with suppress(httpx.TransportError):
                if self.worker != old:
                    return

    def stores(self, table: str) -> Callable[[Asked], bool]:
        """Matches requests that write to a table."""
        return lambda asked: table in asked.writes_to

    def nth_checkpoint(self, count: int) -> Callable[[Asked], bool]:
        """Matches the nth request from now on that stores a checkpoint.

        While the request is held, the thread stays at the previous checkpoint: LangGraph waits for
        the previous checkpoint before it stores the next one, but not for pending writes.
        """
        stored = itertools.count(1)
        stores = self.stores(self.tables.checkpoints)
        return lambda asked: stores(asked) and next(stored) == count

    def asked_of_saver(self) -> int:
        """Number of requests that its saver has sent."""
        return sum(self.tables.costs not in json.dumps(asked.params) for asked in self.relay.asked)


def taken(answer: httpx.Response) -> None:
    """Assert that the application has accepted a request."""
    assert answer.status_code == 202, answer.text


def texts(state: dict[str, Any]) -> list[str]:
    """Texts of the messages of a conversation."""
    return [message["text"] for message in state["messages"]]


def new_user() -> str:
    """A unique user."""
    return f"user-{uuid4().hex[:8]}"


@contextmanager
def running_chat(
    engine: str | None, *options: str, tables: TableNames | None = None, word_seconds: float = 0
) -> Iterator[Chat]:
    """Run the application.

    Args:
        engine: Endpoint of the engine; `None` for its built-in engine, without the relay.
        *options: More command line options.
        tables: The tables; by default new ones.
        word_seconds: Pause after each word of the scripted model.
    """
    tables = tables or TableNames.new()
    with running_relay(engine or "") as relay:
        given = [*tables.arguments, f"--word-seconds={word_seconds}", *options]
        where = [] if engine is None else [f"--endpoint-url={relay.url}"]
        process = start("--port=0", *where, *given)
        # Leaving the context closes the pipe of its output.
        with process:
            try:
                url, output = _address(process)
                with httpx.Client(base_url=url, timeout=PATIENCE) as client:
                    yield Chat(url, client, relay, tables, process, output)
            finally:
                end(process)


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start the application with these arguments."""
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-W", "error", "-m", "examples.web", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> int:
    """Stop the application with SIGTERM; return its exit code."""
    process.terminate()
    return process.wait(PATIENCE)


def gone(pid: int) -> bool:
    """Whether a process exits before the timeout."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            # Not a child of this process: it stays a zombie until init reaps it.
            if (
                Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
                == "Z"
            ):
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False


def _address(process: subprocess.Popen[str]) -> tuple[str, list[str]]:
    lines: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if found := re.search(r"http://127\.0\.0\.1:\d+(?=  \(process)", line):
            # Keep reading, or the application blocks once the pipe is full.
            threading.Thread(target=lines.extend, args=[process.stdout], daemon=True).start()
            return found[0], lines
    raise RuntimeError("".join(lines))

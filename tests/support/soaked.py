"""Processes that run a graph and crash at a given request.

Each process has its own saver, and so its own cache, and takes tasks over a pipe. The expected
state of a graph follows from the length of its log: `expected_log` and `document` compute it
without a saver.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from langgraph_checkpoint_dynamodb import DynamoDBSaver
from tests.support.sessions import new_session
from tests.support.tables import with_payloads
from tests.support.values import config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from langgraph.checkpoint.base import BaseCheckpointSaver

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.support.soaked"])
PATIENCE = 300
"""Timeout in seconds for an answer."""


def first_of(topic: str, other: str) -> str:
    """Keep the topic of the thread's first turn."""
    return topic or other


class State(TypedDict, total=False):
    """The state of both graphs."""

    topic: Annotated[str, first_of]
    log: list[str]
    document: str


def entry(topic: str, position: int) -> str:
    """The log entry at a position."""
    return hashlib.sha256(f"{topic} {position}".encode()).hexdigest() * 3


def expected_log(topic: str, length: int) -> list[str]:
    """The log of that length, the same for every process that may write it."""
    return [entry(topic, position) for position in range(length)]


def document(topic: str, length: int, size: int) -> str:
    """The document for a log of that length; most of it never changes."""
    body = hashlib.shake_128(topic.encode()).hexdigest(size // 2)
    cut = int(entry(topic, length)[:6], 16) % size
    return f"{body[:cut]}<{length}>{body[cut:]}"


@dataclass(frozen=True)
class Setting:
    """The settings of a process.

    Attributes:
        compression: The saver's `compression`.
        whole_bytes: Up to this size a checkpoint is stored whole.
        size: Characters of the document.
    """

    compression: str | None
    whole_bytes: int
    size: int


class Task(NamedTuple):
    """A task for a process.

    Attributes:
        do: The method of `Worker` to call.
        thread_id: The thread to use.
        now: The time of the saver's clock.
        argument: Topic and turns, another thread, or an age.
        dies_at: Number of the request at which the process is killed; negative for its response.
    """

    do: str
    thread_id: str
    now: float
    argument: Any = None
    dies_at: int = 0


def make_graph(saver: BaseCheckpointSaver[str] | None, size: int) -> Any:
    """A graph of two nodes and a subgraph of two, which sometimes interrupts with a question."""

    def write(state: State) -> State:
        log = state.get("log", [])
        grown = [*log, entry(state["topic"], len(log))]
        return {"log": grown, "document": document(state["topic"], len(grown), size)}

    def ask(state: State) -> State:
        if len(state.get("log", [])) % 3 == 1:
            interrupt("go on?")
        return write(state)

    inner = StateGraph(State)
    inner.add_node("one", write)
    inner.add_node("two", write)
    inner.add_edge(START, "one")
    inner.add_edge("one", "two")
    outer = StateGraph(State)
    outer.add_node("begin", write)
    outer.add_node("inner", inner.compile())
    outer.add_node("ask", ask)
    outer.add_edge(START, "begin")
    outer.add_edge("begin", "inner")
    outer.add_edge("inner", "ask")
    outer.add_edge("ask", END)
    return outer.compile(checkpointer=saver)


class Worker:
    """Performs the tasks of a process, with a saver that caches."""

    def __init__(self, url: str, names: tuple[str, str], setting: Setting) -> None:
        self.now = 0.0
        self._dies_at = 0
        self._sent = 0
        client = new_session().client("dynamodb", endpoint_url=url)
        client.meta.events.register("before-send.dynamodb", self._send)
        client.meta.events.register("response-received.dynamodb", self._receive)
        checkpoints, writes = names
        settings: dict[str, Any] = {"compression": setting.compression}
        saver = DynamoDBSaver(
            checkpoints_table_name=checkpoints,
            writes_table_name=writes,
            client=client,
            clock=lambda: self.now,
            **settings,
        )
        self._saver = with_payloads(saver, whole_bytes=setting.whole_bytes)
        self._graph = make_graph(self._saver, setting.size)
        self._runs = count()

    def do(self, task: Task) -> Any:
        """Perform a task; crash in it if the task says so."""
        self.now, self._dies_at, self._sent = task.now, task.dies_at, 0
        return getattr(self, task.do)(task.thread_id, task.argument)

    def run(self, thread_id: str, argument: tuple[str, int]) -> int:
        """Run some turns from the thread's current state; returns the length of the log."""
        topic, turns = argument
        length = 0
        for _ in range(turns):
            at: Any = config(thread_id)
            at["metadata"] = {"run_id": f"{os.getpid()}-{next(self._runs)}"}
            found = self._graph.get_state(at)
            asked: Any = {"topic": topic}
            if found.next:
                waits = any(one.interrupts for one in found.tasks)
                asked = Command(resume="yes") if waits else None
            length = len(self._graph.invoke(asked, at)["log"])
        return length

    def prune(self, thread_id: str, _: None) -> None:
        self._saver.prune([thread_id])

    def delete(self, thread_id: str, _: None) -> None:
        self._saver.delete_thread(thread_id)

    def copy(self, thread_id: str, target: str) -> None:
        self._saver.copy_thread(thread_id, target)

    def sweep(self, _: str, older_than: int) -> None:
        self._saver.sweep_orphans(older_than=older_than)

    def delete_newest_run(self, thread_id: str, _: None) -> None:
        newest = self._saver.get_tuple(config(thread_id))
        if newest is not None:
            self._saver.delete_for_runs([newest.metadata["run_id"]])

    def _send(self, **_: object) -> None:
        self._sent += 1
        self._die_at(self._sent)

    def _receive(self, **_: object) -> None:
        self._die_at(-self._sent)

    def _die_at(self, moment: int) -> None:
        if self._dies_at and moment == self._dies_at:
            os.kill(os.getpid(), signal.SIGKILL)


def _serve(pipe: Connection, url: str, names: tuple[str, str], setting: Setting) -> None:
    worker = Worker(url, names, setting)
    while True:
        task = pipe.recv()
        try:
            pipe.send((worker.do(task), None))
        except Exception as error:  # The caller judges the error.
            pipe.send((None, f"{type(error).__name__}: {error}"))


@dataclass
class Process:
    """A process that performs tasks, and starts again after it has crashed.

    Attributes:
        url: Endpoint of the engine.
        names: Names of the two tables.
        setting: Settings of the process.
        deaths: How often the process has crashed.
    """

    url: str
    names: tuple[str, str]
    setting: Setting
    deaths: int = 0
    _child: Any = field(default=None, repr=False)
    _pipe: Any = field(default=None, repr=False)

    def ask(self, task: Task) -> None:
        """Start a task."""
        if self._child is None:
            self._pipe, theirs = CONTEXT.Pipe()
            self._child = CONTEXT.Process(
                target=_serve, args=(theirs, self.url, self.names, self.setting), daemon=True
            )
            self._child.start()
            theirs.close()
        self._pipe.send(task)

    def answer(self) -> tuple[Any, str | None] | None:
        """The task's result and its error, if any; `None` if the process has crashed."""
        try:
            if not self._pipe.poll(PATIENCE):
                raise RuntimeError("a process does not answer")
            answer: tuple[Any, str | None] = self._pipe.recv()
        except (EOFError, ConnectionResetError):
            self.deaths += 1
            self.stop()
            return None
        return answer

    def stop(self) -> None:
        """Kill the process."""
        if self._child is not None:
            self._pipe.close()
            with suppress(ProcessLookupError):
                self._child.kill()
            self._child.join()
            self._child = None


@contextmanager
def processes(url: str, names: tuple[str, str], settings: list[Setting]) -> Iterator[list[Process]]:
    """A process for each setting."""
    made = [Process(url, names, setting) for setting in settings]
    try:
        yield made
    finally:
        for process in made:
            process.stop()

"""Processes that answer one chat at the same time.

Each process reads the thread, waits until all others have read it too, and continues: as when a
message reaches two servers.
"""

from __future__ import annotations

import multiprocessing
import threading
from contextlib import contextmanager
from operator import add
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypedDict

from langgraph.graph import END, START, StateGraph

from langgraph_checkpoint_dynamodb import DynamoDBSaver, ThreadConflictError
from tests.support.sessions import new_session
from tests.support.values import config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from langgraph.checkpoint.base import BaseCheckpointSaver

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.support.answering"])
PATIENCE = 300
"""Timeout in seconds for the other processes."""


class State(TypedDict, total=False):
    """The state of the chat."""

    messages: Annotated[list[str], add]


class Message(NamedTuple):
    """A message for a process to answer.

    Attributes:
        text: Its text.
        together: Whether the process waits until all others have read the thread.
    """

    text: str
    together: bool


class Conflict(NamedTuple):
    """The fields of a `ThreadConflictError`."""

    thread_id: str
    expected: str | None
    found: str | None


def make_chat(saver: BaseCheckpointSaver[Any]) -> Any:
    """A graph that answers the newest message."""
    builder = StateGraph(State)
    builder.add_node("answer", lambda state: {"messages": [f"re: {state['messages'][-1]}"]})
    builder.add_edge(START, "answer")
    builder.add_edge("answer", END)
    return builder.compile(checkpointer=saver)


class _Meeting:
    """Holds a call's first read of the checkpoints table until the others have read the table.

    A saver that has seen the thread reads the writes table concurrently. That reply may come first,
    but does not include the newest checkpoint.
    """

    def __init__(self, barrier: Any, table_name: str) -> None:
        self._barrier = barrier
        self._table_name = table_name
        self._lock = threading.Lock()
        self._expected = False

    def expect(self, *, together: bool) -> None:
        self._expected = together

    def note_table(self, params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        context["table_name"] = params["TableName"]

    def meet(self, context: dict[str, Any], **_: object) -> None:
        if context["table_name"] != self._table_name:
            return
        with self._lock:
            expected, self._expected = self._expected, False
        if expected:
            self._barrier.wait(PATIENCE)


def _serve(
    pipe: Connection, barrier: Any, url: str, names: tuple[str, str], settings: dict[str, Any]
) -> None:
    checkpoints, writes = names
    meeting = _Meeting(barrier, checkpoints)
    client = new_session().client("dynamodb", endpoint_url=url)
    client.meta.events.register("before-parameter-build.dynamodb.Query", meeting.note_table)
    client.meta.events.register("after-call.dynamodb.Query", meeting.meet)
    saver = DynamoDBSaver(
        checkpoints_table_name=checkpoints, writes_table_name=writes, client=client, **settings
    )
    chat = make_chat(saver)
    while True:
        message: Message = pipe.recv()
        meeting.expect(together=message.together)
        try:
            pipe.send(chat.invoke({"messages": [message.text]}, config("chat"))["messages"])
        except ThreadConflictError as error:
            pipe.send(Conflict(error.thread_id, error.expected, error.found))


class Answerer:
    """A process that answers messages."""

    def __init__(self, *arguments: Any) -> None:
        self._pipe, theirs = CONTEXT.Pipe()
        self._child = CONTEXT.Process(target=_serve, args=(theirs, *arguments), daemon=True)
        self._child.start()
        theirs.close()

    def ask(self, text: str, *, together: bool = False) -> None:
        """Start answering a message."""
        self._pipe.send(Message(text, together))

    def answer(self) -> list[str] | Conflict:
        """All messages after the answer, or the conflict that prevented it."""
        if not self._pipe.poll(PATIENCE):
            raise RuntimeError("a process does not answer")
        answer: list[str] | Conflict = self._pipe.recv()
        return answer

    def stop(self) -> None:
        """Stop the process."""
        self._pipe.close()
        self._child.kill()
        self._child.join()


@contextmanager
def answerers(
    count: int, url: str, names: tuple[str, str], settings: dict[str, Any]
) -> Iterator[list[Answerer]]:
    """Start `count` processes, each with its own saver."""
    barrier = CONTEXT.Barrier(count)
    made = [Answerer(barrier, url, names, settings) for _ in range(count)]
    try:
        yield made
    finally:
        for one in made:
            one.stop()

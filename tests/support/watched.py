"""Savers whose requests are reported to an observer, and what their clients really sent."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb import ThreadIndex
from tests.support.sessions import NOWHERE, on, saver_session
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from langgraph_checkpoint_dynamodb import RequestInfo
    from tests.support.savers import Saver

LISTED: dict[str, Any] = {"thread_index": ThreadIndex(owner="user_id"), "run_id_index": "runs"}
THREAD = "the thread"
AT = config(THREAD, "", "0002")
SECRET = "nobody may read this"  # noqa: S105 - represents a payload
_READS = ("GetItem", "Query", "Scan")


@dataclass
class Sent:
    """The requests that clients have sent, as the SDK saw them.

    Attributes:
        asked: Action and parameters of each request.
        answers: The response to each, an error or not.
    """

    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def actions(self) -> Counter[str]:
        return Counter(action for action, _ in self.asked)

    def units(self, *, read: bool) -> float:
        units: list[float] = [
            table["CapacityUnits"]
            for action, answer in self.answers
            for table in _listed(answer.get("ConsumedCapacity", []))
            if (action in _READS) == read
        ]
        return sum(units)

    def received(self) -> list[int]:
        """Sizes of the responses."""
        headers = (answer["ResponseMetadata"]["HTTPHeaders"] for _, answer in self.answers)
        return sorted(int(one["content-length"]) for one in headers)

    def clear(self) -> None:
        self.asked.clear()
        self.answers.clear()


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


def recorded_session(s3_url: str = NOWHERE) -> tuple[Any, Sent]:
    """A session whose clients' requests are recorded."""
    session = saver_session(s3_url)
    sent = Sent()

    def ask(params: dict[str, Any], model: Any, **_: object) -> None:
        kept = {name: value for name, value in params.items() if name != "ClientRequestToken"}
        sent.asked.append((model.name, kept))

    def answer(parsed: dict[str, Any], model: Any, **_: object) -> None:
        sent.answers.append((model.name, parsed))

    for service in ("dynamodb", "s3"):
        on(session, f"before-parameter-build.{service}", ask)
        on(session, f"after-call.{service}", answer)
    return session, sent


class Scope:
    """A call, as the test observer records it."""

    def __init__(self, calls: Calls, operation: str) -> None:
        self._calls = calls
        self._operation = operation

    def __enter__(self) -> None:
        self._calls.told.append(f"{self._operation} begins")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        end = "ends" if kind is None else f"ends with {kind.__name__}"
        self._calls.told.append(f"{self._operation} {end}")

    @contextmanager
    def current(self) -> Iterator[None]:
        self._calls.inside.append(threading.get_ident())
        yield


class Calls:
    """An observer that records what is reported.

    Attributes:
        told: Starts, requests and ends of calls, in order.
        inside: Ids of the threads in which code ran within a call.
    """

    def __init__(self) -> None:
        self.told: list[str] = []
        self.inside: list[int] = []

    def __call__(self, request: RequestInfo) -> None:
        self.told.append(f"{request.operation} asks")

    def on_call(self, operation: str) -> Scope:
        return Scope(self, operation)


def fill(saver: Saver) -> None:
    """Store a thread of two checkpoints and a namespace, with a run, an owner, and writes."""
    for namespace, parent, id_ in (("", None, "0001"), ("", "0001", "0002"), ("sub", None, "0001")):
        at: Any = config(THREAD, namespace, parent)
        at["configurable"]["user_id"] = "ann"
        made = checkpoint(id_, secret=SECRET)
        said = metadata(source="input" if parent is None else "loop", run_id="run")
        stored = saver.put(at, made, said, {})
        saver.put_writes(stored, [("a", SECRET), ("__interrupt__", [])], "task")


METHODS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "setup": ((), {}),
    "get_tuple": ((config(THREAD),), {}),
    "list": ((config(THREAD),), {}),
    "put": ((AT, checkpoint("0003", secret=SECRET), metadata(), {}), {}),
    "put_writes": ((AT, [("b", SECRET)], "other"), {}),
    "delete_thread": ((THREAD,), {}),
    "delete_for_runs": ((["run"],), {}),
    "copy_thread": ((THREAD, "copy"), {}),
    "prune": (([THREAD],), {}),
    "get_delta_channel_history": ((), {"config": AT, "channels": ["a"]}),
    "sweep_orphans": ((), {}),
    "list_threads": ((), {}),
    "get_thread": ((THREAD,), {}),
    "update_thread": ((THREAD,), {"title": SECRET}),
    "delete_threads": ((), {"owner": "ann"}),
    "reindex_threads": ((), {}),
}
"""Arguments of every method that sends requests itself, for a thread made by `fill`."""
MADE_OF_OTHERS = ("import_thread", "export_threads", "import_threads")
"""Methods that send requests only through other methods."""


def call(saver: Saver, method: str) -> None:
    """Call one of the methods and consume its result."""
    arguments, named = METHODS[method]
    result = getattr(saver, method)(*arguments, **named)
    if method == "list":
        list(result)


async def acall(saver: Saver, method: str) -> None:
    """Await the async version and consume its result."""
    arguments, named = METHODS[method]
    called = getattr(saver, f"a{method}")(*arguments, **named)
    if method != "list":
        await called
        return
    async for _ in called:
        pass

"""Processor time of a call, against the SDK's call with the same bytes and the serializer alone.

`python -m benchmarks.special.cpu_time API SIZE` prints the figures as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import boto3
from langgraph.checkpoint.base import get_checkpoint_metadata
from langgraph.checkpoint.base.id import uuid6

from benchmarks.contenders.base import REGION
from benchmarks.contenders.savers import OUR_TABLES
from benchmarks.environment import prepare_environment
from benchmarks.texts import chat
from benchmarks.values import WRITES, checkpoint, config, metadata
from tests.support.engines import running_engine

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

_ROUNDS = 9
_CALLS = {10_000: 200, 200_000: 60}
"""Calls of each kind in a round, by the size of the state."""
_QUICK = 10
"""Part of the calls that is left where little is to be done."""


@dataclass(frozen=True)
class Cost:
    """Microseconds of processor time of a call: medians over the rounds.

    Attributes:
        call: Which call.
        ours: The saver's.
        raw: The SDK's with the same arguments.
        serde: The serializer's on the same values.
        ratio: The saver's over the sum of the others, the median of each round's own.
    """

    call: str
    ours: float
    raw: float
    serde: float
    ratio: float


@dataclass
class Recording:
    """The SDK calls that a saver makes."""

    calls: list[tuple[str, dict[str, Any]]]

    def listen(self, events: Any) -> None:
        """Record what the clients of a session are asked for."""

        def remember(params: dict[str, Any], model: Any, **_: object) -> None:
            if "TableName" in params:
                self.calls.append((_method(model.name), dict(params)))

        events.register("provide-client-params.dynamodb", remember)


Work = tuple["Callable[[], Any]", "Callable[[], Any]", "Callable[[], Any]"]
"""What the saver does in a call, what the SDK does in it, and what the serializer does."""


def main() -> None:
    """Measure the API (sync or async) and size that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("api", choices=["sync", "async"])
    parser.add_argument("size", type=int, choices=_CALLS)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    prepare_environment()
    calls = _CALLS[asked.size] // (_QUICK if asked.quick else 1)
    with running_engine() as engine:
        if asked.api == "sync":
            costs = _sync_costs(engine.url, asked.size, calls)
        else:
            costs = asyncio.run(_async_costs(engine.url, asked.size, calls))
    json.dump([asdict(cost) for cost in costs], sys.stdout)


def _sync_costs(url: str, size: int, calls: int) -> list[Cost]:
    from langgraph_checkpoint_dynamodb import DynamoDBSaver

    where = {**OUR_TABLES, "endpoint_url": url}
    recording = Recording([])
    session = boto3.Session(region_name=REGION)
    recording.listen(session.events)
    state = checkpoint(messages=chat(size))
    at, new = config("processor"), config("new")
    with DynamoDBSaver(**where, session=session) as recorded:
        recorded.setup()
        recorded.put(at, state, metadata(), {})
        put = _only(recording, lambda: recorded.put(new, state, metadata(), {}))
        recorded.put_writes(_by_id(state), WRITES, "task")
        get = _only(recording, lambda: recorded.get_tuple(at))
    client = boto3.Session(region_name=REGION).client("dynamodb", endpoint_url=url)

    def raw(recorded_calls: list[tuple[str, dict[str, Any]]]) -> Callable[[], None]:
        bound = [(getattr(client, method), arguments) for method, arguments in recorded_calls]

        def send() -> None:
            for method, arguments in bound:
                method(**_anew(arguments))

        return send

    with DynamoDBSaver(**where) as saver:
        store, load = _serde_work(saver.serde, at, state)
        works: dict[str, Work] = {
            "put": (lambda: saver.put(new, _renamed(state), metadata(), {}), raw(put), store),
            "get_tuple, newest": (lambda: saver.get_tuple(at), raw(get), load),
        }
        return [_measure(name, work, calls) for name, work in works.items()]


async def _async_costs(url: str, size: int, calls: int) -> list[Cost]:
    from aiobotocore.session import get_session

    from langgraph_checkpoint_dynamodb.aio import AsyncDynamoDBSaver

    where = {**OUR_TABLES, "endpoint_url": url}
    recording = Recording([])
    session = get_session()
    recording.listen(session)
    state = checkpoint(messages=chat(size))
    at, new = config("processor"), config("new")
    async with AsyncDynamoDBSaver(**where, session=session) as recorded:
        await recorded.asetup()
        await recorded.aput(at, state, metadata(), {})
        put = await _only_awaited(recording, recorded.aput(new, state, metadata(), {}))
        await recorded.aput_writes(_by_id(state), WRITES, "task")
        get = await _only_awaited(recording, recorded.aget_tuple(at))
    making = get_session().create_client("dynamodb", region_name=REGION, endpoint_url=url)
    async with making as client, AsyncDynamoDBSaver(**where) as saver:

        def raw(recorded_calls: list[tuple[str, dict[str, Any]]]) -> Callable[[], Awaitable[None]]:
            bound = [(getattr(client, method), arguments) for method, arguments in recorded_calls]

            async def send() -> None:
                for method, arguments in bound:
                    await method(**_anew(arguments))

            return send

        store, load = _serde_work(saver.serde, at, state)
        works: dict[str, Work] = {
            "put": (
                lambda: saver.aput(new, _renamed(state), metadata(), {}),
                raw(put),
                store,
            ),
            "get_tuple, newest": (lambda: saver.aget_tuple(at), raw(get), load),
        }
        return [await _measure_awaited(name, work, calls) for name, work in works.items()]


def _serde_work(serde: Any, at: Any, state: Any) -> tuple[Callable[[], None], Callable[[], None]]:
    """What the serializer does in a `put`, and in a `get_tuple`."""
    stored = [serde.dumps_typed(value) for value in (state, metadata(), *_values())]

    def store() -> None:
        serde.dumps_typed(state)
        serde.dumps_typed(get_checkpoint_metadata(at, metadata()))

    def load() -> None:
        for typed in stored:
            serde.loads_typed(typed)

    return store, load


def _values() -> list[Any]:
    return [value for _, value in WRITES]


def _measure(call: str, work: Work, calls: int) -> Cost:
    rounds = []
    for _ in range(_ROUNDS):
        figures: list[float] = []
        for one in work:
            with _timed(figures, calls):
                for _ in range(calls):
                    one()
        rounds.append(figures)
    return _cost(call, rounds)


async def _measure_awaited(call: str, work: Work, calls: int) -> Cost:
    ours, raw, serde = work
    rounds = []
    for _ in range(_ROUNDS):
        figures: list[float] = []
        for one in (ours, raw):
            with _timed(figures, calls):
                for _ in range(calls):
                    await one()
        with _timed(figures, calls):
            for _ in range(calls):
                serde()
        rounds.append(figures)
    return _cost(call, rounds)


@contextmanager
def _timed(figures: list[float], calls: int) -> Iterator[None]:
    start = time.process_time()
    yield
    figures.append(1e6 * (time.process_time() - start) / calls)


def _cost(call: str, rounds: list[list[float]]) -> Cost:
    # The first round warms up.
    ours, raw, serde = (statistics.median(column) for column in zip(*rounds[1:], strict=True))
    ratio = statistics.median(one[0] / (one[1] + one[2]) for one in rounds[1:])
    return Cost(call, ours, raw, serde, ratio)


def _only(recording: Recording, call: Callable[[], Any]) -> list[tuple[str, dict[str, Any]]]:
    recording.calls.clear()
    call()
    return list(recording.calls)


async def _only_awaited(
    recording: Recording, call: Awaitable[Any]
) -> list[tuple[str, dict[str, Any]]]:
    recording.calls.clear()
    await call
    return list(recording.calls)


def _by_id(state: Any) -> Any:
    return {"configurable": {**config("processor")["configurable"], "checkpoint_id": state["id"]}}


def _renamed(state: Any) -> Any:
    """The same checkpoint with a new id."""
    return {**state, "id": str(uuid6())}


def _anew(arguments: dict[str, Any]) -> dict[str, Any]:
    """The same arguments; those that store an item store it with a new id."""
    if "Item" not in arguments:
        return arguments
    return {**arguments, "Item": {**arguments["Item"], "checkpoint_id": {"S": str(uuid6())}}}


def _method(action: str) -> str:
    """The client's method of an API action: `PutItem` is `put_item`."""
    words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in action)
    return words.lstrip("_")


if __name__ == "__main__":
    main()

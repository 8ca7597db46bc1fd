"""Large tables, filled with copies of a few items: storing each thread takes too long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from tests.support.tables import Tables

_BATCH = 25


def many_threads(tables: Tables, saver: DynamoDBSaver, count: int) -> None:
    """Store threads `t000`, `t001` and so on, as copies of the only thread in the tables."""
    saver.put(owned("t000"), checkpoint("0001", step=1), metadata(), {})
    items: list[Any] = list(tables.checkpoint_items())

    def named(item: Any, number: int) -> Any:
        return {**item, "thread_id": {"S": f"t{number:03}"}}

    _put_all(tables, (named(item, number) for number in range(1, count) for item in items))


def long_history(tables: Tables, saver: DynamoDBSaver, thread_id: str, count: int) -> None:
    """Store a chain of checkpoints `0000`, `0001` and so on."""
    saver.put(owned(thread_id), checkpoint("0000", step=1), metadata(), {})
    (item,) = (each for each in tables.heads() if each["checkpoint_id"]["S"] == "0000")

    def numbered(number: int) -> Any:
        ids = {"checkpoint_id": f"{number:04}", "parent_checkpoint_id": f"{number - 1:04}"}
        return {**item, **{name: {"S": value} for name, value in ids.items()}}

    _put_all(tables, map(numbered, range(1, count)))


def owned(thread_id: str) -> Any:
    """The config of a thread of Ann's."""
    at: Any = config(thread_id)
    at["configurable"]["user_id"] = "ann"
    return at


def _put_all(tables: Tables, items: Iterable[Any]) -> None:
    put: Callable[..., Any] = tables.client.batch_write_item
    requests = [{"PutRequest": {"Item": item}} for item in items]
    for start in range(0, len(requests), _BATCH):
        put(RequestItems={tables.checkpoints: requests[start : start + _BATCH]})

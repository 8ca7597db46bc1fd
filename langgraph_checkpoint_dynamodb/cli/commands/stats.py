"""`stats`: how much there is, and what it costs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from langgraph_checkpoint_dynamodb.cli import prices
from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.options import Json, Options, StoreTable
from langgraph_checkpoint_dynamodb.cli.stats.saver_census import Census
from langgraph_checkpoint_dynamodb.cli.stats.store_census import StoreCensus
from langgraph_checkpoint_dynamodb.cli.terminal.output import count, say, say_json, say_rows, size
from langgraph_checkpoint_dynamodb.cli.terminal.progress import bar
from langgraph_checkpoint_dynamodb.cli.threads.bulk import items_of
from langgraph_checkpoint_dynamodb.format.key_text import require_thread_id
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.requests.operations import together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langgraph_checkpoint_dynamodb.cli.connection import Connection
    from langgraph_checkpoint_dynamodb.cli.stats.saver_census import Counts

K = TypeVar("K")

_HEAD = ("items", "bytes", "write units", "read units", "dollars")
_RIGHT = range(1, len(_HEAD) + 1)
_NOBODY = "(of no thread)"
_NO_SPACE = "(of no namespace)"
_VALUES = "values"
_CENT_PART = 0.001
"""Below this, dollars have more digits."""


def stats(
    options: Options,
    threads: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[THREAD]...", help="The threads; all if none is named.", show_default=False
        ),
    ] = None,
    *,
    limit: Annotated[
        int,
        typer.Option("--limit", min=0, help="Threads and namespaces to show, the largest first."),
    ] = 20,
    write_price: Annotated[
        float, typer.Option("--write-price", min=0, help="Dollars for a million write units.")
    ] = prices.WRITE_DOLLARS,
    read_price: Annotated[
        float, typer.Option("--read-price", min=0, help="Dollars for a million read units.")
    ] = prices.READ_DOLLARS,
    storage_price: Annotated[
        float, typer.Option("--storage-price", min=0, help="Dollars for a GB and month in a table.")
    ] = prices.STORAGE_DOLLARS,
    object_price: Annotated[
        float, typer.Option("--object-price", min=0, help="Dollars for a GB and month in S3.")
    ] = prices.OBJECT_DOLLARS,
    store_table: StoreTable = None,
    as_json: Json = False,
) -> None:
    """Count items, bytes, units and dollars by thread.

    It reads both tables whole, and with --store-table that of a store, by namespace, and of a
    cache; or the threads that are named, alone. That takes half a read unit for 4 KB. Write units
    are what it takes to write each item once, and dollars their price; read units are what it takes
    to read all of it once, strongly consistent. Indexes are not counted. Prices are those of
    us-east-1, on demand.

    JSON: {"total": COUNTS, "threads": [{"thread_id", COUNTS}], "prices"}, where COUNTS are
    checkpoints, items, bytes, write_units, read_units, objects, object_bytes, write_dollars,
    read_dollars, month_dollars. A thread_id of null stands for items that do not say whose they
    are. With --store-table there is "store": {"total", "cache", "namespaces": [{"namespace",
    COUNTS}]}, with values in place of checkpoints.
    """
    charged = prices.Prices(write_price, read_price, storage_price, object_price)
    with connect(options, store_table=store_table) as connection:
        named = [require_thread_id(one) for one in dict.fromkeys(threads or ())]
        total = None if named else items_of(connection, Table.CHECKPOINTS, Table.WRITES)
        with bar("Counting", "items", total) as drawn:
            census = Census(drawn.advance)
            found = together([census.thread(one) for one in named]) if named else census.tables()
            connection.run(found)
        store = None if store_table is None or named else _counted_store(connection)
    largest = _largest(census.by_thread)
    if as_json:
        document = {
            "total": _document(census.total, charged),
            "threads": [
                {"thread_id": thread_id, **_document(counts, charged)}
                for thread_id, counts in largest[:limit]
            ],
            "prices": asdict(charged),
        }
        if store is not None:
            document["store"] = _document_of_store(store, charged, limit)
        say_json(document)
        return
    rows = [(thread_id or _NOBODY, counts) for thread_id, counts in largest]
    _say_largest("thread", rows, limit, charged)
    _say_total(census.total, len(largest), charged)
    if store is not None:
        _say_store(store, limit, charged)


def _largest(counted: Mapping[K, Counts]) -> list[tuple[K, Counts]]:
    return sorted(counted.items(), key=lambda pair: pair[1].size, reverse=True)


def _counted_store(connection: Connection) -> StoreCensus:
    with bar("Counting", "items", items_of(connection, Table.STORE)) as drawn:
        census = StoreCensus(drawn.advance)
        connection.run_on(Table.STORE, census.table())
    return census


def _document_of_store(census: StoreCensus, charged: prices.Prices, limit: int) -> dict[str, Any]:
    return {
        "total": _document(census.total, charged, _VALUES),
        "cache": _document(census.cache, charged, _VALUES),
        "namespaces": [
            {"namespace": namespace, **_document(counts, charged, _VALUES)}
            for namespace, counts in _largest(census.by_namespace)[:limit]
        ],
    }


def _say_store(census: StoreCensus, limit: int, charged: prices.Prices) -> None:
    rows = [
        (_NO_SPACE if namespace is None else " / ".join(namespace), counts)
        for namespace, counts in _largest(census.by_namespace)
    ]
    say("")
    _say_largest("namespace", rows, limit, charged)
    if census.cache.items:
        say_rows(("", *_HEAD), [("cache", *_cells(census.cache, charged))], right=_RIGHT)
        say("")
    _say_total(census.total, len(rows), charged, ("namespaces", _VALUES))


def _say_largest(
    name: str, found: Sequence[tuple[str, Counts]], limit: int, charged: prices.Prices
) -> None:
    rows = [(title, *_cells(counts, charged)) for title, counts in found[:limit]]
    if rows:
        say_rows((name, *_HEAD), rows, right=_RIGHT)
    left = len(found) - len(rows)
    if left:
        say(f"and {count(left, 'smaller one')} (--limit)", "dim")
    say("")


def _cells(counts: Counts, charged: prices.Prices) -> tuple[str, ...]:
    return (
        f"{counts.items:,}",
        size(counts.size + counts.object_bytes),
        f"{counts.write_units:,}",
        f"{counts.read_units:,}",
        _dollars(charged.to_write(counts.write_units)),
    )


def _say_total(
    counts: Counts,
    number: int,
    charged: prices.Prices,
    names: tuple[str, str] = ("threads", "checkpoints"),
) -> None:
    groups, values = names
    of_objects = f", {size(counts.object_bytes)} in {count(counts.objects, 'S3 object')}"
    month = charged.to_keep(counts.items, counts.size, counts.object_bytes)
    rows = [
        (groups, f"{number:,}"),
        (values, f"{counts.values:,}"),
        ("items", f"{counts.items:,}"),
        ("bytes", f"{size(counts.size)}{of_objects if counts.objects else ''}"),
        ("to write", _priced(counts.write_units, "write unit", charged.to_write)),
        ("to read", _priced(counts.read_units, "read unit", charged.to_read)),
        ("to keep", f"${_dollars(month)} a month"),
        ("prices", "as given" if charged != prices.Prices() else prices.AS_OF),
    ]
    say_rows(("in all", ""), rows)


def _priced(units: int, name: str, price: Any) -> str:
    return f"{count(units, name)}, ${_dollars(price(units))}"


def _dollars(amount: float) -> str:
    """Dollars, to four digits that count."""
    if amount >= 1:
        return f"{amount:,.2f}"
    return f"{amount:.4f}" if amount >= _CENT_PART or not amount else f"{amount:.7f}"


def _document(
    counts: Counts, charged: prices.Prices, values: str = "checkpoints"
) -> dict[str, Any]:
    return {
        values: counts.values,
        "items": counts.items,
        "bytes": counts.size,
        "write_units": counts.write_units,
        "read_units": counts.read_units,
        "objects": counts.objects,
        "object_bytes": counts.object_bytes,
        "write_dollars": charged.to_write(counts.write_units),
        "read_dollars": charged.to_read(counts.read_units),
        "month_dollars": charged.to_keep(counts.items, counts.size, counts.object_bytes),
    }

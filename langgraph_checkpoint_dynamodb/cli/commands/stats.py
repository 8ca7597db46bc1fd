"""`stats`: counts what the tables hold, and what it costs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from langgraph_checkpoint_dynamodb.cli import prices
from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.item_counts import item_count
from langgraph_checkpoint_dynamodb.cli.options import Options
from langgraph_checkpoint_dynamodb.cli.parameters import Json, StoreTable, ThreadsOrAll
from langgraph_checkpoint_dynamodb.cli.stats.saver_census import SaverCensus
from langgraph_checkpoint_dynamodb.cli.stats.store_census import StoreCensus
from langgraph_checkpoint_dynamodb.cli.terminal.output import (
    byte_size,
    counted,
    print_json,
    print_line,
    print_table,
)
from langgraph_checkpoint_dynamodb.cli.terminal.progress import progress_bar
from langgraph_checkpoint_dynamodb.format.key_text import require_thread_id
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.requests.operations import together

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from langgraph_checkpoint_dynamodb.cli.connection import Connection
    from langgraph_checkpoint_dynamodb.cli.stats.counts import Counts

K = TypeVar("K")

_HEAD = ("items", "bytes", "write units", "read units", "dollars")
_RIGHT = range(1, len(_HEAD) + 1)
_NO_THREAD = "(of no thread)"
_NO_NAMESPACE = "(of no namespace)"
_VALUES = "values"
_SMALL_AMOUNT = 0.001
"""Smaller amounts of dollars are printed with seven decimals."""


def stats(
    options: Options,
    threads: ThreadsOrAll = None,
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
    rates = prices.Prices(write_price, read_price, storage_price, object_price)
    with connect(options, store_table=store_table) as connection:
        named = [require_thread_id(each) for each in dict.fromkeys(threads or ())]
        total = None if named else item_count(connection, Table.CHECKPOINTS, Table.WRITES)
        with progress_bar("Counting", "items", total) as bar:
            census = SaverCensus(bar.advance)
            connection.run(
                together([census.count_thread(each) for each in named])
                if named
                else census.count_tables()
            )
        store = None if store_table is None or named else _count_store(connection)
    largest = _largest(census.by_thread)
    if as_json:
        document = {
            "total": _document(census.total, rates),
            "threads": [
                {"thread_id": thread_id, **_document(counts, rates)}
                for thread_id, counts in largest[:limit]
            ],
            "prices": asdict(rates),
        }
        if store is not None:
            document["store"] = _store_document(store, rates, limit)
        print_json(document)
        return
    rows = [(thread_id or _NO_THREAD, counts) for thread_id, counts in largest]
    _print_largest("thread", rows, limit, rates)
    _print_total(census.total, len(largest), rates)
    if store is not None:
        _print_store(store, limit, rates)


def _largest(counted: Mapping[K, Counts]) -> list[tuple[K, Counts]]:
    return sorted(counted.items(), key=lambda pair: pair[1].size, reverse=True)


def _count_store(connection: Connection) -> StoreCensus:
    with progress_bar("Counting", "items", item_count(connection, Table.STORE)) as bar:
        census = StoreCensus(bar.advance)
        connection.run_on(Table.STORE, census.count_table())
    return census


def _store_document(census: StoreCensus, rates: prices.Prices, limit: int) -> dict[str, Any]:
    return {
        "total": _document(census.total, rates, _VALUES),
        "cache": _document(census.cache, rates, _VALUES),
        "namespaces": [
            {"namespace": namespace, **_document(counts, rates, _VALUES)}
            for namespace, counts in _largest(census.by_namespace)[:limit]
        ],
    }


def _print_store(census: StoreCensus, limit: int, rates: prices.Prices) -> None:
    rows = [
        (_NO_NAMESPACE if namespace is None else " / ".join(namespace), counts)
        for namespace, counts in _largest(census.by_namespace)
    ]
    print_line("")
    _print_largest("namespace", rows, limit, rates)
    if census.cache.items:
        print_table(("", *_HEAD), [("cache", *_cells(census.cache, rates))], right=_RIGHT)
        print_line("")
    _print_total(census.total, len(rows), rates, ("namespaces", _VALUES))


def _print_largest(
    name: str, found: Sequence[tuple[str, Counts]], limit: int, rates: prices.Prices
) -> None:
    rows = [(title, *_cells(counts, rates)) for title, counts in found[:limit]]
    if rows:
        print_table((name, *_HEAD), rows, right=_RIGHT)
    left = len(found) - len(rows)
    if left:
        print_line(f"and {counted(left, 'smaller one')} (--limit)", "dim")
    print_line("")


def _cells(counts: Counts, rates: prices.Prices) -> tuple[str, ...]:
    return (
        f"{counts.items:,}",
        byte_size(counts.size + counts.object_bytes),
        f"{counts.write_units:,}",
        f"{counts.read_units:,}",
        _dollars(rates.to_write(counts.write_units)),
    )


def _print_total(
    counts: Counts,
    number: int,
    rates: prices.Prices,
    names: tuple[str, str] = ("threads", "checkpoints"),
) -> None:
    groups, values = names
    objects = f", {byte_size(counts.object_bytes)} in {counted(counts.objects, 'S3 object')}"
    month = rates.to_keep(counts.items, counts.size, counts.object_bytes)
    rows = [
        (groups, f"{number:,}"),
        (values, f"{counts.values:,}"),
        ("items", f"{counts.items:,}"),
        ("bytes", f"{byte_size(counts.size)}{objects if counts.objects else ''}"),
        ("to write", _priced(counts.write_units, "write unit", rates.to_write)),
        ("to read", _priced(counts.read_units, "read unit", rates.to_read)),
        ("to keep", f"${_dollars(month)} a month"),
        ("prices", "as given" if rates != prices.Prices() else prices.AS_OF),
    ]
    print_table(("in all", ""), rows)


def _priced(units: int, name: str, price: Callable[[float], float]) -> str:
    return f"{counted(units, name)}, ${_dollars(price(units))}"


def _dollars(amount: float) -> str:
    """Return an amount of dollars with enough decimals to tell it from zero."""
    if amount >= 1:
        return f"{amount:,.2f}"
    return f"{amount:.4f}" if amount >= _SMALL_AMOUNT or not amount else f"{amount:.7f}"


def _document(counts: Counts, rates: prices.Prices, values: str = "checkpoints") -> dict[str, Any]:
    return {
        values: counts.values,
        "items": counts.items,
        "bytes": counts.size,
        "write_units": counts.write_units,
        "read_units": counts.read_units,
        "objects": counts.objects,
        "object_bytes": counts.object_bytes,
        "write_dollars": rates.to_write(counts.write_units),
        "read_dollars": rates.to_read(counts.read_units),
        "month_dollars": rates.to_keep(counts.items, counts.size, counts.object_bytes),
    }

"""Reading whole tables by parallel Scans."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.requests.items import Scan
from langgraph_checkpoint_dynamodb.requests.operations import send, together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from langgraph_checkpoint_dynamodb.format.tables import Table
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

_SEGMENTS = 8
"""Segments of a parallel Scan of a table."""


def scan_tables(
    tables: Sequence[Table], on_page: Callable[[Table, Sequence[StoredItem]], object]
) -> Operation[None]:
    """Read tables completely.

    Args:
        tables: The tables.
        on_page: Called with the table and the items of each page, from several threads.
    """
    yield from together(
        [_scan_segment(table, number, on_page) for table in tables for number in range(_SEGMENTS)]
    )


def _scan_segment(
    table: Table, number: int, on_page: Callable[[Table, Sequence[StoredItem]], object]
) -> Operation[None]:
    scan = Scan(table, consistent=False, segment=number, segments=_SEGMENTS)
    while True:
        page = yield from send(scan)
        on_page(table, page.items)
        if page.next is None:
            return
        scan = replace(scan, start=page.next)

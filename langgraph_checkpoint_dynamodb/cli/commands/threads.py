"""`threads`: lists the threads of a table."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.options import Options
from langgraph_checkpoint_dynamodb.cli.parameters import Json, Owner
from langgraph_checkpoint_dynamodb.cli.terminal.json_list import JsonListWriter
from langgraph_checkpoint_dynamodb.cli.terminal.output import (
    print_line,
    print_notice,
    print_table,
    utc_minute,
)
from langgraph_checkpoint_dynamodb.cli.terminal.values import json_value
from langgraph_checkpoint_dynamodb.cli.threads.scan import scan_threads
from langgraph_checkpoint_dynamodb.items.threads import Status

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb import ThreadInfo
    from langgraph_checkpoint_dynamodb.cli.connection import Connection

_PAGE_SIZE = 200
_HEAD = ("thread", "status", "active (UTC)", "owner", "title")


def threads(
    options: Options,
    *,
    owner: Owner = None,
    status: Annotated[
        Status | None, typer.Option("--status", help="Only threads that are so.", show_choices=True)
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most threads to list.")] = 20,
    every: Annotated[bool, typer.Option("--all", help="List every thread, page by page.")] = False,
    cursor: Annotated[
        str | None, typer.Option("--cursor", metavar="CURSOR", help="Go on where a list has ended.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List threads, by owner where the table has an index.

    Those of an --owner come with the most recently active first, those of everybody in no order.
    Without an index of threads all that is known of them is their ids, found by a Scan of the
    table, and --owner and --status cannot be asked for.

    JSON: {"threads": [{"thread_id", "owner", "title", "status", "interrupts", "created", "updated",
    "checkpoint_id", "metadata"}], "cursor"}; without an index, thread_id alone. The cursor is null
    after the last thread.
    """
    with connect(options).with_discovered_indexes() as connection:
        if owner is not None or status is not None:
            connection.require_thread_index("--owner and --status")
        max_threads = None if every else limit
        writer = JsonListWriter("threads") if as_json else None
        if connection.has_thread_index:
            next_cursor = _list_from_index(
                connection, writer, owner=owner, status=status, limit=max_threads, start=cursor
            )
        else:
            next_cursor = _list_from_scan(connection, writer, max_threads, cursor)
        if writer is not None:
            writer.end(cursor=next_cursor)
        elif next_cursor is not None:
            print_notice(
                f"There are more: --cursor {shlex.quote(next_cursor)}", "dim", no_wrap=True
            )


def _list_from_index(
    connection: Connection,
    writer: JsonListWriter | None,
    *,
    owner: str | None,
    status: Status | None,
    limit: int | None,
    start: str | None,
) -> str | None:
    """Print the threads of the index and return the cursor of the rest; `None` after the last."""
    left = limit
    cursor, first = start, True
    while True:
        page = connection.saver.list_threads(
            owner=owner, status=status, limit=min(left or _PAGE_SIZE, _PAGE_SIZE), cursor=cursor
        )
        if writer is not None:
            for info in page.threads:
                writer.add(_document(info))
        elif page.threads:
            print_table(_HEAD, map(_row, page.threads), headed=first)
        elif first:
            print_notice("No threads.")
        cursor, first = page.cursor, False
        left = None if left is None else left - len(page.threads)
        if cursor is None or left == 0:
            return cursor


def _list_from_scan(
    connection: Connection, writer: JsonListWriter | None, limit: int | None, start: str | None
) -> str | None:
    """Print the ids that a Scan finds and return the cursor of the rest; `None` after the last."""
    if writer is None:
        print_notice(
            "This table has no index of threads: all that is known of them is their ids.", "dim"
        )
    last: str | None = None
    shown = 0
    for found in scan_threads(connection, start):
        if shown == limit:
            return last
        if writer is None:
            print_line(found.thread_id, no_wrap=True)
        else:
            writer.add({"thread_id": found.thread_id})
        last, shown = found.cursor, shown + 1
    if not shown and writer is None:
        print_notice("No threads.")
    return None


def _row(info: ThreadInfo) -> tuple[str, ...]:
    interrupts = f" ({info.interrupts})" if info.interrupts else ""
    return (
        info.thread_id,
        f"{info.status}{interrupts}",
        utc_minute(info.updated),
        info.owner or "",
        info.title or "",
    )


def _document(info: ThreadInfo) -> dict[str, Any]:
    return {
        "thread_id": info.thread_id,
        "owner": info.owner,
        "title": info.title,
        "status": info.status,
        "interrupts": info.interrupts,
        "created": info.created.isoformat(),
        "updated": info.updated.isoformat(),
        "checkpoint_id": info.checkpoint_id,
        "metadata": json_value(info.metadata),
    }

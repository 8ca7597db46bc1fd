"""`threads`: the threads of a table."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.errors import UsageError
from langgraph_checkpoint_dynamodb.cli.options import Json, Options
from langgraph_checkpoint_dynamodb.cli.terminal.json_list import JsonList
from langgraph_checkpoint_dynamodb.cli.terminal.output import moment, say, say_rows, tell
from langgraph_checkpoint_dynamodb.cli.terminal.values import plain
from langgraph_checkpoint_dynamodb.cli.threads.scan import table_threads
from langgraph_checkpoint_dynamodb.items.threads import Status

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb import ThreadInfo
    from langgraph_checkpoint_dynamodb.cli.connection import Connection

_PAGE = 200
_HEAD = ("thread", "status", "active (UTC)", "owner", "title")

Owner = Annotated[
    str | None, typer.Option("--owner", metavar="OWNER", help="Only the threads of this owner.")
]


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
    with connect(options) as connection:
        connection = connection.with_found_indexes()
        most = None if every else limit
        printer = JsonList("threads") if as_json else None
        if connection.lists_threads:
            last = _list_known(
                connection, printer, owner=owner, status=status, limit=most, start=cursor
            )
        elif owner is not None or status is not None:
            raise UsageError(
                "this table has no index of threads, so nothing tells their owner or status; "
                "`langgraph-dynamodb setup --owner-key KEY --reindex` makes one"
            )
        else:
            last = _list_found(connection, printer, most, cursor)
        if printer is not None:
            printer.end(cursor=last)
        elif last is not None:
            tell(f"There are more: --cursor {shlex.quote(last)}", "dim", whole=True)


def _list_known(
    connection: Connection,
    printer: JsonList | None,
    *,
    owner: str | None,
    status: Status | None,
    limit: int | None,
    start: str | None,
) -> str | None:
    """List threads by the index; where to go on."""
    left = limit
    cursor, first = start, True
    while True:
        page = connection.saver.list_threads(
            owner=owner, status=status, limit=min(left or _PAGE, _PAGE), cursor=cursor
        )
        if printer is not None:
            for info in page.threads:
                printer.add(_document(info))
        elif page.threads:
            say_rows(_HEAD, map(_row, page.threads), headed=first)
        elif first:
            tell("No threads.")
        cursor, first = page.cursor, False
        left = None if left is None else left - len(page.threads)
        if cursor is None or left == 0:
            return cursor


def _list_found(
    connection: Connection, printer: JsonList | None, limit: int | None, start: str | None
) -> str | None:
    """List the ids of threads as a Scan finds them; where to go on."""
    if printer is None:
        tell("This table has no index of threads: all that is known of them is their ids.", "dim")
    last: str | None = None
    shown = 0
    for found in table_threads(connection, start):
        if shown == limit:
            return last
        if printer is None:
            say(found.thread_id, whole=True)
        else:
            printer.add({"thread_id": found.thread_id})
        last, shown = found.cursor, shown + 1
    if not shown and printer is None:
        tell("No threads.")
    return None


def _row(info: ThreadInfo) -> tuple[str, ...]:
    waiting = f" ({info.interrupts})" if info.interrupts else ""
    return (
        info.thread_id,
        f"{info.status}{waiting}",
        moment(info.updated),
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
        "metadata": plain(info.metadata),
    }

"""Listing the threads of a table without an index of threads: a Scan finds their ids."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import InvalidInputError
from langgraph_checkpoint_dynamodb.format.tables import SPECS, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langgraph_checkpoint_dynamodb.cli.connection import Connection


@dataclass(frozen=True, slots=True)
class ScannedThread:
    """A thread that a Scan has found.

    Attributes:
        thread_id: The thread.
        page_start: The start key of the page that has it; `None` for the first page.
    """

    thread_id: str
    page_start: Any

    @property
    def cursor(self) -> str:
        """The text from which a later scan continues after this thread."""
        return json.dumps({"page": self.page_start, "after": self.thread_id}, ensure_ascii=False)


def scan_threads(
    connection: Connection,
    cursor: str | None = None,
    on_page: Callable[[int], object] = lambda _: None,
) -> Iterator[ScannedThread]:
    """Yield the threads of the table, with one page of the Scan in memory at a time.

    Args:
        connection: The connection.
        cursor: The `cursor` of the last thread of an earlier scan; `None` to start at the first.
        on_page: Called with the number of items of a page, after its threads were yielded.

    Raises:
        InvalidInputError: The cursor is not one of a `ScannedThread`.
    """
    saver = connection.saver
    start, after = (None, None) if cursor is None else _read_cursor(cursor)
    last: str | None = None
    while True:
        page = saver._step(saver._thread_page(start)).call()
        ids = list(page.thread_ids)
        if after in ids:
            last = after
            ids = ids[ids.index(after) + 1 :]
        after = None
        for thread_id in ids:
            if thread_id != last:  # A thread can span two pages.
                yield ScannedThread(thread_id, start)
            last = thread_id
        on_page(page.items)
        if page.next is None:
            return
        start = page.next


def _read_cursor(cursor: str) -> tuple[Any, str | None]:
    try:
        fields = json.loads(cursor)
        page, after = fields["page"], fields["after"]
        if page is not None:
            spec = SPECS[Table.CHECKPOINTS]
            page = {
                name: {"S": str(page[name]["S"])} for name in (spec.partition_key, spec.sort_key)
            }
    except (ValueError, KeyError, TypeError):
        raise InvalidInputError("--cursor", "is not one that `threads` has printed") from None
    return page, after

"""The threads of a table that has no index of them: their ids, as a Scan comes upon them."""

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
class FoundThread:
    """A thread that a Scan has come upon.

    Attributes:
        thread_id: The thread.
        page: Where its page of the Scan began.
    """

    thread_id: str
    page: Any

    @property
    def cursor(self) -> str:
        """Where to go on after it."""
        return json.dumps({"page": self.page, "after": self.thread_id}, ensure_ascii=False)


def table_threads(
    connection: Connection,
    cursor: str | None = None,
    on_page: Callable[[int], object] = lambda _: None,
) -> Iterator[FoundThread]:
    """The threads, one page of a Scan in memory at a time.

    Args:
        connection: The saver.
        cursor: Where to go on.
        on_page: Told, once the threads of a page were taken, how many items it had.

    Raises:
        InvalidInputError: The cursor is none of a thread's.
    """
    saver = connection.saver
    page, after = (None, None) if cursor is None else _read(cursor)
    last: str | None = None
    while True:
        found = saver._step(saver._thread_page(page)).plain()
        ids = list(found.thread_ids)
        if after in ids:
            last = after
            ids = ids[ids.index(after) + 1 :]
        after = None
        for thread_id in ids:
            if thread_id != last:  # The first may be the last of the page before.
                yield FoundThread(thread_id, page)
            last = thread_id
        on_page(found.items)
        if found.next is None:
            return
        page = found.next


def _read(cursor: str) -> tuple[Any, str | None]:
    try:
        said = json.loads(cursor)
        page, after = said["page"], said["after"]
        if page is not None:
            spec = SPECS[Table.CHECKPOINTS]
            page = {
                name: {"S": str(page[name]["S"])} for name in (spec.partition_key, spec.sort_key)
            }
    except (ValueError, KeyError, TypeError):
        raise InvalidInputError("--cursor", "is none that `threads` has shown") from None
    return page, after

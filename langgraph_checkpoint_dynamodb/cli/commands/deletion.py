"""What `delete` and `prune` share: a question first, an optional dry run, a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.cli.changes import ChangeCounter
from langgraph_checkpoint_dynamodb.cli.errors import NOTHING_CHANGED
from langgraph_checkpoint_dynamodb.cli.terminal.output import counted, print_line
from langgraph_checkpoint_dynamodb.cli.terminal.prompt import confirm
from langgraph_checkpoint_dynamodb.cli.threads.bulk import run_for_each
from langgraph_checkpoint_dynamodb.format.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from langgraph_checkpoint_dynamodb.cli.connection import Connection
    from langgraph_checkpoint_dynamodb.requests.operations import Operation


@dataclass(frozen=True)
class Deletion:
    """A run of a command that deletes.

    Attributes:
        connection: The connection.
        counter: Counts the changes.
        confirmed: Whether no question is asked: because of `--yes`, or because it is a dry run.
        dry_run: Whether nothing is changed.
    """

    connection: Connection
    counter: ChangeCounter
    confirmed: bool
    dry_run: bool

    @classmethod
    def start(cls, connection: Connection, *, dry_run: bool, yes: bool) -> Deletion:
        """Make a deletion from the options of a command."""
        return cls(connection, ChangeCounter(dry_run=dry_run), yes or dry_run, dry_run)

    def confirm(self, action: str) -> bool:
        """Ask whether to do something, such as `Delete thread 'a'`."""
        table = self.connection.name(Table.CHECKPOINTS)
        return confirm(f"{action} in {table}, for good?", yes=self.confirmed)

    def run_for_each(
        self,
        thread_ids: Iterable[str],
        make_operation: Callable[[str], Operation[None]],
        on_done: Callable[[], object],
    ) -> int:
        """Run an operation for each thread, counting changes. See `threads.bulk.run_for_each`."""

        def make_counted(thread_id: str) -> Operation[None]:
            return self.counter.counted(make_operation(thread_id))

        return run_for_each(self.connection, thread_ids, make_counted, on_done)

    def report(self, what: str, verb: str) -> None:
        """Print what was done, such as `2 threads` and `deleted`, and the items that it deleted."""
        changes = self.counter.changes
        parts = [
            f"{counted(changes.checkpoints_deleted, 'item')} of the checkpoints table",
            f"{counted(changes.writes_deleted, 'item')} of the writes table",
        ]
        if changes.objects_deleted:
            parts.append(counted(changes.objects_deleted, "object"))
        deleted = ", ".join(parts)
        if self.dry_run:
            print_line(f"{what} would be {verb}: {deleted}. {NOTHING_CHANGED}")
        else:
            print_line(f"{what} {verb}: {deleted}.")


def threads_text(thread_ids: Sequence[str]) -> str:
    """Return `thread 'a'` for one thread, else `2 threads`."""
    return (
        f"thread {thread_ids[0]!r}" if len(thread_ids) == 1 else counted(len(thread_ids), "thread")
    )

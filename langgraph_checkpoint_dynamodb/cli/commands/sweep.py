"""`sweep`: deletes what interrupted calls have left in the tables."""

from __future__ import annotations

import shlex
from dataclasses import asdict, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from langgraph_checkpoint_dynamodb import SweepReport
from langgraph_checkpoint_dynamodb.cli.changes import ChangeCounter
from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.durations import parse_duration
from langgraph_checkpoint_dynamodb.cli.errors import RERUN_TO_CONTINUE, StoppedError, UsageError
from langgraph_checkpoint_dynamodb.cli.item_counts import item_count
from langgraph_checkpoint_dynamodb.cli.options import Options
from langgraph_checkpoint_dynamodb.cli.parameters import DryRun, Json, StoreTable
from langgraph_checkpoint_dynamodb.cli.store_spread import use_registered_spread
from langgraph_checkpoint_dynamodb.cli.terminal.output import print_json, print_line, print_table
from langgraph_checkpoint_dynamodb.cli.terminal.progress import progress_bar
from langgraph_checkpoint_dynamodb.settings.arguments import SWEEP_AGE_SECONDS
from langgraph_checkpoint_dynamodb.store.ops.sweep import StoreSweepReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from langgraph_checkpoint_dynamodb.cli.connection import Connection
    from langgraph_checkpoint_dynamodb.store.sync import DynamoDBStore

_SAVER_LABELS = {
    "examined": "items examined",
    "deletes_finished": "deletes finished",
    "writes_deleted": "writes deleted",
    "chunks_deleted": "pieces of values deleted",
    "objects_deleted": "S3 objects deleted",
    "marks_deleted": "marks of deletes deleted",
    "bases_deleted": "bases deleted",
    "threads_deleted": "items of threads deleted",
    "young": "left alone: too young",
    "unknown": "left alone: do not say whose they are",
}
_STORE_LABELS = {
    "examined": "items examined",
    "chunks_deleted": "pieces of values deleted",
    "objects_deleted": "S3 objects deleted",
    "vectors_deleted": "vectors deleted",
    "namespaces_deleted": "empty namespaces deleted",
    "young": "left alone: too young",
    "unknown": "left alone: not known whose they are",
}
_STORE_PREFIX = "store:"
"""Prefix of a token that continues in the store's table; the rest is the token of that sweep."""


class _Sweep:
    """The sweep of a saver's tables or of a store's, page by page.

    Args:
        report: An empty report with the token to start from.
        step: Sweeps the page at a token and returns its report.
        done: Whether there is nothing to sweep.

    Attributes:
        report: What was swept so far, with the token of the next page.
        done: Whether no page is left.
    """

    def __init__(
        self, report: Any, step: Callable[[str | None], Any], *, done: bool = False
    ) -> None:
        self.report = report
        self.done = done
        self._step = step

    def sweep_page(self) -> None:
        """Sweep the next page."""
        found = self._step(self.report.resume_from)
        self.report = replace(self.report.plus(found), resume_from=found.resume_from)
        self.done = found.resume_from is None


def sweep(
    options: Options,
    *,
    older_than: Annotated[
        int,
        typer.Option(
            "--older-than",
            metavar="TIME",
            parser=parse_duration,
            help="Leave alone what is younger: 2h, 1d, 4w; an hour at least.",
        ),
    ] = f"{SWEEP_AGE_SECONDS // 3600}h",  # type: ignore[assignment]  # the parser reads the default, too
    max_pages: Annotated[
        int | None, typer.Option("--max-pages", min=1, help="Stop after so many pages of 1 MB.")
    ] = None,
    resume_from: Annotated[
        str | None,
        typer.Option("--resume-from", metavar="TOKEN", help="Go on where a sweep was stopped."),
    ] = None,
    store_table: StoreTable = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Delete what calls that died have left behind.

    It reads both tables once, and with --store-table that of a store or a cache, so run it now and
    then. Ctrl-C tells the token to go on with; without it the same command begins anew, and
    finishes all the same. Of S3 objects it deletes those in --bucket.

    JSON: the counts of the report by name, and "resume_from", null where all is done. With
    --store-table there are those of that table as "store".
    """
    counter = ChangeCounter(dry_run=dry_run)
    with connect(options, store_table=store_table) as connection:
        sweeps = _sweeps(connection, counter, older_than, resume_from)
        total = item_count(connection, *connection.tables)
        try:
            with progress_bar("Sweeping", "items", total) as bar:
                for _ in islice(_pages(sweeps), max_pages):
                    bar.set_done(sum(each.report.examined for each in sweeps))
        except KeyboardInterrupt:
            raise StoppedError(_next_step(_token(sweeps))) from None
    saver_report, *store_reports = [asdict(each.report) for each in sweeps]
    token = _token(sweeps)
    if as_json:
        document = {**saver_report, "resume_from": token}
        for report in store_reports:
            document["store"] = {name: n for name, n in report.items() if name != "resume_from"}
        print_json(document)
        return
    title = "would have been" if dry_run else "swept"
    _print_report(title, saver_report, _SAVER_LABELS)
    for report in store_reports:
        print_line("")
        _print_report(f"{title} of the store", report, _STORE_LABELS)
    if token is not None:
        print_line(_next_step(token), no_wrap=True)


def _sweeps(
    connection: Connection, counter: ChangeCounter, older_than: int, token: str | None
) -> list[_Sweep]:
    """Return the sweep of the saver's tables, and that of the store's if it is named."""
    store = connection.store
    at_store = token is not None and token.startswith(_STORE_PREFIX)
    if at_store and store is None:
        raise UsageError("--resume-from continues in the table of a store: name it (--store-table)")

    def sweep_page(client: DynamoDBSaver | DynamoDBStore, start: str | None) -> Any:
        operation = counter.counted(client._sweep_orphans(older_than, start, 1))
        return client._run(operation, "sweep_orphans")

    start = SweepReport(resume_from=None if at_store else token)
    sweeps: list[_Sweep] = [_Sweep(start, partial(sweep_page, connection.saver), done=at_store)]
    if store is not None:
        use_registered_spread(store)
        own = token[len(_STORE_PREFIX) :] if token is not None and at_store else None
        sweeps.append(_Sweep(StoreSweepReport(resume_from=own or None), partial(sweep_page, store)))
    return sweeps


def _pages(sweeps: Sequence[_Sweep]) -> Iterator[None]:
    """Sweep, page after page."""
    for each in sweeps:
        while not each.done:
            each.sweep_page()
            yield


def _token(sweeps: Sequence[_Sweep]) -> str | None:
    """Return the token to continue with; `None` at the very start, and at the end."""
    saver_sweep, *store_sweeps = sweeps
    if not saver_sweep.done:
        token: str | None = saver_sweep.report.resume_from
        return token
    for sweep_of_store in store_sweeps:
        if not sweep_of_store.done:
            return _STORE_PREFIX + (sweep_of_store.report.resume_from or "")
    return None


def _print_report(title: str, report: Mapping[str, Any], names: Mapping[str, str]) -> None:
    rows = ((name, f"{report[field]:,}") for field, name in names.items())
    print_table((title, ""), rows, right=(1,))


def _next_step(token: str | None) -> str:
    if token is None:
        return RERUN_TO_CONTINUE
    return f"Go on with --resume-from {shlex.quote(token)}"

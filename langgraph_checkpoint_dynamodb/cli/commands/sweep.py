"""`sweep`: what processes have left behind that died in the middle of a call."""

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
from langgraph_checkpoint_dynamodb.cli.errors import StoppedError, UsageError
from langgraph_checkpoint_dynamodb.cli.options import DryRun, Json, Options, StoreTable
from langgraph_checkpoint_dynamodb.cli.store_spread import read_spread
from langgraph_checkpoint_dynamodb.cli.terminal.output import say, say_json, say_rows
from langgraph_checkpoint_dynamodb.cli.terminal.progress import bar
from langgraph_checkpoint_dynamodb.cli.threads.bulk import items_of
from langgraph_checkpoint_dynamodb.settings.arguments import SWEEP_AGE_SECONDS
from langgraph_checkpoint_dynamodb.store.ops.sweep import StoreSweepReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from langgraph_checkpoint_dynamodb.cli.connection import Connection
    from langgraph_checkpoint_dynamodb.store.sync import DynamoDBStore

_NAMES = {
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
_OF_STORE = {
    "examined": "items examined",
    "chunks_deleted": "pieces of values deleted",
    "objects_deleted": "S3 objects deleted",
    "vectors_deleted": "vectors deleted",
    "namespaces_deleted": "empty namespaces deleted",
    "young": "left alone: too young",
    "unknown": "left alone: not known whose they are",
}
_AT_STORE = "store:"
"""What a token begins with that goes on in the table of a store; behind it is that sweep's own."""


class _Sweep:
    """One sweep, page by page.

    Args:
        report: What was done before, of a saver or a store: nothing, with the token to go on with.
        step: Sweeps a page, from a token on.

    Attributes:
        report: What was done so far, with the token to go on with.
        over: Whether there is no page left.
    """

    def __init__(
        self, report: Any, step: Callable[[str | None], Any], *, over: bool = False
    ) -> None:
        self.report = report
        self.over = over
        self._step = step

    def sweep_page(self) -> None:
        """Sweep the next page."""
        found = self._step(self.report.resume_from)
        self.report = replace(self.report.plus(found), resume_from=found.resume_from)
        self.over = found.resume_from is None


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
    watch = ChangeCounter(dry=dry_run)
    with connect(options, store_table=store_table) as connection:
        sweeps = _sweeps(connection, watch, older_than, resume_from)
        total = items_of(connection, *connection.tables)
        try:
            with bar("Sweeping", "items", total) as drawn:
                for _ in islice(_pages(sweeps), max_pages):
                    drawn.reach(sum(one.report.examined for one in sweeps))
        except KeyboardInterrupt:
            raise StoppedError(_go_on(_token(sweeps))) from None
    of_savers, *of_store = [asdict(one.report) for one in sweeps]
    token = _token(sweeps)
    if as_json:
        document = {**of_savers, "resume_from": token}
        for report in of_store:
            document["store"] = {name: n for name, n in report.items() if name != "resume_from"}
        say_json(document)
        return
    title = "would have been" if dry_run else "swept"
    _say_report(title, of_savers, _NAMES)
    for report in of_store:
        say("")
        _say_report(f"{title} of the store", report, _OF_STORE)
    if token is not None:
        say(_go_on(token), whole=True)


def _sweeps(
    connection: Connection, watch: ChangeCounter, older_than: int, token: str | None
) -> list[_Sweep]:
    """The sweeps of the savers' tables and of the store's, one after the other."""
    long_term = connection.long_term
    at_store = token is not None and token.startswith(_AT_STORE)
    if at_store and long_term is None:
        raise UsageError("--resume-from goes on in the table of a store: name it (--store-table)")

    def step(of: DynamoDBSaver | DynamoDBStore, begin: str | None) -> Any:
        return of._run(watch.over(of._sweep_orphans(older_than, begin, 1)), "sweep_orphans")

    begin = SweepReport(resume_from=None if at_store else token)
    sweeps: list[_Sweep] = [_Sweep(begin, partial(step, connection.saver), over=at_store)]
    if long_term is not None:
        read_spread(long_term)
        own = token[len(_AT_STORE) :] if token is not None and at_store else None
        sweeps.append(_Sweep(StoreSweepReport(resume_from=own or None), partial(step, long_term)))
    return sweeps


def _pages(sweeps: Sequence[_Sweep]) -> Iterator[None]:
    """Sweep, page after page."""
    for one in sweeps:
        while not one.over:
            one.sweep_page()
            yield


def _token(sweeps: Sequence[_Sweep]) -> str | None:
    """What to go on with; `None` where that is the end, or the beginning."""
    of_savers, *of_store = sweeps
    if not of_savers.over:
        begin: str | None = of_savers.report.resume_from
        return begin
    for one in of_store:
        if not one.over:
            return _AT_STORE + (one.report.resume_from or "")
    return None


def _say_report(title: str, report: Mapping[str, Any], names: Mapping[str, str]) -> None:
    rows = ((name, f"{report[field]:,}") for field, name in names.items())
    say_rows((title, ""), rows, right=(1,))


def _go_on(token: str | None) -> str:
    if token is None:
        return "The same command goes on from there."
    return f"Go on with --resume-from {shlex.quote(token)}"

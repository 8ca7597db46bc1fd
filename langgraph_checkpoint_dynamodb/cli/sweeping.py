"""`sweep`: what processes have left behind that died in the middle of a call."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from typing import Annotated

import typer

from langgraph_checkpoint_dynamodb import SweepReport
from langgraph_checkpoint_dynamodb.cli.changes import ChangeCounter
from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.durations import parse_duration
from langgraph_checkpoint_dynamodb.cli.failing import StoppedError
from langgraph_checkpoint_dynamodb.cli.many import items_of
from langgraph_checkpoint_dynamodb.cli.options import DryRun, Json, Options
from langgraph_checkpoint_dynamodb.cli.output import say, say_json, say_rows
from langgraph_checkpoint_dynamodb.cli.progress import bar
from langgraph_checkpoint_dynamodb.format.addressing import SWEEP_AGE_SECONDS
from langgraph_checkpoint_dynamodb.format.tables import Table

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
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Delete what calls that died have left behind.

    It reads both tables once, so run it now and then. Ctrl-C tells the token to go on with; without
    it the same command begins anew, and finishes all the same.

    JSON: the counts of the report by name, and "resume_from", null where all is done.
    """
    watch = ChangeCounter(dry=dry_run)
    report = SweepReport(resume_from=resume_from)
    with connect(options) as connection:
        total = items_of(connection, Table.WRITES, Table.CHECKPOINTS)
        try:
            with bar("Sweeping", "items", total) as drawn:
                while report.pages == 0 or report.resume_from is not None:
                    if report.pages == max_pages:
                        break
                    step = connection.saver._sweep_orphans(older_than, report.resume_from, 1)
                    found = connection.run(watch.over(step))
                    report = _sum(report, found)
                    drawn.reach(report.examined)
        except KeyboardInterrupt:
            raise StoppedError(_go_on(report)) from None
    if as_json:
        say_json(asdict(report))
        return
    say_rows(
        ("would have been" if dry_run else "swept", ""),
        ((name, f"{getattr(report, field):,}") for field, name in _NAMES.items()),
        right=(1,),
    )
    if report.resume_from is not None:
        say(_go_on(report), whole=True)


def _sum(report: SweepReport, found: SweepReport) -> SweepReport:
    both = asdict(report.plus(found)) | {"resume_from": found.resume_from}
    return SweepReport(**both)


def _go_on(report: SweepReport) -> str:
    if report.resume_from is None:
        return "The same command goes on from there."
    return f"Go on with --resume-from {shlex.quote(report.resume_from)}"

"""`setup`: the tables, and the index of threads that were there before it."""

from __future__ import annotations

from typing import Annotated

import typer

from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.failing import UsageError
from langgraph_checkpoint_dynamodb.cli.options import Options
from langgraph_checkpoint_dynamodb.cli.output import count, say
from langgraph_checkpoint_dynamodb.cli.progress import bar
from langgraph_checkpoint_dynamodb.format.tables import SAVER_TABLES, Table


def setup(
    options: Options,
    *,
    reindex: Annotated[
        bool,
        typer.Option("--reindex", help="List the threads too that were there before the index."),
    ] = False,
) -> None:
    """Create the tables, or verify those there are.

    With --owner-key and --run-id-index it makes these indexes, on tables in use too; with
    --ttl-seconds it has DynamoDB delete what has expired. It can be repeated. For production there
    are a Terraform module and a CDK stack.
    """
    with connect(options, moving=True) as connection:
        if reindex and not connection.lists_threads:
            raise UsageError("--reindex needs --owner-key: whom threads belong to")
        with bar("Setting up", "tables", len(Table)) as drawn:
            connection.saver.setup()
            drawn.reach(len(Table))
        names = " and ".join(connection.name(table) for table in SAVER_TABLES)
        say(f"Tables {names} are ready.")
        if reindex:
            with bar("Listing", "threads") as drawn:
                listed = connection.saver.reindex_threads(on_progress=lambda _: drawn.advance())
            say(f"{count(listed, 'thread')} listed.")

"""`setup`: the tables, and the index of threads that were there before it."""

from __future__ import annotations

from typing import Annotated

import typer

from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.errors import UsageError
from langgraph_checkpoint_dynamodb.cli.options import Options, StoreTable
from langgraph_checkpoint_dynamodb.cli.terminal.output import count, say
from langgraph_checkpoint_dynamodb.cli.terminal.progress import bar


def setup(
    options: Options,
    *,
    reindex: Annotated[
        bool,
        typer.Option("--reindex", help="List the threads too that were there before the index."),
    ] = False,
    store_table: StoreTable = None,
) -> None:
    """Create the tables, or verify those there are.

    With --owner-key and --run-id-index it makes these indexes, on tables in use too; with
    --ttl-seconds it has DynamoDB delete what has expired. With --store-table it makes that of a
    store or a cache as well; its vector index is made by a store that has one. It can be repeated.
    For production there are a Terraform module and a CDK stack.
    """
    with connect(options, moving=True, store_table=store_table) as connection:
        if reindex and not connection.lists_threads:
            raise UsageError("--reindex needs --owner-key: whom threads belong to")
        with bar("Setting up", "tables", len(connection.tables)) as drawn:
            connection.saver.setup()
            if connection.long_term is not None:
                connection.long_term.setup()
            drawn.reach(len(connection.tables))
        names = " and ".join(connection.name(table) for table in connection.tables)
        say(f"Tables {names} are ready.")
        if reindex:
            with bar("Listing", "threads") as drawn:
                listed = connection.saver.reindex_threads(on_progress=lambda _: drawn.advance())
            say(f"{count(listed, 'thread')} listed.")

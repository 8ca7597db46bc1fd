"""`setup`: creates the tables and indexes."""

from __future__ import annotations

from typing import Annotated

import typer

from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.errors import UsageError
from langgraph_checkpoint_dynamodb.cli.options import Options
from langgraph_checkpoint_dynamodb.cli.parameters import StoreTable
from langgraph_checkpoint_dynamodb.cli.terminal.output import counted, print_line
from langgraph_checkpoint_dynamodb.cli.terminal.progress import progress_bar


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
    with connect(options, raw_values=True, store_table=store_table) as connection:
        if reindex and not connection.has_thread_index:
            raise UsageError(
                "--reindex needs --owner-key KEY: the key of a run's config that names the owner"
            )
        with progress_bar("Setting up", "tables", len(connection.tables)) as bar:
            connection.saver.setup()
            if connection.store is not None:
                connection.store.setup()
            bar.set_done(len(connection.tables))
        names = " and ".join(connection.name(table) for table in connection.tables)
        print_line(f"Tables {names} are ready.")
        if reindex:
            with progress_bar("Listing", "threads") as bar:
                listed = connection.saver.reindex_threads(on_progress=lambda _: bar.advance())
            print_line(f"{counted(listed, 'thread')} listed.")

"""Arguments and options that several commands share, as annotations for typer."""

from __future__ import annotations

from typing import Annotated

import typer

from langgraph_checkpoint_dynamodb.cli.options import TABLES_PANEL

Thread = Annotated[str, typer.Argument(metavar="THREAD", help="The thread.")]
Threads = Annotated[
    list[str] | None, typer.Argument(metavar="[THREAD]...", help="The threads.", show_default=False)
]
ThreadsOrAll = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[THREAD]...", help="The threads; all if none is named.", show_default=False
    ),
]
Namespace = Annotated[
    str | None,
    typer.Option("--ns", metavar="NAMESPACE", help="Namespace of a subgraph; the root's is empty."),
]
Checkpoint = Annotated[
    str | None,
    typer.Argument(
        metavar="[CHECKPOINT]",
        help="The checkpoint: its id, or the beginning or end of it; by default the newest.",
        show_default=False,
    ),
]
Owner = Annotated[
    str | None, typer.Option("--owner", metavar="OWNER", help="Only the threads of this owner.")
]
File = Annotated[str, typer.Argument(metavar="FILE", help="The file; - is a standard stream.")]
StoreTable = Annotated[
    str | None,
    typer.Option(
        "--store-table",
        metavar="NAME",
        envvar="LANGGRAPH_STORE_TABLE",
        rich_help_panel=TABLES_PANEL,
        help="Name or ARN of the table of a store or a cache, which the command covers, too.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, as described above.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing; say what would go.")]

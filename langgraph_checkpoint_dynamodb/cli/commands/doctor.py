"""`doctor`: what is wrong, and what to do."""

from __future__ import annotations

from dataclasses import asdict
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table as Grid
from rich.text import Text

from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.doctor.environment import (
    check_clock,
    check_credentials,
    check_versions,
)
from langgraph_checkpoint_dynamodb.cli.doctor.findings import wrong
from langgraph_checkpoint_dynamodb.cli.doctor.roles import check_access, check_store_access
from langgraph_checkpoint_dynamodb.cli.doctor.tables import check_table
from langgraph_checkpoint_dynamodb.cli.errors import explain
from langgraph_checkpoint_dynamodb.cli.options import Json, Options, StoreTable
from langgraph_checkpoint_dynamodb.cli.terminal.output import clean_line, count, out, say, say_json
from langgraph_checkpoint_dynamodb.errors import DynamoDBSaverError, TransportError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langgraph_checkpoint_dynamodb.cli.connection import Connection
    from langgraph_checkpoint_dynamodb.cli.doctor.findings import Finding

_STYLES = {"OK": "green", "WRONG": "bold red", "UNKNOWN": "yellow"}
_MARK = 9


class Role(str, Enum):
    """The published policies, as choices: typer takes no list of literals."""

    READ = "read"
    RUNTIME = "runtime"
    SETUP = "setup"
    ADMIN = "admin"


def doctor(
    options: Options,
    *,
    role: Annotated[
        list[Role] | None,
        typer.Option(
            "--role",
            help="What this identity is meant for, by the name of the published policy; can be "
            "repeated. If not said: runtime.",
        ),
    ] = None,
    store_table: StoreTable = None,
    as_json: Json = False,
) -> None:
    """Look at all that can be wrong, and say what to do.

    Tables, keys, time to live, indexes, encryption, what this identity may do, clock and versions.
    With --store-table the table of a store or a cache as well, and its policies of the same names.
    Rights are told by iam:SimulatePrincipalPolicy where that is allowed, else by requests that
    change nothing: reads of a key that is not there, and writes on the condition that it is.
    Each line says OK, WRONG or UNKNOWN. The exit code is 1 where something is wrong.

    JSON: {"findings": [{"mark", "subject", "said", "advice"}], "wrong": number of them}.
    """
    with connect(options, store_table=store_table) as connection:
        found = [
            *_findings(
                _with_indexes(connection), [one.value for one in role or [Role.RUNTIME]], as_json
            )
        ]
    bad = sum(finding.mark == "WRONG" for finding in found)
    if as_json:
        say_json({"findings": [asdict(finding) for finding in found], "wrong": bad})
    elif bad:
        say(f"\n{count(bad, 'thing')} to put right.", "bold")
    else:
        say("\nNothing is wrong.", "bold")
    if bad:
        raise typer.Exit(1)


def _with_indexes(connection: Connection) -> Connection:
    """With the indexes that are there. What keeps DynamoDB from answering is found later."""
    try:
        return connection.with_found_indexes()
    except DynamoDBSaverError:
        return connection


def _findings(connection: Connection, roles: Sequence[str], quiet: bool) -> Iterator[Finding]:
    for finding in _looked_at(connection, roles):
        if not quiet:
            _say(finding)
        yield finding


def _looked_at(connection: Connection, roles: Sequence[str]) -> Iterator[Finding]:
    yield from check_versions()
    credentials = check_credentials(connection)
    yield credentials
    if credentials.mark == "WRONG":
        return
    try:
        for table in connection.tables:
            yield from check_table(connection, table)
    except TransportError as error:
        yield wrong(
            "endpoint", f"{connection.dynamodb.meta.endpoint_url} does not answer", explain(error)
        )
        return
    yield check_clock(connection)
    yield from check_access(connection, roles)
    if connection.long_term is not None:
        yield from check_store_access(connection, roles)


def _say(finding: Finding) -> None:
    lines = Grid.grid(padding=(0, 0))
    lines.add_column(width=_MARK, no_wrap=True)
    lines.add_column(overflow="fold")
    mark = Text(finding.mark, style=_STYLES[finding.mark])
    lines.add_row(mark, Text(clean_line(f"{finding.subject}: {finding.said}")))
    if finding.advice:
        lines.add_row("", Text(f"-> {clean_line(finding.advice)}"))
    out().print(lines)

"""The options that every command has: tables, region, endpoint, credentials."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, dataclass, fields
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

TABLES_PANEL = "Tables"
_AWS_PANEL = "AWS"


@dataclass(frozen=True, kw_only=True)
class Options:
    """The values of the options that every command has.

    Attributes:
        settings: JSON file of the saver's settings; `-` for standard input.
        checkpoints_table: Name or ARN of the checkpoints table.
        writes_table: Name or ARN of the writes table.
        owner_key: Key of a run's config that names the owner of its thread.
        run_id_index: Name of the index on run ids.
        ttl_seconds: Lifetime of a checkpoint, in seconds.
        bucket: S3 bucket of large values.
        key_prefix: Prefix of the keys of its objects.
        serde: Import path of the serializer, as `module:name`.
        profile: Profile of the AWS configuration.
        region: AWS region.
        endpoint_url: Endpoint of DynamoDB.
        debug: Whether an error prints its traceback.
    """

    settings: Annotated[
        str | None,
        typer.Option(
            "--settings",
            metavar="FILE",
            envvar="LANGGRAPH_DYNAMODB_SETTINGS",
            rich_help_panel=TABLES_PANEL,
            help="Read what follows from JSON, as terraform output -json saver_settings prints it; "
            "- is standard input.",
        ),
    ] = None
    checkpoints_table: Annotated[
        str | None,
        typer.Option(
            "--checkpoints-table",
            metavar="NAME",
            envvar="LANGGRAPH_CHECKPOINTS_TABLE",
            rich_help_panel=TABLES_PANEL,
            help="Name or ARN of the checkpoints table.",
        ),
    ] = None
    writes_table: Annotated[
        str | None,
        typer.Option(
            "--writes-table",
            metavar="NAME",
            envvar="LANGGRAPH_WRITES_TABLE",
            rich_help_panel=TABLES_PANEL,
            help="Name or ARN of the writes table.",
        ),
    ] = None
    owner_key: Annotated[
        str | None,
        typer.Option(
            "--owner-key",
            metavar="KEY",
            rich_help_panel=TABLES_PANEL,
            help="Key of a run's config that names the owner of its thread; needed by what makes "
            "or fills the index of threads (setup, import), found by what reads it.",
        ),
    ] = None
    run_id_index: Annotated[
        str | None,
        typer.Option(
            "--run-id-index",
            metavar="NAME",
            rich_help_panel=TABLES_PANEL,
            help="Index on run ids; found where it is not named.",
        ),
    ] = None
    ttl_seconds: Annotated[
        int | None,
        typer.Option(
            "--ttl-seconds",
            metavar="SECONDS",
            rich_help_panel=TABLES_PANEL,
            help="How long a checkpoint lives that is imported.",
        ),
    ] = None
    bucket: Annotated[
        str | None,
        typer.Option(
            "--bucket", metavar="NAME", rich_help_panel=TABLES_PANEL, help="Bucket of large values."
        ),
    ] = None
    key_prefix: Annotated[
        str | None,
        typer.Option(
            "--key-prefix",
            metavar="PREFIX",
            rich_help_panel=TABLES_PANEL,
            help="Prefix of the keys of its objects.",
        ),
    ] = None
    serde: Annotated[
        str | None,
        typer.Option(
            "--serde",
            metavar="MODULE:NAME",
            rich_help_panel=TABLES_PANEL,
            help="Serializer, or a function that makes one, for encrypted values and types of "
            "your own.",
        ),
    ] = None
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar="NAME",
            rich_help_panel=_AWS_PANEL,
            help="Profile of the AWS configuration.",
        ),
    ] = None
    region: Annotated[
        str | None,
        typer.Option("--region", metavar="NAME", rich_help_panel=_AWS_PANEL, help="AWS region."),
    ] = None
    endpoint_url: Annotated[
        str | None,
        typer.Option(
            "--endpoint-url",
            metavar="URL",
            rich_help_panel=_AWS_PANEL,
            help="Endpoint of DynamoDB. AWS_ENDPOINT_URL_S3 and the like name those of others.",
        ),
    ] = None
    debug: Annotated[
        bool,
        typer.Option("--debug", rich_help_panel=_AWS_PANEL, help="Show the traceback of an error."),
    ] = False


def with_options(function: Callable[..., None]) -> Callable[..., None]:
    """Replace the first parameter of a command, its `Options`, by an option for each field.

    Args:
        function: The command. Its other parameters are its own options.
    """
    hints = get_type_hints(function, include_extras=True)
    _, *own = inspect.signature(function).parameters.values()
    option_hints = get_type_hints(Options, include_extras=True)
    parameters = [
        *(each.replace(annotation=hints[each.name]) for each in own),
        *(
            inspect.Parameter(
                each.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if each.default is MISSING else each.default,
                annotation=option_hints[each.name],
            )
            for each in fields(Options)
        ),
    ]
    names = [each.name for each in fields(Options)]

    @wraps(function)
    def command(**given: Any) -> None:
        options = Options(**{name: given.pop(name) for name in names})
        function(options, **given)

    del command.__wrapped__  # typer would read its signature.
    untyped: Any = command
    untyped.__signature__ = inspect.Signature(parameters)
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command

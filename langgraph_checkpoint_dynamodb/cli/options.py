"""The options that every command has: which tables, where, and as whom."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, dataclass, fields
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

_TABLES = "Tables"
_AWS = "AWS"

Json = Annotated[bool, typer.Option("--json", help="Print JSON, as described above.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
StoreTable = Annotated[
    str | None,
    typer.Option(
        "--store-table",
        metavar="NAME",
        envvar="LANGGRAPH_STORE_TABLE",
        rich_help_panel=_TABLES,
        help="Name or ARN of the table of a store or a cache, which is to be seen to as well.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing; say what would go.")]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a user has said of tables and access.

    Attributes:
        settings: File of the saver's settings in JSON, `-` for standard input.
        checkpoints_table: Name or ARN of the checkpoints table.
        writes_table: Name or ARN of the writes table.
        owner_key: The key of a run's config that names the owner of its thread.
        run_id_index: Name of the index on run ids.
        ttl_seconds: How long a checkpoint lives.
        bucket: Bucket of large values.
        key_prefix: What the keys of its objects begin with.
        serde: Where the serializer is, as `module:name`.
        profile: Profile of the AWS configuration.
        region: AWS region.
        endpoint_url: Endpoint of DynamoDB.
        debug: Whether errors are shown with their traceback.
    """

    settings: Annotated[
        str | None,
        typer.Option(
            "--settings",
            metavar="FILE",
            envvar="LANGGRAPH_DYNAMODB_SETTINGS",
            rich_help_panel=_TABLES,
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
            rich_help_panel=_TABLES,
            help="Name or ARN of the checkpoints table.",
        ),
    ] = None
    writes_table: Annotated[
        str | None,
        typer.Option(
            "--writes-table",
            metavar="NAME",
            envvar="LANGGRAPH_WRITES_TABLE",
            rich_help_panel=_TABLES,
            help="Name or ARN of the writes table.",
        ),
    ] = None
    owner_key: Annotated[
        str | None,
        typer.Option(
            "--owner-key",
            metavar="KEY",
            rich_help_panel=_TABLES,
            help="Key of a run's config that names the owner of its thread; needed by what makes "
            "or fills the index of threads (setup, import), found by what reads it.",
        ),
    ] = None
    run_id_index: Annotated[
        str | None,
        typer.Option(
            "--run-id-index",
            metavar="NAME",
            rich_help_panel=_TABLES,
            help="Index on run ids; found where it is not named.",
        ),
    ] = None
    ttl_seconds: Annotated[
        int | None,
        typer.Option(
            "--ttl-seconds",
            metavar="SECONDS",
            rich_help_panel=_TABLES,
            help="How long a checkpoint lives that is imported.",
        ),
    ] = None
    bucket: Annotated[
        str | None,
        typer.Option(
            "--bucket", metavar="NAME", rich_help_panel=_TABLES, help="Bucket of large values."
        ),
    ] = None
    key_prefix: Annotated[
        str | None,
        typer.Option(
            "--key-prefix",
            metavar="PREFIX",
            rich_help_panel=_TABLES,
            help="What the keys of its objects have.",
        ),
    ] = None
    serde: Annotated[
        str | None,
        typer.Option(
            "--serde",
            metavar="MODULE:NAME",
            rich_help_panel=_TABLES,
            help="Serializer, or a function that makes one, for encrypted values and types of "
            "your own.",
        ),
    ] = None
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar="NAME",
            rich_help_panel=_AWS,
            help="Profile of the AWS configuration.",
        ),
    ] = None
    region: Annotated[
        str | None,
        typer.Option("--region", metavar="NAME", rich_help_panel=_AWS, help="AWS region."),
    ] = None
    endpoint_url: Annotated[
        str | None,
        typer.Option(
            "--endpoint-url",
            metavar="URL",
            rich_help_panel=_AWS,
            help="Endpoint of DynamoDB. AWS_ENDPOINT_URL_S3 and the like name those of others.",
        ),
    ] = None
    debug: Annotated[
        bool, typer.Option("--debug", rich_help_panel=_AWS, help="Show the traceback of an error.")
    ] = False


def with_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command, whose first parameter takes `Options`, each of these as an option."""
    hints = get_type_hints(function, include_extras=True)
    _, *own = inspect.signature(function).parameters.values()
    of_options = get_type_hints(Options, include_extras=True)
    parameters = [
        *(each.replace(annotation=hints[each.name]) for each in own),
        *(
            inspect.Parameter(
                each.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if each.default is MISSING else each.default,
                annotation=of_options[each.name],
            )
            for each in fields(Options)
        ),
    ]
    names = [each.name for each in fields(Options)]

    @wraps(function)
    def command(**given: Any) -> None:
        options = Options(**{name: given.pop(name) for name in names})
        function(options, **given)

    del command.__wrapped__  # Its signature is another.
    as_any: Any = command
    as_any.__signature__ = inspect.Signature(parameters)
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command

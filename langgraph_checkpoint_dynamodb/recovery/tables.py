"""Restores tables to one moment, and copies the settings that a restore leaves out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.recovery.errors import RecoveryError
from langgraph_checkpoint_dynamodb.recovery.progress import print_line
from langgraph_checkpoint_dynamodb.recovery.settings import TableCopy
from langgraph_checkpoint_dynamodb.recovery.window import format_moment, to_second

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TableDescriptionTypeDef

    from langgraph_checkpoint_dynamodb.recovery.names import Tables
    from langgraph_checkpoint_dynamodb.recovery.progress import Say


def restore_tables(
    client: DynamoDBClient,
    source: Tables,
    target: Tables,
    moment: datetime,
    *,
    say: Say = print_line,
    wait: Callable[[float], object] = time.sleep,
) -> None:
    """Restore all tables to one moment, and copy the settings that a restore leaves out.

    Can be repeated: it waits for restores in progress and leaves finished ones as they are.

    Args:
        client: A client for the region of the tables.
        source: The tables.
        target: Names of the tables to make.
        moment: The moment, to the second, within `common_window`.
        say: Called with a line of text for each step.
        wait: Called with the seconds between two requests for a table's status.

    Raises:
        RecoveryError: A table with a target's name exists and is not that restore of its source.
    """
    copies = [
        TableCopy(client, client.describe_table(TableName=old)["Table"], new, say, wait)
        for old, new in zip(source.names, target.names, strict=True)
    ]
    # Start all before waiting for any: a restore takes from minutes to hours.
    for copy in copies:
        _start(copy, moment)
    for copy in copies:
        copy.copy_settings()


def _start(copy: TableCopy, moment: datetime) -> None:
    existing = _describe(copy.client, copy.target)
    if existing is None:
        copy.report(f"restoring {copy.source_name} to {format_moment(moment)}")
        copy.client.restore_table_to_point_in_time(
            SourceTableName=copy.source_name, TargetTableName=copy.target, RestoreDateTime=moment
        )
        return
    if not _is_restored_from(existing, copy.source_arn, moment):
        raise RecoveryError(
            f"table {copy.target!r} exists already, and is not {copy.source_name!r} as it was at "
            f"{format_moment(moment)}: pass another --suffix, or delete it"
        )
    copy.report("exists, or is being restored")


def _describe(client: DynamoDBClient, name: str) -> TableDescriptionTypeDef | None:
    try:
        return client.describe_table(TableName=name)["Table"]
    except client.exceptions.ResourceNotFoundException:
        return None


def _is_restored_from(table: TableDescriptionTypeDef, source_arn: str, moment: datetime) -> bool:
    summary = table.get("RestoreSummary")
    return (
        summary is not None
        and summary.get("SourceTableArn") == source_arn
        and to_second(summary["RestoreDateTime"]) == moment
    )

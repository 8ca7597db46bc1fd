"""The moments that tables can be restored to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.recovery.errors import RecoveryError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from langgraph_checkpoint_dynamodb.recovery.names import Tables

LATEST = "latest"
"""The newest moment that all tables can be restored to."""


@dataclass(frozen=True)
class Window:
    """The moments that a table, or several of them, can be restored to.

    Attributes:
        earliest: The first moment.
        latest: The last moment; DynamoDB is about five minutes behind.
    """

    earliest: datetime
    latest: datetime

    def moment(self, asked: str) -> datetime:
        """Parse the moment to restore to, rounded down to the second.

        Args:
            asked: ISO 8601 with an offset from UTC, or `"latest"`.

        Returns:
            The moment in UTC.

        Raises:
            RecoveryError: It is not a moment, or outside of the window.
        """
        if asked == LATEST:
            return self.latest.replace(microsecond=0)
        moment = _parse(asked)
        if not self.earliest.replace(microsecond=0) <= moment <= self.latest:
            raise RecoveryError(
                f"--moment {asked!r} is outside of what the tables can be restored to: from "
                f"{format_moment(self.earliest)} to {format_moment(self.latest)}"
            )
        return moment


def common_window(client: DynamoDBClient, tables: Tables) -> Window:
    """The moments that all tables can be restored to.

    Args:
        client: A client for the region of the tables.
        tables: The tables.

    Raises:
        RecoveryError: Point-in-time recovery is off, or the tables have no moment in common.
    """
    windows = [_window(client, name) for name in tables.names]
    common = Window(
        max(window.earliest for window in windows), min(window.latest for window in windows)
    )
    if common.earliest > common.latest:
        raise RecoveryError("the tables have no moment in common that all can be restored to")
    return common


def to_second(moment: datetime) -> datetime:
    """The moment in UTC, rounded down to the second."""
    return moment.astimezone(timezone.utc).replace(microsecond=0)


def format_moment(moment: datetime) -> str:
    """The moment as ISO 8601, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _parse(asked: str) -> datetime:
    try:
        # Python 3.10 does not parse "Z".
        moment = datetime.fromisoformat(asked.replace("Z", "+00:00"))
    except ValueError:
        moment = datetime.min
    if moment.tzinfo is None:
        raise RecoveryError(
            f"--moment {asked!r} is not a moment: pass it as 2026-03-01T12:00:00Z, with its "
            f"offset from UTC, or {LATEST!r}"
        )
    return to_second(moment)


def _window(client: DynamoDBClient, name: str) -> Window:
    backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {})
    try:
        return Window(
            recovery["EarliestRestorableDateTime"].astimezone(timezone.utc),
            recovery["LatestRestorableDateTime"].astimezone(timezone.utc),
        )
    except KeyError:
        status = recovery.get("PointInTimeRecoveryStatus", "DISABLED")
        raise RecoveryError(
            f"point-in-time recovery of table {name!r} is {status}: it cannot be restored"
        ) from None

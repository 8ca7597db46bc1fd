"""Checks of this machine: versions, credentials, clock."""

from __future__ import annotations

import platform
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from langgraph_checkpoint_dynamodb.cli.doctor.findings import Finding, ok, unknown, wrong
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.installed import others_installed
from langgraph_checkpoint_dynamodb.payloads.compression import MissingCodecError, require_codec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langgraph_checkpoint_dynamodb.cli.connection import Connection

_PACKAGES = ("langgraph-checkpoint-dynamodb", "langgraph-checkpoint", "langgraph", "boto3")
_MAX_CLOCK_SKEW_SECONDS = 60
"""The saver tolerates an hour of skew, and AWS signatures five minutes."""


def check_versions() -> Iterator[Finding]:
    """Check the installed packages."""
    found = {name: installed_version(name) for name in _PACKAGES}
    named = ", ".join(f"{name} {number}" for name, number in found.items() if number)
    yield ok("versions", f"Python {platform.python_version()}, {named}")
    others = others_installed()
    if others:
        yield wrong(
            "installation",
            f"the package is also provided by {', '.join(others)}, whose files lie over its own",
            "uninstall all of them, then install the one that is wanted",
        )
    try:
        require_codec("zstd")
    except MissingCodecError:
        yield ok(
            "zstd", "is not installed; values that are compressed with it need the extra [zstd]"
        )
    else:
        yield ok("zstd", "is there")


def check_credentials(connection: Connection) -> Finding:
    """Check that there are credentials."""
    try:
        credentials = connection.session.get_credentials()
    except BotoCoreError as error:
        return wrong("credentials", str(error), "sign in, or choose another --profile")
    if credentials is None:
        return wrong("credentials", "there are none", "choose a --profile, or sign in")
    region = connection.dynamodb.meta.region_name
    return ok("credentials", f"from {credentials.method}, region {region}")


def check_clock(connection: Connection) -> Finding:
    """Compare the clock with the date header of a response of DynamoDB."""
    before = datetime.now(timezone.utc)
    server_time = _response_date(connection)
    after = datetime.now(timezone.utc)
    if server_time is None:
        return unknown("clock", "DynamoDB's answer has no date")
    # The header has whole seconds, and was written between `before` and `after`.
    skew = max((server_time - after).total_seconds(), (before - server_time).total_seconds() - 1, 0)
    if skew > _MAX_CLOCK_SKEW_SECONDS:
        return wrong(
            "clock",
            f"is {skew:,.0f} seconds off DynamoDB's",
            "set it by NTP: ages, expiry and signatures are told by it",
        )
    return ok("clock", f"as DynamoDB's, to {max(1, round(skew))} s")


def _response_date(connection: Connection) -> datetime | None:
    try:
        answer: Any = connection.dynamodb.describe_table(TableName=connection.name(Table.WRITES))
    except ClientError as error:
        answer = error.response
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        return parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        return None


def installed_version(name: str) -> str | None:
    """Return the version of a distribution; `None` if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None

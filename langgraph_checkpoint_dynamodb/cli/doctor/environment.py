"""What `doctor` looks at here: versions, credentials, clock."""

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
_MOST_SECONDS = 60
"""A clock that is further off is not set by anybody. Differences up to an hour are allowed for by
the saver, and up to five minutes by the signatures of AWS."""


def check_versions() -> Iterator[Finding]:
    """Look at what is installed."""
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
    """Look at who asks, as far as this machine knows."""
    try:
        credentials = connection.session.get_credentials()
    except BotoCoreError as error:
        return wrong("credentials", str(error), "sign in, or choose another --profile")
    if credentials is None:
        return wrong("credentials", "there are none", "choose a --profile, or sign in")
    region = connection.dynamodb.meta.region_name
    return ok("credentials", f"from {credentials.method}, region {region}")


def check_clock(connection: Connection) -> Finding:
    """Compare the clock with DynamoDB's, by the date of an answer."""
    before = datetime.now(timezone.utc)
    said = _date_of_an_answer(connection)
    after = datetime.now(timezone.utc)
    if said is None:
        return unknown("clock", "DynamoDB's answer has no date")
    # It says whole seconds, and was written at some moment between the two.
    off = max((said - after).total_seconds(), (before - said).total_seconds() - 1, 0)
    if off > _MOST_SECONDS:
        return wrong(
            "clock",
            f"is {off:,.0f} seconds off DynamoDB's",
            "set it by NTP: ages, expiry and signatures are told by it",
        )
    return ok("clock", f"as DynamoDB's, to {max(1, round(off))} s")


def _date_of_an_answer(connection: Connection) -> datetime | None:
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
    """The version of a distribution, `None` where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None

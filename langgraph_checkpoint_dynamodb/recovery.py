r"""Restores the tables to one moment, under new names.

::

    python -m langgraph_checkpoint_dynamodb.recovery \
        --checkpoints-table langgraph-checkpoints --writes-table langgraph-writes \
        --moment 2026-03-01T12:00:00Z

A checkpoint lies in both tables, so both must come from the same second, and best the table of a
store with them (`--store-table`). DynamoDB restores one table at a time, to a new name, and leaves
out its time to live, point-in-time recovery, deletion protection, tags and resource policy
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/pointintimerecovery_howitworks.html):
this sets them again as the tables have them now. It can be repeated, and goes on where it stopped.
The tables that are restored from stay as they are.

With a bucket, objects that were deleted since that moment, and whose versions are still there, come
back as well: what the restored checkpoints and memories refer to is there again.

`docs/how-to/restoring.md` has the steps around it, and the rights it takes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from langgraph_checkpoint_dynamodb.store.settings import KEY_PREFIX

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        PointInTimeRecoverySpecificationTypeDef,
        TableDescriptionTypeDef,
    )
    from mypy_boto3_s3 import S3Client

Say: TypeAlias = Callable[[str], object]
"""Is told what is being done, a line at a time."""

LATEST = "latest"
"""The newest moment that all tables can be restored to."""
_POLL_SECONDS = 10.0
_LONGEST_NAME = 255
# What UpdateTable takes as DescribeTable says it, and DynamoDB changes one of at a time.
_UPDATED = ("DeletionProtectionEnabled", "OnDemandThroughput")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


class RecoveryError(Exception):
    """The tables cannot be restored so; the message says why, and what to do."""


@dataclass(frozen=True)
class Tables:
    """Names of tables that belong together.

    Attributes:
        checkpoints: The table of checkpoints.
        writes: The table of pending writes.
        store: The table of a store, `None` where it is not restored.
    """

    checkpoints: str
    writes: str
    store: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        own = (self.checkpoints, self.writes)
        return own if self.store is None else (*own, self.store)

    def with_suffix(self, suffix: str) -> Tables:
        """The names with a suffix.

        Raises:
            RecoveryError: A name becomes longer than DynamoDB takes, or stays what it is.
        """
        names = [f"{name}{suffix}" for name in self.names]
        if not suffix or any(len(name) > _LONGEST_NAME for name in names):
            raise RecoveryError(
                f"--suffix {suffix!r} makes no names of new tables: pass one that is not empty, "
                f"for names of {_LONGEST_NAME} characters at most"
            )
        return Tables(*names)


@dataclass(frozen=True)
class Window:
    """The moments that a table, or several of them, can be restored to.

    Attributes:
        earliest: The first one.
        latest: The last one; DynamoDB is about five minutes behind.
    """

    earliest: datetime
    latest: datetime

    def moment(self, asked: str) -> datetime:
        """The moment that is asked for, to the second.

        Args:
            asked: As ISO 8601 has it, with its offset, or `"latest"`.

        Raises:
            RecoveryError: It is no moment, or outside of the window.
        """
        if asked == LATEST:
            return self.latest.replace(microsecond=0)
        try:
            # Python 3.10 takes no "Z".
            moment = datetime.fromisoformat(asked.replace("Z", "+00:00"))
        except ValueError:
            moment = datetime.min
        if moment.tzinfo is None:
            raise RecoveryError(
                f"--moment {asked!r} is none: pass it as 2026-03-01T12:00:00Z, with its offset "
                f"from UTC, or {LATEST!r}"
            )
        moment = moment.astimezone(timezone.utc).replace(microsecond=0)
        if not self.earliest.replace(microsecond=0) <= moment <= self.latest:
            raise RecoveryError(
                f"--moment {asked!r} is outside of what the tables can be restored to: from "
                f"{_text(self.earliest)} to {_text(self.latest)}"
            )
        return moment


def common_window(client: DynamoDBClient, tables: Tables) -> Window:
    """The moments that all tables can be restored to.

    Raises:
        RecoveryError: Point-in-time recovery is off, or they have no moment in common.
    """
    windows = [_window(client, name) for name in tables.names]
    common = Window(max(one.earliest for one in windows), min(one.latest for one in windows))
    if common.earliest > common.latest:
        raise RecoveryError("the tables have no moment in common that all can be restored to")
    return common


def restore_tables(
    client: DynamoDBClient,
    source: Tables,
    target: Tables,
    moment: datetime,
    *,
    say: Say = _print,
    wait: Callable[[float], object] = time.sleep,
) -> None:
    """Restore all tables to one moment, and set what a restore leaves out.

    Can be repeated: what is under way is waited for, what is done is left.

    Args:
        client: A client for the region of the tables.
        source: The tables.
        target: Names of the tables to make.
        moment: The moment, to the second, within `common_window`.
        say: Is told what is being done.
        wait: Called with the seconds between two looks at a table.

    Raises:
        RecoveryError: A table of that name is there that was not restored so.
    """
    pairs = list(zip(source.names, target.names, strict=True))
    described = {old: client.describe_table(TableName=old)["Table"] for old, _ in pairs}
    # First all, then wait for all: a restore takes from minutes to hours.
    for old, new in pairs:
        _start(client, described[old], new, moment, say)
    for old, new in pairs:
        _wait_until_active(client, new, say, wait)
        _set_again(client, described[old], new, say, wait)


def bring_back_objects(
    client: S3Client, bucket: str, key_prefix: str, moment: datetime, *, say: Say = _print
) -> int:
    """Bring back the objects that were there at a moment and have been deleted since.

    Deletes the delete markers that are younger. What was stored since then stays: nothing of the
    restored tables refers to it.

    Args:
        client: A client for S3.
        bucket: The bucket; it needs versioning.
        key_prefix: What the keys of the saver's, or the store's, objects begin with.
        moment: The moment.
        say: Is told what is being done.

    Returns:
        How many came back.
    """
    count = 0
    for key, markers in _deleted_since(client, bucket, key_prefix, moment):
        for version in markers:
            client.delete_object(Bucket=bucket, Key=key, VersionId=version)
        count += 1
    say(f"{bucket}/{key_prefix}: {count} objects are back")
    return count


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Raises:
        SystemExit: It failed; the message says why.
    """
    asked = _parser().parse_args(arguments)
    try:
        _recover(asked)
    except (RecoveryError, BotoCoreError, ClientError) as error:
        sys.exit(f"recovery: {error}")


def _recover(asked: argparse.Namespace) -> None:
    session = boto3.Session(region_name=asked.region)
    dynamodb = session.client("dynamodb", endpoint_url=asked.endpoint_url)
    source = Tables(asked.checkpoints_table, asked.writes_table, asked.store_table)
    target = source.with_suffix(asked.suffix)
    window = common_window(dynamodb, source)
    moment = window.moment(asked.moment)
    _print(f"the tables can be restored from {_text(window.earliest)} to {_text(window.latest)}")
    _print(f"restoring to {_text(moment)}, as {' and '.join(target.names)}")
    if asked.dry_run:
        return
    restore_tables(dynamodb, source, target, moment)
    if asked.bucket is not None:
        s3 = session.client("s3", endpoint_url=asked.s3_endpoint_url or asked.endpoint_url)
        bring_back_objects(s3, asked.bucket, asked.key_prefix, moment)
        if source.store is not None:
            bring_back_objects(s3, asked.bucket, asked.store_key_prefix, moment)
    _print("done; next, point savers, stores and policies to the new names, sweep_orphans() there")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m langgraph_checkpoint_dynamodb.recovery",
        description="Restore the tables to one moment, under new names.",
    )
    add = parser.add_argument
    add("--checkpoints-table", required=True, metavar="NAME")
    add("--writes-table", required=True, metavar="NAME")
    add("--store-table", metavar="NAME", help="the table of a store, to the same moment")
    add("--moment", required=True, help=f"as 2026-03-01T12:00:00Z, or {LATEST!r}")
    add("--suffix", default="-restored", help="of the new names (default: %(default)s)")
    add("--bucket", metavar="NAME", help="bring back its objects, too; it needs versioning")
    add("--key-prefix", default="langgraph-checkpoints/", help="of objects (default: %(default)s)")
    add("--store-key-prefix", default=KEY_PREFIX, help="of the store's (default: %(default)s)")
    add("--region", metavar="NAME")
    add("--endpoint-url", metavar="URL", help="of another DynamoDB than AWS's")
    add("--s3-endpoint-url", metavar="URL", help="of S3, where it is another one")
    add("--dry-run", action="store_true", help="say what would be restored, and change nothing")
    return parser


def _window(client: DynamoDBClient, name: str) -> Window:
    backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {})
    try:
        return Window(
            recovery["EarliestRestorableDateTime"].astimezone(timezone.utc),
            recovery["LatestRestorableDateTime"].astimezone(timezone.utc),
        )
    except KeyError:
        raise RecoveryError(
            f"table {name!r} has its point-in-time recovery "
            f"{recovery.get('PointInTimeRecoveryStatus', 'DISABLED')}: it cannot be restored"
        ) from None


def _start(
    client: DynamoDBClient,
    source: TableDescriptionTypeDef,
    target: str,
    moment: datetime,
    say: Say,
) -> None:
    there = _describe(client, target)
    if there is None:
        say(f"{target}: restoring {source['TableName']} to {_text(moment)}")
        client.restore_table_to_point_in_time(
            SourceTableName=source["TableName"], TargetTableName=target, RestoreDateTime=moment
        )
        return
    summary = there.get("RestoreSummary")
    if (
        summary is None
        or summary.get("SourceTableArn") != source["TableArn"]
        or summary["RestoreDateTime"].astimezone(timezone.utc).replace(microsecond=0) != moment
    ):
        raise RecoveryError(
            f"table {target!r} is there already, and is not {source['TableName']!r} as it was at "
            f"{_text(moment)}: pass another --suffix, or delete it"
        )
    say(f"{target}: is there, or on its way")


def _describe(client: DynamoDBClient, name: str) -> TableDescriptionTypeDef | None:
    try:
        return client.describe_table(TableName=name)["Table"]
    except client.exceptions.ResourceNotFoundException:
        return None


def _wait_until_active(
    client: DynamoDBClient, name: str, say: Say, wait: Callable[[float], object]
) -> TableDescriptionTypeDef:
    while True:
        described = client.describe_table(TableName=name)["Table"]
        if described["TableStatus"] == "ACTIVE":
            return described
        say(f"{name}: {described['TableStatus']}")
        wait(_POLL_SECONDS)


def _set_again(
    client: DynamoDBClient,
    source: TableDescriptionTypeDef,
    target: str,
    say: Say,
    wait: Callable[[float], object],
) -> None:
    """Set what a restore leaves out, as the source has it."""
    name = source["TableName"]
    # The stubs know each field by a type of its own.
    had: Mapping[str, Any] = source
    for setting in _UPDATED:
        made: Mapping[str, Any] = _wait_until_active(client, target, say, wait)
        if setting in had and had[setting] != made.get(setting, False):
            say(f"{target}: {setting}")
            changed: dict[str, Any] = {setting: had[setting]}
            client.update_table(TableName=target, **changed)
    arn = _wait_until_active(client, target, say, wait)["TableArn"]
    _set_expiry(client, name, target, say)
    _set_recovery(client, name, target, say)
    tags = client.list_tags_of_resource(ResourceArn=source["TableArn"]).get("Tags", [])
    # Those of AWS itself, such as CloudFormation's, cannot be set.
    own = [tag for tag in tags if not tag["Key"].startswith("aws:")]
    if own:
        say(f"{target}: tags")
        client.tag_resource(ResourceArn=arn, Tags=own)
    _set_policy(client, source["TableArn"], arn, say)
    for replica in source.get("Replicas", []):
        say(f"{target}: has no replica in {replica['RegionName']} yet; make it where you make them")


def _set_expiry(client: DynamoDBClient, source: str, target: str, say: Say) -> None:
    wanted = client.describe_time_to_live(TableName=source)["TimeToLiveDescription"]
    found = client.describe_time_to_live(TableName=target)["TimeToLiveDescription"]
    if wanted["TimeToLiveStatus"] not in ("ENABLED", "ENABLING") or (
        found["TimeToLiveStatus"] in ("ENABLED", "ENABLING")
    ):
        return
    say(f"{target}: time to live")
    client.update_time_to_live(
        TableName=target,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": wanted["AttributeName"]},
    )


def _set_recovery(client: DynamoDBClient, source: str, target: str, say: Say) -> None:
    """On, as the source has it, or it could not have been restored; and for as many days."""
    backups = client.describe_continuous_backups(TableName=source)["ContinuousBackupsDescription"]
    days = backups.get("PointInTimeRecoveryDescription", {}).get("RecoveryPeriodInDays")
    say(f"{target}: point-in-time recovery")
    wanted: PointInTimeRecoverySpecificationTypeDef = {"PointInTimeRecoveryEnabled": True}
    if days is not None:
        wanted["RecoveryPeriodInDays"] = days
    client.update_continuous_backups(TableName=target, PointInTimeRecoverySpecification=wanted)


def _set_policy(client: DynamoDBClient, source_arn: str, target_arn: str, say: Say) -> None:
    try:
        policy = client.get_resource_policy(ResourceArn=source_arn).get("Policy")
    except client.exceptions.PolicyNotFoundException:
        return
    if not policy:
        return
    say(f"{target_arn.rpartition('/')[2]}: resource policy")
    renamed = _renamed(json.loads(policy), source_arn, target_arn)
    client.put_resource_policy(ResourceArn=target_arn, Policy=json.dumps(renamed))


def _renamed(value: Any, old: str, new: str) -> Any:
    """A policy with the ARN of one table, and of what is below it, in place of another's."""
    match value:
        case str():
            return new + value[len(old) :] if value == old or value.startswith(f"{old}/") else value
        case list():
            return [_renamed(one, old, new) for one in value]
        case dict():
            return {name: _renamed(one, old, new) for name, one in value.items()}
    return value


def _deleted_since(
    client: S3Client, bucket: str, key_prefix: str, moment: datetime
) -> Iterator[tuple[str, list[str]]]:
    """Keys whose object was there at a moment and is deleted now, with the younger markers."""
    versions = _versions(client, bucket, key_prefix)
    for key, found in versions.items():
        newest = max(found, key=lambda one: one.made)
        there = [one for one in found if one.made <= moment]
        if not newest.is_marker or not there or max(there, key=lambda one: one.made).is_marker:
            continue
        yield key, [one.version for one in found if one.is_marker and one.made > moment]


@dataclass(frozen=True)
class _Version:
    """A version of an object: when it was made, and whether it says that there is none."""

    version: str
    made: datetime
    is_marker: bool


def _versions(client: S3Client, bucket: str, key_prefix: str) -> dict[str, list[_Version]]:
    found: dict[str, list[_Version]] = {}
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key_prefix)
    for page in pages:
        # The stubs have a type for each of the two.
        listed: list[Any] = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        for one in listed:
            version = _Version(one["VersionId"], one["LastModified"], "Size" not in one)
            found.setdefault(one["Key"], []).append(version)
    return found


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    main()

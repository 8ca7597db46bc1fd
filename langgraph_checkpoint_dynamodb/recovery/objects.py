"""Restores objects of a versioned bucket that were deleted since a moment."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.recovery.progress import print_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mypy_boto3_s3 import S3Client

    from langgraph_checkpoint_dynamodb.recovery.progress import Say


def bring_back_objects(
    client: S3Client, bucket: str, key_prefix: str, moment: datetime, *, say: Say = print_line
) -> int:
    """Restore the objects that existed at a moment and have been deleted since.

    Deletes the delete markers that are newer than the moment. Objects that were stored since then
    stay: the restored tables do not refer to them.

    Args:
        client: A client for S3.
        bucket: The bucket; it needs versioning.
        key_prefix: The prefix of the keys of the saver's, or the store's, objects.
        moment: The moment.
        say: Called with a line of text for each step.

    Returns:
        The number of objects restored.
    """
    count = 0
    for key, marker_ids in _deleted_since(client, bucket, key_prefix, moment):
        for version_id in marker_ids:
            client.delete_object(Bucket=bucket, Key=key, VersionId=version_id)
        count += 1
    say(f"{bucket}/{key_prefix}: {count} objects restored")
    return count


@dataclass(frozen=True)
class _Version:
    """A version of an object, or a delete marker."""

    version_id: str
    last_modified: datetime
    is_delete_marker: bool


def _deleted_since(
    client: S3Client, bucket: str, key_prefix: str, moment: datetime
) -> Iterator[tuple[str, list[str]]]:
    """Keys of objects deleted since a moment, with the version ids of the newer delete markers."""
    for key, versions in _versions_by_key(client, bucket, key_prefix).items():
        then = [version for version in versions if version.last_modified <= moment]
        existed = bool(then) and not _newest(then).is_delete_marker
        if existed and _newest(versions).is_delete_marker:
            yield (
                key,
                [
                    version.version_id
                    for version in versions
                    if version.is_delete_marker and version.last_modified > moment
                ],
            )


def _newest(versions: list[_Version]) -> _Version:
    return max(versions, key=attrgetter("last_modified"))


def _versions_by_key(client: S3Client, bucket: str, key_prefix: str) -> dict[str, list[_Version]]:
    found: dict[str, list[_Version]] = {}
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key_prefix)
    for page in pages:
        # The stubs have a different type for each of the two.
        listed: list[Any] = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        for entry in listed:
            # Delete markers have no size.
            version = _Version(entry["VersionId"], entry["LastModified"], "Size" not in entry)
            found.setdefault(entry["Key"], []).append(version)
    return found

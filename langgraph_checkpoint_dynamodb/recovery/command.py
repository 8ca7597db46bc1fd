"""The command `python -m langgraph_checkpoint_dynamodb.recovery`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from langgraph_checkpoint_dynamodb.recovery.errors import RecoveryError
from langgraph_checkpoint_dynamodb.recovery.names import Tables
from langgraph_checkpoint_dynamodb.recovery.objects import bring_back_objects
from langgraph_checkpoint_dynamodb.recovery.progress import print_line
from langgraph_checkpoint_dynamodb.recovery.tables import restore_tables
from langgraph_checkpoint_dynamodb.recovery.window import LATEST, common_window, format_moment
from langgraph_checkpoint_dynamodb.store.settings import KEY_PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command.

    Args:
        arguments: The arguments of the command line; those of the process if `None`.

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
    earliest, latest = format_moment(window.earliest), format_moment(window.latest)
    print_line(f"the tables can be restored from {earliest} to {latest}")
    print_line(f"restoring to {format_moment(moment)}, as {' and '.join(target.names)}")
    if asked.dry_run:
        return
    restore_tables(dynamodb, source, target, moment)
    if asked.bucket is not None:
        s3 = session.client("s3", endpoint_url=asked.s3_endpoint_url or asked.endpoint_url)
        bring_back_objects(s3, asked.bucket, asked.key_prefix, moment)
        if source.store is not None:
            bring_back_objects(s3, asked.bucket, asked.store_key_prefix, moment)
    print_line(
        "done; next, configure savers, stores and policies with the new names, and call "
        "sweep_orphans() there"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m langgraph_checkpoint_dynamodb.recovery",
        description="Restore the tables to one moment, under new names.",
    )
    add = parser.add_argument
    add("--checkpoints-table", required=True, metavar="NAME")
    add("--writes-table", required=True, metavar="NAME")
    add("--store-table", metavar="NAME", help="table of a store, restored to the same moment")
    add("--moment", required=True, help=f"for example 2026-03-01T12:00:00Z, or {LATEST!r}")
    add("--suffix", default="-restored", help="of the new names (default: %(default)s)")
    add("--bucket", metavar="NAME", help="restore its objects too; it needs versioning")
    add("--key-prefix", default="langgraph-checkpoints/", help="of objects (default: %(default)s)")
    add("--store-key-prefix", default=KEY_PREFIX, help="of the store's (default: %(default)s)")
    add("--region", metavar="NAME")
    add("--endpoint-url", metavar="URL", help="of DynamoDB, if it is not the AWS endpoint")
    add("--s3-endpoint-url", metavar="URL", help="of S3, if it differs from --endpoint-url")
    add("--dry-run", action="store_true", help="say what would be restored, and change nothing")
    return parser

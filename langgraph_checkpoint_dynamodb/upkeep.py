"""The sweep as an AWS Lambda function that a schedule invokes.

The Terraform module and the CDK stack create it with `sweep_schedule`. Its handler is
`langgraph_checkpoint_dynamodb.upkeep.handler`. It reads these environment variables:

- `SAVER_SETTINGS`: the arguments of `DynamoDBSaver` as JSON, an output of both;
- `SWEEP_OLDER_THAN_SECONDS`: leave newer items alone; a day by default.

A function may run for 15 minutes, and the time a sweep takes grows with the tables. So it sweeps
page by page, and before its time is over invokes itself with the position where it stopped. Lambda
retries an invocation that fails from there; after that, the next one of the schedule starts from
the beginning.
"""

from __future__ import annotations

import json
import logging
import os
import time
from dataclasses import asdict, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import boto3

from langgraph_checkpoint_dynamodb.errors import InvalidInputError
from langgraph_checkpoint_dynamodb.ops.sweep import SweepReport
from langgraph_checkpoint_dynamodb.saver import DynamoDBSaver
from langgraph_checkpoint_dynamodb.settings.arguments import SWEEP_AGE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LOGGER = logging.getLogger(__name__)
_MIN_RESERVE_SECONDS = 30.0
"""Kept for one more page and for invoking the function again. The reserve grows to twice the time
of the longest page so far."""


class Context(Protocol):
    """The context object of a Lambda invocation."""

    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds that the invocation may still run."""


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Sweep for as long as there is time, then invoke this function again from there.

    Args:
        event: The event of the schedule, or `resume_from` of the invocation before.
        context: The context of the invocation.

    Returns:
        The fields of the `SweepReport` of this invocation.
    """
    report = sweep(
        _saver(),
        event.get("resume_from"),
        older_than=_older_than(),
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    fields = asdict(report)
    _LOGGER.info("swept: %s", json.dumps({**fields, "resume_from": report.resume_from is not None}))
    if report.resume_from is not None:
        _lambda_client().invoke(
            FunctionName=context.invoked_function_arn,
            InvocationType="Event",
            Payload=json.dumps({"resume_from": report.resume_from}).encode(),
        )
    return fields


def sweep(
    saver: DynamoDBSaver,
    resume_from: str | None,
    *,
    older_than: int,
    seconds_left: Callable[[], float],
    now: Callable[[], float] = time.monotonic,
) -> SweepReport:
    """Sweep page by page for as long as there is time, at least one page.

    Args:
        saver: The saver.
        resume_from: Where the sweep before stopped; `None` to start.
        older_than: Leave newer items alone, in seconds.
        seconds_left: Returns how many seconds are left.
        now: Returns the time in seconds, to measure how long a page takes.

    Returns:
        What was done; `resume_from` is where to continue, `None` if the sweep is complete.
    """
    total = SweepReport()
    longest = 0.0
    while True:
        began = now()
        report = saver.sweep_orphans(older_than=older_than, resume_from=resume_from, max_pages=1)
        longest = max(longest, now() - began)
        total, resume_from = total.plus(report), report.resume_from
        if resume_from is None or seconds_left() < max(_MIN_RESERVE_SECONDS, 2 * longest):
            return replace(total, resume_from=resume_from)


@cache
def _saver() -> DynamoDBSaver:
    """The saver, made once per instance of the function."""
    text = os.environ.get("SAVER_SETTINGS", "")
    try:
        settings = json.loads(text)
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        raise InvalidInputError(
            "SAVER_SETTINGS", "must be the arguments of DynamoDBSaver, as a JSON object"
        )
    return DynamoDBSaver(**settings)


@cache
def _lambda_client() -> Any:
    """The client with which the function invokes itself."""
    return boto3.client("lambda")


def _older_than() -> int:
    text = os.environ.get("SWEEP_OLDER_THAN_SECONDS", str(SWEEP_AGE_SECONDS))
    if not text.isdecimal():
        raise InvalidInputError(
            "SWEEP_OLDER_THAN_SECONDS", f"must be a whole number of seconds, got {text!r}"
        )
    return int(text)

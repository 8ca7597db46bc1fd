"""The sweep as an AWS Lambda function that a schedule calls.

The Terraform module and the CDK stack make it with `sweep_schedule`. Its handler is
`langgraph_checkpoint_dynamodb.upkeep.handler`. It reads from the environment:

- `SAVER_SETTINGS`: the arguments of `DynamoDBSaver` as JSON, which both put out;
- `SWEEP_OLDER_THAN_SECONDS`: what is younger is left alone; a day by default.

A function may run for 15 minutes, a sweep takes as long as the tables are large. So it sweeps page
by page, and before its time is over calls itself again with where it stopped. A call that fails is
repeated by Lambda from there; after that, the next one of the schedule begins anew.
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
_LEAST_RESERVE = 30.0
"""Seconds that are kept for one page more and for calling again; at least twice what the longest
page has taken so far."""


class Context(Protocol):
    """What Lambda says of a call."""

    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int:
        """How long the call may still run."""


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Sweep for as long as there is time, then call this function again from there.

    Args:
        event: What a schedule sends, or `resume_from` of the call before.
        context: What Lambda says of the call.

    Returns:
        What this call has done: the fields of a `SweepReport`.
    """
    report = sweep(
        _saver(),
        event.get("resume_from"),
        older_than=_older_than(),
        left=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    said = asdict(report)
    _LOGGER.info("swept: %s", json.dumps({**said, "resume_from": report.resume_from is not None}))
    if report.resume_from is not None:
        _client().invoke(
            FunctionName=context.invoked_function_arn,
            InvocationType="Event",
            Payload=json.dumps({"resume_from": report.resume_from}).encode(),
        )
    return said


def sweep(
    saver: DynamoDBSaver,
    resume_from: str | None,
    *,
    older_than: int,
    left: Callable[[], float],
    now: Callable[[], float] = time.monotonic,
) -> SweepReport:
    """Sweep page by page for as long as there is time, at least one.

    Args:
        saver: The saver.
        resume_from: Where the sweep before stopped.
        older_than: Leave alone what is younger, in seconds.
        left: How many seconds are left.
        now: Tells the time, in seconds, to know how long a page takes.

    Returns:
        What was done; `resume_from` says where to go on, `None` that all is done.
    """
    total = SweepReport()
    longest = 0.0
    while True:
        began = now()
        report = saver.sweep_orphans(older_than=older_than, resume_from=resume_from, max_pages=1)
        longest = max(longest, now() - began)
        total, resume_from = total.plus(report), report.resume_from
        if resume_from is None or left() < max(_LEAST_RESERVE, 2 * longest):
            return replace(total, resume_from=resume_from)


@cache
def _saver() -> DynamoDBSaver:
    """The saver, once for each instance of the function."""
    text = os.environ.get("SAVER_SETTINGS", "")
    try:
        settings = json.loads(text)
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        raise InvalidInputError(
            "SAVER_SETTINGS", "must be the arguments of DynamoDBSaver, as an object of JSON"
        )
    return DynamoDBSaver(**settings)


@cache
def _client() -> Any:
    """The client that the function calls itself with."""
    return boto3.client("lambda")


def _older_than() -> int:
    text = os.environ.get("SWEEP_OLDER_THAN_SECONDS", str(SWEEP_AGE_SECONDS))
    if not text.isdecimal():
        raise InvalidInputError(
            "SWEEP_OLDER_THAN_SECONDS", f"must be a whole number of seconds, got {text!r}"
        )
    return int(text)

"""The scheduled sweep stays within its time limit and continues where it stopped."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb import DynamoDBSaver, InvalidInputError, upkeep
from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from tests.support.values import config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.tables import Tables

ARN = "arn:aws:lambda:us-east-1:123456789012:function:sweep"
ORPHANS = 40
_LARGE = 120_000


@dataclass
class Lambda:
    """The Lambda service as seen by a function: remaining time, and invocations of itself.

    Attributes:
        seconds: Returns the seconds left, at each call.
        calls: Payloads of the invocations the function has made.
    """

    seconds: Callable[[], float]
    invoked_function_arn: str = ARN
    calls: list[dict[str, Any]] = field(default_factory=list)

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds() * 1000)

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803 - the SDK's names
        assert (FunctionName, InvocationType) == (ARN, "Event")
        self.calls.append(json.loads(Payload))


@pytest.fixture
def swept(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tables]:
    """Tables with more than one page of old pending writes without a checkpoint."""
    tables.set_up()
    with tables.boto_saver(client=tables.client, clock=lambda: 1e9) as saver:
        for number in range(ORPHANS):
            ids = config(f"thread-{number}", "", "0001")
            saver.put_writes(ids, [("value", b"x" * _LARGE)], "task")
    settings = {
        "checkpoints_table_name": tables.checkpoints,
        "writes_table_name": tables.writes,
        "region_name": "us-east-1",
        "endpoint_url": tables.engine.url,
    }
    monkeypatch.setenv("SAVER_SETTINGS", json.dumps(settings))
    monkeypatch.setenv("SWEEP_OLDER_THAN_SECONDS", str(GRACE_SECONDS))
    upkeep._saver.cache_clear()
    yield tables
    upkeep._saver().close()
    upkeep._saver.cache_clear()


def test_with_time_enough_one_call_sweeps_all(
    swept: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Lambda(lambda: 900.0)
    monkeypatch.setattr(upkeep, "_lambda_client", lambda: service)
    # The event of a schedule.
    report = upkeep.handler({"source": "aws.events", "detail": {}}, service)
    assert report["writes_deleted"] == ORPHANS
    assert report["pages"] > 2
    assert report["resume_from"] is None
    assert service.calls == []
    assert swept.write_items() == []


def test_out_of_time_it_calls_itself_from_where_it_stopped_until_all_is_done(
    swept: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Lambda(lambda: 10.0)
    monkeypatch.setattr(upkeep, "_lambda_client", lambda: service)
    reports = [upkeep.handler({}, service)]
    while service.calls:
        (payload,) = service.calls
        service.calls.clear()
        assert payload == {"resume_from": reports[-1]["resume_from"]}
        reports.append(upkeep.handler(payload, service))
    # Each invocation sweeps at least one page, whatever its time limit.
    assert [report["pages"] for report in reports] == [1] * len(reports)
    assert len(reports) > 2
    assert sum(report["writes_deleted"] for report in reports) == ORPHANS
    assert json.dumps(reports)
    assert swept.write_items() == []


@pytest.mark.parametrize(
    ("page_seconds", "left", "pages"),
    [(1.0, [100, 31, 29], 3), (20.0, [100, 41, 39], 3), (20.0, [39], 1)],
)
def test_it_keeps_the_time_of_two_pages_and_at_least_half_a_minute(
    swept: Tables, page_seconds: float, left: list[float], pages: int
) -> None:
    moments = itertools.count(0.0, page_seconds)
    looks = iter(left)
    with saver_of(swept) as saver:
        report = upkeep.sweep(
            saver,
            None,
            older_than=GRACE_SECONDS,
            seconds_left=lambda: next(looks),
            now=lambda: next(moments),
        )
    assert report.pages == pages
    assert report.resume_from is not None
    assert list(looks) == []


def saver_of(tables: Tables) -> DynamoDBSaver:
    return tables.boto_saver(client=tables.client)


@pytest.mark.parametrize("settings", ["", "[]", "{", '"checkpoints"'])
def test_settings_that_are_none_are_refused(monkeypatch: pytest.MonkeyPatch, settings: str) -> None:
    upkeep._saver.cache_clear()
    monkeypatch.setenv("SAVER_SETTINGS", settings)
    with pytest.raises(InvalidInputError, match="SAVER_SETTINGS: must be the arguments"):
        upkeep.handler({}, Lambda(lambda: 900.0))


def test_an_age_that_is_none_is_refused(swept: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWEEP_OLDER_THAN_SECONDS", "a day")
    with pytest.raises(InvalidInputError, match=r"SWEEP_OLDER_THAN_SECONDS: .* got 'a day'"):
        upkeep.handler({}, Lambda(lambda: 900.0))
    assert len(swept.write_items()) == ORPHANS

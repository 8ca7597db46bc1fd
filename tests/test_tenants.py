"""With the published policy, a tenant can access all of its own threads and no others."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb import ServiceError
from langgraph_checkpoint_dynamodb.format import keys
from langgraph_checkpoint_dynamodb.format.key_text import digest_of
from tests.support.effort import amount
from tests.support.sessions import held_session, on
from tests.support.tenants import (
    ODD,
    OPERATIONS,
    PLAIN,
    Finding,
    held,
    judge,
    random_thread,
    recording,
    tenant_policy,
)
from tests.support.watched import LISTED, METHODS, call, fill

if TYPE_CHECKING:
    from tests.support.buckets import Bucket
    from tests.support.tables import Tables

PARTS = 4
SHAPES: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {
    "bucket": ("_", PLAIN, {}),
    "fenced": (":", ODD, {"on_conflict": "raise"}),
    "incremental": (
        "-",
        tuple(name for name in ODD if "-" not in name),
        {"compression": "incremental"},
    ),
}
"""Separator, tenants and settings."""
THREADS = {"bucket": 500, "fenced": 3500, "incremental": 3500}
"""Threads of each part; 30,000 in total. The S3 engine is slow."""
ACTIONS = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"}


class Ground:
    """Tables, optionally with a bucket, that tenants share."""

    def __init__(self, shape: str, tables: Tables, bucket: Bucket) -> None:
        self.separator, self.tenants, self.settings = SHAPES[shape]
        self.tables = tables
        self.bucket = bucket if shape == "bucket" else None
        self.policy = tenant_policy(self.separator, tables, self.bucket)
        self.asked: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        tables.set_up(ttl_seconds=1, **LISTED)

    def findings(self, policy: str, threads: int, seed: int) -> list[Finding]:
        """The errors in a policy, found on this many random threads."""
        chance = Random(seed)  # noqa: S311 - data, not a secret
        by_name = {name: held(policy, name) for name in self.tenants}
        found: list[Finding] = []
        with recording(self.tables, self.bucket, **self.settings) as recorder:
            for number in range(threads):
                tenant = self.tenants[number % len(self.tenants)]
                thread_id = random_thread(chance, tenant, self.separator, number)
                owner = f"{tenant}{self.separator}ann"
                others = [(name, held) for name, held in by_name.items() if name != tenant]
                # Only the keys matter: most threads are as small as possible.
                operation = chance.choice(sorted(OPERATIONS)) if number % 4 == 0 else None
                for step in recorder.run(thread_id, owner, operation):
                    self.done[step.name] += 1
                    self.asked.update(ask.action for ask in step.asked)
                    found += judge(step, thread_id, by_name[tenant], others)
        return found


@pytest.fixture
def ground(shape: str, tables: Tables, bucket: Bucket) -> Ground:
    return Ground(shape, tables, bucket)


@pytest.mark.sample(3)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("shape", SHAPES)
def test_all_of_a_tenants_own_is_allowed_and_nothing_of_others(
    ground: Ground, shape: str, part: int
) -> None:
    assert ground.findings(ground.policy, amount(THREADS[shape], 160), part) == []
    assert ground.done.keys() == {"begin", *OPERATIONS}
    objects = {"s3:GetObject", "s3:PutObject"} if ground.bucket else set()
    assert ground.asked.keys() == ACTIONS | objects


@pytest.mark.parametrize("shape", ["bucket"])
def test_a_prefix_without_a_separator_is_found_to_leak(ground: Ground) -> None:
    """A leak through objects alone is found too, which the keys of tables do not show."""
    leaky = ground.policy.replace("}_*", "}*")
    assert {found.kind for found in ground.findings(leaky, 20, 0)} == {"leak"}
    of_objects = ground.policy.replace("/states/${aws:PrincipalTag/tenant}_*", "/states/*")
    found = ground.findings(of_objects, 20, 1)
    assert {(one.kind, one.ask.action[:3]) for one in found} == {("leak", "s3:")}


@pytest.mark.parametrize("shape", ["fenced"])
def test_keys_that_do_not_begin_with_the_thread_are_found(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "writes_partition", lambda *names: digest_of(names))
    assert "miss" in {found.kind for found in ground.findings(ground.policy, 20, 0)}


@pytest.fixture
def shape() -> str:
    return "fenced"


@pytest.mark.parametrize("method", sorted(METHODS))
def test_whatever_is_called_on_a_foreign_thread_is_refused_before_anything_is_sent(
    ground: Ground, method: str
) -> None:
    settings: dict[str, Any] = {**LISTED, **ground.settings, "ttl_seconds": 1000}
    with ground.tables.saver(**settings) as saver:
        fill(saver)
    before = ground.tables.checkpoint_items(), ground.tables.items_beside()
    session = held_session(held(ground.policy, "acme").allows)
    sent: list[str] = []
    on(session, "before-send.dynamodb", lambda event_name, **_: sent.append(event_name))
    with (
        ground.tables.saver(session=session, **settings) as saver,
        pytest.raises(ServiceError, match="not authorized to perform: dynamodb:"),
    ):
        call(saver, method)
    assert sent == []
    assert (ground.tables.checkpoint_items(), ground.tables.items_beside()) == before

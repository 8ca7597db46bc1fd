"""States larger than an item."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.measuring import require
from benchmarks.texts import long_text
from benchmarks.values import checkpoint, config, metadata
from benchmarks.workloads.kinds import Workload

if TYPE_CHECKING:
    from benchmarks.measuring import Bench

_MEGABYTE = 1_000_000


def _large(megabytes: int, kind: str, bench: Bench) -> None:
    size = megabytes * _MEGABYTE
    value = long_text(size) if kind == "text" else random.Random(1).randbytes(size)  # noqa: S311 - data
    state = checkpoint(value=value)
    with bench.measured("put"):
        bench.face.put(config("large"), state, metadata())
    with bench.measured("get_tuple"):
        found = bench.face.get_tuple(config("large"))
    require(found and found.checkpoint["channel_values"]["value"], value, "the value")


STATES = tuple(
    Workload(
        f"large-{megabytes}-{kind}",
        f"A state of {megabytes} MB, {'text' if kind == 'text' else 'random bytes'}",
        partial(_large, megabytes, kind),
        quick=megabytes == 1,
    )
    for megabytes in (1, 10)
    for kind in ("bytes", "text")
)

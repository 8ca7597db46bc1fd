"""States larger than an item."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.measuring import require
from benchmarks.texts import chat, long_text
from benchmarks.values import checkpoint, config, metadata
from benchmarks.workloads.base import WITH_INCREMENTAL, Workload

if TYPE_CHECKING:
    from benchmarks.measuring import Bench

_MEGABYTE = 1_000_000
_MESSAGES = (200_000, 1_000_000)
"""Bytes of text in a chat."""


def _large(megabytes: int, kind: str, bench: Bench) -> None:
    size = megabytes * _MEGABYTE
    value = long_text(size) if kind == "text" else random.Random(1).randbytes(size)  # noqa: S311 - data
    state = checkpoint(value=value)
    with bench.measured("put"):
        bench.calls.put(config("large"), state, metadata())
    with bench.measured("get_tuple"):
        found = bench.calls.get_tuple(config("large"))
    require(found and found.checkpoint["channel_values"]["value"], value, "the value")


def _one_message(size: int, bench: Bench) -> None:
    messages = chat(size)
    at, count = config("grown"), 10
    for number in range(count):
        at = bench.calls.put(at, checkpoint(messages=messages[: number - count]), metadata(number))
    with bench.measured("put with one message more"):
        bench.calls.put(at, checkpoint(messages=messages), metadata(count))
    with bench.measured("get_tuple, of the process that stored it"):
        found = bench.calls.get_tuple(config("grown"))
    require(found and found.checkpoint["channel_values"]["messages"], messages, "the messages")
    bench.calls.forget()
    with bench.measured("get_tuple, of another"):
        bench.calls.get_tuple(config("grown"))
    bench.calls.forget()
    with bench.measured("list the newest 10, of another"):
        listed = bench.calls.list(config("grown"), 10)
    require(len(listed), 10, "checkpoints listed")


STATES = (
    *(
        Workload(
            f"large-{megabytes}-{kind}",
            f"A state of {megabytes} MB, {'text' if kind == 'text' else 'random bytes'}",
            partial(_large, megabytes, kind),
            quick=megabytes == 1,
        )
        for megabytes in (1, 10)
        for kind in ("bytes", "text")
    ),
    *(
        Workload(
            f"message-{size // 1000}",
            f"A state of {size // 1000} KB to which a message is added",
            partial(_one_message, size),
            # The floor lists what fits a page.
            tuple(name for name in WITH_INCREMENTAL if name != "raw"),
            quick=size == _MESSAGES[0],
        )
        for size in _MESSAGES
    ),
)

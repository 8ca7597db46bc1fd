"""Measures the cost of growing threads by kind of compression. `make compression` prints tables.

Measures the saver's own plans; stores nothing. Units cover only checkpoints: their items, parts
and bases. Reads are those of a process that has not read the thread before.
"""

from __future__ import annotations

import random
import sys
import time
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph_checkpoint_dynamodb.format.addressing import Address
from langgraph_checkpoint_dynamodb.format.expiry import Stamp
from langgraph_checkpoint_dynamodb.format.sizes import item_size, write_units
from langgraph_checkpoint_dynamodb.items.bases import plan_checkpoint
from langgraph_checkpoint_dynamodb.items.codec import encode_checkpoint
from langgraph_checkpoint_dynamodb.ops.memory import MEMORY_BYTES, Memory
from langgraph_checkpoint_dynamodb.payloads.compression import ZSTD_LEVEL, compress, difference
from langgraph_checkpoint_dynamodb.payloads.kinds import stored_bytes
from langgraph_checkpoint_dynamodb.settings.values import payload_policy
from tests.support.compressing import fastest
from tests.support.corpus import chat, repository_text
from tests.support.values import checkpoint, metadata

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph_checkpoint_dynamodb.items.values import ItemPlan

WAYS = (None, "gzip", "zstd", "incremental")
PUTS = 3
"""Checkpoints per turn: LangGraph stores one for the input and one for each step."""
WRITE_DOLLARS = 0.625e-6
"""The price of a write unit on demand in us-east-1, https://aws.amazon.com/dynamodb/pricing/on-demand/."""
_PART_BYTES = 200
"""Approximate size of the keys of a part."""
_QUESTION, _ANSWER, _TOOL = 200, 1_000, 2_000


@dataclass
class Growth:
    """The cost of a thread.

    Attributes:
        write_units: Units to store all of its checkpoints.
        read_units: Units to read its newest checkpoint, strongly consistent.
        milliseconds: The time to plan all of its checkpoints, mostly for compression.
    """

    write_units: int = 0
    read_units: int = 0
    milliseconds: float = 0.0

    @property
    def dollars(self) -> float:
        """The price of the write units of a thousand such threads."""
        return 1000 * self.write_units * WRITE_DOLLARS


_corpus = cache(repository_text)


@cache
def text(length: int, seed: int) -> str:
    """A piece of the corpus, chosen by the seed."""
    whole = _corpus()
    start = random.Random(seed).randrange(len(whole) - length)  # noqa: S311 - data, not a secret
    return whole[start : start + length]


def chatting(step: int) -> dict[str, Any]:
    """A state that gains a question and an answer in each turn."""
    pieces = [text((_QUESTION, _ANSWER)[number % 2], number) for number in range(2 + step // PUTS)]
    return {"messages": chat(pieces)}


def calling_tools(step: int) -> dict[str, Any]:
    """A state that gains a message of 2 KB in each step, like the results of tools."""
    return {"messages": chat([text(_TOOL, number) for number in range(1 + step)])}


def keeping_a_document(step: int) -> dict[str, Any]:
    """A state with an unchanged document and a counter."""
    return {"document": text(200_000, 0), "count": step}


KINDS: dict[str, Callable[[int], dict[str, Any]]] = {
    "chat": chatting,
    "a message of 2 KB a step": calling_tools,
    "a document of 200 KB, a counter": keeping_a_document,
}
TURNS = {
    "chat": (30, 100, 300),
    "a message of 2 KB a step": (100,),
    "a document of 200 KB, a counter": (100,),
}


def grow(kind: str, turns: int, way: str | None) -> Growth:
    """Plan all checkpoints of a thread, as a single process does."""
    policy = payload_policy(compression=way, s3_offload_config=None, max_value_bytes=2**26)
    memory, serde, growth = Memory(MEMORY_BYTES), JsonPlusSerializer(), Growth()
    parent: str | None = None
    for step in range(turns * PUTS):
        made = checkpoint(f"{step:06}", **KINDS[kind](step))
        address = Address("thread", "", parent)
        record = encode_checkpoint(serde, address, made, metadata(step=step))
        before = None if parent is None else memory.progress(address.ref(parent))
        stamp = Stamp(f"{step:016x}", 0)
        start = time.perf_counter()
        plan = plan_checkpoint(record, policy, stamp, before, memory.can_keep_base)
        growth.milliseconds += 1000 * (time.perf_counter() - start)
        growth.write_units += _units(plan.planned) + (0 if plan.base is None else _units(plan.base))
        memory.remember_progress(record.ref, plan.progress, 0)
        parent = made["id"]
        growth.read_units = _read_units(item_size(plan.planned.put.item)) + sum(
            _read_units(len(part.data) + _PART_BYTES) for part in plan.planned.parts
        )
        if plan.progress is not None:
            growth.read_units += _read_units(stored_bytes(plan.progress.base.payload) + _PART_BYTES)
    return growth


def _units(planned: ItemPlan) -> int:
    parts = sum(write_units(len(part.data) + _PART_BYTES) for part in planned.parts)
    # An item that refers to parts is written in a transaction, at twice the units.
    return write_units(item_size(planned.put.item)) * (2 if planned.parts else 1) + parts


def _read_units(size: int) -> int:
    return -(-size // 4096)


def digested(base: bytes, data: bytes) -> bytes:
    """The difference as Zstandard computes it with a dictionary digested in advance."""
    known = zstd.ZstdDict(base, is_raw=True).as_digested_dict
    return zstd.compress(data, level=ZSTD_LEVEL, zstd_dict=known)


def print_differences() -> None:
    """Print the size of a change in ten places of a text, one percent in total."""
    ways = ("whole", "difference", "with a digested dictionary")
    print("| state | " + " | | ".join(ways) + " | |\n|---|" + "---:|---:|" * len(ways))
    for size in (20_000, 200_000, 1_000_000, 4_000_000):
        drawn = random.Random(size)  # noqa: S311 - data, not a secret
        words = [drawn.randbytes(4).hex()[: drawn.randint(2, 8)] for _ in range(4_000)]
        base = " ".join(drawn.choice(words) for _ in range(size // 4)).encode()[:size]
        changed = bytearray(base)
        for _ in range(10):
            at = drawn.randrange(size - size // 1000)
            changed[at : at + size // 1000] = drawn.randbytes(size // 2000).hex().encode()
        data = bytes(changed)
        cells = []
        for work in (
            partial(compress, "zstd", data),
            partial(difference, base, data),
            partial(digested, base, data),
        ):
            packed, took = fastest(work)
            cells.append(f"{len(packed):,} bytes | {took:.2f} ms")
        print(f"| {size / 1000:,.0f} KB | " + " | ".join(cells) + " |")


def main() -> None:
    """Print both tables."""
    print_differences()
    print(
        f"\nzstd at level {ZSTD_LEVEL}. Dollars are of a thousand threads, for checkpoints alone.\n"
    )
    print("| state | turns | way | write units | read units | ms | dollars |")
    print("|---|---:|---|---:|---:|---:|---:|")
    for kind in KINDS:
        for turns in TURNS[kind]:
            for way in WAYS:
                found = grow(kind, turns, way)
                print(
                    f"| {kind} | {turns} | {way or 'as it is'} | {found.write_units:,} "
                    f"| {found.read_units:,} | {found.milliseconds:,.0f} | {found.dollars:,.2f} |"
                )


if __name__ == "__main__":
    main()

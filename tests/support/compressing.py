"""Measures compression on real text. `make compression` prints a table for the page on costs.

The text is that of `corpus`, as chat messages.
"""

from __future__ import annotations

import sys
import time
import zlib
from functools import partial
from typing import TYPE_CHECKING

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph_checkpoint_dynamodb.payloads.compression import GZIP_LEVEL, ZSTD_LEVEL
from tests.support.corpus import chat, repository_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SIZES = (10_000, 200_000, 1_000_000)
"""Bytes of serialized state."""
GZIP_LEVELS = (1, 6, 9)
ZSTD_LEVELS = (1, 3, 9, 19)
_GZIP_FRAME = 31
_MESSAGE = 1_000
"""Characters per message."""
_SECONDS = 0.5
"""Seconds to measure each figure; the fastest run counts."""


def states() -> Iterator[bytes]:
    """Serialized states of about the sizes in `SIZES`."""
    text = repository_text()
    pieces = [text[at : at + _MESSAGE] for at in range(0, len(text), _MESSAGE)]
    serde = JsonPlusSerializer()
    for size in SIZES:
        count = 1
        while len(data := serde.dumps_typed({"messages": chat(pieces[:count])})[1]) < size:
            if count > len(pieces):
                raise SystemExit(f"there are only {len(data)} bytes of text, {size} are asked for")
            count += 1 + count // 20
        yield data


def fastest(work: Callable[[], bytes]) -> tuple[bytes, float]:
    """The result and the milliseconds of the fastest run."""
    end = time.perf_counter() + _SECONDS
    best = float("inf")
    while time.perf_counter() < end:
        start = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - start)
    return result, 1000 * best


def gzip(data: bytes, level: int) -> bytes:
    """Compress with gzip, as `compression.compress` does."""
    packer = zlib.compressobj(level, zlib.DEFLATED, _GZIP_FRAME)
    return packer.compress(data) + packer.flush()


def gunzip(packed: bytes) -> bytes:
    """Decompress gzip data."""
    return zlib.decompress(packed, _GZIP_FRAME)


def unzstd(packed: bytes) -> bytes:
    """Decompress Zstandard data."""
    return zstd.decompress(packed)


def main() -> None:
    """Print the table."""
    used = (("gzip", GZIP_LEVEL), ("zstd", ZSTD_LEVEL))
    codecs = [
        *(("gzip", level, partial(gzip, level=level), gunzip) for level in GZIP_LEVELS),
        *(("zstd", level, partial(zstd.compress, level=level), unzstd) for level in ZSTD_LEVELS),
    ]
    print("| state | codec and level | packed to | pack | unpack |\n|---|---|---|---|---|")
    for data in states():
        for name, level, pack, unpack in codecs:
            packed, packing = fastest(partial(pack, data))
            _, unpacking = fastest(partial(unpack, packed))
            chosen = ", used" if (name, level) in used else ""
            print(
                f"| {len(data) / 1000:,.0f} KB | {name} {level}{chosen} "
                f"| {len(packed) / len(data):.0%} | {packing:.2f} ms | {unpacking:.2f} ms |"
            )


if __name__ == "__main__":
    main()

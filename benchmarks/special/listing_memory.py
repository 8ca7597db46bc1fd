"""Memory while a long history is listed: it must not grow with the number of checkpoints listed.

`python -m benchmarks.special.listing_memory API CHECKPOINTS URL` prints the figures as JSON.
Another process has filled the table before.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
from langgraph.checkpoint.base.id import uuid6

from benchmarks.contenders.base import REGION
from benchmarks.contenders.savers import OUR_TABLES
from benchmarks.environment import prepare_environment
from benchmarks.measuring import peak, require, reset_peak
from benchmarks.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

_BYTES = 50_000
_BATCH = 25
_MEBI = 1024 * 1024


def main() -> None:
    """List a thread by the API (sync or async) that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("api", choices=["sync", "async"])
    parser.add_argument("checkpoints", type=int)
    parser.add_argument("url")
    asked = parser.parse_args()
    prepare_environment()
    where = {**OUR_TABLES, "endpoint_url": asked.url}
    # A tenth in, what every listing needs is there; from then on nothing may be added.
    watch = _Watch(asked.checkpoints // 10)
    if asked.api == "sync":
        _list(where, watch)
    else:
        asyncio.run(_alist(where, watch))
    require(watch.count, asked.checkpoints, "checkpoints listed")
    json.dump(watch.figures(), sys.stdout)


class _Watch:
    """Looks at the peak of memory while checkpoints go by."""

    def __init__(self, early: int) -> None:
        self.count = 0
        self._early = early
        self._before = reset_peak()
        self._early_peak = 0
        self._start = time.perf_counter()

    def see(self, found: Any) -> None:
        """Count a checkpoint, and forget it."""
        require(len(found.checkpoint["channel_values"]["value"]), _BYTES, "bytes of a value")
        self.count += 1
        if self.count == self._early:
            self._early_peak = peak()

    def figures(self) -> dict[str, float]:
        """Peaks above what was there before, in MB, and seconds."""
        return {
            "early": (self._early_peak - self._before) / _MEBI,
            "end": (peak() - self._before) / _MEBI,
            "seconds": time.perf_counter() - self._start,
        }


def _list(where: dict[str, Any], watch: _Watch) -> None:
    from langgraph_checkpoint_dynamodb import DynamoDBSaver

    with DynamoDBSaver(**where) as saver:
        for found in saver.list(config("long")):
            watch.see(found)


async def _alist(where: dict[str, Any], watch: _Watch) -> None:
    from langgraph_checkpoint_dynamodb.aio import AsyncDynamoDBSaver

    async with AsyncDynamoDBSaver(**where) as saver:
        async for found in saver.alist(config("long")):
            watch.see(found)


def fill(url: str, count: int) -> None:
    """Store one checkpoint with the saver, and the others as its likes with other ids."""
    from langgraph_checkpoint_dynamodb import DynamoDBSaver

    client = boto3.Session(region_name=REGION).client("dynamodb", endpoint_url=url)
    table = OUR_TABLES["checkpoints_table_name"]
    with DynamoDBSaver(**OUR_TABLES, endpoint_url=url) as saver:
        saver.setup()
        value = random.Random(1).randbytes(_BYTES)  # noqa: S311 - data, no secret
        saver.put(config("long"), checkpoint(value=value), metadata(), {})
    (item,) = client.scan(TableName=table)["Items"]

    def store(batch: list[Any]) -> None:
        client.batch_write_item(RequestItems={table: batch})

    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(store, _batches(item, count - 1)):
            pass
    client.close()


def _batches(item: Any, count: int) -> Iterator[list[Any]]:
    for start in range(0, count, _BATCH):
        yield [
            {"PutRequest": {"Item": {**item, "checkpoint_id": {"S": str(uuid6())}}}}
            for _ in range(min(_BATCH, count - start))
        ]


if __name__ == "__main__":
    main()

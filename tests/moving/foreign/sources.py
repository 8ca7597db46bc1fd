"""Other packages, what they store, and how to read it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.base import CheckpointTuple
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph_checkpoint_dynamodb.format.addressing import to_config
from langgraph_checkpoint_dynamodb.moving import (
    AmazonDynamodbTable,
    CheckpointAwsTable,
    DynamodbCheckpointTable,
    fill_saver,
)
from tests.support.recorded import as_base64, restore_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langgraph_checkpoint_dynamodb.moving.foreign.source import ForeignTable
    from tests.support.buckets import Bucket
    from tests.support.engines import Engine

HERE = Path(__file__).parent
PACKAGES = Path(".older")
"""Where the Makefile installs the packages, each in its own environment."""
_BATCH = 25

Item = dict[str, Any]


def live() -> bool:
    """Whether to run the packages themselves instead of using the recorded items."""
    return bool(os.environ.get("TEST_OLDER"))


@dataclass(frozen=True)
class Stored:
    """What a package has stored.

    Attributes:
        items: The items of its table.
        objects: Its S3 objects, by key.
        expected: Lines with what it was asked to store.
        returned: What its own saver lists of each thread: namespace, id, and task and channel of
            each write; or the name of the error that it raises.
    """

    items: Sequence[Item]
    objects: dict[str, bytes]
    expected: list[str]
    returned: dict[str, Any] = field(repr=False)

    @cached_property
    def records(self) -> dict[tuple[str, str, str], Item]:
        """The expected lines by thread, namespace and id."""
        records = map(json.loads, self.expected[1:-1])
        names = ("thread_id", "checkpoint_ns", "checkpoint_id")
        return {tuple(one[name] for name in names): one for one in records}

    def tuples(self, thread_id: str) -> dict[tuple[str, str], CheckpointTuple]:
        """The expected checkpoints of a thread, by namespace and id."""
        return {
            place[1:]: _tuple_of(place, record)
            for place, record in self.records.items()
            if place[0] == thread_id
        }

    @property
    def thread_ids(self) -> list[str]:
        """The threads."""
        return list(self.returned)

    def in_memory(self) -> InMemorySaver:
        """A saver of LangGraph with the same contents."""
        saver = InMemorySaver()
        fill_saver(saver, self.expected)
        return saver


@dataclass(frozen=True)
class ForeignWriter:
    """A saver of another package.

    Attributes:
        name: Its name in `writers/foreign.py`.
        package: The package with its version, as the Makefile installs it.
        reader: The class that reads its table.
    """

    name: str
    package: str
    reader: type[ForeignTable]

    @property
    def offloads(self) -> bool:
        """Whether it also stores in S3."""
        return self.name.endswith("offloaded")

    def write(self, engine: Engine, client: Any, bucket: Bucket) -> Stored:
        """Its items in a fresh table."""
        home = PACKAGES / self.package
        if not home.exists():
            raise RuntimeError(f"{self.package} is not installed in {home}; see make older-writers")
        table_name = f"foreign-{os.getpid()}-{self.name}"
        make_table(client, table_name)
        named = [self.name, engine.url, table_name]
        if self.offloads:
            named += [bucket.url, bucket.name]
        done = subprocess.run(  # noqa: S603 - our own script
            [str(home / "bin/python"), str(HERE / "writers/foreign.py"), *named],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{self.name} could not write: {done.stderr}")
        pages = client.get_paginator("scan").paginate(TableName=table_name, ConsistentRead=True)
        items = [item for page in pages for item in page["Items"]]
        client.delete_table(TableName=table_name)
        return Stored(items, bucket.objects() if self.offloads else {}, **json.loads(done.stdout))

    def source(self, table_name: str, bucket: Bucket | None = None, **reach: Any) -> ForeignTable:
        """A source for a table that it has filled."""
        if self.offloads and bucket is not None:
            reach["s3_client"] = bucket.client
            reach["s3_offload_config"] = {"bucket_name": bucket.name, "key_prefix": "an/app"}
        return self.reader(table_name, **reach)

    @property
    def recorded(self) -> Path:
        """The file with its recorded items."""
        return HERE / "recorded" / f"{self.name}.json"

    def record(self, stored: Stored) -> None:
        """Record what it has stored."""
        items = sorted(stored.items, key=lambda item: (item["PK"]["S"], item["SK"]["S"]))
        lines = [json.dumps(item, sort_keys=True, default=as_base64) for item in items]
        rest = {
            "objects": {key: as_base64(data) for key, data in sorted(stored.objects.items())},
            "returned": stored.returned,
            "expected": stored.expected,
        }
        text = ",\n".join([*lines, json.dumps(rest)])
        self.recorded.write_text(f"[{text}]\n")

    def read_recorded(self) -> Stored:
        """The recorded items."""
        *items, rest = json.loads(self.recorded.read_text())
        for item in items:
            for attribute in item.values():
                restore_bytes(attribute)
        objects = {key: base64.b64decode(data) for key, data in rest["objects"].items()}
        return Stored(items, objects, rest["expected"], rest["returned"])


def _tuple_of(place: tuple[str, str, str], record: Item) -> CheckpointTuple:
    parent_id = record["parent_checkpoint_id"]
    return CheckpointTuple(
        config=to_config(*place),
        checkpoint=_loaded(record["checkpoint"]),
        metadata=_loaded(record["metadata"]),
        parent_config=None if parent_id is None else to_config(*place[:2], parent_id),
        pending_writes=[
            (task["task_id"], channel, _loaded(typed))
            for task in record["tasks"]
            for channel, *typed in task["writes"]
        ],
    )


def _loaded(typed: Sequence[str]) -> Any:
    return JsonPlusSerializer().loads_typed((typed[0], base64.b64decode(typed[1])))


_AWS = "langgraph-checkpoint-aws@1.2.6"
WRITERS = (
    ForeignWriter("checkpoint-aws", _AWS, CheckpointAwsTable),
    ForeignWriter("checkpoint-aws-offloaded", _AWS, CheckpointAwsTable),
    ForeignWriter(
        "dynamodb-checkpoint", "langgraph-dynamodb-checkpoint@0.5.0", DynamodbCheckpointTable
    ),
    ForeignWriter(
        "amazon-dynamodb", "langgraph-checkpoint-amazon-dynamodb@0.1.3", AmazonDynamodbTable
    ),
)


def make_table(client: Any, table_name: str) -> None:
    """Create a table with the schema of all these packages."""
    client.create_table(
        TableName=table_name,
        KeySchema=[
            {"AttributeName": "PK", "KeyType": "HASH"},
            {"AttributeName": "SK", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("PK", "SK")],
        BillingMode="PAY_PER_REQUEST",
    )


def put_items(client: Any, table_name: str, items: Sequence[Item]) -> None:
    """Put items into a table."""
    for start in range(0, len(items), _BATCH):
        batch = [{"PutRequest": {"Item": item}} for item in items[start : start + _BATCH]]
        reply = client.batch_write_item(RequestItems={table_name: batch})
        assert not reply.get("UnprocessedItems")

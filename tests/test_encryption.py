"""An encrypting serde: no stored value is readable, wherever it is stored."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any, cast

import pytest
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph_checkpoint_dynamodb.format.parts import content_digest
from tests.support.calls import AsyncCalls, SyncCalls
from tests.support.tables import with_payloads
from tests.support.values import checkpoint, config, metadata, new_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.buckets import Bucket
    from tests.support.calls import Calls, LoopThread
    from tests.support.savers import Saver
    from tests.support.tables import Tables

MARKER = "plaintext-that-must-not-be-stored"
KEY = b"0123456789abcdef"
SECRET = f"{MARKER} " * 100
"""It compresses well: compressed before encryption, it would be small."""
TASK = "task"
ERROR = "__error__"

CLEAR = {
    *("thread_id", "checkpoint_id", "checkpoint_ns", "parent_checkpoint_id", "type", "run_id"),
    *("thread_id_checkpoint_id_checkpoint_ns", "task_id_idx", "channel", "task_path"),
    *("bucket", "object_key", "created", "expires", "ttl", "deleted"),
    *("checkpoint_payload", "metadata_payload", "value_payload"),
}
"""What stays readable: keys, names, times, and the places and sizes of values."""
ENCRYPTED = {"checkpoint", "metadata", "value", "chunk"}


def in_items(tables: Tables, _: Bucket, more: dict[str, Any]) -> Saver:
    return tables.saver(**more)


def in_chunks(tables: Tables, _: Bucket, more: dict[str, Any]) -> Saver:
    return with_payloads(tables.saver(**more), inline_limit=300, chunk_bytes=500)


def in_s3(tables: Tables, bucket: Bucket, more: dict[str, Any]) -> Saver:
    return tables.saver(s3_offload_config=bucket.config(), **more)


OUTSIDE: dict[str, Callable[[Tables, Bucket, dict[str, Any]], Saver]] = {
    "inline": in_items,
    "chunks": in_chunks,
    "s3": in_s3,
}
SETTINGS: dict[str, dict[str, Any]] = {
    "plainly": {},
    "gzip": {"compression": "gzip"},
    "zstd": {"compression": "zstd"},
    "ttl": {"ttl_seconds": 1000, "run_id_index": "runs"},
    "zstd and ttl": {"compression": "zstd", "ttl_seconds": 1000},
}


def live_secretly(calls: Calls) -> None:
    """Store a secret in every place, more than once, and read it back each time."""
    for thread_id, checkpoint_ns in (("t", "node:1"), ("t" * 1500, "n" * 1000)):
        parent = config(thread_id, checkpoint_ns)
        for step in range(2):
            made = checkpoint(new_id(step), secret=SECRET)
            described = metadata(step=step, note=SECRET, run_id="run")
            writes = [("log", SECRET), ("small", MARKER), (ERROR, SECRET)]
            # Twice: the second replaces the first.
            for _ in range(2):
                stored = calls.put(parent, made, described, {})
                calls.put_writes(stored, writes, TASK, "path")
            parent = stored
            found = calls.get_tuple(stored)
            assert found is not None
            assert found.checkpoint == made
            assert found.metadata == described
            assert found.pending_writes == [(TASK, *write) for write in (writes[2], *writes[:2])]
            sought = {"step": step, "note": SECRET}
            listed = list(calls.list(config(thread_id, checkpoint_ns), filter=sought))
            assert listed == [found]
        history = calls.get_delta_channel_history(config=parent, channels=["log", "secret"])
        assert history["log"]["writes"] == [(TASK, "log", SECRET)]
        assert history["secret"]["seed"] == SECRET
    calls.copy_thread("t", "copy")
    calls.prune(["t"])
    copied = calls.get_tuple(config("copy", "node:1"))
    assert copied is not None
    assert copied.checkpoint["channel_values"] == {"secret": SECRET}


def stored_values(tables: Tables, bucket: Bucket) -> Iterator[tuple[str, bytes]]:
    """Every stored byte: each attribute of each item by name, and each object with its key."""

    def flat(typed: Any) -> Iterator[bytes]:
        for value in typed.values():
            if isinstance(value, dict):
                for name, inner in value.items():
                    yield name.encode()
                    yield from flat(inner)
            elif isinstance(value, list):
                yield from (data for inner in value for data in flat(inner))
            else:
                yield value if isinstance(value, bytes) else str(value).encode()

    for item in cast("Any", (*tables.checkpoint_items(), *tables.write_items())):
        attributes = [pair for pair in item.items() if pair[0] != "writes"]
        for entry in item.get("writes", {"L": []})["L"]:
            attributes += zip(("task_id_idx", "channel", "type", "value"), entry["L"], strict=False)
        for name, typed in attributes:
            yield from ((name, data) for data in flat(typed))
    for key, data in bucket.objects().items():
        yield "object", data
        yield "key", key.encode()
        head = bucket.client.head_object(Bucket=bucket.name, Key=key)
        yield "head", str({name: head.get(name) for name in ("Metadata", "ContentType")}).encode()


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("chosen", "face"),
    [*zip(SETTINGS, cycle(["sync", "async"]), strict=False), ("plainly", "async")],
)
@pytest.mark.parametrize("outside", OUTSIDE)
def test_an_encrypted_value_can_be_read_nowhere_it_is_stored_and_comes_back(
    tables: Tables, bucket: Bucket, loop_thread: LoopThread, outside: str, chosen: str, face: str
) -> None:
    serde = EncryptedSerializer.from_pycryptodome_aes(key=KEY)
    tables.set_up(run_id_index="runs")
    with OUTSIDE[outside](tables, bucket, {"serde": serde, **SETTINGS[chosen]}) as saver:
        calls = SyncCalls(saver) if face == "sync" else AsyncCalls(saver, loop_thread)
        live_secretly(calls)
        stored = list(stored_values(tables, bucket))
    assert [name for name, data in stored if MARKER.encode() in data] == []
    names = {name for name, _ in stored}
    assert names <= CLEAR | ENCRYPTED | {"object", "key", "head"}
    assert {"inline": "value", "chunks": "chunk", "s3": "object"}[outside] in names
    types = {data for name, data in stored if name == "type"}
    assert types
    assert all(data.endswith(b"+aes") for data in types)
    # Ciphertext does not compress: the marker is hidden by the cipher, not by compression.
    assert [data for name, data in stored if data == b"codec"] == []
    # A digest does not reveal either whether two values are equal, or whether a guess is right.
    plain = content_digest(JsonPlusSerializer().dumps_typed(SECRET)[1])
    assert [name for name, data in stored if plain.encode() in data] == []


@pytest.mark.sample(1)
@pytest.mark.parametrize("outside", OUTSIDE)
def test_without_the_cipher_the_same_values_can_be_read_in_every_such_place(
    tables: Tables, bucket: Bucket, outside: str
) -> None:
    tables.set_up()
    with OUTSIDE[outside](tables, bucket, {}) as saver:
        live_secretly(SyncCalls(saver))
    stored = list(stored_values(tables, bucket))
    shown = {name for name, data in stored if MARKER.encode() in data}
    # The small value stays in its item if only large values are stored outside.
    expected: dict[str, set[str]] = {
        "inline": {"checkpoint", "metadata", "value"},
        "chunks": {"chunk", "value"},
        "s3": {"object"},
    }
    assert shown == expected[outside]
    plain = content_digest(JsonPlusSerializer().dumps_typed(SECRET)[1])
    assert any(plain.encode() in data for _, data in stored) is (outside != "inline")


@pytest.mark.parametrize("outside", ["chunks", "s3"])
def test_the_same_value_encrypted_twice_is_stored_under_two_digests(
    tables: Tables, bucket: Bucket, outside: str
) -> None:
    tables.set_up()
    serde = EncryptedSerializer.from_pycryptodome_aes(key=KEY)
    with OUTSIDE[outside](tables, bucket, {"serde": serde}) as saver:
        address = config("t", checkpoint_id="1")
        saver.put_writes(address, [("a", SECRET), ("b", SECRET)], TASK)
    described = [
        one["M"]["digest"]["S"]
        for item in cast("Any", tables.write_items())
        for place, one in item.get("value_payload", {"M": {}})["M"].items()
        if place != "kind"
    ]
    assert len(set(described)) == 2

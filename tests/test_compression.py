"""Compressed values: used if they save units, readable with any setting, and size-limited."""

from __future__ import annotations

import gzip
import random
import sys
from importlib import import_module
from itertools import product
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langgraph_checkpoint_dynamodb import InvalidInputError, UnreadableItemError
from langgraph_checkpoint_dynamodb.format.sizes import item_size, write_units
from langgraph_checkpoint_dynamodb.payloads.compression import (
    CODECS,
    Codec,
    DecompressionError,
    MissingCodecError,
    compress,
    decompress,
    require_codec,
)
from tests.support.calls import AsyncCalls, SyncCalls
from tests.support.tables import with_payloads
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_core.runnables import RunnableConfig

    from tests.support.buckets import Bucket
    from tests.support.calls import Calls, LoopThread
    from tests.support.tables import Tables

TASK = "task"
ZSTD = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
SETTINGS = (None, *CODECS)
VALUES = ("checkpoint", "metadata", "value")

every_codec = pytest.mark.parametrize("codec", CODECS)


def noise(size: int) -> bytes:
    """Incompressible bytes."""
    return random.Random(size).randbytes(size)  # noqa: S311 - no secret


def text(size: int) -> bytes:
    """Bytes that compress to about half: enough to save, and still large."""
    return noise(size // 2).hex().encode()


def without_zstd(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without Zstandard."""
    package, _, name = ZSTD.rpartition(".")
    monkeypatch.delattr(import_module(package), name, raising=False)
    monkeypatch.setitem(sys.modules, ZSTD, None)


# --- the codecs ---


@every_codec
@given(data=st.binary(max_size=2000) | st.integers(0, 300_000).map(bytes))
def test_what_is_packed_unpacks_to_itself_and_packs_the_same_again(
    codec: Codec, data: bytes
) -> None:
    packed = compress(codec, data)
    assert decompress(codec, packed, len(data)) == data
    assert compress(codec, data) == packed


@every_codec
@pytest.mark.parametrize("size", [0, 1, 999, 1001, 10**12])
def test_a_size_that_is_not_the_true_one_is_refused(codec: Codec, size: int) -> None:
    with pytest.raises(DecompressionError, match=f"{size} bytes"):
        decompress(codec, compress(codec, bytes(1000)), size)


@every_codec
def test_a_bomb_is_not_unpacked_beyond_the_size_it_claims(
    codec: Codec, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = compress(codec, bytes(50_000_000))
    assert len(bomb) < 100_000
    unpacked: list[int] = []
    name, attribute = {"gzip": ("zlib", "decompressobj"), "zstd": (ZSTD, "ZstdDecompressor")}[codec]
    module: Any = import_module(name)
    make = getattr(module, attribute)

    class Watched:
        def __init__(self, *arguments: Any) -> None:
            self._unpacker = make(*arguments)

        def decompress(self, *arguments: Any) -> bytes:
            data: bytes = self._unpacker.decompress(*arguments)
            unpacked.append(len(data))
            return data

        def __getattr__(self, name: str) -> Any:
            return getattr(self._unpacker, name)

    monkeypatch.setattr(module, attribute, Watched)
    with pytest.raises(DecompressionError):
        decompress(codec, bomb, 1000)
    assert 0 < max(unpacked) <= 1001


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut short": lambda packed: packed[:-1],
    "cut by half": lambda packed: packed[: len(packed) // 2],
    "the header alone": lambda packed: packed[:10],
    "with something after it": lambda packed: packed + b"\0",
    "twice": lambda packed: packed + packed,
    "with a bit turned in its check sum": lambda packed: packed[:-1] + bytes([packed[-1] ^ 1]),
    "with a bit turned in the middle": lambda packed: (
        packed[: len(packed) // 2]
        + bytes([packed[len(packed) // 2] ^ 1])
        + packed[len(packed) // 2 + 1 :]
    ),
    "something else": lambda _: b"something else",
}


@every_codec
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_data_is_refused(codec: Codec, damage: str) -> None:
    data = text(3000)
    damaged = DAMAGES[damage](compress(codec, data))
    with pytest.raises(DecompressionError):
        decompress(codec, damaged, len(data))


@every_codec
def test_data_of_another_codec_is_refused(codec: Codec) -> None:
    (other,) = set(CODECS) - {codec}
    with pytest.raises(DecompressionError, match=codec):
        decompress(codec, compress(other, bytes(1000)), 1000)


@pytest.mark.parametrize("codec", ["", "rar", "GZIP", "zlib"])
def test_an_unknown_codec_is_refused_and_the_known_ones_are_named(codec: str) -> None:
    with pytest.raises(DecompressionError, match="gzip, zstd"):
        decompress(codec, b"data", 4)


def test_gzip_is_what_other_programs_read() -> None:
    assert gzip.decompress(compress("gzip", b"data" * 100)) == b"data" * 100
    assert decompress("gzip", gzip.compress(b"data" * 100), 400) == b"data" * 100


# --- Zstandard is not installed ---


def test_without_zstandard_only_zstd_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = compress("zstd", b"data")
    without_zstd(monkeypatch)
    for use in (
        lambda: require_codec("zstd"),
        lambda: compress("zstd", b"data"),
        lambda: decompress("zstd", packed, 4),
    ):
        with pytest.raises(MissingCodecError, match=r"pip install .backports\.zstd"):
            use()
    require_codec("gzip")
    assert decompress("gzip", compress("gzip", b"data"), 4) == b"data"


def test_zstd_without_zstandard_is_refused_when_the_saver_is_made(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_zstd(monkeypatch)
    with pytest.raises(InvalidInputError, match=r"pip install .backports\.zstd") as raised:
        tables.saver(compression="zstd")
    assert raised.value.field == "compression"
    tables.saver(compression="gzip").close()


@pytest.mark.parametrize("compression", ["", "GZIP", "lz4", 1, True, b"gzip", ["gzip"]])
def test_an_unknown_compression_is_refused_and_the_known_ones_are_named(
    tables: Tables, compression: object
) -> None:
    with pytest.raises(InvalidInputError, match="'gzip', 'zstd'") as raised:
        tables.saver(compression=compression)
    assert raised.value.field == "compression"


def test_what_zstd_has_packed_is_unreadable_without_zstandard_and_says_what_to_install(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = put_all(tables, text(10_000), compression="zstd")
    without_zstd(monkeypatch)
    with tables.saver() as saver, pytest.raises(UnreadableItemError) as raised:
        saver.get_tuple(stored)
    assert "backports.zstd" in str(raised.value)
    assert "'t'" in str(raised.value)


# --- by a saver ---


def put_all(tables: Tables, blob: bytes, **chosen: Any) -> RunnableConfig:
    """A checkpoint with a value in each place, stored by a saver with these settings."""
    tables.set_up()
    with tables.saver(**chosen) as saver:
        return put_by(SyncCalls(saver), blob)


def put_by(calls: Calls, blob: bytes) -> RunnableConfig:
    stored = calls.put(config("t"), checkpoint("1", blob=blob), metadata(blob=blob), {})
    calls.put_writes(stored, [("a", blob), ("b", blob)], TASK)
    return stored


def assert_whole(calls: Calls, stored: RunnableConfig, blob: bytes) -> None:
    """Every read of the checkpoint returns the value in each of its places."""
    for found in (
        calls.get_tuple(config("t")),
        calls.get_tuple(stored),
        *calls.list(config("t"), filter={"blob": blob}, limit=2),
    ):
        assert found is not None
        assert found.checkpoint["channel_values"] == {"blob": blob}
        assert dict(found.metadata)["blob"] == blob
        assert found.pending_writes == [(TASK, "a", blob), (TASK, "b", blob)]
    assert len(list(calls.list(config("t"), filter={"blob": blob}))) == 1


def items(tables: Tables) -> list[dict[str, Any]]:
    found = [*tables.checkpoint_items(), *tables.write_items()]
    return cast("list[dict[str, Any]]", found)


def descriptions(tables: Tables) -> list[tuple[str, dict[str, Any]]]:
    """The descriptions in items of values that are not stored there as they are."""
    found = []
    for item, name in product(items(tables), VALUES):
        description = item.get(f"{name}_payload", {"M": {}})["M"]
        if description.get("kind") == {"S": "writes"}:
            found += [(name, one["M"]) for key, one in description.items() if key != "kind"]
        elif description:
            found.append((name, description))
    return found


@pytest.mark.parametrize("face", ["sync", "async"])
@every_codec
def test_a_compressed_value_says_what_it_is_packed_with_and_how_large_it_was(
    tables: Tables, loop_thread: LoopThread, codec: Codec, face: str
) -> None:
    tables.set_up()
    blob = text(10_000)
    with tables.saver(compression=codec) as saver:
        calls = SyncCalls(saver) if face == "sync" else AsyncCalls(saver, loop_thread)
        stored = put_by(calls, blob)
        assert_whole(calls, stored, blob)
        sizes = {
            "checkpoint": len(saver.serde.dumps_typed(checkpoint("1", blob=blob))[1]),
            "metadata": len(saver.serde.dumps_typed(metadata(blob=blob))[1]),
            "value": len(blob),
        }
    described = descriptions(tables)
    assert sorted(name for name, _ in described) == ["checkpoint", "metadata", "value", "value"]
    for name, description in described:
        size = {"N": str(sizes[name])}
        assert description == {"kind": {"S": "inline"}, "codec": {"S": codec}, "raw_size": size}
    for name, data in ((n, item[n]["B"]) for item in items(tables) for n in VALUES if n in item):
        assert len(decompress(codec, data, sizes[name])) == sizes[name]
        assert len(data) < 0.6 * sizes[name]


@every_codec
@pytest.mark.parametrize(
    ("blob", "packed"),
    [
        pytest.param(b"", False, id="nothing"),
        pytest.param(bytes(750), False, id="an item of 900 bytes"),
        pytest.param(bytes(1200), True, id="an item of two units"),
        pytest.param(noise(50_000), False, id="noise"),
        pytest.param(noise(2400) + bytes(250), False, id="a few bytes less and no unit"),
        pytest.param(noise(1700) + bytes(1000), True, id="a unit less"),
        pytest.param(bytes(500_000), True, id="more than an item"),
        pytest.param(noise(500_000), False, id="more noise than an item"),
    ],
)
def test_a_value_is_compressed_only_where_that_saves_a_write_unit(
    tables: Tables, codec: Codec, blob: bytes, packed: bool
) -> None:
    tables.set_up()
    address = config("t", checkpoint_id="1")
    with tables.saver() as plain, tables.saver(compression=codec) as saver:
        plain.put_writes(address, [("a", blob)], "plain")
        saver.put_writes(address, [("a", blob)], "packing")
    written = {
        item["task_id_idx"]["S"].partition(":")[0]: item
        for item in cast("Any", tables.write_items())
        if "channel" in item
    }
    with_codec = ["codec" in item.get("value_payload", {"M": {}})["M"] for item in written.values()]
    assert with_codec == [packed if task == "packing" else False for task in written]
    if all("value" in item for item in written.values()):
        costs = {task: write_units(item_size(item)) for task, item in written.items()}
        assert (costs["packing"] < costs["plain"]) is packed
        assert (written["packing"]["value"] == written["plain"]["value"]) is not packed


OUTSIDE = ("inline", "chunks", "s3")


@pytest.mark.sample(7)
@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("reading", SETTINGS)
@pytest.mark.parametrize("writing", SETTINGS)
def test_a_value_is_read_whatever_the_setting_is_now(
    tables: Tables, bucket: Bucket, writing: Codec | None, reading: Codec | None, outside: str
) -> None:
    tables.set_up()
    blob = text(5000)
    s3 = {"s3_offload_config": bucket.config(1000)} if outside == "s3" else {}
    small = {"inline_limit": 800, "chunk_bytes": 500} if outside == "chunks" else {}
    with (
        tables.saver(compression=writing, **s3) as writer,
        tables.saver(compression=reading, **s3) as reader,
    ):
        stored = put_by(SyncCalls(with_payloads(writer, **small)), blob)
        kinds = {"inline": [], "chunks": ["chunks"] * 4, "s3": ["s3"] * 4}[outside]
        if outside == "inline" and writing is not None:
            kinds = ["inline"] * 4
        described = descriptions(tables)
        assert [description["kind"]["S"] for _, description in described] == kinds
        tags = {None if "codec" not in d else d["codec"]["S"] for _, d in described}
        assert tags == ({writing} if kinds else set())
        together = [
            one["L"] for item in items(tables) for one in item.get("writes", {"L": []})["L"]
        ]
        values = [value for item in items(tables) for value in item.values()]
        values += [value for entry in together for value in entry]
        held = [len(value["B"]) for value in values if "B" in value]
        held += [len(data) for data in bucket.objects().values()]
        assert (sum(held) < 0.7 * 4 * len(blob)) is (writing is not None)
        assert_whole(SyncCalls(reader), stored, blob)
        reader.copy_thread("t", "u")
        assert reader.get_tuple(config("u")) is not None
        writer.delete_thread("t")
        copied = writer.get_tuple(config("u"))
        assert copied is not None
        assert copied.checkpoint["channel_values"] == {"blob": blob}
        # Stored again with the current setting, it is as if it had always been stored so.
        writer.delete_thread("u")
        assert (items(tables), bucket.keys()) == ([], [])
        assert_whole(SyncCalls(writer), put_by(SyncCalls(reader), blob), blob)


# --- false descriptions ---


def another_size(change: Callable[[int], int]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda described: {"raw_size": {"N": str(change(int(described["raw_size"]["N"])))}}


LIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "one byte less": another_size(lambda size: size - 1),
    "one byte more": another_size(lambda size: size + 1),
    "nothing": another_size(lambda _: 0),
    "far more than the ceiling": another_size(lambda _: 10**15),
    "another codec": lambda described: {
        "codec": {"S": "zstd" if described["codec"]["S"] == "gzip" else "gzip"}
    },
    "an unknown codec": lambda _: {"codec": {"S": "rar"}},
}


@pytest.mark.sample(5)
@pytest.mark.parametrize("lie", LIES)
@every_codec
def test_a_description_that_lies_raises_and_says_of_what(
    tables: Tables, codec: Codec, lie: str
) -> None:
    put_all(tables, text(5000), compression=codec)
    with tables.saver() as saver:
        for item in items(tables):
            (value,) = (name for name in VALUES if f"{name}_payload" in item and name != "metadata")
            for name in {value, "metadata"} & item.keys():
                table = tables.writes if value == "value" else tables.checkpoints
                described = item[f"{name}_payload"]["M"]
                false = described | LIES[lie](described)
                changed = {**item, f"{name}_payload": {"M": false}}
                tables.client.put_item(TableName=table, Item=changed)
                for read in (saver.get_tuple, lambda asked: list(saver.list(asked))):
                    with pytest.raises(UnreadableItemError) as raised:
                        read(config("t"))
                    assert raised.value.attribute == name
                    assert "'t'" in str(raised.value)
                    hint = "max_value_bytes" in str(raised.value)
                    assert hint is (lie == "far more than the ceiling")
                tables.client.put_item(TableName=table, Item=cast("Any", item))
        assert saver.get_tuple(config("t")) is not None


@every_codec
@pytest.mark.parametrize("outside", OUTSIDE)
def test_no_value_is_unpacked_to_more_than_the_readers_ceiling(
    tables: Tables, bucket: Bucket, codec: Codec, outside: str
) -> None:
    tables.set_up()
    address = config("t", checkpoint_id="1")
    s3: Any = {"s3_offload_config": bucket.config()} if outside == "s3" else {}
    with tables.saver(compression=codec, **s3) as writer:
        if outside == "chunks":
            with_payloads(writer, inline_limit=300, chunk_bytes=200)
        writer.put(config("t"), checkpoint("1"), metadata(), {})
        writer.put_writes(address, [("a", text(5000))], TASK)
    with tables.saver(max_value_bytes=5000, **s3) as enough:
        found = enough.get_tuple(address)
        assert found is not None
        assert found.pending_writes == [(TASK, "a", text(5000))]
    with tables.saver(max_value_bytes=4999, **s3) as lower:
        with pytest.raises(UnreadableItemError, match="max_value_bytes") as raised:
            lower.get_tuple(address)
        assert raised.value.attribute == "value"

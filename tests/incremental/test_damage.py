"""A damaged difference or base raises an error that says so, and never returns a state."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb import MissingPartError, UnreadableItemError
from langgraph_checkpoint_dynamodb.format.parts import content_digest
from langgraph_checkpoint_dynamodb.payloads.compression import (
    DecompressionError,
    decompress,
    difference,
)
from tests.incremental.states import INCREMENTAL, grown, listed, put_steps, state_of, text
from tests.support.tables import sweep, with_payloads
from tests.support.values import config

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.clocks import Clock
    from tests.support.savers import Saver
    from tests.support.tables import Tables

Item = dict[str, Any]

FIELDS: dict[str, dict[str, Any]] = {
    "kind": {"missing": None, "unknown": {"S": "tape"}, "inline": {"S": "inline"}},
    "place": {"missing": None, "unknown": {"S": "tape"}, "itself": {"S": "difference"}},
    "codec": {"missing": None, "another": {"S": "gzip"}, "unknown": {"S": "brotli"}},
    "raw_size": {"missing": None, "smaller": {"N": "100"}, "bomb": {"N": str(2**40)}},
    "base_id": {
        "missing": None,
        "of another": {"S": "0" * 16},
        "no id": {"S": "../../etc"},
        "long": {"S": "0" * 5000},
        "a number": {"N": "7"},
    },
    "base_digest": {"missing": None, "of other bytes": {"S": "0" * 64}, "a number": {"N": "7"}},
    "base_created": {"missing": None, "negative": {"N": "-1"}, "huge": {"N": "9" * 38}},
    "base_spent": {"missing": None, "negative": {"N": "-1"}, "huge": {"N": "9" * 38}},
}
DAMAGED_FIELDS = [(field, damage) for field, damages in FIELDS.items() for damage in damages]
BASES: dict[str, Callable[[Item], Item]] = {
    "no bytes": lambda one: {name: one[name] for name in one if name != "checkpoint"},
    "other bytes": lambda one: {**one, "checkpoint": {"B": b"other bytes than those"}},
    "of another state": lambda one: {
        **{name: one[name] for name in one if name != "checkpoint_payload"},
        "checkpoint": {"B": b"a state that nobody has ever had" * 700},
    },
    "too short": lambda one: {
        **{name: one[name] for name in one if name != "checkpoint_payload"},
        "checkpoint": {"B": b"short"},
    },
    "no time": lambda one: {**one, "created": {"S": "yesterday"}},
    "no end": lambda one: {**one, "ttl": {"S": "never"}},
    "a bomb": lambda one: with_field(one, "raw_size", {"N": str(2**40)}),
    "fewer bytes than it says": lambda one: with_field(one, "raw_size", {"N": "10"}),
}


def with_field(item: Item, field: str, value: dict[str, Any] | None) -> Item:
    described = {**item["checkpoint_payload"]["M"]}
    described.pop(field, None)
    if value is not None:
        described[field] = value
    return {**item, "checkpoint_payload": {"M": described}}


def put_back(tables: Tables, item: Item) -> None:
    tables.client.put_item(TableName=tables.checkpoints, Item=item)


def newest(tables: Tables) -> Item:
    return max(tables.heads(), key=lambda one: one["checkpoint_id"]["S"])


def reads(saver: Saver) -> list[Callable[[], Any]]:
    return [
        lambda: saver.get_tuple(config("t")),
        lambda: saver.get_tuple(config("t", "", "0002")),
        lambda: list(saver.list(config("t"))),
    ]


@pytest.mark.sample(6)
@pytest.mark.parametrize(("field", "damage"), DAMAGED_FIELDS)
def test_a_difference_whose_description_is_damaged_is_refused(
    tables: Tables, incremental: Saver, reader: Saver, field: str, damage: str
) -> None:
    put_steps(incremental, 3)
    put_back(tables, with_field(newest(tables), field, FIELDS[field][damage]))
    for read in reads(reader):
        with pytest.raises(UnreadableItemError, match="0002"):
            read()
    # The damage neither stops a cleanup nor makes it delete what other checkpoints need.
    sweep(reader)
    assert state_of(reader, config("t", "", "0001")) == grown(20_000, 1)
    reader.delete_thread("t")
    assert tables.heads() == []


@pytest.mark.parametrize("damage", BASES)
def test_a_damaged_base_is_refused_by_all_that_refer_to_it(
    tables: Tables, incremental: Saver, reader: Saver, damage: str
) -> None:
    put_steps(incremental, 3)
    put_steps(incremental, 1, "whole", size=1000)
    (base,) = tables.bases()
    put_back(tables, BASES[damage](base))
    for read in reads(reader):
        with pytest.raises(UnreadableItemError):
            read()
    assert state_of(reader, config("whole")) == grown(1000, 0)
    reader.delete_thread("t")
    assert [one["thread_id"]["S"] for one in tables.heads()] == ["whole"]


def test_a_base_that_is_a_difference_itself_is_refused(
    tables: Tables, incremental: Saver, reader: Saver
) -> None:
    put_steps(incremental, 2)
    (base,) = tables.bases()
    described = newest(tables)["checkpoint_payload"]
    put_back(tables, {**base, "checkpoint_payload": described})
    with pytest.raises(UnreadableItemError, match="difference itself"):
        reader.get_tuple(config("t"))


def test_a_row_leads_to_no_base_of_another_thread_or_namespace(
    tables: Tables, incremental: Saver, reader: Saver
) -> None:
    put_steps(incremental, 2)
    put_steps(incremental, 2, "other")
    put_steps(incremental, 2, checkpoint_ns="node:1")
    stored = {(one["thread_id"]["S"], one["checkpoint_id"]["S"]): one for one in tables.heads()}
    (nested,) = (one for (_, key), one in stored.items() if key.startswith("!") and "0001" in key)
    for other in (stored["other", "0001"], nested):
        described = other["checkpoint_payload"]
        put_back(tables, {**stored["t", "0001"], "checkpoint_payload": described})
        with pytest.raises(MissingPartError, match="of thread 't', namespace ''"):
            reader.get_tuple(config("t"))


@pytest.mark.parametrize("damage", ["lost", "other bytes"])
def test_a_base_in_chunks_of_which_one_is_damaged_is_refused(
    tables: Tables, reader: Saver, clock: Clock, damage: str
) -> None:
    payloads = {"inline_limit": 700, "chunk_bytes": 3000}
    with with_payloads(tables.saver(**INCREMENTAL, clock=clock), **payloads) as saver:
        put_steps(saver, 2)
    (base,) = tables.bases()
    own = [
        one
        for one in tables.items_beside()
        if base["checkpoint_id"]["S"] in one["thread_id_checkpoint_id_checkpoint_ns"]["S"]
    ]
    assert len(own) > 2
    if damage == "lost":
        key = {
            name: own[1][name] for name in ("thread_id_checkpoint_id_checkpoint_ns", "task_id_idx")
        }
        tables.client.delete_item(TableName=tables.writes, Key=key)
    else:
        tables.client.put_item(TableName=tables.writes, Item={**own[1], "chunk": {"B": b"other"}})
    with pytest.raises(UnreadableItemError):
        reader.get_tuple(config("t"))


def test_a_mark_that_says_no_time_is_an_error_where_it_matters_alone(
    tables: Tables, incremental: Saver, reader: Saver
) -> None:
    put_steps(incremental, 2)
    put_back(
        tables,
        {
            "thread_id": {"S": "t"},
            "checkpoint_id": {"S": "!!~deleted"},
            "created": {"S": "once upon a time"},
        },
    )
    assert len(listed(reader, config("t"))) == 2
    assert state_of(reader, config("t")) == grown(20_000, 1)
    with pytest.raises(UnreadableItemError, match="mark of deleted bases"):
        # The saver has the base in its cache, and cannot tell whether it was deleted.
        reader.get_tuple(config("t"))
    reader.delete_thread("t")
    assert tables.heads() == []
    assert reader.get_tuple(config("t")) is None


@pytest.mark.parametrize("size", [8, 100, 1000, 70_000, 400_000])
def test_a_difference_gives_back_what_it_was_made_of(size: int) -> None:
    base = text(size).encode()
    drawn = random.Random(size)  # noqa: S311 - data, not a secret
    for data in (b"", base, base[::-1], base + b"more", base[size // 2 :], drawn.randbytes(size)):
        packed = difference(base, data)
        assert decompress("zstd", packed, len(data), base) == data
        assert difference(base, data) == packed
        if data:
            with pytest.raises(DecompressionError):
                decompress("zstd", packed[:-1], len(data), base)
            with pytest.raises(DecompressionError):
                decompress("zstd", packed, len(data) - 1, base)


@pytest.mark.parametrize("base", [b"", b"short"])
def test_a_base_too_short_for_any_difference_is_refused(base: bytes) -> None:
    with pytest.raises(DecompressionError):
        decompress("zstd", difference(bytes(100), b"data"), 4, base)


def test_a_difference_from_other_bytes_does_not_unpack_to_anything() -> None:
    base, other = text(50_000, "base").encode(), text(50_000, "other").encode()
    data = base + b"more"
    packed = difference(base, data)
    assert content_digest(base) != content_digest(other)
    with pytest.raises(DecompressionError):
        decompress("zstd", packed, len(data), other)
    with pytest.raises(DecompressionError):
        decompress("zstd", packed, len(data))


def test_a_bomb_made_of_a_base_is_not_unpacked_beyond_what_it_says() -> None:
    base = bytes(1_000_000)
    bomb = difference(base, bytes(50_000_000))
    assert len(bomb) < 10_000
    with pytest.raises(DecompressionError):
        decompress("zstd", bomb, 1000, base)

"""`stats` counts items, `diff` shows differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.format.sizes import item_size, write_units
from tests.cli.graphs import forked, waiting
from tests.support.values import checkpoint, config, metadata, put_chain

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from tests.cli.conftest import Cli
    from tests.support.buckets import Bucket
    from tests.support.tables import Tables


def test_every_item_is_counted_with_its_thread(
    cli: Cli, tables: Tables, listing: DynamoDBSaver
) -> None:
    forked(listing, "a")
    waiting(listing, "b")
    put_chain(listing, "odd:::id", 2, text="x" * 5000)  # type: ignore[arg-type]  # a saver has these calls
    listing.put_writes(config("odd:::id", "", "0001"), [("channel", "value")], "task")

    counted = cli("stats", "--json").document

    items = [*tables.checkpoint_items(), *tables.items_beside()]
    sizes = [item_size(item) for item in items]
    assert counted["total"]["items"] == len(items)
    assert counted["total"]["bytes"] == sum(sizes)
    assert counted["total"]["write_units"] == sum(map(write_units, sizes))
    assert counted["total"]["checkpoints"] == 9
    by_thread = {each["thread_id"]: each for each in counted["threads"]}
    assert sorted(by_thread) == ["a", "b", "odd:::id"]
    assert sum(each["bytes"] for each in by_thread.values()) == sum(sizes)
    assert by_thread["odd:::id"]["items"] == 4
    for name in by_thread:
        [alone] = cli("stats", name, "--json").document["threads"]
        # The writes of a checkpoint that was never stored are found only by a Scan.
        if name != "odd:::id":
            assert alone == by_thread[name]


def test_dollars_follow_the_prices(cli: Cli, plain: DynamoDBSaver) -> None:
    put_chain(plain, "1", 3, text="x" * 5000)  # type: ignore[arg-type]  # a saver has these calls

    total = cli("stats", "--json").document["total"]
    dear = cli("stats", "--json", "--write-price", "6.25", "--storage-price", "0").document["total"]

    assert total["write_dollars"] == pytest.approx(total["write_units"] * 0.625e-6)
    assert total["read_dollars"] == pytest.approx(total["read_units"] * 0.125e-6)
    kept = (total["bytes"] + 100 * total["items"]) / 2**30
    assert total["month_dollars"] == pytest.approx(kept * 0.25)
    assert dear["write_dollars"] == pytest.approx(10 * total["write_dollars"])
    assert dear["month_dollars"] == 0


def test_objects_are_counted_with_their_thread(cli: Cli, tables: Tables, bucket: Bucket) -> None:
    tables.set_up()
    config_ = {**bucket.known(), "threshold_bytes": 1000}
    with tables.boto_saver(
        client=tables.client, s3_client=bucket.client, s3_offload_config=config_
    ) as saver:
        saver.put(config("1"), checkpoint(text="x" * 5000), metadata(), {})

    total = cli("stats", "--json").document["total"]

    assert total["objects"] == 1
    assert total["object_bytes"] > 5000


def test_the_largest_threads_are_shown(cli: Cli, plain: DynamoDBSaver) -> None:
    for number, name in enumerate("abc"):
        put_chain(plain, name, 1, text="x" * 100 * number)  # type: ignore[arg-type]  # a saver has these calls

    said = cli("stats", "--limit", "1").out

    assert said.splitlines()[1].startswith("c ")
    assert "and 2 smaller ones" in said
    assert "checkpoints  3" in said


def test_an_empty_table_has_nothing(cli: Cli, plain: DynamoDBSaver) -> None:
    assert plain is not None
    assert cli("stats", "--json").document["threads"] == []
    assert "items        0" in cli("stats").out


def test_a_checkpoint_is_compared_with_its_parent(cli: Cli, plain: DynamoDBSaver) -> None:
    forked(plain, "1")

    said = cli("diff", "1").out
    document = cli("diff", "1", "--json").document

    assert "  +ai: you said no" in said
    assert document["channels"]["note"]["change"] == "added"
    assert document["channels"]["messages"]["change"] == "changed"
    assert [one["content"] for one in document["channels"]["messages"]["from"]] == ["hello"]


def test_two_checkpoints_are_compared(cli: Cli, plain: DynamoDBSaver) -> None:
    ids = []
    both: list[dict[str, Any]] = [
        {"a": 1, "b": [1, 2], "c": "x"},
        {"a": 2, "b": [1, 2], "d": b"bytes"},
    ]
    for values in both:
        stored = plain.put(config("1"), checkpoint(**values), metadata(), {})
        ids.append(stored["configurable"]["checkpoint_id"])

    document = cli("diff", "1", *ids, "--json").document

    changes = {name: one["change"] for name, one in document["channels"].items()}
    assert changes == {"a": "changed", "c": "removed", "d": "added"}
    assert document["same"] == ["b"]
    assert "has no parent" in cli("diff", "1", code=1).err


def test_values_that_cannot_be_shown_are_compared_by_their_bytes(
    cli: Cli, plain: DynamoDBSaver
) -> None:
    from tests.cli.graphs import Note

    ids = []
    for text in ("one", "one", "two"):
        stored = plain.put(config("1"), checkpoint(note=Note(text)), metadata(), {})
        ids.append(stored["configurable"]["checkpoint_id"])

    assert cli("diff", "1", ids[0], ids[1], "--json").document["channels"] == {}
    changed = cli("diff", "1", ids[1], ids[2], "--json").document["channels"]
    assert changed["note"]["change"] == "changed"

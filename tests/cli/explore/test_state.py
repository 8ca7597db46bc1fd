"""The state of a checkpoint is readable with any contents."""

from __future__ import annotations

import dataclasses
import logging
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolCall, ToolMessage
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer

from langgraph_checkpoint_dynamodb.cli.serde import DisplaySerde
from tests.cli.explore.screens import NARROW, WIDE, opened, run
from tests.cli.explore.watched import reader
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from tests.cli.explore.watched import Watch
    from tests.support.tables import Tables

MESSAGES = [
    SystemMessage("Be brief."),
    HumanMessage([{"type": "text", "text": "What is this?"}, {"type": "image_url", "url": "x"}]),
    AIMessage("I look.", tool_calls=[ToolCall(name="look", args={"at": "it", "n": 2}, id="1")]),
    ToolMessage("too dark", name="look", tool_call_id="1", status="error"),
    {"role": "assistant", "content": "I cannot say."},
]


def put(saver: DynamoDBSaver, after: Any = None, id_: str = "0001", **values: Any) -> Any:
    return saver.put(after or config("t"), checkpoint(id_, **values), metadata(), {})


def test_messages_are_readable(looking: tuple[DynamoDBSaver, Watch], writer: DynamoDBSaver) -> None:
    put(writer, messages=MESSAGES)

    async def test() -> None:
        async with opened(looking[0], WIDE) as screen:
            await screen.press("enter")
            assert "5 messages" in screen.line("messages ")
            assert "Be brief." in screen.line("system ")
            assert "What is this?" in screen.line("human ")
            assert screen.line("[image_url]")
            assert "I look." in screen.line("ai     I look")
            assert screen.line("→ look(at='it', n=2)")
            assert "look: too dark" in screen.line("tool ")
            assert screen.line("ai     I cannot say.")

    run(test())


def test_channels_writes_and_metadata_are_there(
    looking: tuple[DynamoDBSaver, Watch], writer: DynamoDBSaver
) -> None:
    known = metadata(counters_since_delta_snapshot={"log": [3, 3]})
    at = writer.put(
        config("t"), checkpoint("0001", topic="tea", counts={"cups": 3}, empty=[]), known, {}
    )
    writer.put_writes(at, [("topic", "coffee"), ("other", 1.5)], "task-of-mine")

    async def test() -> None:
        async with opened(looking[0], WIDE) as screen:
            await screen.press("enter")
            assert screen.line("topic            tea")
            assert screen.line("{'cups': 3}")
            assert screen.line("empty            []")
            assert screen.line("log              a DeltaChannel")
            assert screen.line("Pending writes  2 ")
            assert screen.line("task-of-         topic            coffee")
            assert screen.line("task-of-         other            1.5")
            assert screen.line("source           loop")
            assert screen.line("id               0001")

    run(test())


def test_d_shows_what_is_new_since_the_parent(
    looking: tuple[DynamoDBSaver, Watch], writer: DynamoDBSaver
) -> None:
    first = put(writer, messages=MESSAGES[:2], old="gone", count=1, same="as before")
    put(writer, first, "0002", messages=MESSAGES[:3], count=2, same="as before", new={"a": 1})

    async def test() -> None:
        async with opened(looking[0], WIDE) as screen:
            await screen.press("enter", "d")
            assert screen.line("- old            gone")
            assert screen.line("~ count          1 → 2")
            assert screen.line("+ new            {'a': 1}")
            assert screen.line("~ messages       1 more after 2")
            assert screen.line("→ look(")
            text = screen.text
            assert "as before" not in text
            assert "Be brief" not in text
            assert "It has no parent: all of it is new." in await screen.press("down")
            assert "as before" in await screen.press("d")

    run(test())


def test_large_values_are_cut_until_all_is_asked_for(
    looking: tuple[DynamoDBSaver, Watch], writer: DynamoDBSaver
) -> None:
    put(writer, words=[f"word{number}" for number in range(300)])

    async def test() -> None:
        async with opened(looking[0], WIDE) as screen:
            assert "list of 300" in await screen.press("enter", "enter")
            # The end of a pane is known after layout, one or more loop iterations later.
            await screen.press("end")
            await screen.until(lambda: "word19" in screen.text)
            assert "word19" in screen.text
            assert "... +280" in screen.text
            await screen.press("w", "end")
            await screen.until(lambda: "word299" in screen.text)
            assert "word299" in screen.text
            assert "+280" not in screen.text

    run(test())


def other_key(key: bytes) -> Any:
    return EncryptedSerializer.from_pycryptodome_aes(key=key)


@pytest.mark.parametrize("wrap", [lambda serde: serde, DisplaySerde], ids=["a saver", "command"])
def test_what_cannot_be_loaded_is_shown_as_its_type_and_size(
    tables: Tables, writer: DynamoDBSaver, wrap: Callable[[Any], Any]
) -> None:
    with tables.boto_saver(client=tables.client, serde=other_key(b"a" * 16)) as hidden:
        at = put(hidden, hidden="of others")
        hidden.put_writes(at, [("hidden", "too")], "task")
    put(writer, id_="0002", open="to all")
    looking, _ = reader(tables, serde=wrap(other_key(b"b" * 16)))

    async def test() -> None:
        async with opened(looking, WIDE) as screen:
            assert "to all" in await screen.press("enter")
            text = await screen.press("down")
            assert text.count("<msgpack+aes, ") == 3
            assert "bytes: cannot be loaded (ValueError)>" in text
            assert "of others" not in text
            assert "to all" in await screen.press("d", "up", "d")

    with looking:
        run(test())


@pytest.mark.parametrize("serde", [None, DisplaySerde(None)], ids=["a saver", "command"])
def test_an_object_whose_type_is_not_there_is_shown_by_its_name(
    tables: Tables,
    writer: DynamoDBSaver,
    monkeypatch: pytest.MonkeyPatch,
    serde: Any,
) -> None:
    module = ModuleType("shop")
    monkeypatch.setitem(sys.modules, "shop", module)
    made: Any = dataclasses.make_dataclass("Cart", [("items", int)])
    made.__module__ = "shop"
    module.Cart = made  # type: ignore[attr-defined]  # made here
    put(writer, cart=made(3), beside="readable")
    monkeypatch.delitem(sys.modules, "shop")
    looking, _ = reader(tables, serde=serde)

    async def test() -> None:
        async with opened(looking, WIDE) as screen:
            text = await screen.press("enter")
            assert "<shop.Cart, " in text
            assert " bytes: cannot be loaded> {'items': 3}" in text
            assert "readable" in text

    with looking:
        run(test())


def test_a_damaged_checkpoint_says_so_and_the_others_are_there(
    tables: Tables, looking: tuple[DynamoDBSaver, Watch], writer: DynamoDBSaver
) -> None:
    first = put(writer, value="the first")
    second = put(writer, first, "0002", value="the second")
    put(writer, second, "0003", value="the third")
    tables.client.update_item(
        TableName=tables.checkpoints,
        Key={"thread_id": {"S": "t"}, "checkpoint_id": {"S": "0002"}},
        UpdateExpression="SET checkpoint = :damage",
        ExpressionAttributeValues={":damage": {"N": "1"}},
    )

    async def test() -> None:
        async with opened(looking[0], WIDE) as screen:
            assert "the third" in await screen.press("enter")
            assert "✖ cannot read checkpoint '0002'" in screen.line("..0002")
            assert "cannot read checkpoint '0002'" in (await screen.press("down")).split("State")[1]
            assert "the first" in await screen.press("down")

    run(test())


def test_what_was_deleted_meanwhile_is_said_to_be(
    looking: tuple[DynamoDBSaver, Watch], writer: DynamoDBSaver
) -> None:
    saver, _ = looking
    at = put(writer, value="here")
    for number in range(2, 60):
        at = put(writer, at, f"{number:04}", value=number)

    async def test() -> None:
        async with opened(saver, NARROW) as screen:
            await screen.press("enter", "end", "end", "end")
            writer.delete_thread("t")
            await screen.press("home")
            assert "r reads anew" in await screen.press("3")
            assert "There is no checkpoint" in await screen.press("r", "2")

    run(test())


HOSTILE = "\x1b]0;owned\x07\x1b[2J[bold]\u202eabc"


def test_nothing_that_is_stored_acts_upon_the_terminal(
    looking: tuple[DynamoDBSaver, Watch], writer: DynamoDBSaver
) -> None:
    values: dict[str, Any] = {HOSTILE: HOSTILE, "messages": [HumanMessage(HOSTILE, name=HOSTILE)]}
    at = writer.put(config(HOSTILE), checkpoint("0001", **values), metadata(), {})
    writer.put_writes(at, [("__error__", HOSTILE)], HOSTILE)

    async def test() -> None:
        async with opened(looking[0], WIDE) as screen:
            for key in ("enter", "d", "d", "w", "enter", "end", "y"):
                text = await screen.press(key)
                assert "␛]0;owned␇␛[2J[bold]" in text
                assert not set(text) & {"\x1b", "\x07", "\u202e"}
            assert screen.app.clipboard == "0001"

    run(test())


def test_nothing_that_is_stored_is_logged(
    looking: tuple[DynamoDBSaver, Watch],
    writer: DynamoDBSaver,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    put(writer, value="a secret of the user")
    saver, watch = looking
    caplog.set_level(logging.DEBUG)

    async def test() -> None:
        async with opened(saver, WIDE) as screen:
            assert "a secret" in await screen.press("enter", "d")
            watch.held = _fail
            assert "RuntimeError" in await screen.press("r")

    run(test())
    own = [one for one in caplog.records if not one.name.startswith(("boto", "urllib3"))]
    assert not [one for one in own if "a secret" in one.getMessage()]
    assert capfd.readouterr() == ("", "")


def _fail(_: dict[str, Any]) -> bool:
    raise RuntimeError("a secret of the user")

"""Tables filled by older writers: the JavaScript port, and the first release on PyPI.

Their items are written here as literals, not by this package; `tests/older` has what the real
packages store.

- `@rwai/langgraphjs-checkpoint-dynamodb` 0.1.6: JSON, no parent attribute on a first checkpoint,
  namespace always stored.
- `langgraph-checkpoint-dynamodb` 0.1.0: msgpack, or JSON where msgpack refuses a value (a lone
  surrogate), parent NULL on a first checkpoint, namespace missing from the items of some callers.

Both store nested checkpoints under their plain id, beside the root's, and number a task's writes by
position, including those of special channels.
"""

from __future__ import annotations

import json
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import boto3
import ormsgpack
import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import START, StateGraph
from langgraph.types import Interrupt
from typing_extensions import TypedDict

from tests.support.tables import Tables, sweep
from tests.support.values import checkpoint, config, id_of, metadata, new_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
    from mypy_boto3_dynamodb import DynamoDBClient

    from tests.support.calls import Calls
    from tests.support.engines import Engine
    from tests.support.savers import Saver

# Ten and more cases each: the items of the writers differ little.
pytestmark = pytest.mark.sample(5)

THREAD = "thread-1"
NESTED_NS = "child:5b1f"
VALUES: dict[str, Any] = {
    "int": 3,
    "float": 0.25,
    "true": True,
    "none": None,
    "text": "gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n",
    "empty": "",
    "list": [1, "a", None, [2.5]],
    "map": {"": 1, "deep": {"er": []}},
}


@dataclass(frozen=True)
class OlderWriter:
    """How an older writer formats its items."""

    type: str
    first_parent: dict[str, Any]
    root_namespace: dict[str, Any]

    def dumps(self, value: Any) -> dict[str, Any]:
        """The serialized value, as an attribute."""
        if self.type == "msgpack":
            return {"B": ormsgpack.packb(value)}
        return {"B": json.dumps(value).encode()}

    def checkpoint(
        self,
        checkpoint_id: str,
        parent_id: str | None = None,
        *,
        thread_id: str = THREAD,
        checkpoint_ns: str = "",
        values: Mapping[str, Any] | None = None,
        **extra: Any,
    ) -> dict[str, Any]:
        """An item of the checkpoints table."""
        channels = {"step": 1} if values is None else dict(values)
        stored = {
            "v": 1,
            "id": checkpoint_id,
            "ts": "2025-02-03T04:05:06.000Z",
            "channel_values": channels,
            "channel_versions": dict.fromkeys(channels, 2),
            "versions_seen": {"__input__": {}},
            "pending_sends": [],
        }
        described = {"source": "loop", "step": 1, "writes": None, "parents": {}, **extra}
        parent = self.first_parent if parent_id is None else _parent(parent_id)
        namespace = _namespace(checkpoint_ns) if checkpoint_ns else self.root_namespace
        return {
            "thread_id": {"S": thread_id},
            "checkpoint_id": {"S": checkpoint_id},
            **namespace,
            **parent,
            "type": {"S": self.type},
            "checkpoint": self.dumps(stored),
            "metadata": self.dumps(described),
        }

    def writes(
        self,
        checkpoint_id: str,
        task_id: str,
        writes: list[tuple[str, Any]],
        *,
        thread_id: str = THREAD,
        checkpoint_ns: str = "",
    ) -> list[dict[str, Any]]:
        """Items of the writes table."""
        partition = f"{thread_id}:::{checkpoint_id}:::{checkpoint_ns}"
        return [
            {
                "thread_id_checkpoint_id_checkpoint_ns": {"S": partition},
                "task_id_idx": {"S": f"{task_id}:::{idx}"},
                "channel": {"S": channel},
                "type": {"S": self.type},
                "value": self.dumps(value),
            }
            for idx, (channel, value) in enumerate(writes)
        ]


def _parent(checkpoint_id: str) -> dict[str, Any]:
    return {"parent_checkpoint_id": {"S": checkpoint_id}}


def _namespace(checkpoint_ns: str) -> dict[str, Any]:
    return {"checkpoint_ns": {"S": checkpoint_ns}}


JAVASCRIPT = OlderWriter("json", first_parent={}, root_namespace=_namespace(""))
PYPI_NULL: dict[str, Any] = {"parent_checkpoint_id": {"NULL": True}}
WRITERS = {
    "javascript": JAVASCRIPT,
    "pypi-msgpack": OlderWriter("msgpack", PYPI_NULL, _namespace("")),
    "pypi-json": OlderWriter("json", PYPI_NULL, _namespace("")),
    "pypi-no-namespace": OlderWriter("msgpack", PYPI_NULL, {}),
    "pypi-null-namespace": OlderWriter("msgpack", PYPI_NULL, {"checkpoint_ns": {"NULL": True}}),
}


@pytest.fixture(scope="module")
def client(engine: Engine) -> Iterator[DynamoDBClient]:
    """One client for all tests here: creating it takes longer than most of them."""
    made = boto3.client("dynamodb", endpoint_url=engine.url)
    yield made
    made.close()


@pytest.fixture
def tables(engine: Engine, client: DynamoDBClient) -> Iterator[Tables]:
    suffix = uuid4().hex
    fresh = Tables(engine, client, f"checkpoints-{suffix}", f"writes-{suffix}")
    yield fresh
    fresh.drop()


@pytest.fixture
def saver(tables: Tables) -> Iterator[Saver]:
    with tables.saver(**tables.quick()) as made:
        made.setup()
        yield made


@pytest.fixture(params=WRITERS.values(), ids=list(WRITERS))
def older(request: pytest.FixtureRequest) -> OlderWriter:
    writer: OlderWriter = request.param
    return writer


def store(tables: Tables, name: str, *items: dict[str, Any]) -> None:
    for start in range(0, len(items), 25):
        requests: Any = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
        tables.client.batch_write_item(RequestItems={name: requests})


def store_chain(
    tables: Tables, older: OlderWriter, length: int = 3, thread_id: str = THREAD, **extra: Any
) -> list[str]:
    """A chain of root checkpoints with two writes each; their ids, oldest first."""
    ids = [new_id(step) for step in range(length)]
    checkpoints = [
        older.checkpoint(
            id_,
            ids[step - 1] if step else None,
            thread_id=thread_id,
            values={"step": step},
            **extra,
        )
        for step, id_ in enumerate(ids)
    ]
    writes = [
        write
        for step, id_ in enumerate(ids)
        for write in older.writes(
            id_, f"task-{step}", [("step", step + 1), ("log", ["x"])], thread_id=thread_id
        )
    ]
    store(tables, tables.checkpoints, *checkpoints)
    store(tables, tables.writes, *writes)
    return ids


def store_nested(tables: Tables, older: OlderWriter, length: int = 1, **extra: Any) -> list[str]:
    """Nested checkpoints under their plain id, with a write each, newer than all others."""
    ids = [new_id(step) for step in range(length)]
    checkpoints = [
        older.checkpoint(id_, checkpoint_ns=NESTED_NS, values={"nested": 1}, **extra) for id_ in ids
    ]
    writes = [
        write
        for id_ in ids
        for write in older.writes(id_, "task-n", [("nested", 2)], checkpoint_ns=NESTED_NS)
    ]
    store(tables, tables.checkpoints, *checkpoints)
    store(tables, tables.writes, *writes)
    return ids


def ids_of(found: Iterator[CheckpointTuple]) -> list[str]:
    return [id_of(one.config) for one in found]


def stored_ids(tables: Tables) -> list[str]:
    """The checkpoint ids in the keys of the checkpoints table."""
    return sorted(item["checkpoint_id"]["S"] for item in tables.checkpoint_items())


def ids_with_writes(tables: Tables) -> list[str]:
    """The checkpoint ids in the keys of the writes table."""
    keys = {item["thread_id_checkpoint_id_checkpoint_ns"]["S"] for item in tables.write_items()}
    return sorted(key.split(":::")[1] for key in keys)


def require(found: CheckpointTuple | None) -> CheckpointTuple:
    assert found is not None
    return found


# --- reading ---


def test_the_newest_checkpoint_is_found_and_complete(
    calls: Calls, tables: Tables, older: OlderWriter
) -> None:
    ids = store_chain(tables, older, thread_id="t")
    found = require(calls.get_tuple(config("t")))
    assert found.config == config("t", "", ids[-1])
    assert found.parent_config == config("t", "", ids[-2])
    assert found.checkpoint["id"] == ids[-1]
    assert found.checkpoint["channel_values"] == {"step": 2}
    assert dict(found.checkpoint["channel_versions"]) == {"step": 2}
    assert dict(found.metadata) == {"source": "loop", "step": 1, "writes": None, "parents": {}}
    assert found.pending_writes == [("task-2", "step", 3), ("task-2", "log", ["x"])]


@pytest.mark.parametrize("checkpoint_ns", ["", None])
def test_every_checkpoint_is_found_by_its_id(
    calls: Calls, tables: Tables, older: OlderWriter, checkpoint_ns: str | None
) -> None:
    ids = store_chain(tables, older)
    for step, checkpoint_id in enumerate(ids):
        found = require(calls.get_tuple(config(THREAD, checkpoint_ns, checkpoint_id)))
        assert found.config == config(THREAD, "", checkpoint_id)
        assert found.checkpoint["channel_values"] == {"step": step}
        assert found.pending_writes is not None
        assert [write[0] for write in found.pending_writes] == [f"task-{step}"] * 2


def test_a_first_checkpoint_has_no_parent(calls: Calls, tables: Tables, older: OlderWriter) -> None:
    (first, *_) = store_chain(tables, older)
    assert require(calls.get_tuple(config(THREAD, "", first))).parent_config is None


@pytest.mark.parametrize("checkpoint_ns", ["", None])
def test_a_thread_is_listed_newest_first_with_its_writes(
    calls: Calls, tables: Tables, older: OlderWriter, checkpoint_ns: str | None
) -> None:
    ids = store_chain(tables, older)
    found = list(calls.list(config(THREAD, checkpoint_ns)))
    assert [one.config for one in found] == [config(THREAD, "", i) for i in reversed(ids)]
    assert [one.pending_writes and len(one.pending_writes) for one in found] == [2, 2, 2]
    assert ids_of(calls.list(config(THREAD, checkpoint_ns), limit=1)) == ids[-1:]
    before = config(THREAD, "", ids[-1])
    assert ids_of(calls.list(config(THREAD, checkpoint_ns), before=before)) == ids[-2::-1]


def test_all_threads_are_listed(calls: Calls, tables: Tables, older: OlderWriter) -> None:
    ids = store_chain(tables, older) + store_chain(tables, older, thread_id="thread-2")
    store_nested(tables, older)
    assert sorted(ids_of(calls.list(None))) == sorted(ids)


def test_a_filter_looks_into_metadata(calls: Calls, tables: Tables, older: OlderWriter) -> None:
    store_chain(tables, older, user="a")
    wanted = store_chain(tables, older, user="b")
    assert ids_of(calls.list(config(THREAD), filter={"user": "b"})) == wanted[::-1]
    assert ids_of(calls.list(config(THREAD), filter={"user": "c"})) == []


def test_values_keep_their_type(calls: Calls, tables: Tables, older: OlderWriter) -> None:
    checkpoint_id = new_id()
    item = older.checkpoint(checkpoint_id, values=VALUES, extra=VALUES)
    store(tables, tables.checkpoints, item)
    store(tables, tables.writes, *older.writes(checkpoint_id, "task", list(VALUES.items())))
    found = require(calls.get_tuple(config(THREAD)))
    written = {channel: value for _, channel, value in found.pending_writes or []}
    for loaded in (found.checkpoint["channel_values"], dict(found.metadata)["extra"], written):
        # repr distinguishes 1 from True and 1.0, and a number from a Decimal.
        assert repr(loaded) == repr(VALUES)
    assert type(found.metadata["step"]) is int


def test_writes_come_in_the_order_of_their_position_as_a_number(
    calls: Calls, tables: Tables, older: OlderWriter
) -> None:
    (checkpoint_id,) = store_chain(tables, older, 1)
    store(tables, tables.writes, *older.writes(checkpoint_id, "a", [("n", n) for n in range(12)]))
    found = require(calls.get_tuple(config(THREAD)))
    written = [value for task, _, value in found.pending_writes or [] if task == "a"]
    assert written == list(range(12))


def test_an_interrupt_kept_by_its_position_is_a_pending_write(
    calls: Calls, tables: Tables, older: OlderWriter
) -> None:
    (checkpoint_id,) = store_chain(tables, older, 1)
    asked = [{"id": "0" * 32, "value": "sure?"}]
    store(tables, tables.writes, *older.writes(checkpoint_id, "a", [("__interrupt__", asked)]))
    # JSON was written by LangGraph.js, which has no Interrupt class.
    expected = [Interrupt("sure?", id="0" * 32)] if older.type == "json" else asked
    stored = config(THREAD, "", checkpoint_id)
    calls.put_writes(stored, [("__resume__", ["yes"])], "a")
    found = require(calls.get_tuple(stored))
    assert [write for write in found.pending_writes or [] if write[0] == "a"] == [
        ("a", "__resume__", ["yes"]),
        ("a", "__interrupt__", expected),
    ]


def test_an_output_takes_the_place_of_what_an_older_writer_kept_in_a_special_channel(
    calls: Calls, tables: Tables, older: OlderWriter
) -> None:
    (checkpoint_id,) = store_chain(tables, older, 1)
    held = [("__error__", "no"), ("__resume__", ["yes"]), ("step", 1)]
    store(tables, tables.writes, *older.writes(checkpoint_id, "a", held))
    stored = config(THREAD, "", checkpoint_id)
    calls.put_writes(stored, [("step", 7), ("log", ["y"]), ("step", "lost")], "a")
    found = require(calls.get_tuple(stored))
    assert [write[1:] for write in found.pending_writes or [] if write[0] == "a"] == [
        ("step", 7),
        ("log", ["y"]),
        ("step", 1),
    ]


DAMAGED: dict[str, tuple[str, Any, Any]] = {
    "an interrupt without id and namespace": (
        "__interrupt__",
        {"value": 1},
        [Interrupt(1, id="placeholder-id")],
    ),
    "an interrupt with ids that are no text": (
        "__interrupt__",
        {"value": 1, "id": 7, "ns": [7]},
        [Interrupt(1, id="placeholder-id")],
    ),
    "an interrupt of nothing": ("__interrupt__", [{"id": "i"}], [Interrupt(None, id="i")]),
    "what is no interrupt": ("__interrupt__", [{"a": 1}, 2, None], [{"a": 1}, 2, None]),
    "what is no send": ("__pregel_tasks", {"node": 7, "args": 1}, {"node": 7, "args": 1}),
    "a list of no sends": ("__pregel_tasks", [1], [1]),
    "a send elsewhere": ("step", {"node": "n", "args": 1}, {"node": "n", "args": 1}),
    "an interrupt elsewhere": ("step", {"id": "i", "value": 1}, {"id": "i", "value": 1}),
    "undefined alone": ("step", {"lc": 2, "type": "undefined"}, None),
    "undefined with more": (
        "step",
        {"lc": 2, "type": "undefined", "a": 1},
        {"lc": 2, "type": "undefined", "a": 1},
    ),
    "undefined in a list in a list": ("step", [[{"lc": 2, "type": "undefined"}]], [[None]]),
    "the word alone": ("step", '"undefined"', '"undefined"'),
}


@pytest.mark.parametrize(("channel", "written", "read"), DAMAGED.values(), ids=DAMAGED)
def test_json_is_read_by_its_channel_and_what_is_unlike_it_as_it_is(
    calls: Calls, tables: Tables, channel: str, written: Any, read: Any
) -> None:
    (checkpoint_id,) = store_chain(tables, JAVASCRIPT, 1)
    store(tables, tables.writes, *JAVASCRIPT.writes(checkpoint_id, "a", [(channel, written)]))
    found = require(calls.get_tuple(config(THREAD)))
    assert [write[2] for write in found.pending_writes or [] if write[0] == "a"] == [read]


@pytest.mark.parametrize("sends", [None, {"node": "n"}, [7, None], "text"])
def test_what_is_no_list_of_sends_is_left_as_it_is(
    calls: Calls, tables: Tables, sends: Any
) -> None:
    values = {"__pregel_tasks": sends}
    store(tables, tables.checkpoints, JAVASCRIPT.checkpoint(new_id(), values=values))
    found = require(calls.get_tuple(config(THREAD)))
    assert found.checkpoint["channel_values"] == values


def test_a_serializer_that_calls_something_else_json_is_given_its_bytes(calls: Calls) -> None:
    class Reversed:
        def dumps_typed(self, value: Any) -> tuple[str, bytes]:
            return "json", json.dumps(value).encode()[::-1]

        def loads_typed(self, data: tuple[str, bytes]) -> Any:
            return json.loads(data[1][::-1])

    calls.saver.serde = Reversed()
    stored = calls.put(config(THREAD), checkpoint(a="denifednu"), metadata(), {})
    calls.put_writes(stored, [("__resume__", "yes")], "00000000-0000-0000-0000-000000000000")
    found = require(calls.get_tuple(stored))
    assert found.checkpoint["channel_values"] == {"a": "denifednu"}
    assert [write[1:] for write in found.pending_writes or []] == [("__resume__", "yes")]


def test_bytes_and_none_of_the_first_release_come_back_as_they_were(
    calls: Calls, tables: Tables
) -> None:
    (checkpoint_id,) = store_chain(tables, WRITERS["pypi-msgpack"], 1)
    partition = {"thread_id_checkpoint_id_checkpoint_ns": {"S": f"{THREAD}:::{checkpoint_id}:::"}}
    for task, type_tag, value in (("b", "bytes", b"\x00\xff"), ("c", "null", b"")):
        item = {
            **partition,
            "task_id_idx": {"S": f"{task}:::0"},
            "channel": {"S": "raw"},
            "type": {"S": type_tag},
            "value": {"B": value},
        }
        store(tables, tables.writes, item)
    found = require(calls.get_tuple(config(THREAD)))
    assert [write for write in found.pending_writes or [] if write[1] == "raw"] == [
        ("b", "raw", b"\x00\xff"),
        ("c", "raw", None),
    ]


def test_text_from_a_custom_serializer_of_the_javascript_port_loads(
    calls: Calls, tables: Tables
) -> None:
    checkpoint_id = new_id()
    item = JAVASCRIPT.checkpoint(checkpoint_id)
    (write,) = JAVASCRIPT.writes(checkpoint_id, "task", [("a", {"b": 1})])
    for attributes in (item, write):
        for name in attributes.keys() & {"checkpoint", "metadata", "value"}:
            attributes[name] = {"S": attributes[name]["B"].decode()}
    store(tables, tables.checkpoints, item)
    store(tables, tables.writes, write)
    found = require(calls.get_tuple(config(THREAD)))
    assert found.checkpoint["channel_values"] == {"step": 1}
    assert found.metadata["source"] == "loop"
    assert found.pending_writes == [("task", "a", {"b": 1})]


def test_messages_of_the_javascript_port_load_as_messages(calls: Calls, tables: Tables) -> None:
    asked = {
        "lc": 1,
        "type": "constructor",
        "id": ["langchain_core", "messages", "HumanMessage"],
        "kwargs": {
            "content": "hello",
            "id": "m-1",
            "additional_kwargs": {},
            "response_metadata": {},
        },
    }
    answered = {
        "lc": 1,
        "type": "constructor",
        "id": ["langchain_core", "messages", "AIMessage"],
        "kwargs": {
            "content": "",
            "id": "m-2",
            "tool_calls": [{"name": "find", "args": {"n": 1}, "id": "c-1", "type": "tool_call"}],
            "invalid_tool_calls": [],
            "additional_kwargs": {},
            "response_metadata": {},
        },
    }
    checkpoint_id = new_id()
    item = JAVASCRIPT.checkpoint(checkpoint_id, values={"messages": [asked, answered]})
    store(tables, tables.checkpoints, item)
    store(tables, tables.writes, *JAVASCRIPT.writes(checkpoint_id, "task", [("messages", [asked])]))
    found = require(calls.get_tuple(config(THREAD)))
    human, ai = found.checkpoint["channel_values"]["messages"]
    assert human == HumanMessage("hello", id="m-1")
    assert isinstance(ai, AIMessage)
    assert [(call["name"], call["args"], call["id"]) for call in ai.tool_calls] == [
        ("find", {"n": 1}, "c-1")
    ]
    assert found.pending_writes == [("task", "messages", [HumanMessage("hello", id="m-1")])]
    # Stored again by this package, they stay the same.
    again = calls.put(found.config, checkpoint(messages=[human, ai]), metadata(), {})
    assert require(calls.get_tuple(again)).checkpoint["channel_values"]["messages"] == [human, ai]


def test_a_delta_channel_is_rebuilt_over_older_checkpoints(
    calls: Calls, tables: Tables, older: OlderWriter
) -> None:
    ids = store_chain(tables, older)
    store_nested(tables, older, 2)
    new = calls.put(config(THREAD, "", ids[-1]), checkpoint(), metadata(), {})
    found = calls.get_delta_channel_history(config=new, channels=["step", "log"])
    assert found["step"] == {"seed": 2, "writes": [("task-2", "step", 3)]}
    assert found["log"] == {"writes": [(f"task-{n}", "log", ["x"]) for n in range(3)]}


# --- continuing a thread ---


def test_a_thread_goes_on_with_new_checkpoints(
    calls: Calls, tables: Tables, older: OlderWriter
) -> None:
    ids = store_chain(tables, older)
    old = require(calls.get_tuple(config(THREAD)))
    version = calls.saver.get_next_version("2", None)
    calls.put_writes(old.config, [("step", 4)], "task-new")
    stored = calls.put(old.config, checkpoint(step=4), metadata(step=2), {"step": version})
    calls.put_writes(stored, [("step", 5)], "task-newer")

    found = require(calls.get_tuple(config(THREAD)))
    assert found.config == stored
    assert found.parent_config == old.config
    assert found.checkpoint["channel_values"] == {"step": 4}
    assert found.pending_writes == [("task-newer", "step", 5)]
    assert ids_of(calls.list(config(THREAD))) == [id_of(stored), *reversed(ids)]
    parent = require(calls.get_tuple(old.config))
    assert ("task-new", "step", 4) in (parent.pending_writes or [])
    assert len(parent.pending_writes or []) == 3


def test_a_write_that_an_older_writer_stored_first_stays(
    calls: Calls, tables: Tables, older: OlderWriter
) -> None:
    (checkpoint_id,) = store_chain(tables, older, 1)
    calls.put_writes(config(THREAD, "", checkpoint_id), [("step", "later"), ("log", [])], "task-0")
    found = require(calls.get_tuple(config(THREAD)))
    assert found.pending_writes == [("task-0", "step", 1), ("task-0", "log", ["x"])]


def test_delete_thread_removes_every_item_of_the_thread_and_of_no_other(
    calls: Calls, tables: Tables, older: OlderWriter
) -> None:
    store_chain(tables, older)
    store_nested(tables, older, 2)
    kept = sorted(store_chain(tables, older, thread_id="thread-2"))
    calls.delete_thread(THREAD)
    assert stored_ids(tables) == kept
    assert ids_with_writes(tables) == kept


def test_prune_keeps_the_newest_of_the_root(
    calls: Calls, tables: Tables, older: OlderWriter
) -> None:
    ids = store_chain(tables, older)
    calls.prune([THREAD])
    assert stored_ids(tables) == ids[-1:]
    assert ids_with_writes(tables) == ids[-1:]
    assert require(calls.get_tuple(config(THREAD))).checkpoint["channel_values"] == {"step": 2}


def test_prune_by_deletion_removes_nested_items_too(
    calls: Calls, saver: Saver, tables: Tables, older: OlderWriter
) -> None:
    store_chain(tables, older)
    store_nested(tables, older)
    calls.prune([THREAD], strategy="delete")
    assert tables.checkpoint_items() == []
    assert tables.write_items() == []
    assert len(tables.marks()) > 0
    sweep(saver)
    assert tables.marks() == []


def test_copy_thread_copies_checkpoints_and_writes(
    calls: Calls, tables: Tables, older: OlderWriter
) -> None:
    ids = store_chain(tables, older)
    store_nested(tables, older)
    calls.copy_thread(THREAD, "copy")
    copies = list(calls.list(config("copy")))
    originals = list(calls.list(config(THREAD)))
    assert ids_of(iter(copies)) == ids[::-1]
    for copied, original in zip(copies, originals, strict=True):
        assert copied.config == config("copy", "", id_of(original.config))
        assert copied.checkpoint == original.checkpoint
        assert copied.metadata == original.metadata
        assert copied.pending_writes == original.pending_writes
        assert (copied.parent_config is None) == (original.parent_config is None)


def test_the_checkpoints_of_a_run_are_found_by_their_metadata(
    calls: Calls, tables: Tables, older: OlderWriter
) -> None:
    kept = store_chain(tables, older, run_id="kept")
    kept += store_chain(tables, older, thread_id="thread-2", run_id="kept")
    store_chain(tables, older, thread_id="thread-3", run_id="gone")
    store_chain(tables, older, thread_id="thread-2", run_id="gone")
    store_nested(tables, older, run_id="gone")
    kept += store_chain(tables, older, thread_id="thread-3")  # of no run at all
    assert all("run_id" not in item for item in tables.checkpoint_items())
    calls.delete_for_runs(["gone"])
    assert stored_ids(tables) == sorted(kept)
    assert ids_with_writes(tables) == sorted(kept)


# --- nested checkpoints under their plain id ---


def test_a_nested_checkpoint_is_never_the_newest_of_the_root(
    calls: Calls, tables: Tables, older: OlderWriter
) -> None:
    ids = store_chain(tables, older)
    # More nested checkpoints than one page skips.
    store_nested(tables, older, 30)
    assert require(calls.get_tuple(config(THREAD))).config == config(THREAD, "", ids[-1])
    assert ids_of(calls.list(config(THREAD), limit=1)) == ids[-1:]


def test_a_thread_of_nested_checkpoints_alone_has_none(
    calls: Calls, tables: Tables, older: OlderWriter
) -> None:
    store_nested(tables, older, 2)
    assert calls.get_tuple(config(THREAD)) is None
    assert list(calls.list(config(THREAD))) == []
    assert list(calls.list(config(THREAD, None))) == []


@pytest.mark.parametrize("checkpoint_ns", ["", None, NESTED_NS])
def test_a_nested_checkpoint_is_not_returned_by_its_id(
    calls: Calls, tables: Tables, older: OlderWriter, checkpoint_ns: str | None
) -> None:
    store_chain(tables, older)
    (nested_id,) = store_nested(tables, older)
    address = config(THREAD, checkpoint_ns, nested_id)
    assert calls.get_tuple(address) is None
    assert list(calls.list(address)) == []


@pytest.mark.parametrize("checkpoint_ns", ["", None])
@pytest.mark.parametrize("limit", [None, 2])
def test_nested_checkpoints_are_not_listed_and_do_not_use_up_the_limit(
    calls: Calls, tables: Tables, older: OlderWriter, checkpoint_ns: str | None, limit: int | None
) -> None:
    first = store_chain(tables, older, 1)
    store_nested(tables, older, 3)
    second = store_chain(tables, older, 1)
    store_nested(tables, older, 3)
    listed = ids_of(calls.list(config(THREAD, checkpoint_ns), limit=limit))
    assert listed == [*second, *first]


def test_a_nested_namespace_begins_anew_beside_the_older_items_of_its_name(
    calls: Calls, tables: Tables, older: OlderWriter
) -> None:
    ids = store_chain(tables, older)
    store_nested(tables, older, 2)
    assert calls.get_tuple(config(THREAD, NESTED_NS)) is None
    assert list(calls.list(config(THREAD, NESTED_NS))) == []
    stored = calls.put(config(THREAD, NESTED_NS), checkpoint(nested=9), metadata(), {})
    assert require(calls.get_tuple(config(THREAD, NESTED_NS))).config == stored
    assert ids_of(calls.list(config(THREAD, NESTED_NS))) == [id_of(stored)]
    assert require(calls.get_tuple(config(THREAD))).config == config(THREAD, "", ids[-1])


def test_prune_leaves_nested_checkpoints_and_their_writes_alone(
    calls: Calls, tables: Tables, older: OlderWriter
) -> None:
    ids = store_chain(tables, older)
    nested = store_nested(tables, older, 2)
    ids += store_chain(tables, older)
    nested += store_nested(tables, older, 2)
    calls.prune([THREAD])
    assert stored_ids(tables) == sorted([ids[-1], *nested])
    assert ids_with_writes(tables) == sorted([ids[-1], *nested])


def test_prune_of_a_thread_that_went_on_keeps_only_the_new_checkpoint(
    calls: Calls, tables: Tables, older: OlderWriter
) -> None:
    ids = store_chain(tables, older)
    new = calls.put(config(THREAD, "", ids[-1]), checkpoint(step=9), metadata(), {})
    calls.prune([THREAD])
    assert stored_ids(tables) == [id_of(new)]
    assert ids_with_writes(tables) == []


# --- graphs ---


class State(TypedDict):
    log: Annotated[list[str], operator.add]


def graph_of(saver: BaseCheckpointSaver[Any]) -> Any:
    """A graph of two nodes that log their names."""
    builder = StateGraph(State)
    builder.add_node("first", lambda _: {"log": ["first"]})
    builder.add_node("second", lambda _: {"log": ["second"]})
    builder.add_edge(START, "first")
    builder.add_edge("first", "second")
    return builder.compile(checkpointer=saver)


def finished_turn(older: OlderWriter) -> dict[str, Any]:
    """The checkpoint that ends a turn of that graph: older writers use numbers as versions."""
    item = older.checkpoint(new_id(3), values={"log": ["hi", "first", "second"]})
    stored = {
        "v": 1,
        "id": item["checkpoint_id"]["S"],
        "ts": "2025-02-03T04:05:06.000Z",
        "channel_values": {"log": ["hi", "first", "second"]},
        "channel_versions": {
            "__start__": 2,
            "log": 4,
            "branch:to:first": 3,
            "branch:to:second": 4,
        },
        "versions_seen": {
            "__input__": {},
            "__start__": {"__start__": 1},
            "first": {"branch:to:first": 2},
            "second": {"branch:to:second": 3},
        },
        "pending_sends": [],
    }
    return {**item, "checkpoint": older.dumps(stored)}


def test_a_graph_goes_on_with_a_thread_of_an_older_writer(
    saver: Saver, tables: Tables, older: OlderWriter
) -> None:
    store(tables, tables.checkpoints, finished_turn(older))
    graph = graph_of(saver)
    result = graph.invoke({"log": ["again"]}, config(THREAD, None))
    expected = ["hi", "first", "second", "again", "first", "second"]
    assert result == {"log": expected}
    assert graph.get_state(config(THREAD, None)).values == {"log": expected}
    # Once more, over checkpoints of both writers.
    assert graph.invoke({"log": []}, config(THREAD, None)) == {
        "log": [*expected, "first", "second"]
    }


def test_a_graph_shows_the_state_and_history_of_an_older_writer(
    saver: Saver, tables: Tables, older: OlderWriter
) -> None:
    store(tables, tables.checkpoints, finished_turn(older))
    graph = graph_of(saver)
    state = graph.get_state(config(THREAD, None))
    assert state.values == {"log": ["hi", "first", "second"]}
    assert state.next == ()
    assert [past.values for past in graph.get_state_history(config(THREAD, None))] == [state.values]

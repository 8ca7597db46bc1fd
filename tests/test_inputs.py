"""Invalid arguments raise a typed error that names the field and the fix, before any request."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import pytest

from langgraph_checkpoint_dynamodb import (
    DynamoDBSaverError,
    InvalidInputError,
    InvalidInputTypeError,
    ItemTooLargeError,
    ServiceError,
    TableMismatchError,
    TableNotFoundError,
)
from langgraph_checkpoint_dynamodb.format import sizes
from langgraph_checkpoint_dynamodb.format.sizes import ITEM_LIMIT, item_size
from langgraph_checkpoint_dynamodb.items import copier
from tests.support.values import checkpoint, config, metadata, new_id, put_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_core.runnables import RunnableConfig

    from tests.support.calls import Calls, LoopThread
    from tests.support.engines import Engine
    from tests.support.savers import Saver
    from tests.support.tables import Tables

SURROGATE = "a\ud800"
LONGEST_THREAD = 2048
LONGEST_SORT_KEY = 1024
NESTED_PREFIX = len("!") + 32 + len(":::")
LARGE = 100_000
"""Of five values of this size, four fit into an item."""


def count_requests(tables: Tables) -> list[str]:
    """A list that collects the name of every request that a saver is about to send."""
    sent: list[str] = []

    def note(model: Any, **_: object) -> None:
        sent.append(model.name)

    tables.on("before-call", note)
    return sent


@dataclass(frozen=True)
class Watched:
    """A saver's calls, and the names of the requests it has sent."""

    calls: Calls
    sent: list[str]


@pytest.fixture
def nowhere(tables: Tables, calls_of: Callable[[Any], Calls]) -> Iterator[Watched]:
    """A saver whose tables do not exist: every request fails, and is counted."""
    sent = count_requests(tables)
    with tables.saver(**tables.quick()) as saver:
        yield Watched(calls_of(saver), sent)


@pytest.fixture
def watched(tables: Tables, calls_of: Callable[[Any], Calls]) -> Iterator[Watched]:
    """A saver on fresh tables, with its requests counted from here on."""
    with tables.saver(**tables.quick()) as saver:
        saver.setup()
        yield Watched(calls_of(saver), count_requests(tables))


# --- how every call checks an argument ---


def get_tuple(calls: Calls, bad: Any) -> object:
    return calls.get_tuple(bad)


def list_all(calls: Calls, bad: Any) -> object:
    return list(calls.list(bad))


def put(calls: Calls, bad: Any) -> object:
    return calls.put(bad, checkpoint(), metadata(), {})


def put_writes(calls: Calls, bad: Any) -> None:
    calls.put_writes(bad, [("channel", 1)], "task")


def history(calls: Calls, bad: Any) -> object:
    return calls.get_delta_channel_history(config=bad, channels=["log"])


BY_CONFIG = (get_tuple, list_all, put, put_writes, history)


def delete_thread(calls: Calls, bad: Any) -> None:
    calls.delete_thread(bad)


def copy_from(calls: Calls, bad: Any) -> None:
    calls.copy_thread(bad, "target")


def copy_to(calls: Calls, bad: Any) -> None:
    calls.copy_thread("source", bad)


BY_THREAD = (
    (delete_thread, "thread_id"),
    (copy_from, "source_thread_id"),
    (copy_to, "target_thread_id"),
)

NO_THREAD_IDS = [
    pytest.param(None, "is missing", id="none"),
    pytest.param("", "must not be empty", id="empty"),
    pytest.param(True, "must be a string, got bool", id="bool"),
    pytest.param(7.0, "must be a string, got float", id="float"),
    pytest.param(b"thread", "must be a string, got bytes", id="bytes"),
    pytest.param(10**3000, "allows 2048; use a shorter one", id="too-long-int"),
    pytest.param(10**5000, "has too many digits; use a shorter one", id="endless-int"),
    pytest.param("t" * (LONGEST_THREAD + 1), "allows 2048; use a shorter one", id="too-long"),
    pytest.param(
        "\N{SNOWMAN}" * (LONGEST_THREAD // 3 + 1),
        "allows 2048; use a shorter one",
        id="too-long-in-utf-8",
    ),
    pytest.param(SURROGATE, "lone surrogate; pass valid Unicode", id="surrogate"),
]


def refused(
    watched: Watched,
    call: Callable[[], object],
    field: str,
    advice: str,
    kind: type[InvalidInputError] = InvalidInputError,
) -> None:
    """The call raises, names the field and the fix, and sends nothing."""
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")
    assert advice in str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert watched.sent == []


@pytest.mark.parametrize("act", BY_CONFIG)
@pytest.mark.parametrize(("thread_id", "advice"), NO_THREAD_IDS)
def test_a_config_with_a_thread_id_that_cannot_be_keyed_is_refused(
    nowhere: Watched, act: Callable[[Calls, Any], object], thread_id: object, advice: str
) -> None:
    bad = {"configurable": {"thread_id": thread_id, "checkpoint_ns": "", "checkpoint_id": new_id()}}
    refused(nowhere, lambda: act(nowhere.calls, bad), "thread_id", advice)


@pytest.mark.parametrize("act", BY_CONFIG)
def test_a_config_without_a_thread_id_is_refused(
    nowhere: Watched, act: Callable[[Calls, Any], object]
) -> None:
    bad = {"configurable": {"checkpoint_ns": "", "checkpoint_id": new_id()}}
    refused(nowhere, lambda: act(nowhere.calls, bad), "thread_id", 'pass {"configurable"')


@pytest.mark.parametrize(("act", "field"), BY_THREAD)
@pytest.mark.parametrize(("thread_id", "advice"), NO_THREAD_IDS)
def test_a_call_by_a_thread_id_that_cannot_be_keyed_is_refused(
    nowhere: Watched,
    act: Callable[[Calls, Any], object],
    field: str,
    thread_id: object,
    advice: str,
) -> None:
    refused(nowhere, lambda: act(nowhere.calls, thread_id), field, advice)


@pytest.mark.parametrize("act", [get_tuple, put, put_writes, history])
@pytest.mark.parametrize("bad", [None, {}, {"configurable": None}, {"tags": ["a"]}, "thread"])
def test_a_config_without_configurable_is_refused(
    nowhere: Watched, act: Callable[[Calls, Any], object], bad: object
) -> None:
    refused(nowhere, lambda: act(nowhere.calls, bad), "config", 'must be a mapping like {"conf')


@pytest.mark.parametrize("bad", [{"configurable": None}, {"tags": ["a"]}, "thread"])
def test_a_config_that_addresses_nothing_does_not_list_every_thread(
    nowhere: Watched, bad: object
) -> None:
    refused(nowhere, lambda: list_all(nowhere.calls, bad), "config", "must be a mapping like")


@pytest.mark.parametrize("checkpoint_id", [None, ""])
def test_writes_without_a_checkpoint_id_are_refused(
    nowhere: Watched, checkpoint_id: str | None
) -> None:
    bad = config("thread", checkpoint_id=checkpoint_id)
    refused(
        nowhere, lambda: put_writes(nowhere.calls, bad), "checkpoint_id", "so the config names it"
    )


# --- checkpoint ids ---


def put_under(calls: Calls, checkpoint_ns: str, checkpoint_id: str) -> object:
    stored = {**checkpoint(), "id": checkpoint_id}
    return calls.put(config("thread", checkpoint_ns), cast("Any", stored), metadata(), {})


def get_under(calls: Calls, checkpoint_ns: str, checkpoint_id: str) -> object:
    return calls.get_tuple(config("thread", checkpoint_ns, checkpoint_id))


def list_under(calls: Calls, checkpoint_ns: str, checkpoint_id: str) -> object:
    return list(calls.list(config("thread", checkpoint_ns, checkpoint_id)))


def write_under(calls: Calls, checkpoint_ns: str, checkpoint_id: str) -> None:
    put_writes(calls, config("thread", checkpoint_ns, checkpoint_id))


@pytest.mark.parametrize("act", [put_under, write_under])
@pytest.mark.parametrize("checkpoint_ns", ["", "child:1"])
@pytest.mark.parametrize("checkpoint_id", ["!", "!later", " spaced", "\x00", "\n"])
def test_a_checkpoint_id_that_begins_among_the_nested_keys_is_not_stored(
    nowhere: Watched,
    act: Callable[[Calls, str, str], object],
    checkpoint_ns: str,
    checkpoint_id: str,
) -> None:
    refused(
        nowhere,
        lambda: act(nowhere.calls, checkpoint_ns, checkpoint_id),
        "checkpoint_id",
        "must begin with a character above '!'",
    )


def test_a_checkpoint_with_an_empty_id_is_refused(nowhere: Watched) -> None:
    refused(nowhere, lambda: put_under(nowhere.calls, "", ""), "checkpoint_id", "must not be empty")


@pytest.mark.parametrize("act", [put_under, write_under])
@pytest.mark.parametrize(
    ("checkpoint_ns", "longest"),
    [("", LONGEST_SORT_KEY), ("child:1", LONGEST_SORT_KEY - NESTED_PREFIX)],
)
@pytest.mark.parametrize("letter", ["i", "\N{SNOWMAN}"])
def test_a_checkpoint_id_over_the_limit_of_a_sort_key_is_not_stored(
    nowhere: Watched,
    act: Callable[[Calls, str, str], object],
    checkpoint_ns: str,
    longest: int,
    letter: str,
) -> None:
    too_long = letter * (longest // len(letter.encode()) + 1)
    refused(
        nowhere,
        lambda: act(nowhere.calls, checkpoint_ns, too_long),
        "checkpoint_id",
        "allows 1024; use a shorter one",
    )


NO_CHECKPOINT_IDS = [
    *("!", "!later", " spaced", "\x00", "\n", SURROGATE, f"!{SURROGATE}"),
    pytest.param("i" * (LONGEST_SORT_KEY + 1), id="too-long"),
    pytest.param("\N{SNOWMAN}" * (LONGEST_SORT_KEY // 3 + 1), id="too-long-in-utf-8"),
]


@pytest.mark.parametrize("checkpoint_ns", [None, "", "child:1"])
@pytest.mark.parametrize("checkpoint_id", NO_CHECKPOINT_IDS)
def test_an_id_that_no_checkpoint_can_have_is_not_found_without_looking(
    nowhere: Watched, checkpoint_ns: str | None, checkpoint_id: str
) -> None:
    at = config("thread", checkpoint_ns, checkpoint_id)
    calls = nowhere.calls
    assert calls.get_tuple(at) is None
    assert list(calls.list(at)) == []
    history = calls.get_delta_channel_history(config=at, channels=["log", "other"])
    assert history == {"log": {"writes": []}, "other": {"writes": []}}
    assert nowhere.sent == []


@pytest.mark.parametrize("checkpoint_id", [7, b"1", ["1"]])
@pytest.mark.parametrize("act", BY_CONFIG)
def test_an_id_that_is_no_text_is_refused_even_where_it_would_only_be_looked_for(
    nowhere: Watched, act: Callable[[Calls, Any], object], checkpoint_id: Any
) -> None:
    bad = config("thread", "", checkpoint_id)
    refused(
        nowhere,
        lambda: act(nowhere.calls, bad),
        "checkpoint_id",
        "must be a string",
        InvalidInputTypeError,
    )


def put_after(calls: Calls, checkpoint_ns: str, checkpoint_id: str) -> object:
    return put(calls, config("thread", checkpoint_ns, checkpoint_id))


@pytest.mark.parametrize(
    ("act", "place"),
    [
        *((act, "checkpoint_ns") for act in (put_under, get_under, list_under, write_under)),
        *((act, "checkpoint_id") for act in (put_under, put_after, write_under)),
    ],
)
def test_a_lone_surrogate_in_an_address_is_refused(
    nowhere: Watched, act: Callable[..., object], place: str
) -> None:
    parts = {"checkpoint_ns": "", "checkpoint_id": new_id(), place: SURROGATE}
    refused(nowhere, lambda: act(nowhere.calls, **parts), place, "pass valid Unicode text")


IDENTITY = UUID("c0ffee00-1234-4678-9abc-def012345678")


@pytest.mark.parametrize(
    ("thread_id", "text"), [(7, "7"), (-1, "-1"), (0, "0"), (IDENTITY, str(IDENTITY))]
)
def test_a_thread_id_that_is_an_integer_or_a_uuid_is_taken_as_its_text(
    watched: Watched, thread_id: Any, text: str
) -> None:
    calls = watched.calls
    stored = calls.put(config(thread_id), checkpoint(a=1), metadata(), {})
    assert stored["configurable"]["thread_id"] == text
    at = config(thread_id, "", stored["configurable"]["checkpoint_id"])
    calls.put_writes(at, [("a", 2)], "task")
    calls.put(at, checkpoint(a=3), metadata(), {})
    assert calls.get_tuple(config(thread_id)) == calls.get_tuple(config(text))
    assert len(list(calls.list(config(thread_id)))) == len(list(calls.list(config(text)))) == 2
    calls.copy_thread(thread_id, cast("Any", 8))
    assert len(list(calls.list(config("8")))) == 2
    calls.prune([thread_id, text])
    assert len(list(calls.list(config(text)))) == 1
    calls.delete_thread(thread_id)
    assert list(calls.list(config(text))) == []
    calls.prune(cast("Any", [8]), strategy="delete")
    assert list(calls.list(None)) == []


@pytest.mark.parametrize("place", ["checkpoint_ns", "checkpoint_id"])
@pytest.mark.parametrize("act", BY_CONFIG)
def test_an_address_that_is_no_text_is_refused(
    nowhere: Watched, act: Callable[[Calls, Any], object], place: str
) -> None:
    parts: dict[str, Any] = {"thread_id": "t", "checkpoint_ns": "", "checkpoint_id": "1"}
    bad = {"configurable": {**parts, place: 7}}
    refused(
        nowhere,
        lambda: act(nowhere.calls, bad),
        place,
        "must be a string, got int",
        InvalidInputTypeError,
    )


@pytest.mark.parametrize("bad", [None, {}, {"id": None}, {"id": 7}, "checkpoint"])
def test_a_checkpoint_without_an_id_is_refused(nowhere: Watched, bad: Any) -> None:
    refused(
        nowhere,
        lambda: nowhere.calls.put(config("thread"), bad, metadata(), {}),
        "checkpoint",
        "must be a mapping with a string 'id'",
    )


@pytest.mark.parametrize("checkpoint_ns", ["", "child:1"])
def test_the_longest_thread_and_checkpoint_ids_work_with_writes(
    watched: Watched, checkpoint_ns: str
) -> None:
    prefix = NESTED_PREFIX if checkpoint_ns else 0
    longest_id = "i" * (LONGEST_SORT_KEY - prefix)
    thread = config("t" * LONGEST_THREAD, checkpoint_ns)
    stored = watched.calls.put(thread, checkpoint(longest_id, a=1), metadata(), {})
    longest_task = "k" * (LONGEST_SORT_KEY - len(":::0"))
    watched.calls.put_writes(stored, [("a", 2)], longest_task)
    for address in (thread, stored):
        found = watched.calls.get_tuple(address)
        assert found is not None
        assert found.config == stored
        assert found.checkpoint["channel_values"] == {"a": 1}
        assert found.pending_writes == [(longest_task, "a", 2)]


# --- writes ---


def test_a_task_id_over_the_limit_of_a_sort_key_is_refused(nowhere: Watched) -> None:
    task_id = "k" * (LONGEST_SORT_KEY - len(":::0") + 1)
    address = config("thread", checkpoint_id=new_id())
    refused(
        nowhere,
        lambda: nowhere.calls.put_writes(address, [("a", 1)], task_id),
        "task_id",
        "allows 1024; use a shorter one",
    )


def test_a_task_id_that_leaves_no_room_for_the_index_of_a_later_write_is_refused(
    nowhere: Watched,
) -> None:
    fits_one_digit = "k" * (LONGEST_SORT_KEY - len(":::0"))
    address = config("thread", checkpoint_id=new_id())
    writes = [("a", n) for n in range(11)]
    refused(
        nowhere,
        lambda: nowhere.calls.put_writes(address, writes, fits_one_digit),
        "task_id",
        "use a shorter one",
    )


@pytest.mark.parametrize("field", ["task_id", "task_path", "channel"])
@pytest.mark.parametrize(
    ("bad", "advice"),
    [(SURROGATE, "pass valid Unicode text"), (7, "must be a string"), (None, "must be a string")],
    ids=["surrogate", "int", "none"],
)
def test_a_write_with_text_that_cannot_be_stored_is_refused(
    nowhere: Watched, field: str, bad: Any, advice: str
) -> None:
    parts = {"task_id": "task", "task_path": "", "channel": "a", field: bad}
    writes = [("first", 1), (parts["channel"], 2)]
    address = config("thread", checkpoint_id=new_id())
    refused(
        nowhere,
        lambda: nowhere.calls.put_writes(address, writes, parts["task_id"], parts["task_path"]),
        field,
        advice,
    )


# --- lists of names, options ---


def delete_runs(calls: Calls, bad: Any) -> None:
    calls.delete_for_runs(bad)


def prune(calls: Calls, bad: Any) -> None:
    calls.prune(bad)


def channels(calls: Calls, bad: Any) -> object:
    return calls.get_delta_channel_history(config=config("thread"), channels=bad)


BY_NAMES = ((delete_runs, "run_ids"), (prune, "thread_ids"), (channels, "channels"))


@pytest.mark.parametrize(("act", "field"), BY_NAMES)
@pytest.mark.parametrize("bad", ["name", b"name", None, 7])
def test_one_bare_name_in_place_of_a_sequence_is_refused(
    nowhere: Watched, act: Callable[[Calls, Any], object], field: str, bad: object
) -> None:
    refused(
        nowhere,
        lambda: act(nowhere.calls, bad),
        field,
        "wrap it in a list",
        InvalidInputTypeError,
    )


@pytest.mark.parametrize(("act", "field"), BY_NAMES)
@pytest.mark.parametrize("bad", [None, True, 7.0, b"name", ("name",)])
def test_a_sequence_with_something_else_than_text_is_refused(
    nowhere: Watched, act: Callable[[Calls, Any], object], field: str, bad: object
) -> None:
    refused(
        nowhere,
        lambda: act(nowhere.calls, ["good", bad]),
        field,
        "must be a string",
        InvalidInputTypeError,
    )


@pytest.mark.parametrize(("act", "field"), BY_NAMES)
def test_a_sequence_with_a_lone_surrogate_is_refused(
    nowhere: Watched, act: Callable[[Calls, Any], object], field: str
) -> None:
    refused(
        nowhere, lambda: act(nowhere.calls, ["good", SURROGATE]), field, "pass valid Unicode text"
    )


@pytest.mark.parametrize("bad", ["", "keep_all", "KEEP_LATEST", None, 7, ["delete"]])
def test_an_unknown_prune_strategy_is_refused_and_the_known_ones_are_named(
    nowhere: Watched, bad: Any
) -> None:
    refused(
        nowhere,
        lambda: nowhere.calls.prune(["thread"], strategy=bad),
        "strategy",
        'must be "keep_latest" or "delete" ("delete_all" is the same), got ',
    )


@pytest.mark.parametrize("bad", ["5", 2.5, True, [1]])
@pytest.mark.parametrize("address", [None, config("thread")], ids=["all", "thread"])
def test_a_limit_that_is_no_whole_number_is_refused(
    nowhere: Watched, address: RunnableConfig | None, bad: Any
) -> None:
    refused(
        nowhere,
        lambda: list(nowhere.calls.list(address, limit=bad)),
        "limit",
        "must be a int or None",
        InvalidInputTypeError,
    )


@pytest.mark.parametrize("bad", ["source", ["source"], [("source", "loop")], 7])
@pytest.mark.parametrize("address", [None, config("thread")], ids=["all", "thread"])
def test_a_filter_that_is_no_mapping_is_refused(
    nowhere: Watched, address: RunnableConfig | None, bad: Any
) -> None:
    refused(
        nowhere,
        lambda: list(nowhere.calls.list(address, filter=bad)),
        "filter",
        "must be a dict or None",
        InvalidInputTypeError,
    )


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        pytest.param({"configurable": {"checkpoint_id": 7}}, "before.checkpoint_id", id="int"),
        pytest.param(
            {"configurable": {"checkpoint_id": SURROGATE}}, "before.checkpoint_id", id="surrogate"
        ),
        pytest.param({"checkpoint_id": 7}, "before.checkpoint_id", id="flat int"),
        pytest.param({"configurable": None, "checkpoint_id": "1"}, "before", id="neither"),
        pytest.param({"tags": ["a"]}, "before", id="no id"),
        pytest.param("1", "before", id="text"),
    ],
)
def test_a_before_that_is_no_config_is_refused(nowhere: Watched, bad: Any, field: str) -> None:
    refused(nowhere, lambda: list(nowhere.calls.list(config("thread"), before=bad)), field, field)


@pytest.mark.parametrize("thread_id", ["thread", None])
def test_a_before_may_be_a_config_or_a_flat_mapping_as_an_agent_server_passes_it(
    watched: Watched, thread_id: str | None
) -> None:
    chain = put_chain(watched.calls, "thread", 3)
    at = None if thread_id is None else config(thread_id)
    for newest, stored in enumerate(chain):
        names = stored["configurable"]
        forms: list[Any] = [stored, names, {"checkpoint_id": names["checkpoint_id"]}]
        for before in forms:
            found = [one.config for one in watched.calls.list(at, before=before)]
            assert found == chain[:newest][::-1]
    flat: Any = {"checkpoint_id": ""}
    assert len(list(watched.calls.list(at, before=flat))) == 3


def test_an_agent_server_deletes_threads_by_its_own_name_for_it(watched: Watched) -> None:
    put_chain(watched.calls, "thread", 3)
    put_chain(watched.calls, "other", 1)
    watched.calls.prune(["thread"], strategy="delete_all")
    assert [one.config["configurable"]["thread_id"] for one in watched.calls.list(None)] == [
        "other"
    ]


# --- results of the serializer ---


class NumberedSerde:
    """A serializer whose type tags are numbers, which the format cannot store."""

    def dumps_typed(self, value: Any) -> tuple[Any, bytes]:
        return 7, pickle.dumps(value)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        raise AssertionError(f"nothing was ever stored, least of all {data!r}")


class PickleSerde:
    """A serializer that accepts anything, including lone surrogates."""

    def dumps_typed(self, value: Any) -> tuple[str, bytes]:
        return "pickle", pickle.dumps(value)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        return pickle.loads(data[1])  # noqa: S301 - only what this test has stored


@pytest.mark.parametrize("act", [put, put_writes])
def test_a_type_tag_that_is_no_text_is_refused(
    tables: Tables, calls_of: Callable[[Any], Calls], act: Callable[[Calls, Any], object]
) -> None:
    sent = count_requests(tables)
    with tables.saver(**tables.quick(), serde=NumberedSerde()) as saver:
        watched = Watched(calls_of(saver), sent)
        refused(
            watched,
            lambda: act(watched.calls, config("thread", "", new_id())),
            "serde type",
            "must be a string, got int",
            InvalidInputTypeError,
        )


@pytest.mark.parametrize("run_id", [SURROGATE, "", "r" * 2049, 7])
def test_a_run_id_that_cannot_key_an_index_does_not_keep_a_checkpoint_from_being_stored(
    tables: Tables, calls_of: Callable[[Any], Calls], run_id: object
) -> None:
    with tables.saver(serde=PickleSerde()) as saver:
        saver.setup()
        calls = calls_of(saver)
        stored = calls.put(config("thread"), checkpoint(), metadata(run_id=run_id), {})
        found = calls.get_tuple(stored)
    assert found is not None
    assert dict(found.metadata)["run_id"] == run_id
    assert [item.get("run_id") for item in tables.checkpoint_items()] == [None]


# --- sizes ---


def refused_for_size(call: Callable[[], object], *named: str) -> ItemTooLargeError:
    with pytest.raises(ItemTooLargeError) as caught:
        call()
    error = caught.value
    assert error.limit == ITEM_LIMIT
    assert error.size > ITEM_LIMIT
    for part in (*named, error.place, str(error.size), str(ITEM_LIMIT), "Nothing was written"):
        assert part in str(error)
    return error


def store_long_names(calls: Calls, **names: str) -> object:
    """A checkpoint with these names, or writes if a task is named."""
    ns, id_ = names.get("checkpoint_ns", "child:1"), new_id()
    if names.keys() & {"checkpoint_ns", "parent_id"}:
        parent = config("thread", ns, names.get("parent_id"))
        return calls.put(parent, checkpoint(id_, a=1), metadata(), {})
    writes = [("a", n) for n in range(100)] + [(names.get("channel", "a"), 1)]
    calls.put_writes(config("thread", ns, id_), writes, "task-7", names.get("task_path", ""))
    return None


@pytest.mark.parametrize("name", ["checkpoint_ns", "parent_id", "channel", "task_path"])
def test_names_that_alone_are_over_the_item_limit_are_refused_before_anything_is_written(
    nowhere: Watched, name: str
) -> None:
    refused_for_size(
        lambda: store_long_names(nowhere.calls, **{name: "n" * ITEM_LIMIT}), "'thread'"
    )
    assert nowhere.sent == []


@pytest.mark.parametrize("large", ["checkpoint", "metadata", "both"])
def test_a_checkpoint_over_the_item_limit_is_stored_and_comes_back(
    watched: Watched, tables: Tables, large: str
) -> None:
    value = b"x" * (5 * LARGE)
    in_checkpoint = {"checkpoint": value, "both": value[: 3 * LARGE]}.get(large, b"")
    in_metadata = {"metadata": value, "both": value[: 3 * LARGE]}.get(large, b"")
    thread = config("thread", "child:1")
    stored = watched.calls.put(
        thread, checkpoint(blob=in_checkpoint), metadata(blob=in_metadata), {}
    )
    for address in (thread, stored):
        found = watched.calls.get_tuple(address)
        assert found is not None
        assert found.checkpoint["channel_values"] == {"blob": in_checkpoint}
        assert dict(found.metadata)["blob"] == in_metadata
    (item,) = tables.checkpoint_items()
    # A value that fits stays: of two that do not fit together, only one is moved.
    assert len({"checkpoint", "metadata"} & item.keys()) == 1


@pytest.mark.parametrize("count", [1, 2, 101])
def test_a_write_over_the_item_limit_is_stored_with_all_writes_of_its_call(
    watched: Watched, tables: Tables, count: int
) -> None:
    writes = [("small", n) for n in range(count - 1)] + [("large", "x" * (5 * LARGE))]
    stored = watched.calls.put(config("thread", "child:1"), checkpoint(), metadata(), {})
    watched.calls.put_writes(stored, writes, "task-7")
    found = watched.calls.get_tuple(stored)
    assert found is not None
    assert found.pending_writes == [("task-7", *one) for one in writes]
    assert len(tables.write_items()) == 1 + 2


@pytest.mark.parametrize("place", ["checkpoint", "metadata", "value"])
def test_a_value_stays_in_an_item_of_exactly_the_limit_and_leaves_one_of_a_byte_more(
    watched: Watched, tables: Tables, engine: Engine, place: str
) -> None:
    items, store = place_for(watched.calls, tables, place)
    store("measure", LARGE)
    room = ITEM_LIMIT - item_size(cast("Any", items()[0]))
    paddings = {"toolong": LARGE + room + 1}
    if engine.faithful:
        paddings["exactly"] = LARGE + room
    for name, padding in paddings.items():
        assert store(name, padding) == b"x" * padding
    sizes = {name_of(item): item_size(cast("Any", item)) for item in items() if place in item}
    del paddings["toolong"]
    assert sizes == {"measure": ITEM_LIMIT - room, **dict.fromkeys(paddings, ITEM_LIMIT)}


def name_of(item: Any) -> str:
    """The thread of a checkpoint's item, or the task of a write's item."""
    key = item["thread_id" if "thread_id" in item else "task_id_idx"]["S"]
    return str(key).partition(":::")[0]


def place_for(
    calls: Calls, tables: Tables, place: str
) -> tuple[Callable[[], list[dict[str, Any]]], Callable[[str, int], object]]:
    """Readers for the items of a kind of value, and a function that stores and reads a value.

    The names under which values are stored must be of the same length: it counts.
    """
    checkpoint_id = new_id()

    def store(name: str, padding: int) -> object:
        blob = b"x" * padding
        stored = calls.put(
            config("thread" if place == "value" else name),
            checkpoint(checkpoint_id, **({"blob": blob} if place == "checkpoint" else {})),
            metadata(**({"blob": blob} if place == "metadata" else {})),
            {},
        )
        if place == "value":
            calls.put_writes(stored, [("blob", blob)], name)
        found = calls.get_tuple(stored)
        assert found is not None
        if place == "value":
            return {task: value for task, _, value in found.pending_writes or ()}[name]
        values = found.checkpoint["channel_values"] if place == "checkpoint" else found.metadata
        return dict(values)["blob"]

    return (tables.write_items if place == "value" else tables.checkpoint_items), store


@pytest.mark.parametrize("place", ["checkpoint", "metadata", "value"])
def test_the_copy_of_a_full_item_to_a_longer_thread_id_is_whole(
    watched: Watched, tables: Tables, engine: Engine, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    items, store = place_for(watched.calls, tables, place)
    store(name := "measure", LARGE)
    full = item_size(cast("Any", items()[0]))
    if engine.faithful:
        store(name := "exactly", LARGE + ITEM_LIMIT - full)
    else:
        # A limit that this item exactly meets: some engines refuse items of the real limit.
        monkeypatch.setattr(copier, "ITEM_LIMIT", full)
    source = "thread" if place == "value" else name
    original = watched.calls.get_tuple(config(source))
    assert original is not None
    chunks = 0
    for longer in (0, 1, LONGEST_THREAD - len(source)):
        target = "t" * (len(source) + longer)
        watched.calls.copy_thread(source, target)
        copy = watched.calls.get_tuple(config(target))
        assert copy is not None
        assert copy[1:] == original[1:]
        before, chunks = chunks, sum("chunk" in item for item in tables.write_items())
        assert (chunks > before) is (longer > 0)


def test_the_copy_of_names_that_leave_no_room_is_refused_by_name(
    watched: Watched, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = watched.calls.put(config("short"), checkpoint(), metadata(), {})
    watched.calls.put_writes(stored, [("a", bytes(1000))], "task", "p" * LARGE)
    (write,) = tables.write_items()
    limit = item_size(cast("Any", write)) - 1000
    for module in (copier, sizes):
        monkeypatch.setattr(module, "ITEM_LIMIT", limit)
    with pytest.raises(ItemTooLargeError, match="'longer'") as caught:
        watched.calls.copy_thread("short", "longer")
    assert caught.value.size > caught.value.limit == limit
    assert watched.calls.get_tuple(config("longer")) is None


# --- tables that are missing, or have other keys ---


ADDRESS = config("thread", "", "1f000000-0000-6000-8000-000000000000")
USES_CHECKPOINTS: dict[str, Callable[[Calls], object]] = {
    "get_tuple": lambda calls: calls.get_tuple(config("thread")),
    "list": lambda calls: list(calls.list(config("thread"))),
    "list_all": lambda calls: list(calls.list(None)),
    "put": lambda calls: put(calls, ADDRESS),
    "delete_thread": lambda calls: delete_thread(calls, "thread"),
    "prune": lambda calls: prune(calls, ["thread"]),
    "prune_delete": lambda calls: calls.prune(["thread"], strategy="delete"),
    "copy_thread": lambda calls: copy_to(calls, "target"),
    "delete_for_runs": lambda calls: delete_runs(calls, ["run"]),
    "history": lambda calls: history(calls, ADDRESS),
}
USES_WRITES: dict[str, Callable[[Calls], object]] = {
    "one_write": lambda calls: calls.put_writes(ADDRESS, [("a", 1)], "task"),
    "two_writes": lambda calls: calls.put_writes(ADDRESS, [("a", 1), ("a", 2)], "task"),
}


@pytest.mark.parametrize("act", USES_CHECKPOINTS.values(), ids=USES_CHECKPOINTS)
def test_a_missing_checkpoints_table_is_named(
    nowhere: Watched, tables: Tables, act: Callable[[Calls], object]
) -> None:
    with pytest.raises(TableNotFoundError) as caught:
        act(nowhere.calls)
    assert caught.value.table_name == tables.checkpoints
    assert tables.checkpoints in str(caught.value)
    assert f"in region 'us-east-1', at {tables.engine.url};" in str(caught.value)
    assert "create it with setup()" in str(caught.value)


@pytest.mark.parametrize("act", USES_WRITES.values(), ids=USES_WRITES)
def test_a_missing_writes_table_is_named(
    nowhere: Watched, tables: Tables, act: Callable[[Calls], object]
) -> None:
    with pytest.raises(TableNotFoundError) as caught:
        act(nowhere.calls)
    assert caught.value.table_name == tables.writes
    assert tables.writes in str(caught.value)
    assert "create it with setup()" in str(caught.value)


def test_a_writes_table_that_is_missing_is_named_when_a_checkpoint_is_read(
    watched: Watched, tables: Tables
) -> None:
    stored = watched.calls.put(config("thread"), checkpoint(), metadata(), {})
    tables.client.delete_table(TableName=tables.writes)
    for read in (config("thread"), stored):
        with pytest.raises(TableNotFoundError) as caught:
            watched.calls.get_tuple(read)
        assert caught.value.table_name == tables.writes


def make_other_tables(tables: Tables) -> None:
    """Tables of the right names with the keys of another program."""
    for name in (tables.checkpoints, tables.writes):
        tables.client.create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": "PK", "KeyType": "HASH"},
                {"AttributeName": "SK", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "PK", "AttributeType": "S"},
                {"AttributeName": "SK", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )


KEYED = ("get_tuple", "list", "put", "delete_thread")
"""Calls whose first request is by key: a Scan of another program's table finds nothing."""


def named_mismatch(call: Callable[[], object], *, says_why: bool = True) -> str:
    """The table that the error names."""
    with pytest.raises(DynamoDBSaverError) as caught:
        call()
    assert isinstance(caught.value, TableMismatchError if says_why else ServiceError)
    assert caught.value.table_name in str(caught.value)
    for advice in ("keys", "setup()") if says_why else ():
        assert advice in str(caught.value)
    return caught.value.table_name


@pytest.mark.parametrize("name", KEYED)
def test_a_checkpoints_table_with_other_keys_is_named_at_its_use(
    nowhere: Watched, tables: Tables, engine: Engine, name: str
) -> None:
    make_other_tables(tables)
    # Engines that are not faithful reject a put that asks for the old item without a reason.
    says_why = engine.faithful or name != "put"
    named = named_mismatch(lambda: USES_CHECKPOINTS[name](nowhere.calls), says_why=says_why)
    assert named == tables.checkpoints


def test_a_writes_table_with_other_keys_is_named_by_a_single_write(
    nowhere: Watched, tables: Tables, engine: Engine
) -> None:
    make_other_tables(tables)
    named = named_mismatch(
        lambda: USES_WRITES["one_write"](nowhere.calls), says_why=engine.faithful
    )
    assert named == tables.writes


def test_a_writes_table_with_other_keys_is_named_by_a_transaction(
    nowhere: Watched, tables: Tables, engine: Engine
) -> None:
    make_other_tables(tables)
    with pytest.raises(DynamoDBSaverError) as caught:
        USES_WRITES["two_writes"](nowhere.calls)
    # Engines that are not faithful cancel a transaction without a reason.
    if engine.faithful:
        assert isinstance(caught.value, TableMismatchError)
        assert caught.value.table_name == tables.writes
        assert tables.writes in str(caught.value)


def test_a_table_with_other_keys_is_named_when_a_checkpoint_is_read_by_its_id(
    nowhere: Watched, tables: Tables
) -> None:
    make_other_tables(tables)
    with pytest.raises(TableMismatchError) as caught:
        nowhere.calls.get_tuple(config("thread", checkpoint_id=new_id()))
    assert caught.value.table_name in (tables.checkpoints, tables.writes)


def test_setup_refuses_tables_with_other_keys_and_says_which_it_needs(
    tables: Tables, loop_thread: LoopThread
) -> None:
    make_other_tables(tables)
    with tables.saver() as saver:
        for call in (saver.setup, lambda: loop_thread.run(saver.asetup())):
            with pytest.raises(TableMismatchError) as caught:
                call()
            assert caught.value.table_name == tables.checkpoints
            for attribute in ("'PK'", "'SK'", "'thread_id'", "'checkpoint_id'"):
                assert attribute in str(caught.value)


def test_a_sync_call_refuses_bad_options_before_the_first_item_is_asked_for(
    saver: Saver,
) -> None:
    with pytest.raises(InvalidInputTypeError):
        saver.list(config("thread"), limit=cast("Any", "5"))

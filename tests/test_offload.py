"""Values in S3: where their objects are stored, who can read them, and when they are deleted."""

from __future__ import annotations

import re
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session

from langgraph_checkpoint_dynamodb import (
    DynamoDBSaver,
    InvalidInputError,
    InvalidInputTypeError,
    MissingPartError,
    ObjectsNotDeletedError,
    ServiceError,
    TransportError,
    UnreadableItemError,
)
from langgraph_checkpoint_dynamodb.policies import (
    DELETE_ACTIONS,
    RUN_ACTIONS,
    S3_DELETE_ACTIONS,
    S3_RUN_ACTIONS,
    SWEEP_ACTIONS,
)
from langgraph_checkpoint_dynamodb.requests import calls as requests
from langgraph_checkpoint_dynamodb.requests.objects import DeleteObjects
from langgraph_checkpoint_dynamodb.requests.operations import Concurrently
from tests.support.buckets import new_bucket
from tests.support.calls import AsyncCalls, SyncCalls
from tests.support.faults import Refusal, SkippedWaits, faulty
from tests.support.sessions import on, patch_sending, restricted_session, saver_session
from tests.support.strategies import LONGEST_THREAD_ID
from tests.support.tables import sweep
from tests.support.values import checkpoint, config, id_of, metadata, refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import CheckpointTuple

    from tests.support.buckets import Bucket
    from tests.support.calls import Calls, LoopThread
    from tests.support.engines import Engine
    from tests.support.savers import Saver
    from tests.support.tables import Tables

THRESHOLD = 1000
LARGE = "l" * 2 * THRESHOLD
UNROUTABLE = "http://127.0.0.1:9"
FOUR = {"PutObject", "GetObject", "CopyObject", "DeleteObjects"}


@pytest.fixture
def saver(tables: Tables, bucket: Bucket) -> Iterator[Saver]:
    tables.set_up()
    with tables.saver(s3_offload_config=bucket.config(THRESHOLD)) as made:
        yield made


@pytest.fixture(params=["sync", "async"])
def calls(request: pytest.FixtureRequest, saver: Saver, loop_thread: LoopThread) -> Calls:
    return SyncCalls(saver) if request.param == "sync" else AsyncCalls(saver, loop_thread)


def put(
    calls: Calls | Saver,
    thread_id: str = "t",
    ns: str = "",
    state: str = LARGE,
    **more: Any,
) -> RunnableConfig:
    return calls.put(config(thread_id, ns), checkpoint(state=state), metadata(**more), {})


def put_again(calls: Calls | Saver, stored: RunnableConfig, state: str) -> None:
    again = checkpoint(id_of(stored), state=state)
    calls.put(config(stored["configurable"]["thread_id"]), again, metadata(), {})


def found(calls: Calls | Saver, at: RunnableConfig) -> CheckpointTuple:
    tuple_ = calls.get_tuple(at)
    assert tuple_ is not None
    return tuple_


def state_of(calls: Calls | Saver, at: RunnableConfig) -> object:
    return found(calls, at).checkpoint["channel_values"]["state"]


def leading(tables: Tables) -> list[str]:
    """The objects that items refer to."""
    return sorted(item["object_key"]["S"] for item in tables.write_items() if "object_key" in item)


def only(bucket: Bucket) -> tuple[str, bytes]:
    ((key, data),) = bucket.objects().items()
    return key, data


# Where values are stored


@pytest.mark.sample(5)
@pytest.mark.parametrize("state", ["small", LARGE])
@pytest.mark.parametrize("note", ["small", LARGE])
@pytest.mark.parametrize("value", ["small", LARGE])
def test_each_large_value_is_one_object_that_its_item_names_and_a_small_one_stays(
    calls: Calls, tables: Tables, bucket: Bucket, state: str, note: str, value: str
) -> None:
    at = put(calls, state=state, note=note)
    calls.put_writes(at, [("channel", value), ("other", 1)], "task")
    tuple_ = found(calls, config("t"))
    assert tuple_.checkpoint["channel_values"] == {"state": state}
    assert cast("Any", tuple_.metadata)["note"] == note
    assert tuple_.pending_writes == [("task", "channel", value), ("task", "other", 1)]
    (own,) = cast("list[Any]", tables.checkpoint_items())
    (task,) = [item for item in cast("list[Any]", tables.write_items()) if "writes" in item]
    described = {
        name: own[f"{name}_payload"]
        for name in ("checkpoint", "metadata")
        if f"{name}_payload" in own
    }
    described |= {
        name: one
        for name, one in task.get("value_payload", {"M": {}})["M"].items()
        if name != "kind"
    }
    large = {"checkpoint": state, "metadata": note, "0": value}
    assert described.keys() == {name for name, one in large.items() if one == LARGE}
    assert {"checkpoint", "metadata"} & own.keys() == {"checkpoint", "metadata"} - described.keys()
    assert [len(entry["L"]) for entry in task["writes"]["L"]] == [3 if value == LARGE else 4, 4]
    named = {one["M"]["key"]["S"]: int(one["M"]["size"]["N"]) for one in described.values()}
    assert named == {key: len(data) for key, data in bucket.objects().items()}
    assert sorted(named) == leading(tables)
    assert all(key.startswith("states/t/") for key in named)


HOSTILE = (
    *(".", "..", "/", "//", "a/../b", "a/./b", "/a", "a/", "%2F", "%", "a?b#c", "?", "#", "&x=1"),
    *("a b", " ", "+", "\n", "\r\n", "\t", "\x7f", "'", '"', "\\", "<a>", "{}", "~", "a:::b", "a"),
    *("é", "e\u0301", "\U0001f600", "\u202e", "\ufeff", "C:\\x", "x" * 255, "x" * 256),
    *("x" * LONGEST_THREAD_ID, "x" * (LONGEST_THREAD_ID - 1) + "y"),
    *("\U0001f600" * (LONGEST_THREAD_ID // 4), "." * LONGEST_THREAD_ID),
)


@pytest.mark.sample(0)
@pytest.mark.parametrize("prefix", ["", "p" * 512])
def test_any_thread_id_makes_safe_keys_in_a_folder_of_its_own(
    tables: Tables, bucket: Bucket, prefix: str
) -> None:
    tables.set_up()
    folders: list[str] = []
    with tables.saver(s3_offload_config=bucket.config(THRESHOLD, prefix)) as saver:
        for thread_id in HOSTILE:
            before = set(bucket.keys())
            at = put(saver, thread_id)
            saver.put_writes(at, [("channel", LARGE)], "task")
            keys = set(bucket.keys()) - before
            assert len(keys) == 2
            folders += {key.rpartition("/")[0] for key in keys}
            for key in keys:
                assert len(key) <= 1024
                assert key.startswith(f"{prefix}/" if prefix else "")
                assert re.fullmatch(
                    r"(p+/)?[A-Za-z0-9_~%-][A-Za-z0-9_~%-]*/[0-9a-f]{32}/[a-z0-9-]+", key
                )
        assert len(set(folders)) == len(folders) == len(HOSTILE)
        kept = HOSTILE[::2]
        for thread_id in HOSTILE[1::2]:
            saver.delete_thread(thread_id)
        for thread_id in kept:
            tuple_ = found(saver, config(thread_id))
            assert tuple_.checkpoint["channel_values"] == {"state": LARGE}
            assert tuple_.pending_writes == [("task", "channel", LARGE)]
        assert len(bucket.keys()) == 2 * len(kept)


def test_namespaces_and_checkpoints_of_a_thread_share_no_object(
    saver: Saver, tables: Tables
) -> None:
    for ns in ("", "sub", "sub:1"):
        for id_ in ("0001", "0002"):
            saver.put(config("t", ns), checkpoint(id_, state=LARGE), metadata(), {})
    assert len({key.rpartition("/")[0] for key in leading(tables)}) == 6


# Settings


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "langgraph-checkpoints/t/"),
        ({"key_prefix": ""}, "t/"),
        ({"key_prefix": "a"}, "a/t/"),
        ({"key_prefix": "a/"}, "a/t/"),
        ({"key_prefix": "a/b"}, "a/b/t/"),
        ({"key_prefix": "A.b_c-d!*'()=/..."}, "A.b_c-d!*'()=/.../t/"),
        ({"key_prefix": "a" * 512}, "a" * 512 + "/t/"),
    ],
)
def test_every_key_begins_with_the_prefix_and_one_slash(
    tables: Tables, bucket: Bucket, given: dict[str, Any], expected: str
) -> None:
    tables.set_up()
    offload: Any = {"bucket_name": bucket.name, "endpoint_url": bucket.url, **given}
    with tables.saver(s3_offload_config={**offload, "threshold_bytes": THRESHOLD}) as saver:
        at = put(saver)
        (key,) = bucket.keys()
        assert key.startswith(expected)
        assert key.count("/") == expected.count("/") + 1
        assert state_of(saver, at) == LARGE


PREFIXES = ("/", "/a", "a//b", "a//", ".", "..", "../a", "a/..", "a/../b", "a/./b")
BAD_VALUES: dict[str, tuple[Any, ...]] = {
    "former_bucket_names": ([""], ["a b"], ["s3://b"], ["bucket", "b/k"], ("b\n",)),
    "key_prefix": (*PREFIXES, "a b", "a\n", "é", "a?", "%2F", "a" * 513),
    "bucket_name": ("", "a b", "s3://b", "b/k", "b\n"),
    "threshold_bytes": (-1,),
}
BAD_TYPES: dict[str, tuple[Any, ...]] = {
    "former_bucket_names": (None, "bucket", b"bucket", 1, {"bucket"}, [None], [b"bucket"], [1]),
    "key_prefix": (None, 1, b"a"),
    "bucket_name": (None, 1, b"bucket"),
    "threshold_bytes": (None, "1", 1.5, True),
    "endpoint_url": (1, b"http://s3"),
}


@pytest.mark.parametrize(("name", "bad", "kind"), refusals(BAD_VALUES, BAD_TYPES))
def test_a_setting_for_s3_that_cannot_be_used_is_refused_by_name(
    name: str, bad: Any, kind: type[InvalidInputError]
) -> None:
    offload: Any = {"bucket_name": "bucket", name: bad}
    with pytest.raises(InvalidInputError, match=name) as raised:
        DynamoDBSaver(
            checkpoints_table_name="checkpoints",
            writes_table_name="writes",
            s3_offload_config=offload,
        )
    assert type(raised.value) is kind
    assert raised.value.field == f"s3_offload_config.{name}"


@pytest.mark.parametrize(
    ("offload", "kind", "words"),
    [
        ({}, InvalidInputTypeError, ["bucket_name"]),
        ({"key_prefix": "a"}, InvalidInputTypeError, ["bucket_name"]),
        ("bucket", InvalidInputTypeError, ["mapping"]),
        ([("bucket_name", "bucket")], InvalidInputTypeError, ["mapping"]),
        (
            {"bucket_name": "bucket", "prefix": "a", 1: 2},
            InvalidInputError,
            [
                "'prefix'",
                "1",
                "bucket_name, key_prefix, endpoint_url, threshold_bytes, former_bucket_names",
            ],
        ),
    ],
)
def test_settings_for_s3_that_are_not_those_known_are_refused(
    offload: Any, kind: type[InvalidInputError], words: list[str]
) -> None:
    with pytest.raises(InvalidInputError) as raised:
        DynamoDBSaver(
            checkpoints_table_name="checkpoints",
            writes_table_name="writes",
            s3_offload_config=offload,
        )
    assert type(raised.value) is kind
    assert [word for word in words if word not in str(raised.value)] == []


def test_what_is_done_to_the_settings_later_changes_nothing(tables: Tables, bucket: Bucket) -> None:
    tables.set_up()
    offload: Any = dict(bucket.config(THRESHOLD))
    with tables.saver(s3_offload_config=offload) as saver:
        offload.update(bucket_name="elsewhere", key_prefix="x", endpoint_url=UNROUTABLE)
        assert state_of(saver, put(saver)) == LARGE
    assert only(bucket)[0].startswith("states/t/")


# Clients


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every request sent by an SDK client of this process."""
    log: list[Any] = []
    patch_sending(monkeypatch, log.append)
    return log


@pytest.mark.parametrize("way", ["session", "client_config"])
def test_requests_to_s3_are_made_with_the_settings_of_the_other_client_at_their_own_endpoint(
    tables: Tables, bucket: Bucket, sent: list[Any], monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    tables.set_up()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    tuned = Config(user_agent_extra="of-the-user", s3={"addressing_style": "path"})
    endpoint = tables.engine.url
    ways: dict[str, dict[str, Any]] = {
        "session": {
            "session": saver_session(),
            "region_name": "us-east-1",
            "endpoint_url": endpoint,
            "boto_config": tuned,
        },
        "client_config": {
            "client_config": {
                "aws_access_key_id": "test",
                "aws_secret_access_key": "other",
                "region": "us-east-1",
                "endpoint": endpoint,
                "config": tuned,
            }
        },
    }
    sent.clear()
    with tables.saver(**ways[way], s3_offload_config=bucket.config(THRESHOLD)) as saver:
        state_of(saver, put(saver))
    to_s3 = [request for request in sent if b"/s3/" in bytes(request.headers["Authorization"])]
    assert {request.method for request in to_s3} == {"PUT", "GET"}
    assert all(request.url.startswith(f"{bucket.url}/{bucket.name}/") for request in to_s3)
    others = [request for request in sent if request not in to_s3]
    assert {request.url for request in others} == {f"{endpoint}/"}
    for request in sent:
        assert b"of-the-user" in bytes(request.headers["User-Agent"])
        assert b"Credential=test/" in bytes(request.headers["Authorization"])
        assert b"/us-east-1/" in bytes(request.headers["Authorization"])


def test_nothing_is_asked_of_s3_as_long_as_no_value_is_there(
    tables: Tables, bucket: Bucket, sent: list[Any]
) -> None:
    tables.set_up()
    offload: Any = {**bucket.config(THRESHOLD), "endpoint_url": UNROUTABLE}
    with tables.saver(s3_offload_config=offload) as saver:
        at = put(saver, state="small", run_id="run")
        put_again(saver, at, "other")
        saver.put_writes(at, [("channel", 1), ("__resume__", 2)], "task")
        saver.put_writes(at, [("__resume__", 3)], "task")
        saver.copy_thread("t", "u")
        assert len(list(saver.list(None))) == 2
        saver.get_delta_channel_history(config=at, channels=["state"])
        saver.prune(["t"])
        saver.delete_for_runs(["run"])
        saver.delete_thread("u")
        sweep(saver)
    assert {request.url for request in sent} == {f"{tables.engine.url}/"}


@pytest.mark.parametrize("way", ["environment", "client", "former bucket"])
def test_objects_are_read_copied_and_deleted_where_they_are_in_any_bucket_that_is_known(
    saver: Saver,
    tables: Tables,
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    at = put(saver)
    saver.put_writes(at, [("channel", LARGE)], "task")
    if way == "environment":
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", bucket.url)
    ways: dict[str, dict[str, Any]] = {
        "environment": {"s3_offload_config": {"bucket_name": bucket.name}},
        "client": tables.quick(bucket),
        "former bucket": {
            "s3_offload_config": {
                **bucket.config(),
                "bucket_name": "elsewhere",
                "former_bucket_names": ["another", bucket.name],
            }
        },
    }
    with tables.saver(**ways[way]) as other:
        assert found(other, at) == found(saver, at)
        assert list(other.list(config("t"))) == [found(saver, at)]
        other.copy_thread("t", "u")
        assert len(bucket.keys()) == 4
        other.delete_thread("t")
        assert found(other, config("u")).pending_writes == [("task", "channel", LARGE)]
        other.delete_thread("u")
    assert bucket.keys() == []
    assert tables.write_items() == []


def test_what_is_stored_from_now_on_goes_to_no_former_bucket(
    saver: Saver, tables: Tables, bucket: Bucket, object_store: str
) -> None:
    at = put(saver)
    old = bucket.objects()
    new = new_bucket(object_store)
    offload: Any = {**new.config(THRESHOLD), "former_bucket_names": (bucket.name,)}
    with closing(new.client), tables.saver(s3_offload_config=offload) as other:
        other.put_writes(at, [("channel", LARGE)], "task")
        assert bucket.objects() == old
        assert len(new.keys()) == 1
        assert found(other, at).pending_writes == [("task", "channel", LARGE)]
        other.copy_thread("t", "u")
        # The copy of an object is stored where the object is.
        assert (len(bucket.keys()), len(new.keys())) == (2, 2)
        other.delete_thread("t")
        assert state_of(other, config("u")) == LARGE
        other.delete_thread("u")
        assert bucket.keys() == new.keys() == []
        new.drop()


UNKNOWN: dict[str, Callable[[Bucket], dict[str, Any]]] = {
    "no bucket": lambda _: {},
    "another bucket": lambda bucket: {
        "s3_offload_config": {**bucket.config(), "bucket_name": "elsewhere"}
    },
    "other former buckets": lambda bucket: {
        "s3_offload_config": {
            **bucket.config(),
            "bucket_name": "elsewhere",
            "former_bucket_names": [f"{bucket.name}-x", "another"],
        }
    },
}


@pytest.mark.parametrize("unknown", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_a_saver_that_does_not_know_the_bucket_neither_reads_nor_deletes_what_is_there(
    saver: Saver,
    tables: Tables,
    bucket: Bucket,
    caplog: pytest.LogCaptureFixture,
    unknown: Callable[[Bucket], dict[str, Any]],
) -> None:
    at = put(saver)
    saver.put_writes(at, [("channel", LARGE)], "task")
    objects = bucket.objects()
    with tables.saver(**unknown(bucket)) as other:
        for read in READS:
            with pytest.raises(UnreadableItemError, match=r"add it to former_bucket_names") as told:
                read(SyncCalls(other), at)
            assert not isinstance(told.value, MissingPartError)
            assert told.value.attribute == "object_key"
            assert bucket.name in str(told.value)
        with pytest.raises(UnreadableItemError, match=r"object_key.*not one of this checkpoint"):
            other.copy_thread("t", "u")
        assert caplog.records == []
        other.delete_thread("t")
        assert list(other.list(None)) == []
    assert {logged.levelname for logged in caplog.records} == {"WARNING"}
    for key in objects:
        assert any(
            key in logged.getMessage() and bucket.name in logged.getMessage()
            for logged in caplog.records
        )
    assert bucket.objects() == objects
    assert tables.checkpoint_items() == []
    # The items that refer to the objects stay until a sweep by a saver that has the bucket.
    assert {item["object_key"]["S"] for item in tables.write_items()} == objects.keys()
    with tables.saver(**unknown(bucket)) as other:
        report = sweep(other)
        assert (report.objects_deleted, report.unknown) == (0, len(objects))
    assert sweep(saver).objects_deleted == len(objects)
    assert bucket.objects() == {}
    assert tables.write_items() == tables.marks() == []


# Failures


READS: list[Callable[[Calls, RunnableConfig], object]] = [
    lambda calls, at: calls.get_tuple(at),
    lambda calls, _: calls.get_tuple(config("t")),
    lambda calls, _: list(calls.list(config("t"))),
]


@pytest.mark.parametrize("place", ["checkpoint", "metadata", "value"])
def test_an_object_that_is_gone_is_missed_by_name(calls: Calls, bucket: Bucket, place: str) -> None:
    sizes = {"checkpoint": "small", "metadata": "small", "value": "small", place: LARGE}
    at = put(calls, state=sizes["checkpoint"], note=sizes["metadata"])
    calls.put_writes(at, [("channel", sizes["value"])], "task")
    key, _ = only(bucket)
    bucket.client.delete_object(Bucket=bucket.name, Key=key)
    for read in READS:
        with pytest.raises(MissingPartError) as raised:
            read(calls, at)
        assert raised.value.attribute == place
        for words in ("'t'", id_of(at), key, bucket.name):
            assert words in str(raised.value)


@pytest.mark.sample(4)
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:-1] + b"x",
        lambda _: b"",
        lambda data: data[::-1],
    ],
    ids=["truncated", "longer", "last byte", "empty", "reversed"],
)
def test_an_object_that_was_altered_is_refused(
    calls: Calls, bucket: Bucket, damage: Callable[[bytes], bytes]
) -> None:
    at = put(calls)
    key, data = only(bucket)
    bucket.client.put_object(Bucket=bucket.name, Key=key, Body=damage(data))
    for read in READS:
        with pytest.raises(UnreadableItemError, match=id_of(at)) as raised:
            read(calls, at)
        assert not isinstance(raised.value, MissingPartError)


CALLS: dict[str, Callable[[Saver], object]] = {
    "put": lambda saver: put(saver),
    "put_writes": lambda saver: saver.put_writes(config("t", "", "1"), [("c", LARGE)], "task"),
    "get_tuple": lambda saver: saver.get_tuple(config("t")),
    "copy_thread": lambda saver: saver.copy_thread("t", "u"),
    "delete_thread": lambda saver: saver.delete_thread("t"),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_bucket_that_is_not_there_is_an_error_that_says_so(
    tables: Tables, object_store: str, name: str
) -> None:
    tables.set_up()
    gone = new_bucket(object_store)
    with closing(gone.client), tables.saver(s3_offload_config=gone.config(THRESHOLD)) as saver:
        put(saver)
        items = tables.checkpoint_items()
        gone.drop()
        with pytest.raises(ServiceError, match="NoSuchBucket") as raised:
            CALLS[name](saver)
    assert raised.value.code == "NoSuchBucket"
    assert (tables.checkpoint_items() == items) is (name != "delete_thread")


@pytest.mark.parametrize("name", CALLS)
def test_a_refusal_of_s3_is_an_error_with_its_code_and_stores_nothing_that_is_read(
    saver: Saver, tables: Tables, bucket: Bucket, name: str
) -> None:
    at = put(saver)
    denied = [Refusal(action, "AccessDenied", 403) for action in FOUR]
    with (
        tables.saver(
            **faulty(tables, *denied), s3_offload_config=bucket.config(THRESHOLD)
        ) as other,
        pytest.raises(ServiceError, match="AccessDenied") as raised,
    ):
        CALLS[name](other)
    assert raised.value.code == "AccessDenied"
    assert not isinstance(raised.value, (MissingPartError, TransportError))
    left = [] if name == "delete_thread" else [at]
    assert [tuple_.config for tuple_ in saver.list(None)] == left
    if name == "delete_thread":
        assert leading(tables) == bucket.keys() != []


def test_no_object_is_stored_before_the_item_that_leads_to_it(
    saver: Saver, tables: Tables, bucket: Bucket
) -> None:
    refusal = Refusal("PutItem", "ValidationException")
    with (
        tables.saver(
            **faulty(tables, refusal), s3_offload_config=bucket.config(THRESHOLD)
        ) as other,
        pytest.raises(ServiceError, match="PutItem"),
    ):
        put(other)
    assert bucket.keys() == []
    assert saver.get_tuple(config("t")) is None


class Cutting(BaseHTTPRequestHandler):
    """Serves GetObject from a bucket; some of the responses break off."""

    bucket: Bucket
    cuts: int
    served: int

    def do_GET(self) -> None:
        cls = type(self)
        cls.served += 1
        key = unquote(self.path.split("?")[0]).removeprefix(f"/{self.bucket.name}/")
        data = self.bucket.client.get_object(Bucket=self.bucket.name, Key=key)["Body"].read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if cls.served <= self.cuts:
            data = data[: len(data) // 2]
            self.close_connection = True
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Do not log requests."""


@contextmanager
def cutting(bucket: Bucket, cuts: int) -> Iterator[tuple[type[Cutting], str]]:
    handler = type("Handler", (Cutting,), {"bucket": bucket, "cuts": cuts, "served": 0})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield handler, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("cuts", [0, 1, 2, 3])
def test_a_download_that_breaks_off_is_repeated_twice_and_then_an_error(
    saver: Saver, tables: Tables, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, cuts: int
) -> None:
    at = put(saver)
    waits = SkippedWaits()
    waits.install(monkeypatch)
    with cutting(bucket, cuts) as (served, url):
        offload: Any = {**bucket.config(), "endpoint_url": url}
        with tables.saver(s3_offload_config=offload) as reader:
            if cuts < 3:
                assert state_of(reader, at) == LARGE
            else:
                with pytest.raises(TransportError, match="GetObject"):
                    reader.get_tuple(at)
        assert served.served == min(cuts + 1, 3)
    assert len(waits.seconds) == served.served - 1


# Copying


@pytest.mark.parametrize("doomed", ["t", "u"])
def test_a_copy_has_objects_of_its_own_below_the_prefix_they_had(
    calls: Calls, tables: Tables, bucket: Bucket, doomed: str
) -> None:
    at = put(calls, note=LARGE)
    calls.put_writes(at, [("channel", LARGE), ("__interrupt__", LARGE)], "task")
    original = bucket.objects()
    assert len(original) == 4
    # As a caller whose settings have changed.
    with tables.saver(s3_offload_config=bucket.config(key_prefix="elsewhere")) as other:
        other.copy_thread("t", "u")
    copied = {key: data for key, data in bucket.objects().items() if key not in original}
    assert all(key.startswith("states/u/") for key in copied)
    assert sorted(copied.values()) == sorted(original.values())
    assert leading(tables) == sorted([*original, *copied])
    before = found(calls, config("t"))
    calls.delete_thread(doomed)
    (survivor,) = {"t", "u"} - {doomed}
    tuple_ = found(calls, config(survivor))
    assert tuple_._replace(config=before.config) == before
    assert bucket.keys() == sorted(original if survivor == "t" else copied)


def test_a_copy_of_what_has_lost_its_object_raises_and_shows_no_checkpoint(
    calls: Calls, bucket: Bucket
) -> None:
    at = put(calls)
    key, _ = only(bucket)
    bucket.client.delete_object(Bucket=bucket.name, Key=key)
    with pytest.raises(MissingPartError, match=re.escape(key)):
        calls.copy_thread("t", "u")
    assert calls.get_tuple(config("u")) is None
    with pytest.raises(MissingPartError):
        calls.get_tuple(at)


# Deleting


def put_chain_in_s3(calls: Calls | Saver) -> None:
    parent = None
    for id_ in ("0001", "0002"):
        made = checkpoint(id_, state=LARGE)
        at = calls.put(config("t", "", parent), made, metadata(run_id="run", note=LARGE), {})
        calls.put_writes(at, [("channel", LARGE), ("small", 1)], "task")
        parent = id_


DELETES: dict[str, tuple[Callable[[Calls], object], int]] = {
    "delete_thread": (lambda calls: calls.delete_thread("t"), 0),
    "prune all": (lambda calls: calls.prune(["t"], strategy="delete"), 0),
    "prune": (lambda calls: calls.prune(["t"]), 3),
    "delete_for_runs": (lambda calls: calls.delete_for_runs(["run"]), 0),
}
deletes = pytest.mark.parametrize(("delete", "left"), DELETES.values(), ids=DELETES.keys())


class Steps:
    """The changes made by a session's clients, in order."""

    def __init__(self, tables: Tables, session: Any) -> None:
        self.tables = tables
        self.steps: list[str] = []
        self.batches: list[int] = []
        self._lock = threading.Lock()
        on(session, "before-parameter-build.dynamodb.BatchWriteItem", self._batch)
        on(session, "before-parameter-build.s3.DeleteObjects", self._objects)

    def _note(self, step: str) -> None:
        with self._lock:
            if self.steps[-1:] != [step]:
                self.steps.append(step)

    def _batch(self, params: Any, **_: object) -> None:
        for table, changes in params["RequestItems"].items():
            for change in changes:
                if table == self.tables.checkpoints:
                    self._note("tombstones" if "PutRequest" in change else "checkpoints")
                elif "PutRequest" in change:
                    assert change["PutRequest"]["Item"]["task_id_idx"]["S"] == "~deleted"
                    self._note("marks")
                else:
                    sort = change["DeleteRequest"]["Key"]["task_id_idx"]["S"]
                    self._note("leading" if sort.startswith("object/") else "writes")

    def _objects(self, params: Any, **_: object) -> None:
        self._note("objects")
        with self._lock:
            self.batches.append(len(params["Delete"]["Objects"]))


@deletes
def test_objects_go_after_what_readers_see_and_before_what_leads_to_them(
    tables: Tables,
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    delete: Callable[[Calls], object],
    left: int,
) -> None:
    tables.set_up()
    monkeypatch.setattr(requests, "BATCH_OBJECTS", 2)
    session = saver_session()
    log = Steps(tables, session)
    made: Any = {"session": session, "endpoint_url": tables.engine.url}
    with tables.saver(**made, s3_offload_config=bucket.config(THRESHOLD)) as saver:
        calls = SyncCalls(saver)
        put_chain_in_s3(calls)
        assert len(bucket.keys()) == 6
        assert log.steps == []
        delete(calls)
    assert log.steps == ["tombstones", "marks", "writes", "objects", "leading", "checkpoints"]
    assert sum(log.batches) == 6 - left
    assert max(log.batches) == 2
    assert bucket.keys() == leading(tables)
    assert len(bucket.keys()) == left
    assert len(tables.checkpoint_items()) == (1 if left else 0)


def test_objects_are_deleted_a_thousand_at_a_time_and_by_bucket() -> None:
    objects = [("one", str(number)) for number in range(2500)] + [("two", "0")]
    group = next(requests.delete_objects(objects))
    assert isinstance(group, Concurrently)
    sent = [next(operation) for operation in group.operations]
    assert all(isinstance(request, DeleteObjects) for request in sent)
    batches: Any = sent
    assert [(batch.bucket, len(batch.keys)) for batch in batches] == [
        ("one", 1000),
        ("one", 1000),
        ("one", 500),
        ("two", 1),
    ]
    assert [(batch.bucket, key) for batch in batches for key in batch.keys] == objects


class Kept:
    """S3 keeps the first object of every multi-object delete, and reports it."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def install(self, session: Any) -> None:
        on(session, "before-parameter-build.s3.DeleteObjects", self._keep)
        on(session, "after-call.s3.DeleteObjects", self._say)

    def _keep(self, params: Any, context: Any, **_: object) -> None:
        objects = params["Delete"]["Objects"]
        context["kept"] = objects[0]["Key"]
        self.keys.append(objects[0]["Key"])
        # An empty request is invalid: delete an object that does not exist.
        params["Delete"]["Objects"] = objects[1:] or [{"Key": "nothing"}]

    def _say(self, parsed: Any, context: Any, **_: object) -> None:
        assert parsed.get("Errors", []) == []
        parsed["Errors"] = [{"Key": context["kept"], "Code": "InternalError", "Message": "later"}]


@deletes
def test_an_object_that_s3_keeps_is_an_error_and_the_next_delete_or_the_sweep_takes_it(
    saver: Saver,
    tables: Tables,
    bucket: Bucket,
    delete: Callable[[Calls], object],
    left: int,
) -> None:
    put_chain_in_s3(saver)
    fault = Kept()
    with (
        tables.saver(
            **faulty(tables, fault, bucket=bucket), s3_offload_config=bucket.known()
        ) as other,
        pytest.raises(ObjectsNotDeletedError, match=bucket.name) as raised,
    ):
        delete(SyncCalls(other))
    assert raised.value.code == "InternalError"
    assert list(raised.value.keys) == fault.keys
    assert {fault.keys[0]} <= set(bucket.keys()) <= set(leading(tables))
    assert len(list(saver.list(None))) == (1 if left else 0)
    delete(SyncCalls(saver))
    assert len(tables.checkpoint_items()) == (1 if left else 0)
    # The writes that referred to the others are gone: they look like those of a new call.
    unreferenced = {key for key in leading(tables) if key.endswith("-value")}
    assert set(bucket.keys()) <= set(leading(tables))
    assert len(leading(tables)) == left + len(unreferenced) - (1 if left else 0)
    assert {len(tables.checkpoint_items()), len(list(saver.list(None)))} == {1 if left else 0}
    sweep(saver)
    assert bucket.keys() == leading(tables)
    assert len(bucket.keys()) == left
    assert tables.marks() == []


# Replacing


@pytest.mark.parametrize(
    "state", ["small", LARGE, "n" * 2 * THRESHOLD], ids=["small", "same", "new"]
)
def test_a_checkpoint_put_again_takes_its_old_object_away_if_it_is_small_or_else_the_sweep_does(
    calls: Calls, saver: Saver, tables: Tables, bucket: Bucket, state: str
) -> None:
    at = put(calls)
    key, _ = only(bucket)
    put_again(calls, at, state)
    assert state_of(calls, at) == state
    if state != "small":
        # A transaction does not return what it replaces.
        assert len(bucket.keys()) == 2
        assert {key} < set(bucket.keys())
        assert sweep(saver).objects_deleted == 1
        assert state_of(calls, at) == state
    assert {key}.isdisjoint(bucket.keys())
    assert len(bucket.keys()) == (0 if state == "small" else 1)
    assert leading(tables) == bucket.keys()


def test_a_special_write_put_again_takes_its_old_object_away_if_it_is_small_or_else_the_sweep_does(
    calls: Calls, saver: Saver, tables: Tables, bucket: Bucket
) -> None:
    at = put(calls, state="small")
    for value in ("a" * 2 * THRESHOLD, LARGE):
        calls.put_writes(at, [("__resume__", value)], "task")
    assert found(calls, at).pending_writes == [("task", "__resume__", LARGE)]
    assert len(bucket.keys()) == 2
    assert sweep(saver).objects_deleted == 1
    assert found(calls, at).pending_writes == [("task", "__resume__", LARGE)]
    assert len(bucket.keys()) == 1
    assert leading(tables) == bucket.keys()
    calls.put_writes(at, [("__resume__", "small")], "task")
    assert found(calls, at).pending_writes == [("task", "__resume__", "small")]
    assert leading(tables) == bucket.keys() == []


def test_a_regular_write_that_comes_too_late_leaves_no_object(
    calls: Calls, tables: Tables, bucket: Bucket
) -> None:
    at = put(calls, state="small")
    for value in (LARGE, "a" * 2 * THRESHOLD):
        calls.put_writes(at, [("channel", value)], "task")
    assert found(calls, at).pending_writes == [("task", "channel", LARGE)]
    assert len(bucket.keys()) == 1
    assert leading(tables) == bucket.keys()


UNCLEAN: dict[str, Callable[[Tables], dict[str, Any]]] = {
    "S3 keeps it": lambda tables: faulty(tables, Kept()),
    "S3 says no": lambda tables: faulty(tables, Refusal("DeleteObjects", "InternalError", 403)),
    "no right to delete objects": lambda _: {"actions": DELETE_ACTIONS | S3_RUN_ACTIONS},
    "no right to delete items": lambda _: {
        "actions": RUN_ACTIONS | S3_RUN_ACTIONS | S3_DELETE_ACTIONS
    },
}


@pytest.mark.sample(3)
@pytest.mark.parametrize("unclean", UNCLEAN.values(), ids=UNCLEAN.keys())
@pytest.mark.parametrize("again", ["checkpoint", "write"])
def test_what_cannot_be_cleaned_up_after_a_put_is_logged_and_left_to_the_sweep(
    saver: Saver,
    tables: Tables,
    bucket: Bucket,
    caplog: pytest.LogCaptureFixture,
    unclean: Callable[[Tables], dict[str, Any]],
    again: str,
) -> None:
    at = put(saver)
    saver.put_writes(at, [("__resume__", LARGE)], "task")
    assert len(bucket.keys()) == 2
    settings = unclean(tables)
    with tables.saver(**settings, s3_offload_config=bucket.config(THRESHOLD)) as other:
        if again == "checkpoint":
            put_again(other, at, "small")
            assert state_of(other, at) == "small"
        else:
            other.put_writes(at, [("__resume__", "small")], "task")
            assert found(other, at).pending_writes == [("task", "__resume__", "small")]
    (logged,) = caplog.records
    assert logged.levelname == "WARNING"
    assert id_of(at) in logged.getMessage()
    assert len(leading(tables)) == 2
    assert set(bucket.keys()) <= set(leading(tables))
    before = found(saver, at)
    assert sweep(saver).objects_deleted == 1
    assert found(saver, at) == before
    assert len(bucket.keys()) == 1
    assert leading(tables) == bucket.keys()


# Repeats


class Meanwhile:
    """The response to the first transaction is lost; before the SDK repeats it, `act` is called.

    The event of sending it runs in the process: the SDK itself repeats it, with the same token.
    """

    def __init__(self, act: Callable[[], object]) -> None:
        self.sent = 0
        self._act = act

    def install(self, session: Any) -> None:
        on(session, "before-send.dynamodb.TransactWriteItems", self._lose)

    def _lose(self, request: Any, **_: object) -> None:
        self.sent += 1
        if self.sent > 1:
            return
        with closing(URLLib3Session()) as transport:
            assert transport.send(request).status_code == 200
        self._act()
        raise ReadTimeoutError(endpoint_url=request.url)


OTHERS: dict[str, Callable[[DynamoDBSaver, RunnableConfig], object]] = {
    "replaced, small": lambda saver, at: _store(saver, at, "small"),
    "replaced, large": lambda saver, at: _store(saver, at, "r" * 2 * THRESHOLD),
    "deleted": lambda saver, _: saver.delete_thread("t"),
    "deleted and swept": lambda saver, _: _delete_and_sweep(saver),
}


def _delete_and_sweep(saver: DynamoDBSaver) -> None:
    saver.delete_thread("t")
    sweep(saver)


def _store(saver: DynamoDBSaver, at: RunnableConfig, state: str) -> None:
    saver.put(at, checkpoint("0002", state=state), metadata(), {})
    saver.put_writes(config("t", "", "0002"), [("__resume__", state)], "task")


@pytest.mark.sample(3)
@pytest.mark.parametrize("what", ["checkpoint", "write"])
@pytest.mark.parametrize("others", OTHERS)
def test_the_repeat_of_a_put_changes_nothing_that_others_have_done_since(
    tables: Tables,
    bucket: Bucket,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    others: str,
    what: str,
) -> None:
    if not engine.faithful:
        pytest.skip("takes the repeat of a transaction for a new one")
    SkippedWaits().install(monkeypatch)
    tables.set_up()
    offload = bucket.config(THRESHOLD)
    with tables.boto_saver(s3_offload_config=offload) as other:
        at = other.put(config("t"), checkpoint("0001"), metadata(), {})
        before = other.put(at, checkpoint("0002", state="small"), metadata(), {})
        fault = Meanwhile(lambda: OTHERS[others](other, at))
        with tables.saver(**faulty(tables, fault), s3_offload_config=offload) as saver:
            if what == "checkpoint":
                saver.put(at, checkpoint("0002", state=LARGE), metadata(), {})
            else:
                saver.put_writes(before, [("__resume__", LARGE)], "task")
        assert fault.sent == 2
        newest = other.get_tuple(before)
        if others.startswith("deleted"):
            assert newest is None
            assert list(other.list(None)) == []
            assert tables.checkpoint_items() == []
        else:
            assert newest is not None
            state = "small" if others.endswith("small") else "r" * 2 * THRESHOLD
            assert newest.checkpoint["channel_values"] == {"state": state}
            assert newest.pending_writes == [("task", "__resume__", state)]
        sweep(other)
        assert other.get_tuple(before) == newest
        assert bucket.keys() == leading(tables)
        assert len(bucket.keys()) == (2 if others == "replaced, large" else 0)
        if newest is None:
            assert tables.write_items() == tables.marks() == []


# Permissions


def whole_life(saver: Saver) -> None:
    """Every call of a saver."""
    put_chain_in_s3(saver)
    put_again(saver, config("t", "", "0002"), "again" * THRESHOLD)
    list(saver.list(None))
    found(saver, config("t"))
    saver.get_delta_channel_history(config=config("t"), channels=["channel"])
    saver.copy_thread("t", "u")
    saver.prune(["t"])
    saver.delete_for_runs(["run"])
    saver.delete_thread("u")
    saver.delete_thread("t")
    sweep(saver)


def test_four_calls_of_s3_are_all_that_is_ever_made(tables: Tables, bucket: Bucket) -> None:
    made = set()

    def note(model: Any, **_: object) -> None:
        made.add(model.name)

    session = saver_session()
    on(session, "before-call.s3", note)
    offload = bucket.config(THRESHOLD)
    with tables.saver(session=session, ttl_seconds=1000, s3_offload_config=offload) as saver:
        saver.setup()
        whole_life(saver)
    assert made == FOUR
    assert bucket.keys() == []


def copied(saver: Saver) -> None:
    put(saver)
    saver.copy_thread("t", "u")
    found(saver, config("u"))


RIGHTS: dict[str, tuple[frozenset[str], Callable[[Saver], object]]] = {
    "run": (RUN_ACTIONS | S3_RUN_ACTIONS, lambda saver: found(saver, put(saver))),
    "copy": (DELETE_ACTIONS | S3_RUN_ACTIONS, copied),
    "everything": (SWEEP_ACTIONS | S3_RUN_ACTIONS | S3_DELETE_ACTIONS, whole_life),
}


@pytest.mark.parametrize(("actions", "act"), RIGHTS.values(), ids=RIGHTS.keys())
def test_the_published_rights_on_objects_suffice_and_each_of_them_is_needed(
    tables: Tables,
    bucket: Bucket,
    caplog: pytest.LogCaptureFixture,
    actions: frozenset[str],
    act: Callable[[Saver], object],
) -> None:
    tables.set_up()
    offload = bucket.config(THRESHOLD)
    with tables.saver(actions, s3_offload_config=offload) as saver:
        act(saver)
    assert caplog.records == []
    for action in sorted(action for action in actions if action.startswith("s3:")):
        session = restricted_session(frozenset(actions - {action}))
        with (
            tables.saver(session=session, s3_offload_config=offload) as saver,
            pytest.raises(ServiceError, match=action),
        ):
            act(saver)

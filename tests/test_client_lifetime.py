"""When `DynamoDBSaver` creates and closes its clients and threads, and what its clones share."""

from __future__ import annotations

import asyncio
import copy
import gc
import inspect
import os
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph_checkpoint_dynamodb import DynamoDBSaver, SaverClosedError
from tests.support.concurrency import run_all, saver_threads
from tests.support.interpreters import run_program
from tests.support.made_clients import NAMES, UNROUTABLE, clients_made_by
from tests.support.values import checkpoint, config, metadata, put_chain

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.calls import Calls, LoopThread
    from tests.support.tables import Tables

CHILD = """
import socket, sys

def refuse(*arguments, **named):
    raise AssertionError("a socket was opened")

socket.socket.connect = refuse
socket.create_connection = refuse
socket.getaddrinfo = refuse

import boto3

made = []
boto3.Session.client = lambda self, *a, **k: made.append((a, k))
boto3.Session.resource = lambda self, *a, **k: made.append((a, k))

import langgraph_checkpoint_dynamodb as package

saver = package.DynamoDBSaver(
    checkpoints_table_name="checkpoints",
    writes_table_name="writes",
    endpoint_url="http://192.0.2.1:9",
)
saver.get_next_version(None, None)
saver.close()
import threading
assert threading.active_count() == 1, threading.enumerate()
assert made == [], made
unwanted = [
    name
    for name in sys.modules
    if name.split(".")[0] in ("aiobotocore", "aiohttp", "moto", "pytest")
    or name.startswith(("boto3.s3", "boto3.ec2"))
]
print(",".join(sorted(unwanted)) or "none")
"""


def printed_by(program: str, **environment: str) -> str:
    """The output of a program that exits with 0."""
    done = run_program(program, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_making_a_saver_opens_no_socket_and_makes_no_client_nor_imports_other_ones() -> None:
    assert printed_by(CHILD) == "none"


def test_a_saver_can_be_made_where_there_is_no_region_and_no_credentials() -> None:
    program = (
        "import os\n"
        "for name in list(os.environ):\n"
        "    if name.startswith('AWS_'): del os.environ[name]\n"
        "from langgraph_checkpoint_dynamodb import DynamoDBSaver\n"
        "DynamoDBSaver(checkpoints_table_name='abc', writes_table_name='def').close()\n"
        "print('made')"
    )
    assert printed_by(program, AWS_CONFIG_FILE=os.devnull) == "made"


def test_threads_that_call_first_at_once_make_one_client(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    original = boto3.Session.client

    def client(self: boto3.Session, *args: Any, **kwargs: Any) -> Any:
        made.append(args)
        return original(self, *args, **kwargs)

    with tables.boto_saver() as first:
        first.setup()
    monkeypatch.setattr(boto3.Session, "client", client)
    together = threading.Barrier(8, timeout=20)
    with closing(tables.boto_saver()) as saver:

        def call() -> None:
            together.wait()
            assert saver.get_tuple(config("thread")) is None

        run_all([call] * 8)
    assert made == [("dynamodb",)]


def opened(saver: DynamoDBSaver) -> None:
    saver.open()


def entered(saver: DynamoDBSaver) -> None:
    with saver:
        pass


async def aopened(saver: DynamoDBSaver) -> None:
    await saver.aopen()


async def aentered(saver: DynamoDBSaver) -> None:
    async with saver:
        pass


@pytest.mark.parametrize("act", [opened, entered, aopened, aentered])
@pytest.mark.parametrize("services", [("dynamodb",), ("dynamodb", "s3")])
def test_opening_makes_the_clients_of_the_services_that_are_called_and_sends_nothing(
    monkeypatch: pytest.MonkeyPatch,
    loop_thread: LoopThread,
    act: Callable[[DynamoDBSaver], Any],
    services: tuple[str, ...],
) -> None:
    elsewhere: Any = {"s3_offload_config": {"bucket_name": "bucket"}} if len(services) == 2 else {}
    with closing(DynamoDBSaver(**NAMES, endpoint_url=UNROUTABLE, **elsewhere)) as saver:

        def do() -> None:
            done = act(saver)
            if inspect.iscoroutine(done):
                loop_thread.run(done)

        assert tuple(clients_made_by(do, monkeypatch)) == services


def test_an_open_saver_makes_no_other_client(
    monkeypatch: pytest.MonkeyPatch, loop_thread: LoopThread
) -> None:
    with closing(DynamoDBSaver(**NAMES)) as saver:

        def call() -> None:
            assert saver.open() is saver
            assert loop_thread.run(saver.aopen()) is saver
            assert saver.get_tuple(config("thread")) is None

        # `clients_made_by` rejects a second one.
        assert clients_made_by(call, monkeypatch).keys() == {"dynamodb"}


def test_opening_leaves_a_client_that_is_passed_in_as_it_is(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(tables.boto_saver(client=tables.client)) as saver:
        assert clients_made_by(saver.open, monkeypatch) == {}


def test_a_closed_saver_is_not_opened_again(loop_thread: LoopThread) -> None:
    saver = DynamoDBSaver(**NAMES)
    saver.close()
    with pytest.raises(SaverClosedError):
        saver.open()
    with pytest.raises(SaverClosedError):
        loop_thread.run(saver.aopen())
    with pytest.raises(SaverClosedError), saver:
        pytest.fail("it was entered")


def every_call(saver: DynamoDBSaver) -> dict[str, Callable[[], object]]:
    """A call of each sync method, on a thread that need not exist."""
    address = config("thread", "", "1f000000-0000-6000-8000-000000000000")
    return {
        "setup": lambda: saver.setup(),
        "get_tuple": lambda: saver.get_tuple(config("thread")),
        "get_tuple_by_id": lambda: saver.get_tuple(address),
        "list": lambda: list(saver.list(config("thread"))),
        "list_all": lambda: list(saver.list(None)),
        "put": lambda: saver.put(config("thread"), checkpoint(), metadata(), {}),
        "put_writes": lambda: cast("Any", saver).put_writes(address, [("a", 1), ("a", 2)], "t"),
        "delete_thread": lambda: cast("Any", saver).delete_thread("thread"),
        "delete_for_runs": lambda: cast("Any", saver).delete_for_runs(["run"]),
        "copy_thread": lambda: cast("Any", saver).copy_thread("thread", "target"),
        "prune": lambda: cast("Any", saver).prune(["thread"]),
        "history": lambda: saver.get_delta_channel_history(config=address, channels=["a"]),
        "sweep_orphans": lambda: saver.sweep_orphans(),
    }


def every_async_call(saver: DynamoDBSaver) -> dict[str, Callable[[], Any]]:
    """A call of each async method."""
    address = config("thread", "", "1f000000-0000-6000-8000-000000000000")

    async def listed() -> list[object]:
        return [found async for found in saver.alist(config("thread"))]

    return {
        "setup": saver.asetup,
        "get_tuple": lambda: saver.aget_tuple(config("thread")),
        "list": listed,
        "put": lambda: saver.aput(config("thread"), checkpoint(), metadata(), {}),
        "put_writes": lambda: saver.aput_writes(address, [("a", 1)], "t"),
        "delete_thread": lambda: saver.adelete_thread("thread"),
        "delete_for_runs": lambda: saver.adelete_for_runs(["run"]),
        "copy_thread": lambda: saver.acopy_thread("thread", "target"),
        "prune": lambda: saver.aprune(["thread"]),
        "history": lambda: saver.aget_delta_channel_history(config=address, channels=["a"]),
        "sweep_orphans": saver.asweep_orphans,
    }


@pytest.mark.parametrize("own", [True, False], ids=["own-client", "given-client"])
def test_every_call_after_close_says_that_the_saver_is_closed(
    tables: Tables, loop_thread: LoopThread, own: bool
) -> None:
    saver = tables.boto_saver() if own else tables.boto_saver(client=tables.client)
    saver.setup()
    saver.close()
    for name, call in every_call(saver).items():
        with pytest.raises(SaverClosedError, match="create a new one"):
            pytest.fail(f"{name} returned {call()!r}")
    for name, acall in every_async_call(saver).items():
        with pytest.raises(SaverClosedError, match="create a new one"):
            pytest.fail(f"a{name} returned {loop_thread.run(acall())!r}")


def test_a_saver_closed_before_its_first_call_is_closed(
    tables: Tables, loop_thread: LoopThread
) -> None:
    saver = tables.boto_saver()
    saver.close()
    with pytest.raises(SaverClosedError):
        saver.get_tuple(config("thread"))
    with pytest.raises(SaverClosedError):
        loop_thread.run(saver.aget_tuple(config("thread")))


def test_close_can_be_repeated_and_ends_the_threads(tables: Tables) -> None:
    saver = tables.boto_saver()
    saver.setup()
    chain = put_chain(saver_calls(saver), "thread", 5)
    assert len(list(saver.list(config("thread")))) == len(chain)
    before = saver_threads()
    for _ in range(3):
        saver.close()
    ended = before - saver_threads()
    assert ended
    assert not any(thread.is_alive() for thread in ended)


def saver_calls(saver: DynamoDBSaver) -> Calls:
    return cast("Calls", saver)


def test_a_client_made_here_is_closed_with_the_saver(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[object] = []
    original = boto3.Session.client

    def client(self: boto3.Session, *args: Any, **kwargs: Any) -> Any:
        made = original(self, *args, **kwargs)
        close = made.close

        def note() -> None:
            closed.append(made)
            close()

        made.close = note
        return made

    monkeypatch.setattr(boto3.Session, "client", client)
    saver = tables.boto_saver()
    saver.setup()
    assert closed == []
    saver.close()
    saver.close()
    assert len(closed) == 1


def test_the_context_manager_returns_the_saver_and_closes_it(tables: Tables) -> None:
    saver = tables.boto_saver()
    with saver as entered:
        assert entered is saver
        saver.setup()
    with pytest.raises(SaverClosedError):
        saver.get_tuple(config("thread"))


def test_the_context_manager_closes_and_passes_an_error_on(tables: Tables) -> None:
    saver = tables.boto_saver()
    with pytest.raises(KeyError), saver:
        raise KeyError
    with pytest.raises(SaverClosedError):
        saver.get_tuple(config("thread"))


def test_the_async_context_manager_returns_the_saver_and_closes_it(tables: Tables) -> None:
    saver = tables.boto_saver()

    async def use() -> None:
        async with saver as entered:
            assert entered is saver
            await saver.asetup()
        with pytest.raises(SaverClosedError):
            await saver.aget_tuple(config("thread"))

    asyncio.run(use())


class TaggingSerde(JsonPlusSerializer):
    """A serializer that records what it is asked to load."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded = 0
        self.dumped = 0

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        self.loaded += 1
        return super().loads_typed(data)

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        self.dumped += 1
        return super().dumps_typed(obj)


def test_the_serializer_is_looked_up_at_every_call(saver: DynamoDBSaver) -> None:
    stored = saver.put(config("thread"), checkpoint(a=1), metadata(), {})
    assert saver.get_tuple(stored) is not None
    other = TaggingSerde()
    saver.serde = other
    assert saver.get_tuple(stored) is not None
    assert (other.loaded, other.dumped) == (2, 0)
    saver.put_writes(stored, [("a", 1), ("b", 2)], "task")
    assert (other.loaded, other.dumped) == (2, 2)


def test_a_clone_with_another_serializer_uses_that_one_alone(saver: DynamoDBSaver) -> None:
    assert saver.get_tuple(config("thread")) is None
    clone = copy.copy(saver)
    other = TaggingSerde()
    clone.serde = other
    stored = clone.put(config("thread"), checkpoint(a=1), metadata(), {})
    assert other.dumped == 2
    assert saver.get_tuple(stored) is not None
    assert other.loaded == 0
    assert clone.get_tuple(stored) is not None
    assert other.loaded == 2


def test_a_clone_shares_client_and_threads(
    tables: Tables, loop_thread: LoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    original = boto3.Session.client

    def client(self: boto3.Session, *args: Any, **kwargs: Any) -> Any:
        made.append(args)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(boto3.Session, "client", client)
    # Cloned before its first call, as LangGraph does when it compiles a graph.
    with tables.boto_saver(max_concurrency=1) as saver:
        clone = copy.copy(saver)
        clone.setup()
        before = saver_threads()
        for each in (saver, clone, saver):
            assert loop_thread.run(each.aget_tuple(config("thread"))) is None
        started = saver_threads() - before
    assert len(made) == 1
    assert len(started) <= 1


@pytest.mark.parametrize("closer", [0, 1], ids=["original", "clone"])
def test_closing_either_closes_both(tables: Tables, loop_thread: LoopThread, closer: int) -> None:
    saver = tables.boto_saver()
    saver.setup()
    both = (saver, copy.copy(saver))
    both[closer].close()
    for each in both:
        with pytest.raises(SaverClosedError):
            each.get_tuple(config("thread"))
        with pytest.raises(SaverClosedError):
            loop_thread.run(each.aget_tuple(config("thread")))


def test_a_clone_that_is_garbage_collected_closes_nothing(
    saver: DynamoDBSaver, loop_thread: LoopThread
) -> None:
    clone = copy.copy(saver)
    assert loop_thread.run(clone.aget_tuple(config("thread"))) is None
    del clone
    gc.collect()
    stored = saver.put(config("thread"), checkpoint(a=1), metadata(), {})
    assert loop_thread.run(saver.aget_tuple(stored)) is not None


def test_an_allowlist_makes_a_clone_on_the_same_tables(tables: Tables) -> None:
    strict = JsonPlusSerializer(allowed_msgpack_modules=None)
    with tables.boto_saver(serde=strict) as saver:
        saver.setup()
        clone = saver.with_allowlist([("some", "Type")])
        assert clone is not saver
        stored = clone.put(config("thread"), checkpoint(a=1), metadata(), {})
        assert saver.get_tuple(stored) is not None

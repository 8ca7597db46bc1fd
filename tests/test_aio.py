"""Only of the saver on aiobotocore: the extra, threads for large values, groups of tasks."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, defaultdict
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from aiobotocore.config import AioConfig
from botocore.config import Config
from botocore.exceptions import ClientError
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph_checkpoint_dynamodb import (
    InvalidInputError,
    InvalidInputTypeError,
    ServiceError,
)
from langgraph_checkpoint_dynamodb.aio import AsyncDynamoDBSaver
from langgraph_checkpoint_dynamodb.requests.operations import LARGE_BYTES
from langgraph_checkpoint_dynamodb.requests.weight import is_large
from tests.support.aio import (
    AT,
    NAMES,
    TASKS,
    Session,
    aio_saver,
    listed,
    plain_saver,
    put_new,
    put_threads,
    run,
    turn,
    used,
)
from tests.support.calls import elsewhere
from tests.support.concurrency import DEADLOCK
from tests.support.interpreters import run_program
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.tables import Tables


def test_the_package_imports_neither_aiobotocore_nor_aiohttp_before_they_are_asked_for() -> None:
    done = run_program("""
import sys
import langgraph_checkpoint_dynamodb as package
loaded = {name.split(".")[0] for name in sys.modules}
assert not {"aiobotocore", "aiohttp"} & loaded, loaded
from langgraph_checkpoint_dynamodb import AsyncDynamoDBSaver
from langgraph_checkpoint_dynamodb.aio import AsyncDynamoDBSaver as same
assert AsyncDynamoDBSaver is same
assert {"aiobotocore", "aiohttp"} <= {name.split(".")[0] for name in sys.modules}
try:
    package.Unknown
except AttributeError as error:
    print(error)
""")
    assert done.stderr == ""
    assert done.stdout == "module 'langgraph_checkpoint_dynamodb' has no attribute 'Unknown'\n"


@pytest.mark.parametrize(
    "statement",
    [
        "from langgraph_checkpoint_dynamodb import AsyncDynamoDBSaver",
        "import langgraph_checkpoint_dynamodb.aio",
    ],
)
def test_without_the_extra_the_import_says_in_one_line_what_to_install(statement: str) -> None:
    done = run_program(f"""
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("aiobotocore", "aiohttp"):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocked())
from langgraph_checkpoint_dynamodb import *
from langgraph_checkpoint_dynamodb import DynamoDBSaver
try:
    {statement}
except ModuleNotFoundError as error:
    assert error.name == "aiobotocore"
    assert error.__cause__ is None and error.__suppress_context__
    print(error)
""")
    assert done.stderr == ""
    (line,) = done.stdout.splitlines()
    assert "pip install boto3 'aiobotocore>=2.25'" in line


# --- work off the event loop ---

_caller: ContextVar[str] = ContextVar("caller", default="nobody")


class Serde(JsonPlusSerializer):
    """Records the thread and the context in which it serializes large and small values."""

    def __init__(self) -> None:
        super().__init__()
        self.dumped: list[tuple[int, str]] = []
        self.loaded: list[tuple[int, str]] = []
        self.wait: Callable[[], object] = lambda: None

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        self.dumped.append((threading.get_ident(), _caller.get()))
        self.wait()
        return super().dumps_typed(obj)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        self.loaded.append((threading.get_ident(), _caller.get()))
        return super().loads_typed(data)


BIG: dict[str, Any] = {
    "text": "x" * LARGE_BYTES,
    "bytes": b"x" * LARGE_BYTES,
    "objects": [{"number": [number]} for number in range(2000)],
}


@pytest.mark.parametrize("value", BIG.values(), ids=BIG)
@pytest.mark.parametrize("compression", [None, "gzip"])
def test_a_large_value_is_serialized_by_another_thread_for_the_caller(
    existing_tables: Tables, value: object, compression: Any
) -> None:
    serde = Serde()

    async def main() -> None:
        _caller.set("me")
        async with aio_saver(existing_tables, serde=serde, compression=compression) as saver:
            at = await saver.aput(config("t"), checkpoint(value=value), metadata(), {})
            await saver.aput_writes(at, [("channel", value)], "task")
            assert serde.dumped
            assert threading.get_ident() not in {thread for thread, _ in serde.dumped}
            assert {caller for _, caller in serde.dumped} == {"me"}
            found = await saver.aget_tuple(at)
            assert found is not None
            assert found.checkpoint["channel_values"] == {"value": value}

    run(main())


def test_a_value_that_is_large_when_stored_is_loaded_by_another_thread_for_the_caller(
    existing_tables: Tables,
) -> None:
    serde = Serde()

    async def main() -> None:
        _caller.set("me")
        async with aio_saver(existing_tables, serde=serde) as saver:
            at = await saver.aput(config("t"), checkpoint(value=BIG["text"]), metadata(), {})
            await saver.aput_writes(at, [("channel", BIG["text"])], "task")
            await saver.aget_tuple(at)
            assert (threading.get_ident(), "me") not in serde.loaded
            serde.loaded.clear()
            await listed(saver, None)
            await saver.aget_delta_channel_history(config=at, channels=["value"])
            assert serde.loaded
            assert threading.get_ident() not in {thread for thread, _ in serde.loaded}
            assert {caller for _, caller in serde.loaded} == {"me"}

    run(main())


def test_a_small_value_is_serialized_and_loaded_where_it_is(existing_tables: Tables) -> None:
    serde = Serde()

    async def main() -> None:
        async with aio_saver(existing_tables, serde=serde) as saver:
            at = await saver.aput(config("t"), checkpoint(value=[1, "a"]), metadata(), {})
            await saver.aput_writes(at, [("channel", "x")], "task")
            assert await saver.aget_tuple(at)
        here = threading.get_ident()
        assert {thread for thread, _ in (*serde.dumped, *serde.loaded)} == {here}

    run(main())


def test_a_loop_goes_on_while_a_large_value_is_serialized(existing_tables: Tables) -> None:
    serde = Serde()
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert go_on.wait(DEADLOCK)

    async def main() -> None:
        async with aio_saver(existing_tables, serde=serde) as saver:
            at = await put_new(saver)
            serde.wait = wait
            call = asyncio.create_task(
                saver.aput(at, checkpoint(value=BIG["text"]), metadata(), {})
            )
            while not begun.is_set():  # noqa: ASYNC110 - set by a thread
                await asyncio.sleep(0)
            assert await saver.aget_tuple(at)
            assert not call.done()
            go_on.set()
            assert await saver.aget_tuple(await call)

    run(main())


def test_a_value_that_is_still_being_serialized_does_not_hold_up_the_end_of_the_process() -> None:
    done = run_program("""
import asyncio, threading
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph_checkpoint_dynamodb.aio import AsyncDynamoDBSaver
from tests.support.values import checkpoint, config, metadata

class Serde(JsonPlusSerializer):
    begun = threading.Event()
    def dumps_typed(self, obj):
        self.begun.set()
        threading.Event().wait()

async def main():
    saver = AsyncDynamoDBSaver(
        checkpoints_table_name="checkpoints", writes_table_name="writes", serde=Serde()
    )
    call = asyncio.create_task(
        saver.aput(config("t"), checkpoint(text="x" * 1_000_000), metadata(), {})
    )
    await asyncio.to_thread(Serde.begun.wait)
    call.cancel()
    await asyncio.wait([call])
    print("cancelled")

asyncio.run(main())
""")
    assert done.stderr == ""
    assert done.stdout == "cancelled\n"


class Array:
    nbytes = LARGE_BYTES


class Odd:
    """An object whose size is not a number and that hides its contents."""

    __slots__ = ()
    nbytes = "many"


class Holding:
    def __init__(self, held: object) -> None:
        self.held = held


def cyclic(*others: object) -> list[object]:
    found: list[object] = [*others]
    found.append(found)
    return found


@pytest.mark.parametrize(
    ("value", "large"),
    [
        (None, False),
        ("x" * (LARGE_BYTES - 100), False),
        ("x" * LARGE_BYTES, True),
        ({"a": ["x" * LARGE_BYTES]}, True),
        ([b"x" * (LARGE_BYTES // 2)] * 2, True),
        (bytearray(LARGE_BYTES), True),
        (memoryview(bytes(LARGE_BYTES)), True),
        ([0] * 100, False),
        ([0] * 1001, False),
        ([0] * 20_000, True),
        ([[]] * 4000, True),
        (("",) * 4000, True),
        ([[0] * 99] * 20, False),
        ({str(number): [number] for number in range(4000)}, True),
        (defaultdict(str, a="x" * LARGE_BYTES), True),
        (Array(), True),
        (Holding({"deep": Holding(Array())}), True),
        (Odd(), False),
        (Holding(Odd()), False),
        (cyclic(), True),
    ],
)
def test_a_value_is_large_by_its_bytes_or_by_its_objects(value: object, large: bool) -> None:
    assert is_large(value) is large


# --- groups ---


class Flights:
    """How many requests of each loop are in flight, and the maximum."""

    def __init__(self, session: Session, full: int) -> None:
        self.peak: Counter[int] = Counter()
        self._now: Counter[int] = Counter()
        self._full = full
        self._reached: dict[int, asyncio.Event] = {}
        session.register("before-send", self._begin)
        session.register("after-call", self._end)

    async def _begin(self, **_: object) -> None:
        here = threading.get_ident()
        self._now[here] += 1
        self.peak[here] = max(self.peak[here], self._now[here])
        full = self._reached.setdefault(here, asyncio.Event())
        if self._now[here] == self._full:
            full.set()
        await full.wait()

    def _end(self, **_: object) -> None:
        self._now[threading.get_ident()] -= 1


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_so_many_requests_are_in_flight_on_each_loop_and_no_more(
    existing_tables: Tables, limit: int
) -> None:
    session = Session()
    with plain_saver(existing_tables) as plain:
        put_threads(plain)
    flights = Flights(session, limit)
    saver = aio_saver(existing_tables, session, max_concurrency=limit)

    async def main() -> None:
        await asyncio.gather(*(listed(saver, None) for _ in range(6)))

    run(main())
    assert flights.peak == {threading.get_ident(): limit}
    elsewhere(lambda: run(main()))
    assert [*flights.peak.values()] == [limit, limit]


def test_two_hundred_calls_end_where_four_may_be_in_flight(existing_tables: Tables) -> None:
    session = Session()

    async def main() -> None:
        async with aio_saver(existing_tables, session, max_concurrency=4) as saver:
            at = await put_new(saver)
            found = await asyncio.gather(*(saver.aget_tuple(at) for _ in range(200)))
            assert all(one is not None and one.config == at for one in found)

    run(main())


def test_of_a_group_that_fails_the_rest_is_not_begun_and_the_first_error_in_order_is_raised(
    existing_tables: Tables,
) -> None:
    session = Session()
    begun: list[int] = []
    ended: list[int] = []
    third_failed = asyncio.Event()
    second_failed = asyncio.Event()

    async def fail(params: dict[str, Any], **_: object) -> None:
        if params["TableName"] != existing_tables.writes:
            return
        member = len(begun)
        begun.append(member)
        # Three concurrent tasks: the third fails first, then the second, and the first succeeds.
        if member == 2:
            third_failed.set()
        elif member == 1:
            await third_failed.wait()
            await turn()
            second_failed.set()
        else:
            await second_failed.wait()
            await turn()
            ended.append(member)
            return
        said: Any = {"Code": "AccessDeniedException", "Message": f"of member {member}"}
        raise ClientError({"Error": said}, "Query")

    with plain_saver(existing_tables) as plain:
        for number in range(6):
            plain.put(config("t"), checkpoint(f"000{number}"), metadata(), {})
    session.register("before-parameter-build.dynamodb.Query", fail)

    async def main() -> None:
        async with aio_saver(existing_tables, session, max_concurrency=3) as saver:
            with pytest.raises(ServiceError, match="of member 1"):
                await listed(saver, config("t"), limit=6)
            assert begun == [0, 1, 2]
            assert ended == [0]
            assert len(asyncio.all_tasks()) == TASKS

    run(main())


# --- sessions and settings ---


@pytest.mark.parametrize("session", [boto3.Session(), boto3, "default"])
def test_another_session_than_aiobotocores_is_refused_with_what_to_pass(session: Any) -> None:
    with pytest.raises(InvalidInputTypeError, match=r"aiobotocore\.session\.get_session\(\)") as e:
        AsyncDynamoDBSaver(**NAMES, session=session)
    assert str(e.value).startswith("session")


def made_with(**settings: Any) -> tuple[str, dict[str, Any], Any]:
    """The client a saver creates: service, arguments, client."""
    session = Session()
    saver = AsyncDynamoDBSaver(**NAMES, session=session, **settings)

    async def main() -> None:
        async with saver:
            pass

    run(main())
    ((service, arguments),) = session.asked
    return service, arguments, session.made[0]


def test_the_savers_defaults_reach_the_client() -> None:
    service, arguments, client = made_with(region_name="eu-central-1")
    config_ = client.meta.config
    assert service == "dynamodb"
    assert isinstance(arguments["config"], AioConfig)
    assert client.meta.region_name == "eu-central-1"
    assert config_.retries["mode"] == "standard"
    assert config_.retries["total_max_attempts"] == 10
    assert (config_.connect_timeout, config_.read_timeout) == (5, 15)
    assert config_.max_pool_connections == 32
    assert "lib/langgraph-checkpoint-dynamodb" in config_.user_agent


@pytest.mark.parametrize("kind", [Config, AioConfig])
def test_the_fields_of_a_config_win_over_the_defaults(kind: Any) -> None:
    given = kind(read_timeout=3, max_pool_connections=7, user_agent_extra="mine")
    _, arguments, client = made_with(region_name="us-east-1", boto_config=given)
    config_ = client.meta.config
    assert isinstance(arguments["config"], AioConfig)
    assert (config_.connect_timeout, config_.read_timeout) == (5, 3)
    assert config_.max_pool_connections == 7
    assert config_.retries["total_max_attempts"] == 10
    assert config_.user_agent.endswith("mine")


def test_the_fields_that_only_aiobotocore_has_reach_the_client() -> None:
    given = AioConfig(connector_args={"keepalive_timeout": 3})
    _, _, client = made_with(region_name="us-east-1", boto_config=given)
    assert client.meta.config.connector_args == {"keepalive_timeout": 3}


def test_no_more_requests_are_in_flight_than_the_config_has_connections(
    existing_tables: Tables,
) -> None:
    session = Session()
    flights = Flights(session, 2)
    saver = aio_saver(existing_tables, session, boto_config=AioConfig(max_pool_connections=2))

    async def main() -> None:
        await asyncio.gather(*(saver.aget_tuple(AT) for _ in range(6)))

    run(main())
    assert [*flights.peak.values()] == [2]


def test_a_client_config_may_have_the_names_of_the_javascript_port(existing_tables: Tables) -> None:
    names: dict[str, Any] = {
        "checkpoints_table_name": existing_tables.checkpoints,
        "writes_table_name": existing_tables.writes,
    }
    javascript = {
        "region": "us-east-1",
        "endpoint": existing_tables.engine.url,
        "accessKeyId": "test",
        "secretAccessKey": "test",
    }

    async def main() -> None:
        async with AsyncDynamoDBSaver(**names, client_config=javascript) as saver:
            await used(saver)

    run(main())
    with pytest.raises(InvalidInputError):
        AsyncDynamoDBSaver(**names, client_config=javascript, session=Session())


def test_without_a_session_each_loop_has_one_of_its_own(existing_tables: Tables) -> None:
    saver = AsyncDynamoDBSaver(
        checkpoints_table_name=existing_tables.checkpoints,
        writes_table_name=existing_tables.writes,
        endpoint_url=existing_tables.engine.url,
    )
    for step in range(2):
        run(used(saver, step))
    assert saver.get_tuple(config("thread-1"))
    saver.close()

"""`setup()`: tables as specified, created once by concurrent callers, and the run index."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError

from langgraph_checkpoint_dynamodb import TableError, TableMismatchError, TableNotFoundError
from langgraph_checkpoint_dynamodb.errors import ServiceError, TableInUseError
from langgraph_checkpoint_dynamodb.format.tables import RUN_ID_INDEX_KEY, SAVER_TABLES, SPECS, Table
from langgraph_checkpoint_dynamodb.ops.tables import set_up as set_up_operation
from langgraph_checkpoint_dynamodb.policies import SETUP_ACTIONS
from langgraph_checkpoint_dynamodb.requests.operations import Backoff, Concurrently
from langgraph_checkpoint_dynamodb.requests.tables import (
    DescribeTable,
    DescribeTimeToLive,
    EnableTimeToLive,
)
from tests.support.calls import AsyncCalls, SyncCalls, elsewhere
from tests.support.values import checkpoint, config, id_of, metadata, put_chain

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.type_defs import TableDescriptionTypeDef

    from langgraph_checkpoint_dynamodb.requests.operations import Operation, Request
    from tests.support.calls import Calls, LoopThread
    from tests.support.savers import Saver
    from tests.support.tables import Tables

INDEX = "by-run"
THREADS_AT_ONCE = 8


@pytest.fixture(params=["sync", "async"])
def set_up(request: pytest.FixtureRequest, loop_thread: LoopThread) -> Callable[[Saver], None]:
    """Calls `setup` or `asetup`."""
    if request.param == "sync":
        return lambda saver: saver.setup()
    return lambda saver: loop_thread.run(saver.asetup())


def names(tables: Tables) -> dict[Table, str]:
    return {Table.CHECKPOINTS: tables.checkpoints, Table.WRITES: tables.writes}


def describe(tables: Tables, table: Table) -> TableDescriptionTypeDef:
    return tables.client.describe_table(TableName=names(tables)[table])["Table"]


def keys_of(described: Any) -> list[tuple[str, str]]:
    return [(key["AttributeName"], key["KeyType"]) for key in described["KeySchema"]]


def types_of(described: Any) -> dict[str, str]:
    return {d["AttributeName"]: d["AttributeType"] for d in described["AttributeDefinitions"]}


def count_requests(tables: Tables) -> list[str]:
    """A list that collects the name of every request of the tables' client."""
    sent: list[str] = []
    lock = threading.Lock()

    def note(model: Any, **_: object) -> None:
        with lock:
            sent.append(model.name)

    tables.on("before-call", note)
    return sent


def create(tables: Tables, table: Table, keys: list[tuple[str, str, str]], **more: Any) -> None:
    """Create a table by hand, with keys of (name, type, role)."""
    tables.client.create_table(
        TableName=names(tables)[table],
        KeySchema=cast("Any", [{"AttributeName": n, "KeyType": role} for n, _, role in keys]),
        AttributeDefinitions=cast(
            "Any",
            [
                {"AttributeName": n, "AttributeType": kind}
                for n, kind, _ in [*keys, *more.pop("definitions", [])]
            ],
        ),
        BillingMode="PAY_PER_REQUEST",
        **more,
    )


def right_keys(table: Table) -> list[tuple[str, str, str]]:
    spec = SPECS[table]
    return [(spec.partition_key, "S", "HASH"), (spec.sort_key, "S", "RANGE")]


def index_on(attribute: str, name: str = INDEX) -> list[dict[str, Any]]:
    return [
        {
            "IndexName": name,
            "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ]


# --- tables ---


def test_setup_creates_both_tables_as_specified(
    tables: Tables, set_up: Callable[[Saver], None]
) -> None:
    with tables.saver() as saver:
        set_up(saver)
    for table in SAVER_TABLES:
        spec = SPECS[table]
        described = describe(tables, table)
        assert described["TableStatus"] == "ACTIVE"
        assert keys_of(described) == [(spec.partition_key, "HASH"), (spec.sort_key, "RANGE")]
        assert types_of(described) == {spec.partition_key: "S", spec.sort_key: "S"}
        assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
        assert not described.get("GlobalSecondaryIndexes")
        assert not described.get("LocalSecondaryIndexes")


def test_the_specification_is_the_format_of_the_javascript_port() -> None:
    specs = {table: SPECS[table] for table in SAVER_TABLES}
    assert {table: (spec.partition_key, spec.sort_key) for table, spec in specs.items()} == {
        Table.CHECKPOINTS: ("thread_id", "checkpoint_id"),
        Table.WRITES: ("thread_id_checkpoint_id_checkpoint_ns", "task_id_idx"),
    }


def test_setup_once_more_changes_nothing_and_keeps_what_is_stored(
    tables: Tables, set_up: Callable[[Saver], None]
) -> None:
    with tables.saver(**tables.quick()) as saver:
        set_up(saver)
        stored = saver.put(config("thread"), checkpoint(a=1), metadata(), {})
        sent = count_requests(tables)
        set_up(saver)
        assert sorted(sent) == ["DescribeTable", "DescribeTable"]
        assert saver.get_tuple(stored) is not None


def test_tables_made_by_hand_are_accepted(tables: Tables, set_up: Callable[[Saver], None]) -> None:
    for table in SAVER_TABLES:
        create(tables, table, right_keys(table))
    with tables.saver(**tables.quick()) as saver:
        sent = count_requests(tables)
        set_up(saver)
        assert set(sent) == {"DescribeTable"}
        assert saver.get_tuple(config("thread")) is None


@pytest.mark.parametrize("missing", SAVER_TABLES)
def test_a_table_that_alone_is_missing_is_created(tables: Tables, missing: Table) -> None:
    (present,) = set(SAVER_TABLES) - {missing}
    create(tables, present, right_keys(present))
    with tables.saver() as saver:
        saver.setup()
    spec = SPECS[missing]
    assert keys_of(describe(tables, missing)) == [
        (spec.partition_key, "HASH"),
        (spec.sort_key, "RANGE"),
    ]


def test_setup_by_many_threads_at_once_creates_the_tables_once(tables: Tables) -> None:
    together = threading.Barrier(THREADS_AT_ONCE, timeout=30)
    failed: list[BaseException] = []
    savers = [tables.saver(run_id_index=INDEX) for _ in range(THREADS_AT_ONCE)]
    for saver in savers:
        # Creates the client, so that the threads race for the table and not before.
        with pytest.raises(TableNotFoundError):
            saver.get_tuple(config("thread"))

    def set_up_one(saver: Saver) -> None:
        try:
            together.wait()
            saver.setup()
            assert saver.get_tuple(config("thread")) is None
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=set_up_one, args=(saver,)) for saver in savers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for saver in savers:
        saver.close()
    assert failed == []
    for table in SAVER_TABLES:
        spec = SPECS[table]
        assert keys_of(describe(tables, table))[0] == (spec.partition_key, "HASH")


def test_a_setup_that_sees_no_table_while_others_create_it_waits_for_theirs(
    tables: Tables, set_up: Callable[[Saver], None]
) -> None:
    """Another caller creates both tables after this one has found none."""
    raced: list[str] = []

    def create_first(params: Any, **_: object) -> None:
        # Another client creates the tables, just before this one sends its own request.
        if not raced:
            raced.append(str(params["body"]))
            elsewhere(tables.set_up)

    tables.on("before-call.dynamodb.CreateTable", create_first)
    with tables.saver(**tables.quick()) as saver:
        set_up(saver)
        assert saver.get_tuple(config("thread")) is None
    assert len(raced) == 1


WRONG_KEYS = {
    "other-names": [("PK", "S", "HASH"), ("SK", "S", "RANGE")],
    "no-sort-key": [("thread_id", "S", "HASH")],
    "swapped": [("checkpoint_id", "S", "HASH"), ("thread_id", "S", "RANGE")],
    "other-type": [("thread_id", "S", "HASH"), ("checkpoint_id", "N", "RANGE")],
    "binary": [("thread_id", "B", "HASH"), ("checkpoint_id", "S", "RANGE")],
}


@pytest.mark.parametrize("keys", WRONG_KEYS.values(), ids=list(WRONG_KEYS))
def test_a_checkpoints_table_with_other_keys_is_refused_and_both_are_said(
    tables: Tables,
    set_up: Callable[[Saver], None],
    keys: list[tuple[str, str, str]],
) -> None:
    create(tables, Table.CHECKPOINTS, keys)
    create(tables, Table.WRITES, right_keys(Table.WRITES))
    with tables.saver() as saver, pytest.raises(TableMismatchError) as caught:
        set_up(saver)
    assert caught.value.table_name == tables.checkpoints
    message = str(caught.value)
    for name, kind, role in keys:
        assert repr((role, name, kind)) in message
    for name, kind, role in right_keys(Table.CHECKPOINTS):
        assert repr((role, name, kind)) in message


def test_a_writes_table_with_other_keys_is_refused(
    tables: Tables, set_up: Callable[[Saver], None]
) -> None:
    create(tables, Table.WRITES, right_keys(Table.CHECKPOINTS))
    with tables.saver() as saver, pytest.raises(TableMismatchError) as caught:
        set_up(saver)
    assert caught.value.table_name == tables.writes


def test_names_of_the_tables_that_are_swapped_are_refused(
    tables: Tables, set_up: Callable[[Saver], None]
) -> None:
    create(tables, Table.CHECKPOINTS, right_keys(Table.WRITES))
    create(tables, Table.WRITES, right_keys(Table.CHECKPOINTS))
    with tables.saver() as saver, pytest.raises(TableMismatchError):
        set_up(saver)


# --- expiry ---


EXPIRY_ACTIONS = {"dynamodb:DescribeTimeToLive", "dynamodb:UpdateTimeToLive"}


def expiry_of(tables: Tables) -> list[tuple[str, str | None]]:
    """For each table, whether items expire and by which attribute."""
    described = [
        tables.client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        for name in names(tables).values()
    ]
    return [(found["TimeToLiveStatus"], found.get("AttributeName")) for found in described]


def expire_by(tables: Tables, name: str, attribute: str = "ttl") -> None:
    tables.client.update_time_to_live(
        TableName=name,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute},
    )


def test_setup_lets_dynamodb_delete_what_expires_in_both_tables_and_asks_for_it_once(
    tables: Tables, set_up: Callable[[Saver], None]
) -> None:
    with tables.saver(**tables.quick(), ttl_seconds=60, run_id_index=INDEX) as saver:
        set_up(saver)
        assert expiry_of(tables) == [("ENABLED", "ttl")] * 2
        sent = count_requests(tables)
        set_up(saver)
        assert sorted(sent) == ["DescribeTable"] * 2 + ["DescribeTimeToLive"] * 2


def test_setup_turns_expiry_on_in_tables_that_have_been_there_without(
    tables: Tables, set_up: Callable[[Saver], None]
) -> None:
    tables.set_up()
    expire_by(tables, tables.writes)
    with tables.saver(ttl_seconds=60) as saver:
        set_up(saver)
    assert expiry_of(tables) == [("ENABLED", "ttl")] * 2


def test_without_a_life_setup_neither_asks_for_expiry_nor_needs_the_right_to(
    tables: Tables, set_up: Callable[[Saver], None]
) -> None:
    with tables.saver(SETUP_ACTIONS - EXPIRY_ACTIONS) as saver:
        set_up(saver)
        set_up(saver)
    assert expiry_of(tables) == [("DISABLED", None)] * 2
    expire_by(tables, tables.writes, "of-somebody-else")
    with tables.saver(SETUP_ACTIONS - EXPIRY_ACTIONS) as saver:
        set_up(saver)


@pytest.mark.parametrize("action", sorted(EXPIRY_ACTIONS))
def test_with_a_life_setup_needs_the_right_to_turn_expiry_on(tables: Tables, action: str) -> None:
    with (
        tables.saver(SETUP_ACTIONS - {action}, ttl_seconds=60) as saver,
        pytest.raises(ServiceError, match=action),
    ):
        saver.setup()


@pytest.mark.parametrize("table", SAVER_TABLES)
def test_a_table_whose_items_expire_by_another_attribute_is_refused(
    tables: Tables, set_up: Callable[[Saver], None], table: Table
) -> None:
    tables.set_up()
    expire_by(tables, names(tables)[table], "expires")
    with (
        tables.saver(ttl_seconds=60) as saver,
        pytest.raises(TableMismatchError, match=r"'expires'.*'ttl'") as caught,
    ):
        set_up(saver)
    assert caught.value.table_name == names(tables)[table]


def test_expiry_that_somebody_else_turns_on_meanwhile_is_looked_at_again(
    tables: Tables, set_up: Callable[[Saver], None]
) -> None:
    tables.set_up()
    raced: list[str] = []

    def be_first(params: Any, **_: object) -> None:
        if not raced:
            raced.append(str(params["body"]))
            elsewhere(lambda: tables.set_up(ttl_seconds=60))
            error: Any = {"Code": "ValidationException", "Message": "TimeToLive is already enabled"}
            raise ClientError({"Error": error}, "UpdateTimeToLive")

    tables.on("before-call.dynamodb.UpdateTimeToLive", be_first)
    with tables.saver(**tables.quick(), ttl_seconds=60, max_concurrency=1) as saver:
        set_up(saver)
    assert len(raced) == 1
    assert expiry_of(tables) == [("ENABLED", "ttl")] * 2


IN_USE = TableInUseError(
    code="ResourceInUseException", operation="UpdateTimeToLive", table_name="c", message="busy"
)


def script_expiry(*replies: Any) -> list[Request[Any]]:
    """Set up existing tables with scripted replies for the checkpoints table; returns its requests.

    The last reply is repeated. The items of the writes table expire already.
    """
    told = iter(replies)
    sent: list[Request[Any]] = []
    last: list[Any] = []

    def reply(request: Request[Any]) -> Any:
        match request:
            case DescribeTable(table):
                return {
                    "TableStatus": "ACTIVE",
                    "KeySchema": [
                        {"AttributeName": name, "KeyType": role}
                        for name, _, role in right_keys(table)
                    ],
                    "AttributeDefinitions": [
                        {"AttributeName": name, "AttributeType": kind}
                        for name, kind, _ in right_keys(table)
                    ],
                }
            case DescribeTimeToLive(Table.WRITES):
                return {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
        sent.append(request)
        if isinstance(request, Backoff):
            return None
        last[:] = [next(told, *last)]
        return last[0]

    _perform(
        set_up_operation({Table.CHECKPOINTS: "c", Table.WRITES: "w"}, (), expiring=True), reply
    )
    return sent


def _perform(operation: Operation[Any], reply: Callable[[Request[Any]], Any]) -> Any:
    try:
        request = next(operation)
        while True:
            if isinstance(request, Concurrently):
                answer: Any = [_perform(each, reply) for each in request.operations]
            else:
                answer = reply(request)
            if isinstance(answer, Exception):
                request = operation.throw(answer)
            else:
                request = operation.send(answer)
    except StopIteration as stop:
        return stop.value


ASK = "DescribeTimeToLive"
TURN_ON = "EnableTimeToLive"
BY_TTL = {"AttributeName": "ttl"}
DISABLED = {"TimeToLiveStatus": "DISABLED"}
DISABLING = {"TimeToLiveStatus": "DISABLING", **BY_TTL}


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        ([{"TimeToLiveStatus": "ENABLED", **BY_TTL}], [ASK]),
        ([{"TimeToLiveStatus": "ENABLING", **BY_TTL}], [ASK]),
        ([DISABLED, None], [ASK, TURN_ON]),
        ([{}, None], [ASK, TURN_ON]),
        (
            [*[DISABLING] * 2, DISABLED, None],
            [ASK, "Backoff", ASK, "Backoff", ASK, TURN_ON],
        ),
        (
            [DISABLED, IN_USE, {"TimeToLiveStatus": "ENABLING", **BY_TTL}],
            [ASK, TURN_ON, "Backoff", ASK],
        ),
        (
            [*[DISABLED, IN_USE] * 2, DISABLED, None],
            [*[ASK, TURN_ON, "Backoff"] * 2, ASK, TURN_ON],
        ),
    ],
)
def test_expiry_is_turned_on_where_it_is_off_and_waited_for_where_it_is_changing(
    replies: list[Any], expected: list[str]
) -> None:
    sent = script_expiry(*replies)
    assert [type(request).__name__ for request in sent] == expected
    assert all(
        request.table is Table.CHECKPOINTS
        for request in sent
        if isinstance(request, DescribeTimeToLive | EnableTimeToLive)
    )


@pytest.mark.parametrize("status", ["ENABLED", "ENABLING"])
@pytest.mark.parametrize("before", [[], [DISABLED, IN_USE]])
def test_expiry_by_another_attribute_is_refused_also_while_it_is_being_turned_on(
    status: str, before: list[Any]
) -> None:
    with pytest.raises(TableMismatchError, match="'other'") as caught:
        script_expiry(*before, {"TimeToLiveStatus": status, "AttributeName": "other"})
    assert caught.value.table_name == "c"


def test_expiry_that_is_being_turned_off_is_waited_for_and_then_told() -> None:
    with pytest.raises(TableError, match="DISABLING") as caught:
        script_expiry(DISABLING)
    assert caught.value.table_name == "c"
    assert not isinstance(caught.value, TableMismatchError)


# --- the run index ---


def index_of(tables: Tables, name: str = INDEX) -> Any:
    described: Any = describe(tables, Table.CHECKPOINTS)
    (found,) = [i for i in described["GlobalSecondaryIndexes"] if i["IndexName"] == name]
    return found


def test_setup_makes_the_run_index_with_the_table(
    tables: Tables, set_up: Callable[[Saver], None]
) -> None:
    with tables.saver(run_id_index=INDEX) as saver:
        set_up(saver)
    index = index_of(tables)
    assert keys_of(index) == [(RUN_ID_INDEX_KEY, "HASH")]
    assert index["Projection"]["ProjectionType"] == "KEYS_ONLY"
    assert types_of(describe(tables, Table.CHECKPOINTS))[RUN_ID_INDEX_KEY] == "S"
    assert not describe(tables, Table.WRITES).get("GlobalSecondaryIndexes")


def test_setup_adds_the_run_index_to_a_table_that_exists(
    tables: Tables, set_up: Callable[[Saver], None]
) -> None:
    with tables.saver() as plain:
        plain.setup()
        stored = plain.put(config("thread"), checkpoint(), metadata(run_id="run-1"), {})
    with tables.saver(**tables.quick(), run_id_index=INDEX) as saver:
        set_up(saver)
        index = index_of(tables)
        assert keys_of(index) == [(RUN_ID_INDEX_KEY, "HASH")]
        assert index["Projection"]["ProjectionType"] == "KEYS_ONLY"
        sent = count_requests(tables)
        set_up(saver)
        assert set(sent) == {"DescribeTable"}
        # What was stored before the index is in it.
        saver.delete_for_runs(["run-1"])
        assert "Scan" not in sent
        assert saver.get_tuple(stored) is None


def test_an_index_of_that_name_on_another_attribute_is_refused(
    tables: Tables, set_up: Callable[[Saver], None]
) -> None:
    create(
        tables,
        Table.CHECKPOINTS,
        right_keys(Table.CHECKPOINTS),
        definitions=[("checkpoint_ns", "S", "")],
        GlobalSecondaryIndexes=index_on("checkpoint_ns"),
    )
    with (
        tables.saver(run_id_index=INDEX) as saver,
        pytest.raises(TableMismatchError) as caught,
    ):
        set_up(saver)
    assert caught.value.table_name == tables.checkpoints
    for part in (repr(INDEX), "'checkpoint_ns'", repr(RUN_ID_INDEX_KEY)):
        assert part in str(caught.value)


def test_indexes_of_other_names_are_nobodys_business(
    tables: Tables, set_up: Callable[[Saver], None]
) -> None:
    create(
        tables,
        Table.CHECKPOINTS,
        right_keys(Table.CHECKPOINTS),
        definitions=[("checkpoint_ns", "S", "")],
        GlobalSecondaryIndexes=index_on("checkpoint_ns", "of-somebody-else"),
    )
    with tables.saver() as plain:
        set_up(plain)
    with tables.saver(run_id_index=INDEX) as saver:
        set_up(saver)
    assert keys_of(index_of(tables)) == [(RUN_ID_INDEX_KEY, "HASH")]
    assert keys_of(index_of(tables, "of-somebody-else")) == [("checkpoint_ns", "HASH")]


def test_an_index_by_run_and_something_else_is_accepted(
    tables: Tables, set_up: Callable[[Saver], None]
) -> None:
    index = index_on(RUN_ID_INDEX_KEY)
    index[0]["KeySchema"].append({"AttributeName": "checkpoint_id", "KeyType": "RANGE"})
    create(
        tables,
        Table.CHECKPOINTS,
        right_keys(Table.CHECKPOINTS),
        definitions=[(RUN_ID_INDEX_KEY, "S", "")],
        GlobalSecondaryIndexes=index,
    )
    with tables.saver(run_id_index=INDEX) as saver:
        set_up(saver)
        stored = saver.put(config("thread"), checkpoint(), metadata(run_id="run-1"), {})
        saver.delete_for_runs(["run-1"])
        assert saver.get_tuple(stored) is None


# --- deleting by run, with and without the index ---


def run_calls(face: str, saver: Saver, loop_thread: LoopThread) -> Calls:
    return SyncCalls(saver) if face == "sync" else AsyncCalls(saver, loop_thread)


def store_runs(calls: Calls) -> None:
    """Checkpoints of several runs across threads and namespaces, with writes."""
    for thread in ("thread-1", "thread-2"):
        for checkpoint_ns in ("", "child:1"):
            parent = config(thread, checkpoint_ns)
            for step, run in enumerate(("run-1", "run-2", "run-1", "run-3")):
                made = checkpoint(f"1f00-{step}-{run}", a=1)
                parent = calls.put(parent, made, metadata(run_id=run), {})
                calls.put_writes(parent, [("a", 1), ("b", 2)], "task")
        put_chain(calls, f"{thread}-without-run", 2)


def left(calls: Calls, tables: Tables) -> tuple[list[tuple[str, str, str]], int]:
    """The remaining checkpoints, and the number of writes."""
    found = [
        (
            one.config["configurable"]["thread_id"],
            one.config["configurable"]["checkpoint_ns"],
            id_of(one.config).rpartition("-")[2],
        )
        for one in calls.list(None)
        if "without-run" not in one.config["configurable"]["thread_id"]
    ]
    return sorted(found), len(tables.write_items())


@pytest.mark.parametrize("face", ["sync", "async"])
@pytest.mark.parametrize("index", [None, INDEX], ids=["scan", "index"])
def test_the_runs_are_deleted_in_all_threads_and_namespaces_with_or_without_the_index(
    tables: Tables, loop_thread: LoopThread, index: str | None, face: str
) -> None:
    with tables.saver(**tables.quick(), run_id_index=index) as saver:
        saver.setup()
        calls = run_calls(face, saver, loop_thread)
        store_runs(calls)
        sent = count_requests(tables)
        calls.delete_for_runs(["run-1", "run-3", "run-unknown", "run-1"])
        assert ("Scan" in sent) is (index is None)
        checkpoints, writes = left(calls, tables)
        assert checkpoints == [
            ("thread-1", "", "2"),
            ("thread-1", "child:1", "2"),
            ("thread-2", "", "2"),
            ("thread-2", "child:1", "2"),
        ]
        assert writes == len(checkpoints)
        assert len(list(calls.list(config("thread-1-without-run")))) == 2


@pytest.mark.parametrize("index", [None, INDEX], ids=["scan", "index"])
def test_no_run_and_an_unknown_run_delete_nothing_with_or_without_the_index(
    tables: Tables, index: str | None
) -> None:
    with tables.saver(**tables.quick(), run_id_index=index) as saver:
        saver.setup()
        calls = SyncCalls(saver)
        store_runs(calls)
        before = left(calls, tables)
        sent = count_requests(tables)
        saver.delete_for_runs([])
        assert sent == []
        saver.delete_for_runs(["run", "run-", "RUN-1", "", "r" * 2049])
        assert left(calls, tables) == before


@pytest.mark.parametrize("index", [None, INDEX], ids=["scan", "index"])
def test_a_run_of_more_checkpoints_than_a_page_of_the_index_is_deleted_to_its_end(
    tables: Tables, index: str | None
) -> None:
    def small_pages(params: Any, model: Any, **_: object) -> None:
        if model.name == "Query" and "IndexName" in params:
            params.setdefault("Limit", 3)

    tables.on("before-parameter-build", small_pages)
    with tables.saver(**tables.quick(), run_id_index=index) as saver:
        saver.setup()
        parent = config("thread")
        for step in range(10):
            parent = saver.put(parent, checkpoint(), metadata(run_id="run", step=step), {})
        saver.delete_for_runs(["run"])
        assert tables.checkpoint_items() == []


@pytest.mark.parametrize("run_id", ["", "r" * 2049], ids=["empty", "too-long"])
@pytest.mark.parametrize("index", [None, INDEX], ids=["scan", "index"])
def test_a_run_that_no_index_can_key_is_deleted_with_or_without_the_index(
    tables: Tables, index: str | None, run_id: str
) -> None:
    with tables.saver(run_id_index=index) as saver:
        saver.setup()
        gone = saver.put(config("thread"), checkpoint(), metadata(run_id=run_id), {})
        kept = saver.put(config("thread"), checkpoint(), metadata(run_id="run-1"), {})
        saver.delete_for_runs([run_id])
        assert saver.get_tuple(gone) is None
        assert saver.get_tuple(kept) is not None

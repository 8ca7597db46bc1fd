"""`stats`, `doctor`, `sweep` and `setup` include the table of a store and cache if named."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.base import PutOp

from langgraph_checkpoint_dynamodb.cache import DynamoDBCache
from langgraph_checkpoint_dynamodb.format.sizes import item_size, write_units
from langgraph_checkpoint_dynamodb.policies import STORE_ROLES
from langgraph_checkpoint_dynamodb.store import DynamoDBStore
from tests.cli.test_doctor import Aws, aws, marks
from tests.store.embedders import index
from tests.store.faces import new_store_table, with_payloads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Cli
    from tests.store.faces import StoreTable
    from tests.support.buckets import Bucket
    from tests.support.tables import Tables

__all__ = ["aws"]  # The fixture.

pytestmark = pytest.mark.usefixtures("plain")


@pytest.fixture
def unmade(tables: Tables, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreTable]:
    """The name of a store's table that does not exist, set for the command line."""
    assert cli is not None
    fresh = new_store_table(tables.engine, tables.client)
    monkeypatch.setenv("LANGGRAPH_STORE_TABLE", fresh.name)
    yield fresh
    fresh.drop()


@pytest.fixture
def table(unmade: StoreTable) -> StoreTable:
    unmade.set_up()
    return unmade


def fill(table: StoreTable, **settings: Any) -> None:
    """Items and entries, some of them large."""
    given: dict[str, Any] = {"client": table.client, **settings}
    with DynamoDBStore(store_table_name=table.name, **given) as store:
        store.batch([PutOp(("users", "ann"), str(i), {"n": i}) for i in range(3)])
        with_payloads(store, inline_limit=1000).put(("users", "bob"), "large", {"t": "x" * 5000})
    with DynamoDBCache[Any](cache_table_name=table.name, **given) as cache:
        cache.set({(("nodes",), str(i)): (i, 60) for i in range(2)})
        with_payloads(cache, inline_limit=1000).set({(("nodes",), "large"): ("x" * 9000, None)})


def test_every_item_is_counted_with_its_namespace(cli: Cli, table: StoreTable) -> None:
    fill(table)

    counted = cli("stats", "--json").document["store"]

    items = table.items()
    sizes = [item_size(item) for item in items]
    assert counted["total"]["items"] == len(items)
    assert counted["total"]["bytes"] == sum(sizes)
    assert counted["total"]["write_units"] == sum(map(write_units, sizes))
    assert counted["total"]["values"] == 7
    by_namespace = {tuple(one["namespace"]): one for one in counted["namespaces"]}
    assert {name: one["values"] for name, one in by_namespace.items()} == {
        ("users", "ann"): 3,
        ("users", "bob"): 1,
    }
    # Each namespace is in the registry, and the large item has parts.
    assert by_namespace["users", "ann"]["items"] == 4
    assert by_namespace["users", "bob"]["items"] == 3
    assert by_namespace["users", "bob"]["bytes"] > 5000
    assert counted["cache"]["values"] == 3
    assert counted["cache"]["items"] == 5
    assert counted["cache"]["bytes"] > 9000
    parts = [counted["cache"], *counted["namespaces"]]
    assert sum(one["bytes"] for one in parts) == counted["total"]["bytes"]


def test_namespaces_are_shown_below_threads(cli: Cli, table: StoreTable) -> None:
    fill(table)

    said = cli("stats", "--limit", "1").out

    lines = [line.split("  ")[0].strip() for line in said.splitlines()]
    assert "users / bob" in lines
    assert "users / ann" not in lines
    assert "and 1 smaller one (--limit)" in said
    assert "cache" in lines
    assert "namespaces  2" in said
    assert "values      7" in said


def test_objects_of_a_store_are_counted(cli: Cli, table: StoreTable, bucket: Bucket) -> None:
    fill(table, s3_client=bucket.client, s3_offload_config=bucket.config(1000))

    counted = cli("stats", "--json").document["store"]

    assert counted["total"]["objects"] == len(bucket.keys()) == 2
    assert counted["cache"]["objects"] == 1
    assert counted["cache"]["object_bytes"] > 9000


def test_items_that_do_not_say_whose_they_are_are_counted_too(cli: Cli, table: StoreTable) -> None:
    fill(table)
    part = next(one for one in table.parts() if one["root"]["S"].startswith("users."))
    table.replace({**part, "item_path": {"N": "1"}})
    table.replace({"root": {"S": "users"}, "path": {"S": "no item's"}})

    counted = cli("stats", "--json").document["store"]

    nobody = next(one for one in counted["namespaces"] if one["namespace"] is None)
    assert nobody["items"] == 2
    assert "(of no namespace)" in cli("stats").out


def test_nothing_of_a_store_is_said_where_it_is_not_named_or_threads_are(
    cli: Cli, table: StoreTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(table)
    assert "store" not in cli("stats", "1", "--json").document
    named = cli("stats", "--json").document
    monkeypatch.delenv("LANGGRAPH_STORE_TABLE")
    store = named["store"]
    assert {**cli("stats", "--json").document, "store": store} == named
    assert "namespaces" not in cli("stats").out
    assert cli("stats", "--json", "--store-table", table.name).document == named


def test_nothing_is_wrong_with_a_table_that_setup_has_made(cli: Cli, table: StoreTable) -> None:
    said = cli("doctor", "--role", "read", "--role", "runtime", "--role", "admin").out

    assert said.splitlines()[-1] == "Nothing is wrong."
    for subject in (f"table {table.name}", f"keys of {table.name}: root, path"):
        assert f"OK       {subject}" in said
    found = cli("doctor", "--json").document["findings"]
    subjects = {one["subject"] for one in found}
    assert {f"store policy {name}" for name in STORE_ROLES} <= subjects
    assert {f"time to live of {table.name}", f"encryption of {table.name}"} <= subjects


def test_doctor_changes_nothing(cli: Cli, table: StoreTable) -> None:
    cli("doctor", "--role", "admin")

    assert table.items() == []


def test_a_table_that_is_missing_or_has_other_keys_is_wrong(
    cli: Cli, unmade: StoreTable, tables: Tables
) -> None:
    said = cli("doctor", code=1).out

    assert f"WRONG    table {unmade.name}: is not there" in said
    assert "-> call `setup()` of the store or the cache" in said
    assert "2 things to put right." not in said
    other = cli("doctor", "--store-table", tables.writes, code=1).out
    assert f"WRONG    keys of {tables.writes}" in other


def test_expiry_that_is_off_is_wrong(cli: Cli, table: StoreTable, aws: Aws) -> None:
    aws.expiry = {"TimeToLiveStatus": "DISABLED"}
    said = " ".join(cli("doctor", code=1).out.split())
    assert f"WRONG time to live of {table.name}: is DISABLED: what expires stays" in said
    aws.expiry = {"TimeToLiveStatus": "ENABLED", "AttributeName": "other"}
    assert f"WRONG time to live of {table.name}" in " ".join(cli("doctor", code=1).out.split())


@pytest.mark.parametrize("action", ["dynamodb:BatchGetItem", "dynamodb:DeleteItem"])
def test_rights_on_it_are_told_by_trying(
    cli: Cli,
    table: StoreTable,
    aws: Aws,
    action: str,
) -> None:
    """Neither has the permissions of a saver's runtime."""
    assert table is not None
    aws.refused = [action]

    said = " ".join(cli("doctor", code=1).out.split())

    assert f"WRONG store policy runtime: to use a store or a cache, it lacks {action}" in said
    assert "OK policy runtime" in said
    assert marks(cli, "--role", "setup")["store"] == "UNKNOWN"


def test_setup_makes_the_table_of_a_store_too(
    cli: Cli, unmade: StoreTable, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LANGGRAPH_STORE_TABLE")
    cli("setup")
    assert unmade.name not in unmade.client.list_tables()["TableNames"]

    said = cli("setup", "--store-table", unmade.name).out

    ready = f"Tables {tables.checkpoints} and {tables.writes} and {unmade.name} are ready."
    assert " ".join(said.split()) == ready
    fill(unmade)
    assert cli("setup", "--store-table", unmade.name).out == said


LONG = {"text": "long " * 400}
DAYS = 86_400


def leave_behind(table: StoreTable, **settings: Any) -> None:
    """Leftovers of calls of two days ago: parts, vectors, and an empty namespace."""
    given: dict[str, Any] = {"client": table.client, "clock": lambda: time.time() - 2 * DAYS}
    embedding: Any = index(fields=["text"])
    spread = settings.pop("spread", 1)
    with DynamoDBStore(store_table_name=table.name, index=embedding, spread=spread, **given) as one:
        store = with_payloads(one, inline_limit=600, chunk_bytes=700)
        store.put(("users", "ann"), "k", LONG)
        for key in ("l", "m"):
            store.put(("users", "ann"), key, {"text": "a"})
        store.put(("gone",), "k", {})
        store.delete(("gone",), "k")
        # A batch leaves the parts and vectors of the items that it replaces.
        store.batch([PutOp(("users", "ann"), key, {}, False) for key in "klm"])
    with DynamoDBCache[Any](cache_table_name=table.name, **given) as entries:
        cache = with_payloads(entries, inline_limit=600, chunk_bytes=700)
        cache.set({(("nodes",), "k"): (LONG, None)})
        cache.set({(("nodes",), key): (1, None) for key in "kl"})


@pytest.mark.parametrize("spread", [1, 8])
def test_a_sweep_sees_to_a_store_and_a_cache_however_they_are_spread(
    cli: Cli, table: StoreTable, spread: int
) -> None:
    leave_behind(table, spread=spread)
    before = table.items()

    told = cli("sweep", "--dry-run", "--json").document
    assert table.items() == before
    done = cli("sweep", "--json").document

    assert told == done
    assert done["resume_from"] is None
    assert done["store"] == {
        "pages": 1,
        "examined": len(before),
        "chunks_deleted": len(table_parts(before)),
        "objects_deleted": 0,
        "vectors_deleted": 3,
        "namespaces_deleted": 1,
        "young": 0,
        "unknown": 0,
    }
    assert table_parts(table.items()) == []
    assert ("gone",) not in table.registered()
    lines = " ".join(cli("sweep").out.split())
    assert "swept of the store items examined" in lines


def table_parts(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in items if "item_path" in one]


def test_objects_of_a_store_are_swept_in_the_bucket_that_is_named(
    cli: Cli, table: StoreTable, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", bucket.url)
    fill(table, s3_client=bucket.client, s3_offload_config=bucket.config(1000))
    for item in table.heads():
        key = {name: item[name] for name in ("root", "path")}
        table.client.delete_item(TableName=table.name, Key=key)
    for item in table.parts():
        table.replace({**item, "created": {"N": "1"}})

    assert cli("sweep", "--json").document["store"]["unknown"] == 2
    swept = cli("sweep", "--json", "--bucket", bucket.name).document["store"]

    assert (swept["objects_deleted"], swept["unknown"]) == (2, 0)
    assert bucket.keys() == []


def test_a_sweep_that_is_stopped_goes_on_in_the_table_of_the_store(
    cli: Cli, table: StoreTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    old: dict[str, Any] = {"client": table.client, "clock": lambda: time.time() - 2 * DAYS}
    with DynamoDBStore(store_table_name=table.name, **old) as store:
        store.put(("users",), "k", {"bytes": b"x" * 3_000_000})
        store.batch([PutOp(("users",), key, {}) for key in "kl"])
    every = cli("sweep", "--dry-run", "--json").document
    assert every["store"]["pages"] > 1

    def sweep(pages: int, *arguments: str) -> Any:
        return cli("sweep", "--json", "--max-pages", str(pages), *arguments).document

    reports = [sweep(every["pages"]), sweep(every["pages"] + 1, "--dry-run")]
    assert reports[0]["resume_from"] == "store:"
    assert reports[0]["store"]["examined"] == 0
    assert reports[1]["resume_from"].startswith("store:{")
    with monkeypatch.context() as unnamed:
        unnamed.delenv("LANGGRAPH_STORE_TABLE")
        assert "name it (--store-table)" in cli("sweep", "--resume-from", "store:", code=1).err
    swept = 0
    report = reports[0]
    while report["resume_from"] is not None:
        report = sweep(1, "--resume-from", report["resume_from"])
        assert (report["pages"], report["store"]["pages"]) == (0, 1)
        swept += report["store"]["chunks_deleted"]
    assert swept == every["store"]["chunks_deleted"] > 1
    assert table.parts() == []
    assert "Go on with" not in cli("sweep").out
    assert "--resume-from store:" in cli("sweep", "--max-pages", str(every["pages"])).out

"""`delete`, `prune`, `sweep`, `copy` and `setup` change what they report; dry runs do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.cli.changes import ChangeCounter
from langgraph_checkpoint_dynamodb.policies import READ_ACTIONS
from langgraph_checkpoint_dynamodb.requests.objects import PutObject
from langgraph_checkpoint_dynamodb.requests.operations import Compute, send
from tests.cli.conftest import INDEXED
from tests.cli.graphs import answered, at, forked, waiting
from tests.support.tables import with_payloads
from tests.support.values import checkpoint, config, metadata, put_chain

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from tests.cli.conftest import Cli
    from tests.support.buckets import Bucket
    from tests.support.tables import Tables


def threads_of(cli: Cli) -> list[str]:
    shown = cli("threads", "--all", "--json").document["threads"]
    return sorted(each["thread_id"] for each in shown)


def everything(tables: Tables) -> Any:
    def key(item: Any) -> str:
        return str(sorted(item.items()))

    found = [*tables.checkpoint_items(), *tables.items_beside()]
    return sorted(found, key=key)


def test_named_threads_are_deleted(cli: Cli, plain: DynamoDBSaver) -> None:
    for name in "abc":
        forked(plain, name)

    said = cli("delete", "a", "b", "--yes")

    assert threads_of(cli) == ["c"]
    assert said.out.startswith("2 threads deleted: 10 items of the checkpoints table")


def test_the_threads_of_an_owner_are_deleted(cli: Cli, listing: DynamoDBSaver) -> None:
    waiting(listing, "a", "ann")
    waiting(listing, "b", "bob")

    said = cli("delete", "--owner", "ann", "--yes")

    assert threads_of(cli) == ["b"]
    assert said.out.startswith("1 thread deleted")
    assert cli("delete", "--owner", "ann", "--yes").out == "No threads to delete.\n"


def test_threads_that_were_idle_are_deleted(cli: Cli, listing: DynamoDBSaver) -> None:
    waiting(listing, "a")

    assert cli("delete", "--idle-for", "1h", "--yes").out == "No threads to delete.\n"
    assert cli("delete", "--idle-for", "0s", "--yes").out.startswith("1 thread deleted")
    assert "'soon' is no time" in cli("delete", "--idle-for", "soon", code=2).err


def test_the_checkpoints_of_a_run_are_deleted(cli: Cli, plain: DynamoDBSaver) -> None:
    for run in ("one", "two"):
        plain.put(config(run), checkpoint(), metadata(run_id=run), {})

    said = cli("delete", "--run-id", "one", "--yes")

    assert threads_of(cli) == ["two"]
    assert "no index on run ids" in said.err


def test_an_index_on_runs_is_found(cli: Cli, tables: Tables) -> None:
    tables.set_up(run_id_index="by-run")
    with tables.boto_saver(client=tables.client, run_id_index="by-run") as saver:
        saver.put(config("1"), checkpoint(), metadata(run_id="one"), {})

    said = cli("delete", "--run-id", "one", "--yes")

    assert said.err == ""
    assert threads_of(cli) == []


@pytest.mark.usefixtures("plain")
def test_nothing_is_deleted_unless_somebody_has_said_yes(cli: Cli) -> None:
    for command in (("delete", "a"), ("delete", "--run-id", "r"), ("prune", "--all")):
        assert "pass --yes" in cli(*command, code=1).err


@pytest.mark.usefixtures("plain")
def test_what_is_to_be_deleted_is_said_in_one_way(cli: Cli) -> None:
    assert "one of the three" in cli("delete", code=1).err
    assert "one of the three" in cli("delete", "a", "--run-id", "r", code=1).err
    assert "one of the three" in cli("prune", "a", "--all", code=1).err
    assert "setup --owner-key" in cli("delete", "--owner", "ann", code=1).err


def test_objects_go_with_their_thread(
    cli: Cli, tables: Tables, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", bucket.url)
    options = ("--bucket", bucket.name, "--key-prefix", "mine")
    tables.set_up()
    s3: Any = {"bucket_name": bucket.name, "key_prefix": "mine", "threshold_bytes": 1000}
    with tables.boto_saver(
        client=tables.client, s3_client=bucket.client, s3_offload_config=s3
    ) as saver:
        saver.put(config("1"), checkpoint(text="x" * 5000), metadata(), {})
    assert len(bucket.keys()) == 1

    looked = cli("doctor", "--role", "admin", "--json", *options).document
    said = cli("delete", "1", "--yes", *options)

    assert said.out.endswith(", 1 object.\n")
    assert bucket.keys() == []
    of_admin = next(one for one in looked["findings"] if one["subject"] == "policy admin")
    assert of_admin["said"].endswith("not known: s3:PutObject (objects)")


def test_pruned_threads_keep_what_they_go_on_from(cli: Cli, plain: DynamoDBSaver) -> None:
    for name in "abc":
        forked(plain, name)

    cli("prune", "a", "--yes")
    cli("prune", "b", "--keep-last", "2", "--yes")

    assert [len([*plain.list(at(name))]) for name in "abc"] == [1, 2, 5]
    said = cli("prune", "--all", "--yes")
    assert said.out.startswith("3 threads pruned: 5 items of the checkpoints table")
    assert [len([*plain.list(at(name))]) for name in "abc"] == [1, 1, 1]


def test_the_threads_of_an_owner_are_pruned(cli: Cli, listing: DynamoDBSaver) -> None:
    answered(listing, "a", "ann")
    answered(listing, "b", "bob")

    cli("prune", "--owner", "ann", "--yes")

    assert [len([*listing.list(at(name))]) for name in "ab"] == [1, 3]


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    "command",
    [
        ("delete", "a", "b"),
        ("delete", "--owner", "ann"),
        ("delete", "--run-id", "run"),
        ("prune", "--all"),
        ("prune", "a", "--strategy", "delete"),
        ("sweep", "--older-than", "1h"),
    ],
    ids=" ".join,
)
def test_a_dry_run_tells_what_the_real_one_does_and_changes_nothing(
    cli: Cli, tables: Tables, listing: DynamoDBSaver, command: tuple[str, ...]
) -> None:
    small = with_payloads(listing, inline_limit=200, chunk_bytes=300)
    for name in "ab":
        answered(listing, name)
        put_chain(small, name, 2, text="x" * 500)  # type: ignore[arg-type]  # a saver has these calls
    listing.put(config("run"), checkpoint(), metadata(run_id="run"), {})
    leave_parts_behind(tables)
    before = everything(tables)

    told = cli(*command, "--dry-run").out

    assert everything(tables) == before
    yes = () if command[0] == "sweep" else ("--yes",)
    done = cli(*command, *yes).out
    assert everything(tables) != before
    assert numbers(told) == numbers(done)
    assert any(numbers(done))


def numbers(text: str) -> list[int]:
    return [int(word) for word in text.replace(",", " ").split() if word.isdecimal()]


def leave_parts_behind(tables: Tables) -> None:
    """Pending writes of a checkpoint that was never stored, two days old."""
    import time

    old = tables.boto_saver(client=tables.client, clock=lambda: time.time() - 2 * 86_400)
    with old as saver:
        saver.put_writes(config("lost", "", "0001"), [("channel", "value")], "task")


def test_a_dry_run_needs_no_right_to_write(tables: Tables, listing: DynamoDBSaver) -> None:
    forked(listing, "a")
    counter = ChangeCounter(dry_run=True)
    with tables.saver(READ_ACTIONS, **INDEXED) as reader:
        reader._run(counter.counted(reader._prune(["a"], "keep_latest")), "prune")

    assert counter.changes.checkpoints_deleted == 4


def test_a_dry_run_of_what_it_does_not_know_is_refused() -> None:
    watched = ChangeCounter(dry_run=True).counted(send(PutObject("bucket", "key", b"")))

    with pytest.raises(TypeError, match="a dry run cannot answer PutObject"):
        next(watched)


def test_what_is_watched_is_told_of_errors_and_closed() -> None:
    from langgraph_checkpoint_dynamodb.errors import SaverClosedError

    seen: list[str] = []

    def operation() -> Any:
        try:
            yield Compute(lambda: 1)
        except SaverClosedError:
            seen.append("error")
        try:
            yield Compute(lambda: 2)
        finally:
            seen.append("closed")

    watched = ChangeCounter().counted(operation())
    next(watched)
    watched.throw(SaverClosedError())
    watched.close()

    assert seen == ["error", "closed"]


def test_a_sweep_is_stopped_by_pages_and_goes_on_with_its_token(
    cli: Cli, tables: Tables, plain: DynamoDBSaver
) -> None:
    forked(plain, "a")
    leave_parts_behind(tables)

    first = cli("sweep", "--max-pages", "1", "--json").document
    last = cli("sweep", "--resume-from", first["resume_from"], "--json").document
    text = cli("sweep", "--max-pages", "1").out

    assert first["writes_deleted"] == 1
    assert last["resume_from"] is None
    assert last["examined"] == len(tables.checkpoint_items())
    assert "Go on with --resume-from '{" in text


@pytest.mark.usefixtures("plain")
def test_a_sweep_refuses_what_may_be_under_way(cli: Cli) -> None:
    assert "must be at least 3600 seconds" in cli("sweep", "--older-than", "5m", code=1).err


def test_a_thread_is_copied(cli: Cli, plain: DynamoDBSaver) -> None:
    forked(plain, "a")

    said = cli("copy", "a", "b")

    assert said.out == "5 checkpoints of thread 'a' copied to 'b'.\n"
    assert len([*plain.list(at("b"))]) == 5
    assert "has no checkpoints" in cli("copy", "nobody", "b", code=1).err


def test_setup_makes_tables_and_lists_threads_that_were_there(
    cli: Cli, plain: DynamoDBSaver
) -> None:
    forked(plain, "a")

    said = cli("setup", "--owner-key", "user_id", "--reindex")

    assert said.out.endswith("1 thread listed.\n")
    assert cli("threads", "--owner", "ann", "--json").document["threads"][0]["thread_id"] == "a"
    assert "--reindex needs --owner-key" in cli("setup", "--reindex", code=1).err


def test_setup_makes_tables_that_are_not_there(cli: Cli, tables: Tables) -> None:
    cli("setup", "--run-id-index", "by-run", "--ttl-seconds", "3600")

    described = tables.client.describe_table(TableName=tables.checkpoints)["Table"]
    assert [each["IndexName"] for each in described["GlobalSecondaryIndexes"]] == ["by-run"]
    assert cli("threads").err.endswith("No threads.\n")

"""The function of examples/lambda, invoked with Lambda's events, in separate processes."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from langgraph_checkpoint_dynamodb.policies import ROLES
from tests.support.iam import asks
from tests.support.lambda_environments import (
    ROOT,
    SOURCE,
    answered,
    event,
    listed,
    read,
    running_environment,
    said,
)
from tests.support.savers import native
from tests.support.sessions import shared_client
from tests.support.tables import new_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.support.engines import Engine
    from tests.support.lambda_environments import Environment
    from tests.support.relays import Asked
    from tests.support.tables import Tables

# The function uses the same saver for every saver under test: run these tests once.
__test__ = not native()

LAMPS = "order 2 lamps"
CHAIRS = "order 12 chairs"
LAMP_WORDS = ["I ", "look ", "up ", "the ", "price ", "of ", "one ", "lamp. "]
LAMP_TURN = [
    "I look up the price of one lamp. ",
    "one lamp costs 39.90 EUR",
    "I order 2. ",
    "ordered 2 lamp(s) for 79.80 EUR",
    "Here is what came of it: ordered 2 lamp(s) for 79.80 EUR.",
]
DONE = {"done": True}
INDEX = {"owner": "user_id", "index_name": "by-owner"}


@pytest.fixture(scope="module")
def desk(engine: Engine) -> Iterator[Tables]:
    """The tables of the stack."""
    made = new_tables(engine, shared_client(engine.url))
    made.set_up(thread_index=INDEX)
    yield made
    made.drop()


@pytest.fixture(scope="module")
def start(
    desk: Tables, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], AbstractContextManager[Environment]]:
    """Returns a function that starts an environment."""
    settings = settings_of(desk)

    @contextmanager
    def started() -> Iterator[Environment]:
        log = tmp_path_factory.mktemp("environment") / "log"
        with running_environment(desk.engine.url, settings, log) as environment:
            yield environment
        assert log.read_text(encoding="utf-8") == ""

    return started


@pytest.fixture(scope="module")
def first(start: Callable[[], AbstractContextManager[Environment]]) -> Iterator[Environment]:
    with start() as environment:
        yield environment


@pytest.fixture(scope="module")
def second(start: Callable[[], AbstractContextManager[Environment]]) -> Iterator[Environment]:
    with start() as environment:
        yield environment


def settings_of(tables: Tables) -> dict[str, Any]:
    return {
        "checkpoints_table_name": tables.checkpoints,
        "writes_table_name": tables.writes,
        "thread_index": INDEX,
    }


def texts(lines: list[dict[str, Any]]) -> str:
    """The text of a streamed response."""
    return "".join(line.get("text", line.get("result", "")) for line in lines)


def stored(environment: Environment, conversation: str) -> list[str]:
    (found,) = environment.invoke(read(conversation))
    return [message["text"] for message in found["messages"]]


def question_of(lines: list[dict[str, Any]]) -> str:
    (found,) = [line["question"] for line in lines if "question" in line]
    return str(found)


def nth_store(table: str, count: int) -> Callable[[Asked], bool]:
    """Matches the nth request that writes to a table."""
    stored = itertools.count(1)
    return lambda asked: table in asked.writes_to and next(stored) == count


def test_words_arrive_one_by_one_while_the_turn_is_under_way(
    first: Environment, desk: Tables
) -> None:
    held = first.relay.hold(nth_store(desk.writes, 1))
    with first.streaming(said("streamed", "1", LAMPS)) as answer:
        # The step of these words has not ended: its pending writes are held.
        words = [answer.next() for _ in LAMP_WORDS]
        held.wait()
        held.release()
        rest = answer.rest()
    assert words == [{"text": word} for word in LAMP_WORDS]
    assert rest[0] == {"tool": "look_up_price", "result": LAMP_TURN[1]}
    assert texts(words + rest) == "".join(LAMP_TURN)
    assert rest[-1] == DONE


def test_two_environments_answer_one_conversation_one_after_the_other(
    first: Environment, second: Environment
) -> None:
    for number, environment in enumerate((first, second, first), start=1):
        lines = environment.invoke(said("both", str(number), "hello"))
        assert f"message {number} of" in texts(lines)
    assert len(stored(second, "both")) == 6


def test_an_approval_waits_over_the_end_of_its_environment(
    start: Callable[[], AbstractContextManager[Environment]], second: Environment
) -> None:
    with start() as environment:
        lines = environment.invoke(said("approval", "1", CHAIRS))
        environment.shut_down()
    question = question_of(lines)
    assert lines[-2:] == [{"question": question, "text": "Order 12 chair(s) for 960.00 EUR?"}, DONE]
    lines = second.invoke(answered("approval", question, approved=True))
    assert lines[0] == {"tool": "place_order", "result": "ordered 12 chair(s) for 960.00 EUR"}
    assert texts(lines[1:]).endswith("ordered 12 chair(s) for 960.00 EUR.")
    assert second.refusal(answered("approval", question, approved=True)) == 409


def test_a_refusal_is_told_with_its_reason(first: Environment) -> None:
    question = question_of(first.invoke(said("refusal", "1", CHAIRS)))
    lines = first.invoke(answered("refusal", question, approved=False, reason="too dear"))
    assert lines[0] == {"tool": "place_order", "result": "not ordered: too dear"}


@pytest.mark.parametrize("table", ["checkpoints", "writes"])
@pytest.mark.parametrize("store", [1, 2, 3, 4, 5])
@pytest.mark.sample(2)
def test_a_turn_that_runs_out_of_time_is_finished_by_the_same_request_sent_again(
    start: Callable[[], AbstractContextManager[Environment]],
    second: Environment,
    desk: Tables,
    table: str,
    store: int,
) -> None:
    conversation = f"killed-{table}{store}"
    with start() as environment:
        held = environment.relay.hold(nth_store(getattr(desk, table), store))
        with environment.streaming(said(conversation, "1", LAMPS)):
            held.wait()
            environment.kill()
            held.drop()
    assert texts(second.invoke(said(conversation, "1", LAMPS))) == "".join(LAMP_TURN)
    # The next turn begins at the checkpoint of the last step, not at its pending writes.
    second.invoke(said(conversation, "2", "hello"))
    assert stored(second, conversation)[:-1] == [LAMPS, *LAMP_TURN, "hello"]


def test_a_message_that_is_sent_twice_is_answered_once(
    first: Environment, second: Environment
) -> None:
    once = first.invoke(said("twice", "1", LAMPS))
    first.invoke(said("twice", "2", "hello"))
    again = second.invoke(said("twice", "1", LAMPS))
    assert texts(again) == texts(once)
    assert len(again) == len(LAMP_TURN) + 1
    assert len(stored(second, "twice")) == 1 + len(LAMP_TURN) + 2


def test_of_a_message_that_two_environments_get_at_once_one_answer_is_stored(
    first: Environment, second: Environment, desk: Tables
) -> None:
    held = first.relay.hold(lambda asked: desk.checkpoints in asked.writes_to)
    with first.streaming(said("race", "1", LAMPS)) as late:
        held.wait()
        second.invoke(said("race", "1", LAMPS))
        held.release()
        assert "send the request again" in late.rest()[-1]["error"]
    assert stored(first, "race") == [LAMPS, *LAMP_TURN]
    assert texts(first.invoke(said("race", "1", LAMPS))) == "".join(LAMP_TURN)


def test_while_a_question_waits_no_other_message_is_taken(first: Environment) -> None:
    lines = first.invoke(said("waiting", "1", CHAIRS))
    assert first.refusal(said("waiting", "2", LAMPS)) == 409
    assert first.refusal(answered("waiting", "another", approved=True)) == 409
    assert question_of(first.invoke(said("waiting", "1", CHAIRS))) == question_of(lines)
    (found,) = first.invoke(read("waiting"))
    assert question_of(found["questions"]) == question_of(lines)


def test_what_cannot_be_ordered_is_told(first: Environment) -> None:
    lines = first.invoke(said("unknown", "1", "order 3 boats"))
    assert "there is no boat to order, only lamp, chair, desk" in texts(lines)


def test_nobody_reaches_the_conversations_of_others(first: Environment) -> None:
    first.invoke(said("mine", "1", "hello"))
    assert first.refusal(read("mine", user="AIDABOB")) == 404
    assert "message 1 of" in texts(first.invoke(said("mine", "1", "hello", user="AIDABOB")))
    assert first.refusal(read("mine", user=None)) == 401
    assert first.refusal(read("mine", user="AROA1:CognitoIdentityCredentials")) == 403
    assert first.refusal(event("GET", "/conversations/..%2FAIDAANN%2Fmine", user="AIDABOB")) == 404


def test_callers_list_their_own_conversations_and_see_which_wait(first: Environment) -> None:
    caller = {"user": "AIDACAROL"}
    assert first.invoke(listed(**caller)) == [{"conversations": [], "cursor": None}]
    for name in ("greeting", "purchase", "farewell"):
        first.invoke(said(name, "1", CHAIRS if name == "purchase" else "hello", **caller))
    first.invoke(said("purchase", "1", "hello", user="AIDADAVE"))

    (page,) = first.invoke(listed("limit=2", **caller))
    (rest,) = first.invoke(listed(f"limit=2&cursor={quote(page['cursor'])}", **caller))
    found = page["conversations"] + rest["conversations"]
    assert [(one["name"], one["status"]) for one in found] == [
        ("farewell", "idle"),
        ("purchase", "waiting"),
        ("greeting", "idle"),
    ]
    assert rest["cursor"] is None
    (daves,) = first.invoke(listed(user="AIDADAVE"))
    assert [(one["name"], one["status"]) for one in daves["conversations"]] == [
        ("purchase", "idle")
    ]
    assert first.refusal(listed("cursor=none", **caller)) == 400
    assert first.refusal(listed("limit=0", **caller)) == 422
    assert first.refusal(listed(user=None)) == 401


def test_a_connection_is_kept_between_invocations_and_made_anew_where_it_is_gone(
    first: Environment,
) -> None:
    first.invoke(said("thawed", "1", "hello"))
    before = first.relay.connections
    for number in range(2, 5):
        first.freeze()
        first.thaw()
        first.invoke(said("thawed", str(number), "hello"))
    assert first.relay.connections == before
    first.freeze()
    first.relay.cut()
    first.thaw()
    assert "message 5 of" in texts(first.invoke(said("thawed", "5", "hello")))
    assert first.relay.connections > before


# Slow: it takes the function's read timeout of three seconds.
@pytest.mark.sample(0)
def test_a_connection_that_is_gone_without_a_word_is_given_up(
    start: Callable[[], AbstractContextManager[Environment]],
) -> None:
    with start() as environment:
        environment.invoke(said("silent", "1", "hello"))
        environment.freeze()
        environment.relay.go_silent()
        environment.thaw()
        assert "message 2 of" in texts(environment.invoke(said("silent", "2", "hello")))


def test_a_cold_start_reads_once_and_a_conversation_needs_the_rights_of_the_runtime_role_alone(
    first: Environment,
) -> None:
    assert [asked.operation for asked in first.asked_before] == ["Query"]
    lines = first.invoke(said("rights", "1", CHAIRS))
    first.invoke(answered("rights", question_of(lines), approved=True))
    first.invoke(listed())
    used = {
        ask.action for asked in first.relay.asked for ask in asks(asked.operation, asked.params)
    }
    assert "dynamodb:PutItem" in used
    assert used <= ROLES["runtime"].tables | ROLES["runtime"].threads


@pytest.mark.sample(0)
def test_a_function_without_its_tables_is_not_ready(
    desk: Tables, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = {**settings_of(desk), "checkpoints_table_name": "missing"}
    log = tmp_path_factory.mktemp("environment") / "log"
    with (
        pytest.raises(RuntimeError, match="missing"),
        running_environment(desk.engine.url, settings, log),
    ):
        pass


def test_the_table_of_the_cold_start_is_of_what_is_measured(desk: Tables) -> None:
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, str(SOURCE / "cold_start.py"), "--measure"],
        env={
            "PYTHONPATH": str(ROOT),
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL_DYNAMODB": desk.engine.url,
            "SAVER_SETTINGS": json.dumps(settings_of(desk)),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    readme = (SOURCE / "README.md").read_text(encoding="utf-8")
    parts = re.findall(r"^\| ([\w, ]+) \| [\d.]+ \| [\d.]+ \|$", readme, flags=re.MULTILINE)
    assert parts == list(json.loads(done.stdout))

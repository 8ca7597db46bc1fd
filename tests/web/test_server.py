"""The server of examples/web, called as its page calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from langgraph_checkpoint_dynamodb.cli.prices import Prices
from tests.support.sessions import shared_client
from tests.web.running import (
    BROKEN,
    FOUND,
    PAID,
    QUESTION,
    WHAT,
    WHERE,
    Talk,
    new_user,
    running_chat,
    taken,
    texts,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.engines import Engine
    from tests.support.relays import Asked
    from tests.web.running import Chat


READS = ("GetItem", "Query", "BatchGetItem")


@pytest.fixture
def talk(chat: Chat, user: str) -> Talk:
    return Talk(chat, user)


@pytest.fixture(scope="module")
def second(engine: Engine, chat: Chat) -> Iterator[Chat]:
    """Another server on the same tables."""
    with running_chat(engine.url, tables=chat.tables) as running:
        yield running


def test_a_question_waits_over_the_end_of_its_process(talk: Talk) -> None:
    state = talk.turn(BROKEN)
    assert [question["text"] for question in state["questions"]] == [QUESTION]
    talk.chat.end_worker()
    assert talk.state() == state
    assert texts(talk.decide(approved=True)) == [
        *texts(state),
        "paid: 129.00 EUR for order A-1042",
        PAID,
    ]


def test_a_refusal_is_told_with_its_reason(talk: Talk) -> None:
    talk.turn(BROKEN)
    state = talk.decide(approved=False, reason="the photo shows another machine")
    assert (
        texts(state)[-1] == "I am sorry, there will be no refund: the photo shows another machine."
    )


def test_words_arrive_while_the_step_is_not_stored_yet_for_those_who_come_later_too(
    talk: Talk,
) -> None:
    held = talk.chat.relay.hold(talk.chat.stores(talk.chat.tables.writes))
    with talk.listening() as told:
        told.next()
        taken(talk.say(WHAT))
        words = told.all_until("message")
        held.wait()
        with talk.listening() as late:
            assert late.all_until("message") == words
        held.release()
        rest = told.all_until("state")
    pieces = [data["text"] for name, data in words if name == "text"]
    assert pieces == ["I ", "look ", "up ", "order ", "A-1077 ", "first."]
    assert texts(rest[-1][1])[-1] == FOUND


def test_a_message_that_is_sent_twice_is_answered_once(talk: Talk) -> None:
    state = talk.turn(WHAT, id_="once")
    taken(talk.say(WHAT, id_="once"))
    assert talk.state() == state


def test_while_an_answer_is_being_written_nothing_else_is_taken(talk: Talk) -> None:
    held = talk.chat.relay.hold(talk.chat.stores(talk.chat.tables.writes))
    with talk.listening() as told:
        told.next()
        taken(talk.say(WHAT))
        held.wait()
        refused = [talk.say(WHERE), talk.go_on(), talk.chat.client.delete(talk.path)]
        held.release()
        state = told.until("state")
    assert [answer.status_code for answer in refused] == [409, 409, 409]
    assert texts(state)[-1] == FOUND


def test_what_does_not_fit_a_conversation_is_refused_with_a_reason(talk: Talk) -> None:
    assert "Nothing is left" in talk.go_on().json()["detail"]
    state = talk.turn(BROKEN)
    assert "has not ended" in talk.say(WHAT).json()["detail"]
    assert "waits for your answer" in talk.go_on().json()["detail"]
    assert "answered in the meantime" in talk.answer("another", approved=True).json()["detail"]
    assert talk.say(" ").status_code == 422
    assert talk.chat.client.get(f"{talk.path}/checkpoints/1f1ebeec").status_code == 404
    assert talk.state() == state


def test_of_two_servers_that_answer_a_question_at_once_one_is_told_that_it_came_too_late(
    talk: Talk, second: Chat
) -> None:
    (question,) = talk.turn(BROKEN)["questions"]
    other = Talk(second, talk.user, talk.id)
    # Both servers have read the pending question before one of them stores its answer.
    held = [second.relay.hold(lambda asked: asked.operation not in READS) for _ in range(4)]
    with other.listening() as told:
        told.next()
        taken(other.answer(question["id"], approved=False, reason="too late"))
        held[0].wait()
        state = talk.decide(approved=True)
        for one in held:
            one.release()
        events = told.all_until("state")
    (problem,) = [data for name, data in events if name == "problem"]
    assert problem["kind"] == "conflict"
    assert texts(events[-1][1]) == texts(state)
    assert texts(talk.state())[-1] == PAID
    assert len(talk.history()) == len({row["parent"] for row in talk.history()})


def test_an_answer_that_is_overtaken_before_it_is_read_changes_nothing(
    talk: Talk, second: Chat
) -> None:
    (question,) = talk.turn(BROKEN)["questions"]
    other = Talk(second, talk.user, talk.id)
    with other.listening() as told:
        told.next()
        # The server has read the pending question; next its run reads the conversation.
        reads = [second.relay.hold(nth_read_of(talk, number)) for number in (3, 4)]
        taken(other.answer(question["id"], approved=False, reason="too late"))
        reads[0].wait()
        state = talk.decide(approved=True)
        for one in reads:
            one.release()
        events = told.all_until("state")
    assert [data["kind"] for name, data in events if name == "problem"] == ["conflict"]
    assert texts(events[-1][1]) == texts(state)


def test_a_question_that_was_answered_at_another_server_waits_no_more(
    talk: Talk, second: Chat
) -> None:
    (question,) = talk.turn(BROKEN)["questions"]
    Talk(second, talk.user, talk.id).decide(approved=True)
    answer = talk.answer(question["id"], approved=False)
    assert answer.status_code == 409
    assert "answered in the meantime" in answer.json()["detail"]
    assert texts(talk.state())[-1] == PAID


def test_a_step_that_fails_is_tried_again_by_itself(talk: Talk) -> None:
    state = talk.turn(WHERE)
    assert state["status"] == "failed"
    assert "the carrier does not answer" in state["error"]
    assert [one["status"] for one in listed(talk)] == ["failed"]
    again = talk.run_again()
    assert texts(again)[: len(texts(state))] == texts(state)
    assert texts(again)[-1].endswith("left the depot this morning and arrives before six.")
    assert [one["status"] for one in listed(talk)] == ["idle"]


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_a_run_that_was_cut_off_goes_on_where_it_was(talk: Talk, count: int) -> None:
    held = talk.chat.relay.hold(talk.chat.nth_checkpoint(count))
    taken(talk.say(WHAT))
    held.wait()
    talk.chat.end_worker()
    held.drop()
    # The pending writes of the step are stored, its checkpoint is not.
    assert talk.state()["status"] == "stopped"
    with talk.listening() as told:
        shown = texts(told.next()[1])
        taken(talk.go_on())
        *events, (_, state) = told.all_until("state")
    live = [data["text"] for name, data in events if name == "message"]
    assert [*shown, *live] == texts(state)
    assert texts(state)[-1] == FOUND


def test_a_run_that_was_cut_off_is_finished_before_another_message_is_taken(talk: Talk) -> None:
    held = talk.chat.relay.hold(talk.chat.nth_checkpoint(5))
    taken(talk.say(WHAT))
    held.wait()
    talk.chat.end_worker()
    held.drop()
    assert texts(talk.state())[-1] == FOUND
    assert "has not ended" in talk.say(WHERE).json()["detail"]


def test_a_process_that_has_ended_is_not_ended_again_by_a_request_that_comes_twice(
    chat: Chat,
) -> None:
    first = chat.worker
    chat.end_worker()
    taken(chat.client.post("/api/end", params={"process": first}))
    assert chat.worker == chat.worker != first


def test_a_message_from_an_earlier_step_begins_another_branch(talk: Talk) -> None:
    first = talk.turn(WHAT)
    second = talk.turn("And what did I buy with A-1042?")
    third = talk.turn("I want a refund for A-1077", checkpoint=first["checkpoint"])
    assert texts(third)[: len(texts(first))] == texts(first)
    assert third["questions"]
    rows = talk.history()
    assert sum(row["parent"] == first["checkpoint"] for row in rows) == 2
    path = f"{talk.path}/checkpoints/{second['checkpoint']}"
    assert texts(talk.chat.get(path)) == texts(second)


def test_a_question_that_was_answered_is_asked_again_from_its_step(talk: Talk) -> None:
    asked = talk.turn(BROKEN)
    paid = talk.decide(approved=True)
    again = talk.run_again(asked["checkpoint"])
    assert again["questions"][0]["id"] != asked["questions"][0]["id"]
    assert "no refund" in texts(talk.decide(approved=False))[-1]
    tips = {row["checkpoint"] for row in talk.history()} - {row["parent"] for row in talk.history()}
    assert paid["checkpoint"] in tips
    assert len(tips) == 2


def test_all_checkpoints_of_a_long_conversation_are_found_page_by_page(talk: Talk) -> None:
    for _ in range(9):
        talk.turn(WHAT)
    found, before = [], None
    while True:
        page = talk.chat.get(f"{talk.path}/history", **({"before": before} if before else {}))
        found += page["checkpoints"]
        before = page["before"]
        if before is None:
            break
    assert [row["step"] for row in found] == list(range(found[0]["step"], -2, -1))
    assert len(found) == 45


def test_a_turn_has_cost_what_was_asked_for_it(talk: Talk) -> None:
    talk.state()
    before = talk.chat.asked_of_saver()
    with talk.listening() as told:
        told.next()
        reads = talk.chat.asked_of_saver() - before
        taken(talk.say(BROKEN))
        state = told.until("state")
    (cost,) = state["costs"]
    assert cost["requests"] == talk.chat.asked_of_saver() - before - reads
    assert cost["after"] == state["messages"][-1]["id"]
    assert cost["read_units"] > 0
    assert cost["write_units"] > cost["read_units"]
    prices = Prices()
    assert cost["dollars"] == prices.to_read(cost["read_units"]) + prices.to_write(
        cost["write_units"]
    )


def test_runs_at_the_same_time_are_counted_by_themselves(chat: Chat) -> None:
    alone = Talk(chat, new_user()).turn(WHAT)["total"]
    one, other = Talk(chat, new_user()), Talk(chat, new_user())
    held = chat.relay.hold(chat.stores(chat.tables.writes))
    with one.listening() as told:
        told.next()
        taken(one.say(WHAT))
        held.wait()
        assert other.turn(WHAT)["total"]["requests"] == alone["requests"]
        held.release()
        assert told.until("state")["total"]["requests"] == alone["requests"]


def test_the_costs_of_all_runs_are_kept_and_added_up(talk: Talk) -> None:
    talk.turn(BROKEN)
    talk.decide(approved=True)
    talk.chat.end_worker()
    state = talk.state()
    first, second = state["costs"]
    assert [first["after"], second["after"]] == [
        state["messages"][3]["id"],
        state["messages"][-1]["id"],
    ]
    for name in ("requests", "read_units", "write_units"):
        assert state["total"][name] == sum(cost[name] for cost in state["costs"])


def test_conversations_are_listed_page_by_page_the_last_active_first(talk: Talk) -> None:
    others = [Talk(talk.chat, talk.user) for _ in range(4)]
    for one in others:
        one.turn(WHAT)
    others[0].turn(BROKEN)
    first = talk.chat.get(f"/api/{talk.user}/conversations", limit=3)
    rest = talk.chat.get(f"/api/{talk.user}/conversations", limit=3, cursor=first["cursor"])
    found = [one["id"] for one in first["conversations"] + rest["conversations"]]
    assert found == [others[number].id for number in (0, 3, 2, 1)]
    assert rest["cursor"] is None
    (waiting,) = listed(talk, status="waiting")
    assert (waiting["id"], waiting["title"]) == (others[0].id, WHAT)


def test_a_conversation_is_renamed_and_deleted_with_all_it_had(talk: Talk, engine: Engine) -> None:
    talk.turn(BROKEN)
    talk.decide(approved=True)
    assert talk.chat.client.patch(talk.path, json={"title": " Espresso "}).status_code == 204
    assert [one["title"] for one in listed(talk)] == ["Espresso"]
    assert talk.chat.client.delete(talk.path).status_code == 204
    assert listed(talk) == []
    state = talk.state()
    assert (state["messages"], state["costs"]) == ([], [])
    client = shared_client(engine.url)
    items = client.scan(TableName=talk.chat.tables.checkpoints, ConsistentRead=True)["Items"]
    assert talk.id not in str(items)
    assert talk.chat.client.patch(talk.path, json={"title": "x"}).status_code == 404


def test_users_see_and_reach_their_own_conversations_alone(talk: Talk) -> None:
    state = talk.turn(WHAT)
    other = Talk(talk.chat, new_user(), talk.id)
    assert listed(other) == []
    assert other.state()["messages"] == []
    path = f"{other.path}/checkpoints/{state['checkpoint']}"
    assert talk.chat.client.get(path).status_code == 404
    assert talk.chat.client.delete(other.path).status_code == 204
    assert texts(talk.state()) == texts(state)


@pytest.mark.parametrize(
    "headers",
    [{"host": "evil.example"}, {"origin": "http://evil.example"}, {"origin": "null"}],
    ids=["by-name", "by-site", "by-file"],
)
def test_pages_of_others_get_no_answer(talk: Talk, headers: dict[str, str]) -> None:
    answer = talk.chat.client.post(
        f"{talk.path}/messages", json={"id": "1", "text": WHAT}, headers=headers
    )
    assert answer.status_code == 403
    assert talk.state()["messages"] == []


def test_the_page_may_load_its_own_files_alone(chat: Chat) -> None:
    answer = chat.client.get("/")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "http" not in answer.text


def test_an_error_of_the_tables_is_told(engine: Engine) -> None:
    with running_chat(engine.url) as chat:
        talk = Talk(chat, "ann")
        shared_client(engine.url).delete_table(TableName=chat.tables.checkpoints)
        answer = chat.client.get("/api/ann/conversations")
        assert answer.status_code == 503
        assert chat.tables.checkpoints in answer.json()["detail"]
        with talk.listening() as told:
            assert chat.tables.checkpoints in told.until("problem")["text"]


def listed(talk: Talk, **wanted: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = talk.chat.get(f"/api/{talk.user}/conversations", **wanted)[
        "conversations"
    ]
    return found


def nth_read_of(talk: Talk, count: int) -> Callable[[Asked], bool]:
    """Matches the nth request from now on that reads a conversation."""
    left = count

    def wanted(asked: Asked) -> bool:
        nonlocal left
        reads = asked.operation == "Query" and talk.id in str(asked.params)
        left -= reads
        return left == 0 and reads

    return wanted

"""The page of examples/web in headless Chromium."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.web.running import BROKEN, FOUND, PAID, WHAT, WHERE, Talk, running_chat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.engines import Engine
    from tests.web.pages import People, Person
    from tests.web.running import Chat

CUT_OFF = "This answer was cut off"
REFUSED = "I am sorry, there will be no refund: nobody has said why."


@pytest.fixture(scope="module")
def second(engine: Engine, chat: Chat) -> Iterator[Chat]:
    """Another server on the same tables."""
    with running_chat(engine.url, tables=chat.tables) as running:
        yield running


def test_a_refund_waits_for_a_person_while_the_server_ends_and_another_takes_over(
    ann: Person, chat: Chat
) -> None:
    ann.comes().asks_for_refund()
    before = chat.worker
    ann.presses("End the process")
    expect(ann.page.locator("#server")).not_to_contain_text(str(before))
    expect(ann.page.locator("#connection")).to_be_empty()
    ann.sees_question()
    ann.presses("Approve")
    ann.reads(PAID)


def test_words_appear_as_they_come_and_stay_when_the_page_is_loaded_again(
    ann: Person, chat: Chat
) -> None:
    held = chat.relay.hold(chat.stores(chat.tables.writes))
    ann.comes().says(WHAT)
    held.wait()
    for _ in range(2):
        expect(ann.messages.nth(1)).to_contain_text("I look up order A-1077 first.")
        expect(ann.page.locator("#messages")).to_have_attribute("aria-busy", "true")
        expect(ann.page.get_by_role("button", name="Send")).to_be_disabled()
        ann.page.reload()
    held.release()
    ann.reads(FOUND)


def test_an_answer_that_the_end_of_the_server_cut_off_is_continued(ann: Person, chat: Chat) -> None:
    held = chat.relay.hold(chat.nth_checkpoint(3))
    ann.comes().says(WHAT)
    held.wait()
    ann.presses("End the process")
    expect(ann.page.get_by_role("region", name=CUT_OFF)).to_be_visible()
    held.drop()
    ann.presses("Continue")
    ann.reads(FOUND)
    expect(ann.messages).to_have_count(4)


def test_a_message_that_was_not_stored_when_the_server_ended_is_back_in_its_box(
    ann: Person, chat: Chat
) -> None:
    held = chat.relay.hold(chat.stores(chat.tables.checkpoints))
    ann.comes().says(WHAT)
    held.wait()
    ann.presses("End the process")
    ann.notices("Your message was not stored")
    held.drop()
    expect(ann.page.get_by_label("Message", exact=True)).to_have_value(WHAT)
    ann.presses("Send")
    ann.reads(FOUND)


def test_two_windows_show_the_same_as_it_happens(people: People, ann: Person) -> None:
    ann.comes().asks_for_refund()
    other = people.new(ann.user).comes(ann.conversation)
    other.sees_question()
    other.presses("Refuse")
    for window in (ann, other):
        window.reads(REFUSED)
        expect(window.page.get_by_role("form", name="A person has to decide")).to_have_count(0)
    ann.presses("Rename")
    ann.page.get_by_label("Title").fill("Espresso")
    ann.page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(other.page.get_by_role("heading", name="Espresso", level=2)).to_be_visible()


def test_who_answers_a_question_that_was_answered_elsewhere_is_told_and_sees_how_it_stands(
    people: People, ann: Person, second: Chat
) -> None:
    ann.comes().asks_for_refund()
    other = people.new(ann.user, second).comes(ann.conversation)
    other.sees_question()
    ann.presses("Approve")
    ann.reads(PAID)
    other.presses("Refuse")
    other.notices("This question was answered in the meantime")
    other.reads(PAID)
    expect(other.page.get_by_role("form", name="A person has to decide")).to_have_count(0)


def test_of_two_who_answer_at_once_at_two_servers_the_second_is_told_kindly(
    people: People, ann: Person, second: Chat
) -> None:
    ann.comes().asks_for_refund()
    other = people.new(ann.user, second).comes(ann.conversation)
    other.sees_question()
    held = [
        second.relay.hold(lambda asked: asked.operation not in ("GetItem", "Query"))
        for _ in range(4)
    ]
    other.presses("Refuse")
    held[0].wait()
    ann.presses("Approve")
    ann.reads(PAID)
    for one in held:
        one.release()
    other.notices("Theirs was first, so nothing of yours was stored")
    other.reads(PAID)
    other.says(WHAT)
    other.reads(FOUND)


def test_a_person_goes_back_to_the_question_decides_otherwise_and_both_branches_stay(
    ann: Person,
) -> None:
    ann.comes().asks_for_refund()
    ann.presses("Approve")
    ann.reads(PAID)
    expect(ann.steps).to_have_count(7)
    ann.steps.filter(has_text="A person has to decide").click()
    expect(ann.page.get_by_role("region", name="Step 3, as it was at")).to_be_visible()
    expect(ann.messages).to_have_count(4)
    expect(ann.page.get_by_role("button", name="Send")).to_be_disabled()
    ann.presses("Run again from here")
    ann.sees_question()
    ann.presses("Refuse")
    ann.reads(REFUSED)
    expect(ann.steps).to_have_count(10)
    expect(ann.steps.filter(has_text=re.compile(r"\bfork\b"))).to_have_count(1)
    expect(ann.steps.filter(has_text="branch 2")).to_have_count(2)

    ann.steps.filter(has_text="Good news").click()
    ann.reads(PAID)
    ann.says(WHAT)
    ann.reads(FOUND)
    expect(ann.messages.filter(has_text=PAID)).to_have_count(1)
    expect(ann.messages.filter(has_text=REFUSED)).to_have_count(0)


def test_a_person_who_looks_at_the_past_comes_back_to_now(ann: Person) -> None:
    ann.comes().says(WHAT)
    ann.reads(FOUND)
    ann.steps.filter(has_text="You: What did I").click()
    expect(ann.messages).to_have_count(1)
    expect(ann.steps.filter(has_text="You: What did I")).to_have_attribute("aria-current", "step")
    ann.presses("Back to now")
    ann.reads(FOUND)
    expect(ann.page.get_by_label("Message", exact=True)).to_be_focused()


def test_older_steps_of_a_long_conversation_are_shown_when_asked_for(
    ann: Person, chat: Chat
) -> None:
    talk = Talk(chat, ann.user)
    for _ in range(9):
        talk.turn(WHAT)
    ann.comes(talk.id)
    expect(ann.steps).to_have_count(40)
    ann.presses("Show older steps")
    expect(ann.steps).to_have_count(45)
    expect(ann.page.get_by_role("button", name="Show older steps")).to_be_hidden()


def test_what_each_run_has_cost_is_beside_it_and_their_sum_above(ann: Person) -> None:
    ann.comes().asks_for_refund()
    ann.presses("Approve")
    ann.reads(PAID)
    costs = ann.page.locator("#messages .cost")
    expect(costs).to_have_count(2)
    line = re.compile(r"(\d+) requests · (\d+) read \+ (\d+) write units · \$(0\.0000\d+)")
    found = [line.fullmatch(text) for text in costs.all_inner_texts()]
    total = re.fullmatch(r"2 runs: " + line.pattern, ann.page.locator("#total").inner_text())
    assert total is not None
    for part in (1, 2, 3):
        assert int(total[part]) == sum(int(one[part]) for one in found if one)


def test_a_step_that_fails_is_shown_with_its_error_and_tried_again(ann: Person) -> None:
    ann.comes().says(WHERE)
    failed = ann.page.get_by_role("region", name="The last step failed")
    expect(failed).to_contain_text("the carrier does not answer")
    expect(ann.conversations.first).to_contain_text("failed")
    ann.presses("Try again")
    expect(ann.messages.last).to_contain_text("arrives before six")
    expect(ann.conversations.first).not_to_contain_text("failed")


def test_an_error_of_the_server_is_shown_and_what_was_typed_is_kept(
    ann: Person, chat: Chat
) -> None:
    ann.comes()
    ann.page.route(
        "**/messages", lambda route: route.fulfill(status=503, json={"detail": "throttled"})
    )
    ann.says(WHAT)
    ann.notices("throttled")
    expect(ann.page.get_by_label("Message", exact=True)).to_have_value(WHAT)
    assert chat.get(f"/api/{ann.user}/conversations")["conversations"] == []


def test_conversations_are_found_by_page_and_status_renamed_and_deleted_when_confirmed(
    ann: Person, chat: Chat
) -> None:
    for _ in range(13):
        Talk(chat, ann.user).turn(WHAT)
    waiting = Talk(chat, ann.user)
    waiting.turn(BROKEN)
    ann.comes()
    expect(ann.conversations).to_have_count(12)
    ann.presses("Show more")
    expect(ann.conversations).to_have_count(14)
    expect(ann.conversations.nth(12)).to_be_focused()
    expect(ann.page.get_by_role("button", name="Show more")).to_be_hidden()
    ann.page.get_by_label("Show", exact=True).select_option("waiting")
    expect(ann.conversations).to_have_count(1)
    ann.conversations.first.click()
    ann.sees_question()

    dialog = ann.page.get_by_role("dialog")
    ann.presses("Rename")
    ann.page.get_by_label("Title").fill("Espresso machine")
    dialog.get_by_role("button", name="Rename").click()
    expect(ann.conversations.first).to_contain_text("Espresso machine")
    ann.presses("Delete")
    expect(dialog).to_contain_text("Espresso machine")
    dialog.get_by_role("button", name="Keep it").click()
    assert waiting.state()["messages"]
    ann.presses("Delete")
    dialog.get_by_role("button", name="Delete it").click()
    ann.notices("This conversation was deleted")
    expect(ann.page.get_by_text("No conversations here yet.")).to_be_visible()
    assert waiting.state()["messages"] == []


def test_two_users_at_once_see_their_own_conversations(people: People, ann: Person) -> None:
    bob = people.new(f"{ann.user}-too").comes()
    ann.comes().asks_for_refund()
    bob.says(WHAT)
    bob.reads(FOUND)
    expect(bob.conversations).to_have_count(1)
    expect(ann.conversations).to_have_count(1)
    expect(ann.conversations).to_contain_text("waits for you")
    ann.page.get_by_label("You are").select_option("bob")
    expect(ann.page.get_by_role("heading", name="What can the desk do for you?")).to_be_visible()
    ann.page.go_back()
    ann.sees_question()


def test_what_is_said_is_never_read_as_html(ann: Person) -> None:
    hostile = "<img src=x onerror=alert(1)> & <b>bold</b>"
    ann.comes().says(hostile)
    expect(ann.messages.first.locator(".text")).to_have_text(hostile)
    expect(ann.conversations.first.locator(".title")).to_have_text(hostile)
    expect(ann.page.locator("main img, main b")).to_have_count(0)

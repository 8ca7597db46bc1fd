"""Accessibility: keyboard, screen reader, small screens, dark mode."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.web.pages import DESK, PHONE, People, Person
from tests.web.running import FOUND, PAID, QUESTION, WHAT, WHERE, Talk

if TYPE_CHECKING:
    from tests.web.running import Chat

AXE = Path(os.environ.get("AXE", ".engines/axe/node_modules/axe-core/axe.min.js"))
BOTH = pytest.mark.parametrize("scheme", ["light", "dark"])
SIZES = pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def barriers(page: Any) -> list[str]:
    """Violations that axe reports for the current page."""
    # Evaluated, as the page's Content-Security-Policy does not let it load scripts from elsewhere.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("tags => axe.run({ runOnly: tags })", TAGS)
    assert found["passes"]
    return [
        f"{one['id']}: {node['html']} ({node['failureSummary']})"
        for one in found["violations"]
        for node in one["nodes"]
    ]


@SIZES
@BOTH
def test_axe_finds_no_barrier_wherever_a_person_comes(
    people: People, user: str, scheme: str, size: dict[str, int]
) -> None:
    ann = people.new(user, color_scheme=scheme, viewport=size).comes()
    found = {"start": barriers(ann.page)}
    ann.asks_for_refund()
    found["question"] = barriers(ann.page)
    ann.presses("Refuse")
    ann.reads("I am sorry, there will be no refund: nobody has said why.")
    ann.says(WHERE)
    ann.page.get_by_role("button", name="Try again").wait_for()
    found["failed"] = barriers(ann.page)
    ann.presses("Delete")
    found["dialog"] = barriers(ann.page)
    ann.presses("Keep it")
    if size == PHONE:
        ann.presses("Conversations")
        found["conversations"] = barriers(ann.page)
        ann.presses("History")
    expect(ann.steps.first).to_be_visible()
    found["history"] = barriers(ann.page)
    ann.steps.nth(3).click()
    ann.page.get_by_role("button", name="Back to now").wait_for()
    found["past"] = barriers(ann.page)
    assert {where: what for where, what in found.items() if what} == {}


def test_a_person_without_a_mouse_asks_decides_goes_back_and_deletes(ann: Person) -> None:
    page = ann.comes().page
    tab_to(page, "Skip to the message box")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    assert page.url.endswith(ann.user)
    page.keyboard.type("My lamp A-1077 is broken")
    page.keyboard.press("Enter")
    form = page.get_by_role("form", name="A person has to decide")
    expect(form).to_be_visible()
    ann.page.locator("#messages .cost").wait_for()
    tab_to(page, "Approve")
    page.keyboard.press("Enter")
    expect(ann.messages.last).to_contain_text("we have paid back 39.90 EUR")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    expect(ann.steps).to_have_count(7)
    tab_to(page, re.compile("A person has to decide"))
    page.keyboard.press("Enter")
    tab_to(page, "Back to now")
    page.keyboard.press("Enter")
    tab_to(page, "Delete")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Delete", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    ann.notices("This conversation was deleted")


def tab_to(page: Any, name: str | re.Pattern[str]) -> None:
    """Press Tab until an element of that name has the focus; it must be visible then."""
    wanted = page.locator(":focus").and_(
        page.get_by_role("button", name=name, exact=True).or_(
            page.get_by_role("link", name=name, exact=True)
        )
    )
    for _ in range(60):
        page.keyboard.press("Tab")
        if wanted.count():
            assert wanted.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
            expect(wanted).to_be_in_viewport()
            return
    raise AssertionError(f"no Tab leads to {name}")


def test_sentences_and_questions_are_read_aloud_each_once_complete(
    people: People, user: str
) -> None:
    ann = people.new(user)
    ann.page.add_init_script(
        """
        window.heard = [];
        addEventListener("DOMContentLoaded", () => {
          const live = document.getElementById("announcer");
          const hear = () => heard.push(live.textContent);
          new MutationObserver(hear).observe(live, { childList: true });
        });
        """
    )
    ann.comes().asks_for_refund()
    ann.presses("Approve")
    ann.reads(PAID)
    heard = ann.page.evaluate("heard")
    assert heard == [
        "I look up order A-1042 first.",
        "I found it: espresso machine, 129.00 EUR, delivered 3 days ago.",
        "That is recent enough for a refund.",
        "A person has to approve it, so I ask one now.",
        f"A person has to decide: {QUESTION}",
        "Good news: we have paid back 129.00 EUR for order A-1042.",
        "It takes two days to reach your account.",
    ]


def test_the_page_has_landmarks_and_headings(ann: Person) -> None:
    page = ann.comes().page
    for landmark, name in (
        ("banner", None),
        ("main", None),
        ("navigation", "Conversations"),
        ("region", "New conversation"),
        ("region", "History"),
    ):
        expect(page.get_by_role(landmark, name=name)).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Support desk")


def test_nothing_is_cut_off_on_a_phone(people: People, chat: Chat, user: str) -> None:
    talk = Talk(chat, user)
    talk.turn("My espresso machine A-1042 is broken, " + "x" * 200)
    ann = people.new(user, viewport=PHONE).comes(talk.id)
    ann.sees_question()
    for view in ("Chat", "Conversations", "History"):
        ann.presses(view)
        wide = ann.page.evaluate(
            """
            [...document.querySelectorAll("body *")]
              .filter((one) => one.checkVisibility() && !one.closest(".unseen, .skip, svg"))
              .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
              .filter((one) => !one.closest("label"))
              .map((one) => one.outerHTML.slice(0, 100))
            """
        )
        assert wide == []
        assert ann.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        small = ann.page.evaluate(
            """
            [...document.querySelectorAll("button, a, input, select, textarea")]
              .filter((one) => one.checkVisibility() && !one.matches(".skip"))
              .filter((one) => one.getBoundingClientRect().height < 24)
              .map((one) => one.outerHTML)
            """
        )
        assert small == []
    ann.presses("Chat")
    ann.presses("Approve")
    ann.reads(PAID)


def test_a_question_is_in_sight_when_it_comes_on_a_phone(people: People, user: str) -> None:
    ann = people.new(user, viewport=PHONE).comes()
    ann.asks_for_refund()
    expect(ann.page.get_by_role("button", name="Approve")).to_be_in_viewport()


def test_on_a_phone_a_step_leads_to_the_conversation_as_it_was(people: People, user: str) -> None:
    ann = people.new(user, viewport=PHONE).comes()
    ann.says(WHAT)
    ann.reads(FOUND)
    ann.presses("History")
    ann.steps.filter(has_text="look_up_order answers").click()
    expect(ann.messages).to_have_count(3)
    expect(ann.page.get_by_role("button", name="Back to now")).to_be_focused()
    ann.presses("Conversations")
    ann.presses("New conversation")
    expect(ann.page.get_by_label("Message", exact=True)).to_be_focused()
    ann.presses("Conversations")
    ann.conversations.first.click()
    expect(ann.page.get_by_role("region", name="Messages")).to_be_focused()
    ann.reads(FOUND)


@BOTH
def test_the_colours_are_those_that_a_person_has_chosen(
    people: People, user: str, scheme: str
) -> None:
    page = people.new(user, color_scheme=scheme).comes().page
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    level = sum(map(int, re.findall(r"\d+", ground))) / 3
    assert (level > 128) == (scheme == "light")


def test_nothing_moves_for_those_who_do_not_want_it(people: People, user: str) -> None:
    for motion, name in (("no-preference", "blink"), ("reduce", "none")):
        ann = people.new(user, reduced_motion=motion).comes()
        ann.says(WHAT)
        ann.reads(FOUND)
        # The state while an answer is streamed.
        ann.page.locator("#messages").evaluate("list => { list.ariaBusy = 'true' }")
        moves = "one => getComputedStyle(one, '::after').animationName"
        assert ann.messages.last.locator(".body").evaluate(moves) == name

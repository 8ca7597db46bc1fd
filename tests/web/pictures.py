"""Takes the pictures of examples/web for the docs: `make web-pictures`.

The font is Inter if it is installed (Debian's package fonts-inter).
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image
from playwright.sync_api import expect

from tests.support.browsers import running_browser
from tests.web.pages import PHONE, People
from tests.web.running import BROKEN, PAID, ROOT, WHAT, WHERE, Talk, running_chat

if TYPE_CHECKING:
    from tests.web.pages import Person
    from tests.web.running import Chat

FOLDER = ROOT / "docs" / "pictures"
DESK = {"width": 1280, "height": 800}
COLOURS = 256
LIMIT = 200 * 1024
"""Maximum size of a picture in bytes."""


def main() -> None:
    """Take all pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        running_chat(None) as chat,
        running_browser() as browser,
        People(browser, chat) as people,
    ):
        _talk_before(chat)
        talk = Talk(chat, "ann")
        talk.turn(BROKEN)
        _take(people.new("ann", viewport=PHONE, device_scale_factor=2).comes(talk.id), "phone")
        _decide_twice(talk)
        _take(people.new("ann", viewport=DESK).comes(talk.id), "light")
        _take_past(people.new("ann", viewport=DESK, color_scheme="dark").comes(talk.id))


def _talk_before(chat: Chat) -> None:
    """Other conversations, for the list."""
    for text in (WHAT, WHERE, "My desk lamp A-1077 arrived damaged.", "Good morning!"):
        Talk(chat, "ann").turn(text)


def _decide_twice(talk: Talk) -> None:
    """Approve, go back and refuse, then ask for another refund, which stays pending."""
    question = talk.state()["checkpoint"]
    talk.decide(approved=True, reason="the photo shows the damage")
    talk.run_again(question)
    talk.decide(approved=False, reason="the photo shows another machine")
    talk.turn("Then I want my money back for the lamp of order A-1077.")


def _take_past(ann: Person) -> None:
    ann.steps.filter(has_text="Good news").click()
    expect(ann.messages.last).to_contain_text(PAID)
    _take(ann, "dark")


def _take(ann: Person, name: str) -> None:
    page: Any = ann.page
    expect(page.locator("#messages .cost").last).to_be_attached()
    expect(page.locator("#conversations li").first).to_be_attached()
    if page.viewport_size == DESK:
        expect(ann.steps.first).to_be_visible()
    page.evaluate("document.fonts.ready")
    page.evaluate("document.getElementById('scroll').scrollTo(0, 1e6)")
    path = FOLDER / f"web-{name}.png"
    with Image.open(BytesIO(page.screenshot(animations="disabled", caret="hide"))) as taken:
        # MAXCOVERAGE also keeps rare colours.
        few = taken.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE)
        few.save(path, optimize=True)
    size = path.stat().st_size
    if size > LIMIT:
        raise RuntimeError(f"{path} takes {size:,} bytes, more than {LIMIT:,}")
    print(f"{path.relative_to(Path.cwd())}: {size:,} bytes")


if __name__ == "__main__":
    main()

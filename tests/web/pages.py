"""Page objects: what users see and do on the page."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.web.running import BROKEN, QUESTION

if TYPE_CHECKING:
    from types import TracebackType

    from tests.web.running import Chat

PATIENCE_MS = 60_000
"""Timeout for an element to become visible."""
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1360, "height": 860}
expect.set_options(timeout=PATIENCE_MS)


class Person:
    """A user with a browser window.

    Args:
        page: The window.
        url: Address of the application.
        user: Name of the user.
    """

    def __init__(self, page: Any, url: str, user: str) -> None:
        self.page = page
        self.user = user
        self.url = url
        self.problems: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", self._listen)
        page.on("request", self._watch)

    def _listen(self, message: Any) -> None:
        # The browser itself logs error responses and failed requests, which some tests provoke.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.problems.append(message.text)

    def _watch(self, request: Any) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.url).netloc:
            self.problems.append(f"asked for {request.url}")

    def comes(self, conversation: str = "") -> Person:
        """Open the page, optionally at a conversation."""
        self.page.goto(f"{self.url}/#/{self.user}" + (f"/{conversation}" if conversation else ""))
        self.page.locator("#server dd").first.wait_for(state="attached")
        return self

    def says(self, text: str) -> None:
        """Type a message and send it."""
        self.page.get_by_label("Message", exact=True).fill(text)
        self.presses("Send")

    def presses(self, name: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def asks_for_refund(self) -> None:
        """Send a message that leads to a question, and wait for the question."""
        self.says(BROKEN)
        self.sees_question()

    def sees_question(self) -> None:
        """Wait until the question is shown and the turn has ended."""
        expect(self.page.get_by_role("form", name="A person has to decide")).to_contain_text(
            QUESTION
        )
        # The turn has ended when its costs are shown.
        expect(self.page.locator("#messages .cost").last).to_be_visible()

    def reads(self, text: str) -> None:
        """Wait until the last message has this text and the turn has ended."""
        expect(self.messages.last.locator(".text")).to_have_text(text)
        expect(self.page.locator("#messages")).to_have_attribute("aria-busy", "false")

    def notices(self, text: str) -> None:
        """Wait for a notice with this text."""
        expect(self.page.locator("#notices")).to_contain_text(text)

    @property
    def messages(self) -> Any:
        """All messages."""
        return self.page.locator("#messages > li")

    @property
    def conversations(self) -> Any:
        """All conversations in the list."""
        return self.page.get_by_role("navigation", name="Conversations").get_by_role("link")

    @property
    def steps(self) -> Any:
        """All steps of the history."""
        return (
            self.page.get_by_role("region", name="History")
            .get_by_role("listitem")
            .get_by_role("button")
        )

    @property
    def conversation(self) -> str:
        """Id of the open conversation."""
        return str(self.page.url.rpartition("/")[2])


class People:
    """Users of an application at the same time.

    Args:
        browser: The browser.
        chat: The application.
    """

    def __init__(self, browser: Any, chat: Chat) -> None:
        self._browser = browser
        self._chat = chat
        self._open = ExitStack()
        self._people: list[Person] = []

    def __enter__(self) -> People:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open.close()
        if error is None:
            assert [problem for one in self._people for problem in one.problems] == []

    def new(self, user: str, chat: Chat | None = None, **context: Any) -> Person:
        """A user with a separate browser context.

        Args:
            user: Name of the user.
            chat: The application, if not the default one.
            **context: Settings of the context, such as `viewport` or `color_scheme`.
        """
        made = self._browser.new_context(**{"viewport": DESK, **context})
        self._open.callback(made.close)
        person = Person(made.new_page(), (chat or self._chat).url, user)
        self._people.append(person)
        return person

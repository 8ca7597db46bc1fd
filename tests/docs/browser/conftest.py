"""Fixtures: Chromium, and a page of the site built by `make docs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import ROOT
from tests.support.browsers import running_browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

SITE = ROOT / ".site"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    with running_browser() as started:
        yield started


@pytest.fixture
def costs(browser: Browser) -> Iterator[Page]:
    """The page about costs, on which no script may fail."""
    file = SITE / "explanation" / "costs.html"
    assert file.exists(), "the site is not built: make docs"
    context = browser.new_context()
    page = context.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto(file.as_uri())
    yield page
    context.close()
    assert failures == []

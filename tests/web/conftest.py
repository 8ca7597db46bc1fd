"""Fixtures: an application for each test module, a browser, and pages that must have no errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.browsers import running_browser
from tests.web.pages import People, Person
from tests.web.running import new_user, running_chat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.engines import Engine
    from tests.web.running import Chat


@pytest.fixture(scope="module")
def chat(engine: Engine) -> Iterator[Chat]:
    """The application, with a model that streams without pauses."""
    with running_chat(engine.url) as running:
        yield running
        assert not [line for line in running.output if "Traceback" in line]


@pytest.fixture
def user() -> str:
    return new_user()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium."""
    with running_browser() as started:
        yield started


@pytest.fixture
def people(browser: Any, chat: Chat) -> Iterator[People]:
    """Users with separate browser contexts."""
    with People(browser, chat) as all_:
        yield all_


@pytest.fixture
def ann(people: People, user: str) -> Person:
    """A user without conversations."""
    return people.new(user)

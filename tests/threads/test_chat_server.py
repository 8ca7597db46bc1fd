"""A chat server lists, titles, resumes and erases conversations of many users without a Scan."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from httpx import ASGITransport, AsyncClient

from langgraph_checkpoint_dynamodb.policies import SWEEP_ACTIONS, TTL_EXTENSION_ACTIONS
from tests.support.chat_server import make_app
from tests.support.effort import amount
from tests.support.sessions import metered_session
from tests.threads.conftest import INDEXED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.clocks import Clock
    from tests.support.sessions import Meter
    from tests.support.tables import Tables

USERS = amount(1000, 60)
MANY = 45
"""Conversations of one user: three pages."""
SIDE_BY_SIDE = 16
WITHOUT_SCAN = (SWEEP_ACTIONS | TTL_EXTENSION_ACTIONS) - {"dynamodb:Scan"}


@dataclass(frozen=True)
class Browser:
    """The requests of a user's page to the server."""

    client: AsyncClient
    user: str

    async def ask(self, method: str, path: str, **arguments: Any) -> Any:
        answer = await self.client.request(method, path, headers={"user": self.user}, **arguments)
        answer.raise_for_status()
        return answer.json()

    async def say(self, conversation: str, text: str) -> Any:
        return await self.ask("POST", f"/conversations/{conversation}", json={"text": text})

    async def messages(self, conversation: str) -> Any:
        return await self.ask("GET", f"/conversations/{conversation}")

    async def page(self, **wanted: Any) -> Any:
        return await self.ask("GET", "/conversations", params=wanted)

    async def listed(self, **wanted: Any) -> list[str]:
        return [line["id"] for line in (await self.page(**wanted))["conversations"]]


@asynccontextmanager
async def running(tables: Tables, **settings: Any) -> AsyncIterator[AsyncClient]:
    """The server, with a saver of its own."""
    async with (
        tables.saver(**INDEXED, **settings) as saver,
        AsyncClient(transport=ASGITransport(app=make_app(saver)), base_url="http://chat") as client,
    ):
        yield client


async def begin(client: AsyncClient) -> None:
    """A conversation of each user; every fourth waits for a human."""
    gate = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(number: int) -> None:
        async with gate:
            text = "order coffee" if number % 4 == 0 else "hello"
            await Browser(client, f"user{number}").say(f"of{number}", text)

    await asyncio.gather(*map(one, range(USERS)))


async def use(tables: Tables, clock: Clock) -> None:
    busy = "user1"
    async with running(tables, actions=WITHOUT_SCAN, clock=clock) as client:
        await begin(client)
        for number in range(MANY):
            clock.now += 1
            await Browser(client, busy).say(f"more{number}", f"question {number}")
    # Another process from here on: it only knows what is stored.
    session, meter = metered_session()
    async with running(
        tables, session=session, endpoint_url=tables.engine.url, clock=clock
    ) as client:
        meter.reset()
        await look(Browser(client, busy), meter)
        await answer(client, clock)
        await erase(client, Browser(client, busy))
    assert meter.requests["Scan"] == 0


async def look(user: Browser, meter: Meter) -> None:
    """A page of 20 takes one request and at most 5 read units; the newest comes first."""
    found, cursor = [], None
    while True:
        page = await user.page(**({} if cursor is None else {"cursor": cursor}))
        assert meter.requests == {"Query": 1}
        assert meter.read_units <= 5
        meter.reset()
        found += [(line["id"], line["title"]) for line in page["conversations"]]
        cursor = page["next"]
        if cursor is None:
            break
    newest_first = [(f"more{number}", f"question {number}") for number in reversed(range(MANY))]
    assert found == [*newest_first, ("of1", "hello")]


async def answer(client: AsyncClient, clock: Clock) -> None:
    """A waiting conversation is found, resumed, and waits no longer; a title is set and kept."""
    user = Browser(client, "user4")
    assert await user.listed(waiting=True) == ["of4"]
    assert await user.messages("of4") == {
        "messages": ["order coffee"], "question": "Really order coffee?",
    }  # fmt: skip
    clock.now += 1
    assert (await user.say("of4", "yes"))["messages"] == ["order coffee", "re: yes"]
    assert await user.listed(waiting=True) == []
    await user.ask("PATCH", "/conversations/of4", json={"title": "Coffee"})
    await user.say("of4", "thanks")
    (line,) = (await user.page())["conversations"]
    assert (line["title"], line["status"]) == ("Coffee", "idle")


async def erase(client: AsyncClient, user: Browser) -> None:
    """Nothing of this user is left, and everything of the others."""
    assert await user.ask("DELETE", "/me") == MANY + 1
    assert await user.listed() == []
    assert (await client.get("/conversations/of1", headers={"user": "user1"})).status_code == 404
    other = Browser(client, "user2")
    assert await other.listed() == ["of2"]
    assert (await other.messages("of2"))["messages"] == ["hello", "re: hello"]
    assert (await client.get("/conversations/of2", headers={"user": "user3"})).status_code == 404


def test_a_chat_server_lists_titles_resumes_and_erases_conversations_without_a_scan(
    tables: Tables, clock: Clock
) -> None:
    tables.set_up(**INDEXED)
    asyncio.run(use(tables, clock))
    assert {item["thread_id"]["S"] for item in tables.checkpoint_items()} == {
        f"of{number}" for number in range(USERS) if number != 1
    }

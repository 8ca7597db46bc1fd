"""The aiobotocore clients of an event loop."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack, suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import finalize

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from langgraph_checkpoint_dynamodb.runners.client import add_handlers, client_arguments

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import AsyncGenerator

    from langgraph_checkpoint_dynamodb.runners.client import Service
    from langgraph_checkpoint_dynamodb.settings.client import RunnerSettings

R = TypeVar("R")

_WHOLE_BYTES = 1024 * 1024
"""Largest body that aiohttp writes at once without a warning."""


class LoopClients:
    """The clients of one event loop, each created at its first use.

    They are closed by `close`, or else when their loop ends: `asyncio.run` closes the asynchronous
    generators that are still open, and `_keeper` is one that closes the clients.

    Args:
        settings: The saver's settings.
        sessions: Provides the sessions to create clients from.
    """

    def __init__(self, settings: RunnerSettings, sessions: Sessions) -> None:
        self._settings = settings
        self._sessions = sessions
        self._clients: dict[Service, Any] = {}
        self._stack = AsyncExitStack()
        self._creating = asyncio.Lock()
        self._keeper: AsyncGenerator[None, None] | None = None
        self._when_collected: finalize[Any, Any] | None = None

    async def get(self, service: Service) -> Any:
        """The client for a service."""
        client = self._clients.get(service)
        if client is None:
            async with self._creating:
                client = self._clients.get(service)
                if client is None:
                    client = self._clients[service] = await self._create(service)
        return client

    async def close(self) -> None:
        """Close the clients. Can be repeated."""
        async with self._creating:
            if self._keeper is not None:
                await self._keeper.aclose()
            if self._when_collected is not None:
                self._when_collected.detach()

    async def _create(self, service: Service) -> Any:
        if self._keeper is None:
            self._keeper = _keep(self._stack)
            await anext(self._keeper)
            loop = asyncio.get_running_loop()
            self._when_collected = finalize(self, _close_later, loop, self._keeper, os.getpid())
        arguments = client_arguments(self._settings, service)
        arguments["config"] = AioConfig().merge(arguments["config"])
        creating = self._sessions.get().create_client(service, **arguments)
        client = await self._stack.enter_async_context(creating)
        client.meta.events.register("before-send", _send_in_chunks)
        add_handlers(client, service, self._settings)
        return client


class Sessions:
    """The sessions that clients are created from: the user's, else a new one for each client.

    New sessions share the SDK's models, as reading them takes most of the time of creating a
    client. They share nothing else: two event loops must not refresh the same credentials.
    """

    def __init__(self, given: Any) -> None:
        self._given = given
        self._models: Any = None

    def get(self) -> Any:
        """A session to create a client from."""
        if self._given is not None:
            return self._given
        session = get_session()
        if self._models is None:
            self._models = session.get_component("data_loader")
        session.register_component("data_loader", self._models)
        return session


async def _keep(clients: AsyncExitStack) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await clients.aclose()


def _close_later(loop: AbstractEventLoop, keeper: AsyncGenerator[None, None], pid: int) -> None:
    """Close the clients of a collected saver. A loop that has ended has closed them already."""
    if pid != os.getpid():
        return  # A child after a fork: it would wake up the parent's loop.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(lambda: loop.create_task(_close_now(keeper)))


async def _close_now(keeper: AsyncGenerator[None, None]) -> None:
    with suppress(RuntimeError):  # Python raises it if the end of the loop is closing it, too.
        await keeper.aclose()


def _send_in_chunks(request: Any, **_: object) -> None:
    """Let aiohttp write a large body in chunks, so that other tasks can run in between."""
    if isinstance(request.body, bytes) and len(request.body) > _WHOLE_BYTES:
        request.body = BytesIO(request.body)

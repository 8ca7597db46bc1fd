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
        self._open = _OpenClients()
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

    @property
    def is_closing(self) -> bool:
        """Whether the clients are closed, or the end of the loop has begun to close them."""
        return self._open.is_closing

    async def close(self) -> None:
        """Close the clients. Can be repeated."""
        async with self._creating:
            if self._keeper is not None:
                await _close(self._open, self._keeper)
            if self._when_collected is not None:
                self._when_collected.detach()

    async def _create(self, service: Service) -> Any:
        if self._keeper is None:
            self._keeper = _keep(self._open)
            await anext(self._keeper)
            loop = asyncio.get_running_loop()
            self._when_collected = finalize(
                self, _close_later, loop, self._open, self._keeper, os.getpid()
            )
        arguments = client_arguments(self._settings, service)
        arguments["config"] = AioConfig().merge(arguments["config"])
        creating = self._sessions.get().create_client(service, **arguments)
        client = await self._open.enter_async_context(creating)
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


class _OpenClients(AsyncExitStack):
    """The open clients. Who closes them while they are being closed waits until they are.

    Attributes:
        is_closing: Whether they are closed, or the end of the loop has begun to close them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_closing = False
        self._closing = asyncio.Lock()

    async def aclose(self) -> None:
        async with self._closing:
            await super().aclose()


async def _keep(clients: _OpenClients) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        clients.is_closing = True
        await clients.aclose()


def _close_later(
    loop: AbstractEventLoop, clients: _OpenClients, keeper: AsyncGenerator[None, None], pid: int
) -> None:
    """Close the clients of a collected saver. A loop that has ended has closed them already."""
    if pid != os.getpid():
        return  # A child after a fork: it would wake up the parent's loop.

    def begin() -> None:
        # A task created after the loop's end has begun to close the clients may never run.
        if not clients.is_closing:
            loop.create_task(_close(clients, keeper))

    with suppress(RuntimeError):
        loop.call_soon_threadsafe(begin)


async def _close(clients: _OpenClients, keeper: AsyncGenerator[None, None]) -> None:
    """Close the clients, and tell the loop so. Its end may be closing them at the same time."""
    await clients.aclose()
    with suppress(RuntimeError):  # Python raises it if the end of the loop is closing them.
        await keeper.aclose()


def _send_in_chunks(request: Any, **_: object) -> None:
    """Let aiohttp write a large body in chunks, so that other tasks can run in between."""
    if isinstance(request.body, bytes) and len(request.body) > _WHOLE_BYTES:
        request.body = BytesIO(request.body)

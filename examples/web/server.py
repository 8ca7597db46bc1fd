"""The server: the page, its API, and a stream of events."""

from __future__ import annotations

import os
import signal
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import FastAPI, Query, Request
from fastapi import Path as InPath
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field, StringConstraints

from examples.web.conversations import Conversations, RefusedError, UnknownError
from examples.web.guard import Guard
from examples.web.hub import Event, Hub, Place
from examples.web.runs import BusyError
from langgraph_checkpoint_dynamodb import DynamoDBSaverError, ThreadNotFoundError
from langgraph_checkpoint_dynamodb.cli import prices

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from examples.web.agent import Agent
    from examples.web.settings import Settings
    from examples.web.tables import Tables

PAGE = Path(__file__).resolve().parent / "page"
USERS = ("ann", "bob", "cleo")
"""Users that the page offers."""
_PAUSE = 15.0
"""Idle seconds after which a stream sends a keep-alive event."""
_BACK_AFTER = 500
"""Milliseconds after which a disconnected page reconnects."""
_BACK_LATER = 5000
"""The same after a DynamoDB error."""

User = Annotated[str, InPath(pattern=r"^[a-z0-9-]{1,32}$")]
_CONVERSATION = r"^[A-Za-z0-9_-]{1,64}$"
Conversation = Annotated[str, InPath(pattern=_CONVERSATION)]
Shown = Annotated[str | None, Query(pattern=_CONVERSATION)]
Checkpoint = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F-]{1,64}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]


class Said(BaseModel):
    """A message; the page chooses the id, so that a retry is recognized."""

    id: str = Field(min_length=1, max_length=64)
    text: Text
    checkpoint: Checkpoint | None = None


class Answer(BaseModel):
    """An answer to a question."""

    question: str
    approved: bool
    reason: str = Field(default="", max_length=1000)


class From(BaseModel):
    """Where to continue; without a checkpoint, at the newest one."""

    checkpoint: Checkpoint | None = None


class Titled(BaseModel):
    """A title."""

    title: Annotated[Text, StringConstraints(max_length=120)]


def make_app(tables: Tables, agent: Agent, settings: Settings) -> FastAPI:
    """Make the server.

    Args:
        tables: The saver and the store, open until the server stops.
        agent: The agent on that saver.
        settings: Settings that the page shows.
    """
    hub = Hub()
    all_ = Conversations(tables, agent, hub)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await all_.runs.stop()

    app = FastAPI(lifespan=lifespan, openapi_url=None)
    app.add_middleware(Guard)
    _explain_errors(app)
    at = "/api/{user}/conversations/{conversation}"

    @app.get("/api/about")
    async def about() -> dict[str, Any]:
        return {
            "users": USERS,
            "engine": settings.engine,
            "counts_units": settings.counts_units,
            "model": settings.model or "a script",
            "prices": prices.AS_OF,
            "process": os.getpid(),
        }

    @app.post("/api/end", status_code=202)
    async def end(process: int) -> None:
        """Kill this process as a crash would, without a shutdown or a response.

        A browser may retry the request, which then reaches the next process: the check of the pid
        keeps the retry from killing that process.
        """
        if process == os.getpid():
            os.kill(process, signal.SIGKILL)

    @app.get("/api/{user}/conversations")
    async def conversations(
        user: User,
        status: Literal["idle", "waiting", "failed"] | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 12,
        cursor: str | None = None,
    ) -> dict[str, Any]:
        return await all_.page(user, status, limit, cursor)

    @app.get("/api/{user}/events")
    async def events(
        user: User,
        conversation: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = None,
    ) -> StreamingResponse:
        place = None if conversation is None else Place(user, conversation)
        return StreamingResponse(
            _stream(all_, user, place),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store"},
        )

    @app.get(at + "/history")
    async def history(
        user: User, conversation: Conversation, before: Checkpoint | None = None
    ) -> dict[str, Any]:
        return await all_.history(Place(user, conversation), before)

    @app.get(at + "/checkpoints/{checkpoint}")
    async def checkpoint(
        user: User, conversation: Conversation, checkpoint: Checkpoint
    ) -> dict[str, Any]:
        return await all_.read(Place(user, conversation), checkpoint)

    @app.post(at + "/messages", status_code=202)
    async def say(user: User, conversation: Conversation, said: Said) -> None:
        await all_.say(Place(user, conversation), said.id, said.text, said.checkpoint)

    @app.post(at + "/answers", status_code=202)
    async def answer(user: User, conversation: Conversation, given: Answer) -> None:
        await all_.answer(
            Place(user, conversation),
            given.question,
            {"approved": given.approved, "reason": given.reason},
        )

    @app.post(at + "/continuations", status_code=202)
    async def go_on(user: User, conversation: Conversation, where: From) -> None:
        await all_.go_on(Place(user, conversation), where.checkpoint)

    @app.patch(at, status_code=204)
    async def rename(user: User, conversation: Conversation, titled: Titled) -> None:
        await all_.rename(Place(user, conversation), titled.title)

    @app.delete(at, status_code=204)
    async def delete(user: User, conversation: Conversation) -> None:
        await all_.delete(Place(user, conversation))

    app.mount("/", StaticFiles(directory=PAGE, html=True))
    return app


async def _stream(all_: Conversations, user: str, place: Place | None) -> AsyncIterator[str]:
    yield f"retry: {_BACK_AFTER}\n\n"
    try:
        async for event in all_.events(user, place, _PAUSE):
            yield event.encode()
    except DynamoDBSaverError as error:
        # The page shows the error and reconnects after a delay, as the next attempt may fail too.
        yield f"retry: {_BACK_LATER}\n\n"
        yield Event("problem", {"kind": "lost", "text": str(error)}).encode()


def _explain_errors(app: FastAPI) -> None:
    """Put a readable text of each error in the response."""

    def explain(kind: type[Exception], status: int, text: str | None = None) -> None:
        @app.exception_handler(kind)
        async def answer(_: Request, error: Exception) -> JSONResponse:
            return JSONResponse({"detail": text or str(error)}, status)

    explain(BusyError, 409, "An answer is being written just now; wait until it is there.")
    explain(RefusedError, 409)
    explain(UnknownError, 404, "There is no such checkpoint.")
    explain(ThreadNotFoundError, 404, "There is no such conversation.")
    explain(DynamoDBSaverError, 503)

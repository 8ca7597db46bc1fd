"""The server to which the Lambda Web Adapter forwards each invocation as an HTTP request."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Path, Query
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

from langgraph_checkpoint_dynamodb import InvalidInputError
from purchase_desk import lines, turns
from purchase_desk.caller import caller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from langchain_core.runnables import RunnableConfig
    from langgraph.types import StateSnapshot

    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from purchase_desk.agent import Agent

User = Annotated[str, Depends(caller)]
Conversation = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Limit = Annotated[int, Query(ge=1, le=100)]
_NOBODYS: RunnableConfig = {"configurable": {"thread_id": "/"}}
"""A thread that no caller can own."""


class Said(BaseModel):
    """A message."""

    id: str = Field(min_length=1, max_length=64)
    text: str = Field(min_length=1, max_length=4096)


class Answer(BaseModel):
    """An answer to a question."""

    question: str
    approved: bool
    reason: str = ""


def make_app(saver: DynamoDBSaver, agent: Agent) -> FastAPI:
    """Make the server. It is ready after its first request to DynamoDB.

    Args:
        saver: Made once, outside the request handlers. It is opened before the first request and
            closed when Lambda shuts this environment down.
        agent: The agent on that saver.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with saver:
            await warm_up(agent)
            yield

    app = FastAPI(lifespan=lifespan, openapi_url=None)

    async def stored(config: RunnableConfig) -> StateSnapshot:
        return await agent.aget_state(config)

    def tell(turn: turns.Turn, config: RunnableConfig) -> StreamingResponse:
        return StreamingResponse(
            lines.of_turn(agent, turn, config), media_type="application/x-ndjson"
        )

    @app.exception_handler(turns.RefusedError)
    async def refuse(_: object, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 409)

    @app.get("/health", status_code=204)
    async def health() -> None:
        """Responds once `lifespan` has started; the adapter waits for it."""

    @app.post("/conversations/{conversation}/messages")
    async def say(user: User, conversation: Conversation, said: Said) -> StreamingResponse:
        config = config_of(user, conversation)
        return tell(turns.of_message(await stored(config), said.id, said.text), config)

    @app.post("/conversations/{conversation}/answers")
    async def answer(user: User, conversation: Conversation, given: Answer) -> StreamingResponse:
        config = config_of(user, conversation)
        turn = turns.of_answer(
            await stored(config),
            given.question,
            {"approved": given.approved, "reason": given.reason},
        )
        return tell(turn, config)

    @app.get("/conversations")
    async def listed(user: User, limit: Limit = 20, cursor: str | None = None) -> dict[str, Any]:
        try:
            page = await saver.alist_threads(owner=user, limit=limit, cursor=cursor)
        except InvalidInputError as error:
            raise HTTPException(400, str(error)) from error
        return {
            "conversations": [
                {
                    "name": found.thread_id.removeprefix(f"{user}/"),
                    "status": found.status,
                    "updated": found.updated.isoformat(),
                }
                for found in page.threads
            ],
            "cursor": page.cursor,
        }

    @app.get("/conversations/{conversation}")
    async def read(user: User, conversation: Conversation) -> dict[str, Any]:
        found = await stored(config_of(user, conversation))
        if not found.values:
            raise HTTPException(404)
        return {
            "messages": [
                {"type": message.type, "text": message.text} for message in turns.messages_of(found)
            ],
            "questions": list(lines.of_questions(found.interrupts)),
        }

    return app


def config_of(user: str, conversation: str) -> RunnableConfig:
    """The config of a user's conversation; no user can name a thread of another user."""
    return {"configurable": {"thread_id": f"{user}/{conversation}", "user_id": user}}


async def warm_up(agent: Agent) -> None:
    """Read a thread that does not exist, for half a read unit.

    A function that cannot read its tables fails here, not at a user's first message. With
    provisioned concurrency, DNS lookup, connection and TLS handshake are done before a user waits.
    """
    await agent.aget_state(_NOBODYS)

"""A typical chat server: a list of each user's conversations, with titles and questions.

Its only storage is the saver.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it
from operator import add
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from fastapi import FastAPI, Header, HTTPException
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from pydantic import BaseModel

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from langgraph_checkpoint_dynamodb import ThreadInfo
    from tests.support.savers import Saver

User = Annotated[str, Header()]


class State(TypedDict, total=False):
    """The state of a conversation."""

    messages: Annotated[list[str], add]


class Said(BaseModel):
    """A user's message, or answer to a question."""

    text: str


class Titled(BaseModel):
    """A conversation's new title."""

    title: str


class Reply(BaseModel):
    """The response to a message: all messages, or a pending question."""

    messages: list[str]
    question: str | None = None


class Line(BaseModel):
    """A conversation in a list."""

    id: str
    title: str | None
    status: str
    updated: datetime


class Page(BaseModel):
    """A page of conversations, and the cursor of the next page."""

    conversations: list[Line]
    next: str | None


def _reply(state: State) -> State:
    text = state["messages"][-1]
    if text.startswith("order"):
        text = interrupt(f"Really {text}?")
    return {"messages": [f"re: {text}"]}


def make_graph(saver: BaseCheckpointSaver[Any]) -> Any:
    """An agent that asks before it orders something."""
    builder = StateGraph(State)
    builder.add_node("reply", _reply)
    builder.add_edge(START, "reply")
    builder.add_edge("reply", END)
    return builder.compile(checkpointer=saver)


def make_app(saver: Saver) -> FastAPI:
    """Create the server.

    Args:
        saver: A saver with a `ThreadIndex` whose owner is `user_id`.
    """
    app = FastAPI()
    graph = make_graph(saver)

    async def owned(conversation: str, user: str) -> ThreadInfo | None:
        """The user's conversation; `None` if it does not exist yet."""
        info = await saver.aget_thread(conversation)
        if info is not None and info.owner != user:
            raise HTTPException(404)
        return info

    @app.post("/conversations/{conversation}")
    async def say(conversation: str, said: Said, user: User) -> Reply:
        info = await owned(conversation, user)
        waits = info is not None and info.status == "waiting"
        asked: Any = Command(resume=said.text) if waits else {"messages": [said.text]}
        at = {"configurable": {"thread_id": conversation, "user_id": user}}
        found = await graph.ainvoke(asked, at)
        if info is None:
            await saver.aupdate_thread(conversation, title=said.text)
        questions = found.get("__interrupt__", ())
        return Reply(messages=found["messages"], question=questions[0].value if questions else None)

    @app.get("/conversations")
    async def conversations(
        user: User,
        cursor: str | None = None,
        waiting: bool = False,
    ) -> Page:
        page = await saver.alist_threads(
            owner=user, status="waiting" if waiting else None, cursor=cursor
        )
        lines = [
            Line(id=one.thread_id, title=one.title, status=one.status, updated=one.updated)
            for one in page.threads
        ]
        return Page(conversations=lines, next=page.cursor)

    @app.get("/conversations/{conversation}")
    async def messages(conversation: str, user: User) -> Reply:
        if await owned(conversation, user) is None:
            raise HTTPException(404)
        state = await graph.aget_state({"configurable": {"thread_id": conversation}})
        question = state.interrupts[0].value if state.interrupts else None
        return Reply(messages=state.values["messages"], question=question)

    @app.patch("/conversations/{conversation}")
    async def rename(conversation: str, titled: Titled, user: User) -> None:
        if await owned(conversation, user) is None:
            raise HTTPException(404)
        await saver.aupdate_thread(conversation, title=titled.title)

    @app.delete("/me")
    async def erase(user: User) -> int:
        return await saver.adelete_threads(owner=user)

    return app

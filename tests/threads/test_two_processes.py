"""Two processes answer the same chat: with `on_conflict="raise"`, one of them succeeds."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb import ThreadIndex
from tests.support.answering import Conflict, answerers, make_chat
from tests.support.effort import amount
from tests.support.savers import native
from tests.support.values import config

if TYPE_CHECKING:
    from tests.support.tables import Tables

# The processes have a saver of their own, the same one for every saver under test.
__test__ = not native()

AT = config("chat")
ROUNDS = amount(10, 3)
FENCED: dict[str, Any] = {"on_conflict": "raise"}
LISTED: dict[str, Any] = {"thread_index": ThreadIndex(owner="user_id")}


def parents(saver: Any) -> Counter[str | None]:
    """Number of child checkpoints of each checkpoint of the chat."""
    return Counter(
        None if one.parent_config is None else one.parent_config["configurable"]["checkpoint_id"]
        for one in saver.list(AT)
    )


@pytest.mark.parametrize("settings", [FENCED, {**FENCED, **LISTED}], ids=["fenced", "and listed"])
def test_one_of_two_answers_goes_through_and_the_other_can_be_given_again(
    tables: Tables, settings: dict[str, Any]
) -> None:
    tables.set_up(**settings)
    names = (tables.checkpoints, tables.writes)
    with (
        tables.boto_saver(**settings) as saver,
        answerers(2, tables.engine.url, names, settings) as processes,
    ):
        chat = make_chat(saver)
        chat.invoke({"messages": ["hello"]}, AT)
        said = ["hello"]
        for number in range(ROUNDS):
            newest = chat.get_state(AT).config["configurable"]["checkpoint_id"]
            texts = [f"{number} {name}" for name in "ab"]
            for process, text in zip(processes, texts, strict=True):
                process.ask(text, together=True)
            answers = [process.answer() for process in processes]
            (late,) = [at for at, answer in enumerate(answers) if isinstance(answer, Conflict)]
            conflict = answers[late]
            assert isinstance(conflict, Conflict)
            assert (conflict.thread_id, conflict.expected) == ("chat", newest)
            processes[late].ask(texts[late])
            said += [texts[1 - late], texts[late]]
            assert processes[late].answer() == [
                part for text in said for part in (text, f"re: {text}")
            ]
        assert set(parents(saver).values()) == {1}


def test_without_the_fence_one_of_two_answers_is_lost_to_who_looks(tables: Tables) -> None:
    tables.set_up()
    names = (tables.checkpoints, tables.writes)
    with (
        tables.boto_saver() as saver,
        answerers(2, tables.engine.url, names, {}) as processes,
    ):
        chat = make_chat(saver)
        chat.invoke({"messages": ["hello"]}, AT)
        for process, text in zip(processes, "ab", strict=True):
            process.ask(text, together=True)
        for process, text in zip(processes, "ab", strict=True):
            assert process.answer() == ["hello", "re: hello", text, f"re: {text}"]
        assert 2 in parents(saver).values()
        assert len(chat.get_state(AT).values["messages"]) == 4

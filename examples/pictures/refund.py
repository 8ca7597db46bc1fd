"""The thread shown in the pictures: a refund, approved, refused in a fork, then continued."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, HumanMessage, ToolCall, ToolMessage
from langgraph.types import Interrupt

from examples.pictures.story import id_at, task_of

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import RunnableConfig

    from examples.pictures.story import Teller

_CUSTOMER = {"name": "Ann Lee", "tier": "gold", "orders": 14}
_ORDER = {"id": "A-1042", "item": "espresso machine", "price": 129.0, "delivered": "2026-02-27"}
_REFUND = "Refund 129.00 EUR for order A-1042?"
_LABEL = "Send a return label to Mill Lane 5?"
_APPROVED = "paid: 129.00 EUR for order A-1042"
_REFUSED = "refused: the photo shows another machine"


def tell_of_refund(teller: Teller) -> None:
    """Store the thread."""
    said: list[BaseMessage] = [
        HumanMessage("The espresso machine of order A-1042 arrived broken. I want my money back."),
    ]
    first = teller.step(-1, "input", {"__start__": {"messages": said}}, ["__start__"])
    state: dict[str, Any] = {"messages": list(said), "customer": _CUSTOMER}
    asked = teller.step(0, "loop", state, ["research"], after=first)
    _research(teller, asked)
    state["order"] = _ORDER
    known = teller.step(1, "loop", state, ["model"], after=asked)
    said.append(
        _call("It is recent enough. A human has to approve that.", "issue_refund", id="A-1042")
    )
    state["messages"] = list(said)
    question = teller.step(2, "loop", state, ["tools"], after=known)
    _interrupt(teller, question, _REFUND)
    # A human approves, and later another one forks the thread and refuses.
    _outcome(teller, question, state, _APPROVED, "Good news: we have paid back 129.00 EUR.")
    teller.now += 900
    fork = teller.step(3, "fork", state, ["tools"], after=question)
    _interrupt(teller, fork, _REFUND)
    told = _outcome(teller, fork, state, _REFUSED, "I am sorry: the photo shows another machine.")
    _next_turn(teller, *told)


def _outcome(
    teller: Teller, question: RunnableConfig, state: dict[str, Any], result: str, answer: str
) -> tuple[RunnableConfig, dict[str, Any], int]:
    """Store the checkpoints that follow one answer."""
    teller.now += 120
    number = 4 if result == _REFUSED else 3
    said = [*state["messages"], ToolMessage(result, name="issue_refund", tool_call_id="1")]
    state = {**state, "messages": said, "approved": result == _APPROVED}
    teller.writes(question, "tools", ("messages", said[-1:]), ("approved", result == _APPROVED))
    done = teller.step(number, "loop", state, ["model"], after=question)
    state = {**state, "messages": [*said, AIMessage(answer)]}
    return teller.step(number + 1, "loop", state, after=done), state, number + 2


def _next_turn(teller: Teller, last: RunnableConfig, state: dict[str, Any], number: int) -> None:
    """Store another turn: the customer insists, and the agent asks again."""
    teller.now += 3000
    asked = HumanMessage("I had two machines! This is the other one, I can send it back today.")
    start = {**state, "__start__": {"messages": [asked]}}
    began = teller.step(number, "input", start, ["__start__"], after=last)
    said = [*state["messages"], asked]
    state = {**state, "messages": said}
    model = teller.step(number + 1, "loop", state, ["model"], after=began)
    label = _call("Then let us see that one.", "send_label", street="Mill Lane 5", days=14)
    state = {**state, "messages": [*said, label]}
    tools = teller.step(number + 2, "loop", state, ["tools"], after=model)
    _interrupt(teller, tools, _LABEL)


def _research(teller: Teller, above: RunnableConfig) -> None:
    """Store the subgraph that looks up the order."""
    namespace = f"research:{task_of('research')}"
    teller.parents = {"": str(above["configurable"]["checkpoint_id"])}
    state: dict[str, Any] = {"query": "order A-1042"}
    made = teller.step(-1, "input", {"__start__": state}, ["__start__"], namespace=namespace)
    for number, following in enumerate((["search"], ["summarize"], [])):
        state = {**state, "found": number} if number else state
        made = teller.step(number, "loop", state, following, after=made, namespace=namespace)
    teller.parents = {}


def _interrupt(teller: Teller, at: RunnableConfig, question: str) -> None:
    waits = Interrupt({"question": question}, id=id_at(teller.now).replace("-", ""))
    teller.writes(at, "tools", ("__interrupt__", (waits,)))


def _call(text: str, name: str, **args: Any) -> AIMessage:
    return AIMessage(text, tool_calls=[ToolCall(name=name, args=args, id="1")])

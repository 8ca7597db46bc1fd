"""Sessions for savers that enforce an IAM policy on their clients or meter their requests.

They belong to the SDK of the saver under test, and so do the handlers a test registers on them.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, Any

import boto3
import botocore.hooks
import botocore.session
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session
from botocore.loaders import create_loader

from tests.support.iam import asks
from tests.support.savers import native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest
    from botocore.awsrequest import AWSPreparedRequest
    from mypy_boto3_dynamodb import DynamoDBClient

    from tests.support.iam import Ask

_READS = {"BatchGetItem", "GetItem", "Query", "Scan"}

_loader = create_loader()


def _remember_what_every_session_works_out() -> None:
    """Make the SDK cache what it looks up for each of the 130 event handlers of every session.

    The lookups take two thirds of the time to create a session and its client, and a test creates
    two or three. An event's alias and a function's signature never change.
    """
    hooks: Any = botocore.hooks
    hooks.EventAliaser._alias_event_name = _remembered_alias(hooks.EventAliaser._alias_event_name)
    hooks.accepts_kwargs = _remembered_signature(hooks.accepts_kwargs)


def _remembered_alias(alias: Callable[[Any, str], str]) -> Callable[[Any, str], str]:
    known: dict[str, str] = {}

    def remembered(self: Any, name: str) -> str:
        if self._event_aliases is not botocore.hooks.EVENT_ALIASES:
            return alias(self, name)
        if name not in known:
            known[name] = alias(self, name)
        return known[name]

    return remembered


def _remembered_signature(accepts: Callable[[Any], object]) -> Callable[[Any], object]:
    known: dict[FunctionType, object] = {}

    def remembered(function: Any) -> object:
        if not isinstance(function, FunctionType) or function.__closure__ is not None:
            # The function may refer to a client; the cache would keep the client alive.
            return accepts(function)
        if function not in known:
            known[function] = accepts(function)
        return known[function]

    return remembered


_remember_what_every_session_works_out()

NOWHERE = "http://127.0.0.1:9"
"""An endpoint without a server."""


def new_session() -> boto3.Session:
    """A new session that shares the SDK's service models with the others.

    Reading the models takes most of the time to create a client.
    """
    return boto3.Session(botocore_session=_botocore_session())


def _botocore_session() -> botocore.session.Session:
    session = botocore.session.get_session()
    session.register_component("data_loader", _loader)
    return session


def saver_session(s3_url: str = NOWHERE) -> Any:
    """A new session for the saver under test; S3 is at that endpoint."""
    return _aio_session(s3_url) if native() else _boto_session(s3_url)


def _boto_session(s3_url: str) -> boto3.Session:
    class Session(boto3.Session):
        def client(self, service: str, **arguments: Any) -> Any:  # type: ignore[override]  # one for all overloads
            return super().client(service, **_at(s3_url, service, arguments))  # type: ignore[call-overload]  # as above

    return Session(botocore_session=_botocore_session())


def _aio_session(s3_url: str) -> Any:
    from aiobotocore.session import AioSession

    class Session(AioSession):  # type: ignore[misc]  # aiobotocore has no types
        def create_client(self, service: str, **arguments: Any) -> Any:
            return super().create_client(service, **_at(s3_url, service, arguments))

    session = Session()
    session.register_component("data_loader", _loader)
    return session


def _at(s3_url: str, service: str, arguments: dict[str, Any]) -> dict[str, Any]:
    if service != "s3" or "AWS_ENDPOINT_URL_S3" in os.environ:
        return arguments
    return {"endpoint_url": s3_url, **arguments}


def on(session: Any, event: str, handler: Callable[..., object]) -> None:
    """Register a handler for an event of a session's clients."""
    (session if native() else session.events).register(event, handler)


def patch_sending(
    monkeypatch: pytest.MonkeyPatch, before: Callable[[AWSPreparedRequest], object]
) -> None:
    """Call a function before each request that the SDK of the saver under test sends."""
    send: Any = URLLib3Session.send
    if not native():

        def first(self: Any, request: AWSPreparedRequest) -> Any:
            before(request)
            return send(self, request)

        monkeypatch.setattr(URLLib3Session, "send", first)
        return
    from aiobotocore.httpsession import AIOHTTPSession

    asend: Any = AIOHTTPSession.send

    async def afirst(self: Any, request: AWSPreparedRequest) -> Any:
        before(request)
        return await asend(self, request)

    monkeypatch.setattr(AIOHTTPSession, "send", afirst)


class Relay:
    """Passes events to handlers that may be registered after the clients were created.

    A client only copies the handlers that its session has when the client is created.
    """

    STAGES = (
        "provide-client-params",
        "before-parameter-build",
        "before-call",
        "before-send",
        "after-call",
    )

    def __init__(self) -> None:
        self._handlers: list[tuple[str, Callable[..., object]]] = []

    def on(self, event: str, handler: Callable[..., object]) -> None:
        """Register a handler for an event."""
        self._handlers.append((event, handler))

    def install(self, session: Any) -> None:
        """Pass on the events of a session's clients."""
        for stage in self.STAGES:
            on(session, stage, self._pass_on)

    def _pass_on(self, event_name: str, **arguments: Any) -> object:
        for event, handler in self._handlers:
            if event_name == event or event_name.startswith(f"{event}."):
                answer = handler(event_name=event_name, **arguments)
                if answer is not None:
                    return answer
        return None


@cache
def restricted_session(actions: frozenset[str]) -> Any:
    """A session whose clients may perform only these IAM actions, as IAM would enforce it.

    All tests share the session, which is faster: no test changes it.
    """
    return held_session(lambda ask: ask.action in actions)


@cache
def shared_client(url: str) -> DynamoDBClient:
    """A DynamoDB client shared by all tests; each test uses it within `own_handlers`."""
    return new_session().client("dynamodb", endpoint_url=url)


@contextmanager
def own_handlers(client: Any) -> Iterator[None]:
    """Remove the handlers registered on a client while the context was open."""
    emitter = client.meta.events._emitter
    before = copy(emitter)
    try:
        yield
    finally:
        emitter.__dict__.update(vars(before))


def held_session(allows: Callable[[Ask], bool], s3_url: str = NOWHERE) -> Any:
    """A session whose clients may send only allowed requests, as with IAM; S3 is at `s3_url`."""
    session = saver_session(s3_url)

    def authorize(params: dict[str, Any], model: Any, **_: object) -> None:
        for ask in asks(model.name, params):
            if not allows(ask):
                message = f"not authorized to perform: {ask.action} on resource: {ask.resource}"
                raise ClientError(
                    {"Error": {"Code": "AccessDeniedException", "Message": message}}, model.name
                )

    for service in ("dynamodb", "s3"):
        on(session, f"before-parameter-build.{service}", authorize)
    return session


@dataclass
class Meter:
    """Counts the requests and capacity of clients.

    Attributes:
        requests: Number of requests, by API action.
        read_units: Consumed read capacity units.
        write_units: Consumed write capacity units.
    """

    requests: Counter[str] = field(default_factory=Counter)
    read_units: float = 0
    write_units: float = 0

    @property
    def total(self) -> int:
        """Number of requests of all actions."""
        return self.requests.total()

    def reset(self) -> None:
        """Start again from zero."""
        self.requests.clear()
        self.read_units = self.write_units = 0


def metered_session() -> tuple[Any, Meter]:
    """A session whose clients' requests and consumed capacity are counted."""
    session = saver_session()
    meter = Meter()

    def ask_for_capacity(params: dict[str, Any], model: Any, **_: object) -> None:
        if "ReturnConsumedCapacity" in model.input_shape.members:
            params["ReturnConsumedCapacity"] = "TOTAL"

    def count(model: Any, parsed: dict[str, Any], **_: object) -> None:
        meter.requests[model.name] += 1
        consumed = parsed.get("ConsumedCapacity", [])
        tables = consumed if isinstance(consumed, list) else [consumed]
        # A search of a vector index reports bytes instead of units.
        units = sum(table.get("CapacityUnits", 0) for table in tables)
        if model.name in _READS:
            meter.read_units += units
        else:
            meter.write_units += units

    on(session, "before-parameter-build.dynamodb", ask_for_capacity)
    for service in ("dynamodb", "s3"):
        on(session, f"after-call.{service}", count)
    return session, meter

"""Faults of DynamoDB, S3 and the network, injected into clients through botocore's events.

A fault is installed on the session of one saver, and so on its clients. Everything else is real:
the SDK's own retries and parsing, and the engines.
"""

from __future__ import annotations

import io
import json
import random
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import botocore.endpoint
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from botocore.response import StreamingBody

from langgraph_checkpoint_dynamodb.format.tables import SAVER_TABLES, SPECS, Table
from langgraph_checkpoint_dynamodb.runners import sync
from tests.support.savers import native
from tests.support.sessions import on, saver_session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pytest
    from botocore.awsrequest import AWSPreparedRequest

    from tests.support.buckets import Bucket
    from tests.support.tables import Tables

SDK_ATTEMPTS = 6
READS = ("BatchGetItem", "GetItem", "Query", "Scan")
STORE_WRITES = ("PutItem", "TransactWriteItems", "BatchWriteItem", "UpdateItem", "DeleteItem")
WRITES = ("PutItem", "TransactWriteItems", "BatchWriteItem")
OBJECT_READS = ("GetObject",)
OBJECT_WRITES = ("PutObject", "CopyObject", "DeleteObjects")


class Fault(Protocol):
    """Something that goes wrong."""

    def install(self, session: Any) -> None:
        """Inject the fault into the clients of this session."""


def faulty(tables: Tables, *faults: Fault, bucket: Bucket | None = None) -> dict[str, Any]:
    """Settings of a saver whose clients have these faults, and which may use the bucket."""
    session = saver_session() if bucket is None else saver_session(bucket.url)
    for fault in faults:
        fault.install(session)
    config = Config(retries={"mode": "standard", "total_max_attempts": SDK_ATTEMPTS})
    return {"session": session, "endpoint_url": tables.engine.url, "boto_config": config}


class SkippedWaits:
    """Replaces the module `time` where code sleeps, and does not wait.

    Attributes:
        seconds: The waits that were skipped, in order.
    """

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)

    async def asleep(self, seconds: float) -> None:
        self.seconds.append(seconds)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Replace every wait: the saver's own, and the SDK's between its attempts."""
        if not native():
            monkeypatch.setattr(sync, "time", self)
            monkeypatch.setattr(botocore.endpoint, "time", self)
            return
        from aiobotocore.endpoint import AioEndpoint

        from langgraph_checkpoint_dynamodb.runners import loop_runner

        monkeypatch.setattr(loop_runner, "sleep", self.asleep)
        monkeypatch.setattr(AioEndpoint, "_sleep", lambda _, seconds: self.asleep(seconds))


class OneItemPages:
    """Limits every page to one item."""

    def install(self, session: Any) -> None:
        for action in ("Query", "Scan"):
            on(session, f"provide-client-params.dynamodb.{action}", self._cut)

    def _cut(self, params: Mapping[str, Any], **_: object) -> dict[str, Any]:
        return {**params, "Limit": 1}


class Leftovers:
    """Makes the service process batches only in part.

    Args:
        seed: Seed of the choice.
        share: Average share of a batch that is left unprocessed. At least one change of each batch
            is processed, so that there is progress.
    """

    def __init__(self, seed: int, share: float = 0.6) -> None:
        self.left = 0
        self._random = random.Random(seed)  # noqa: S311 - a choice, not a secret
        self._share = share
        self._lock = threading.Lock()

    def install(self, session: Any) -> None:
        on(session, "provide-client-params.dynamodb.BatchWriteItem", self._send_less)
        on(session, "before-call.dynamodb.BatchWriteItem", self._send_nothing)
        on(session, "after-call.dynamodb.BatchWriteItem", self._hand_back)

    def leaves(self, requests: list[tuple[str, Any]]) -> list[bool]:
        """Which of the requests are left unprocessed."""
        with self._lock:
            done = self._random.randrange(len(requests))
            return [
                place != done and self._random.random() < self._share
                for place in range(len(requests))
            ]

    def _send_less(
        self, params: Mapping[str, Any], context: dict[str, Any], **_: object
    ) -> dict[str, Any]:
        requests = [
            (table, request) for table, some in params["RequestItems"].items() for request in some
        ]
        leaves = self.leaves(requests)
        sent: dict[str, list[Any]] = {}
        left: dict[str, list[Any]] = {}
        for (table, request), leave in zip(requests, leaves, strict=True):
            (left if leave else sent).setdefault(table, []).append(request)
        self.left += sum(leaves)
        context["left"] = left
        context["sent"] = bool(sent)
        # An empty batch is invalid. This request is never sent, only built.
        return {**params, "RequestItems": sent or left}

    def _send_nothing(
        self, context: dict[str, Any], **_: object
    ) -> tuple[AWSResponse, dict[str, Any]] | None:
        return None if context["sent"] else (_response("", 200, {}), {})

    def _hand_back(self, parsed: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        if context["left"]:
            parsed["UnprocessedItems"] = context["left"]


class EachOnce(Leftovers):
    """Every change is returned unprocessed once, and processed when it is sent again."""

    def __init__(self) -> None:
        super().__init__(seed=0)
        self._refused: set[str] = set()

    def leaves(self, requests: list[tuple[str, Any]]) -> list[bool]:
        with self._lock:
            leave = [repr(request) not in self._refused for request in requests]
            self._refused.update(map(repr, requests))
        return leave


class ForEver(Leftovers):
    """Some changes are never processed.

    Args:
        sort_keys: Sort keys of those changes.
    """

    def __init__(self, *sort_keys: str) -> None:
        super().__init__(seed=0)
        self.batches = 0
        self._sort_keys = sort_keys

    def leaves(self, requests: list[tuple[str, Any]]) -> list[bool]:
        self.batches += 1
        return [
            any(f"'{sort_key}'" in repr(request) for sort_key in self._sort_keys)
            for _, request in requests
        ]


class Refusals:
    """Replies with an error to requests chosen by seed, in place of the engine.

    Each attempt of a request counts.

    Args:
        names: Names of tables and buckets. They do not affect the choice, so that a seed always
            makes the same one.
        seed: Seed of the choice.
        answers: By service, the pairs of error code and HTTP status to choose from. Status 0
            represents a broken connection.
        writes: The API actions that write.
    """

    TIMES = (0, 0, 0, 0, 1, 1, 1, 2)
    """How often a request is refused. More would use up the retry quota of the SDK."""

    def __init__(
        self,
        names: Sequence[str],
        seed: int,
        answers: Mapping[str, Mapping[str, int]],
        writes: Sequence[str] = WRITES,
    ) -> None:
        self.refused: Counter[str] = Counter()
        self._names = names
        self._seed = seed
        self._answers = answers
        self._writes = writes
        self._attempts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def install(self, session: Any) -> None:
        for event in _events((*READS, *self._writes), (*OBJECT_READS, *OBJECT_WRITES)):
            on(session, event, self._refuse)

    def _refuse(
        self, request: AWSPreparedRequest, event_name: str, **_: object
    ) -> AWSResponse | None:
        asked = self._asked(request, event_name)
        answers = self._answers[event_name.split(".")[1]]
        with self._lock:
            attempt = self._attempts[asked]
            self._attempts[asked] += 1
            chance = random.Random(f"{self._seed} {asked}")  # noqa: S311 - as above
            if attempt >= chance.choice(self.TIMES):
                return None
            code = chance.choice(sorted(answers))
            self.refused[code] += 1
        if not answers[code]:
            raise ConnectionClosedError(endpoint_url=request.url)
        return error_response(request, event_name, code, answers[code])

    def _asked(self, request: AWSPreparedRequest, event_name: str) -> str:
        body: Any = request.body
        if ".dynamodb." in event_name:
            body = {**json.loads(body), "ClientRequestToken": None}
            body = json.dumps(body, sort_keys=True)
        text = f"{event_name} {urlsplit(request.url).path} {body!r}"
        for position, name in enumerate(self._names):
            text = text.replace(name, f"name-{position}")
        return text


class Refusal:
    """Replies with an error to every request of one action, or to the first few.

    Args:
        action: The API action.
        code: The error's code.
        status: The HTTP status.
        times: How often; `None` for always.
        fields: Further fields of the response.
    """

    def __init__(
        self,
        action: str,
        code: str,
        status: int = 400,
        times: int | None = None,
        **fields: object,
    ) -> None:
        self.refused = 0
        self._action = action
        self._code = code
        self._status = status
        self._times = times
        self._fields = fields

    def install(self, session: Any) -> None:
        for event in _events((self._action,), (self._action,)):
            on(session, event, self._refuse)

    def _refuse(
        self, request: AWSPreparedRequest, event_name: str, **_: object
    ) -> AWSResponse | None:
        if self._times is not None and self.refused >= self._times:
            return None
        self.refused += 1
        return error_response(request, event_name, self._code, self._status, **self._fields)


class Answer:
    """Replies to requests of one action with this success response, in place of the engine.

    Args:
        action: The API action.
        body: Body of the response.
        times: How often; `None` for always.
        headers: Headers of the response.
    """

    def __init__(self, action: str, body: bytes, times: int | None = None, **headers: str) -> None:
        self.given = 0
        self._action = action
        self._body = body
        self._times = times
        self._headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def install(self, session: Any) -> None:
        for event in _events((self._action,), (self._action,)):
            on(session, event, self._answer)

    def _answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        if self._times is not None and self.given >= self._times:
            return None
        self.given += 1
        return _answer(request.url, 200, dict(self._headers), self._body)


class LostAnswers:
    """Writes take effect but their responses are lost, on the first attempts of each request.

    Args:
        attempts: How many responses are lost before one arrives; `None` for all of them.
        writes: The API actions that write.
    """

    def __init__(self, attempts: int | None = 1, writes: Sequence[str] = WRITES) -> None:
        self.lost = 0
        self._writes = writes
        self._attempts = attempts
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def install(self, session: Any) -> None:
        for event in _events(self._writes, OBJECT_WRITES):
            on(session, event, self._lose)

    def _lose(self, request: AWSPreparedRequest, **_: object) -> None:
        # The SDK's attempts of a transaction share its token: an equal body is the same request.
        body = f"{request.url} {request.body!r}"
        with self._lock:
            seen = self._seen[body]
            self._seen[body] += 1
        if self._attempts is not None and seen >= self._attempts:
            return
        self.lost += 1
        session = URLLib3Session()
        try:
            session.send(request)
        finally:
            session.close()
        raise ReadTimeoutError(endpoint_url=request.url)


class BrokenDownloads:
    """Objects whose download breaks off in the middle.

    Args:
        times: How many downloads break off; `None` for all of them.
    """

    def __init__(self, times: int | None = None) -> None:
        self.broken = 0
        self._times = times

    def install(self, session: Any) -> None:
        on(session, "after-call.s3.GetObject", self._cut)

    def _cut(self, parsed: dict[str, Any], **_: object) -> None:
        if self._times is None or self.broken < self._times:
            self.broken += 1
            parsed["Body"].close()
            parsed["Body"] = _broken_body(parsed["ContentLength"])


class Replica:
    """Serves eventually consistent reads from copies that lag behind.

    Args:
        tables: The tables.
        lagging: The tables with the copies, of the same schema.
    """

    def __init__(self, tables: Tables, lagging: Tables) -> None:
        self.served = 0
        self._tables = tables
        self._lagging = lagging
        self._names = {
            tables.checkpoints: lagging.checkpoints,
            tables.writes: lagging.writes,
        }

    def install(self, session: Any) -> None:
        for action in READS:
            on(session, f"provide-client-params.dynamodb.{action}", self._redirect)

    def catch_up(self, *which: Table) -> None:
        """Bring all copies up to date, or only those of some tables."""
        client = self._lagging.client
        for table in which or SAVER_TABLES:
            spec = SPECS[table]
            name, then, now = {
                Table.CHECKPOINTS: (
                    self._lagging.checkpoints,
                    self._lagging.checkpoint_items(),
                    self._tables.checkpoint_items(),
                ),
                Table.WRITES: (
                    self._lagging.writes,
                    self._lagging.items_beside(),
                    self._tables.items_beside(),
                ),
            }[table]
            for item in then:
                key = {part: item[part] for part in (spec.partition_key, spec.sort_key)}
                client.delete_item(TableName=name, Key=key)
            for item in now:
                client.put_item(TableName=name, Item=item)

    def _redirect(self, params: Mapping[str, Any], **_: object) -> dict[str, Any] | None:
        if params.get("ConsistentRead", False):
            return None
        self.served += 1
        return {**params, "TableName": self._names[params["TableName"]]}


def _events(actions: Sequence[str], object_actions: Sequence[str]) -> list[str]:
    """The events of sending these requests to DynamoDB and to S3."""
    return [
        *(f"before-send.dynamodb.{action}" for action in actions),
        *(f"before-send.s3.{action}" for action in object_actions),
    ]


def error_response(
    request: AWSPreparedRequest, event_name: str, code: str, status: int, **fields: object
) -> AWSResponse:
    """The service's response for an error."""
    if ".s3." in event_name:
        body = f"<Error><Code>{code}</Code><Message>{code} says no</Message></Error>"
        return _answer(request.url, status, {"content-type": "application/xml"}, body.encode())
    said = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": f"{code} says no"}
    return _response(request.url, status, {**said, **fields})


def _response(url: str, status: int, body: Mapping[str, object]) -> AWSResponse:
    headers = {"x-amzn-requestid": "made-up", "content-type": "application/x-amz-json-1.0"}
    return _answer(url, status, headers, json.dumps(body).encode())


def _answer(url: str, status: int, headers: dict[str, str], body: bytes) -> AWSResponse:
    make: Any = AWSResponse
    if native():
        from aiobotocore.awsrequest import AioAWSResponse

        make = AioAWSResponse
    made: AWSResponse = make(url, status, headers, _Raw(body))
    return made


class _Raw:
    """The body of a response that did not come over a socket."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._body

    async def read(self) -> bytes:
        return self._body


def _broken_body(length: int) -> Any:
    """The body of an object that ends too early."""
    if not native():
        return StreamingBody(io.BytesIO(b"the beginning"), length)
    from aiobotocore.response import StreamingBody as AioStreamingBody

    return AioStreamingBody(_BrokenStream(), length)


class _BrokenStream:
    """What aiohttp returns if the connection ends too early."""

    def __init__(self) -> None:
        self.content = self

    async def read(self, _: int) -> bytes:
        from aiohttp import ClientPayloadError

        raise ClientPayloadError("Response payload is not completed")

    def close(self) -> None:
        """Do nothing: no connection is open."""

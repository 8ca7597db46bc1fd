"""Lambda execution environments as a function sees them: its process and its requests.

Simulates Lambda and the Lambda Web Adapter. The adapter starts the function's handler, waits until
the readiness check is answered, and converts each event to one HTTP request. The conversion follows
the adapter's source, version 1.0.0:
https://github.com/aws/aws-lambda-web-adapter/blob/v1.0.0/src/lib.rs
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from tests.support.engines import free_port
from tests.support.relays import PATIENCE, Relay, running_relay

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.relays import Asked

ROOT = Path(__file__).parent.parent.parent
SOURCE = ROOT / "examples" / "lambda"


def event(
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    user: str | None = "AIDAANN",
    query: str = "",
) -> dict[str, Any]:
    """The event for a request to a function URL: payload format 2.0.

    Args:
        method: HTTP method of the request.
        path: Path of the request.
        body: Body of the request, sent as JSON.
        user: Unique id of the caller that Lambda authenticated; `None` if the URL has no auth.
        query: Query string without the question mark.
    """
    identity = {
        "accessKey": "ASIAEXAMPLE",
        "accountId": "123456789012",
        "callerId": user,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": f"arn:aws:iam::123456789012:user/{user}",
        "userId": user,
    }
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"content-type": "application/json", "host": "abc.lambda-url.us-east-1.on.aws"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc",
            "domainName": "abc.lambda-url.us-east-1.on.aws",
            "domainPrefix": "abc",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "test",
            },
            "requestId": "e1506fd5-9e7b-434f-bd42-4f8fa224b599",
            "routeKey": "$default",
            "stage": "$default",
            "time": "12/Mar/2026:19:03:58 +0000",
            "timeEpoch": 1773342238390,
            **({} if user is None else {"authorizer": {"iam": identity}}),
        },
        "isBase64Encoded": False,
    }
    return made if body is None else {**made, "body": json.dumps(body)}


def said(conversation: str, id_: str, text: str, **caller: Any) -> dict[str, Any]:
    """The event of a message."""
    path = f"/conversations/{conversation}/messages"
    return event("POST", path, {"id": id_, "text": text}, **caller)


def answered(
    conversation: str, question: str, *, approved: bool, reason: str = ""
) -> dict[str, Any]:
    """The event of an answer to a pending question."""
    content = {"question": question, "approved": approved, "reason": reason}
    return event("POST", f"/conversations/{conversation}/answers", content)


def read(conversation: str, **caller: Any) -> dict[str, Any]:
    """The event of a request to read a conversation."""
    return event("GET", f"/conversations/{conversation}", **caller)


def listed(query: str = "", **caller: Any) -> dict[str, Any]:
    """The event of a request to list the caller's conversations."""
    return event("GET", "/conversations", query=query, **caller)


class Answer:
    """The function's streamed response.

    Attributes:
        status: HTTP status of the response.
    """

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self._lines = response.iter_lines()

    def next(self) -> dict[str, Any]:
        """The next line of the response."""
        line: dict[str, Any] = json.loads(next(self._lines))
        return line

    def rest(self) -> list[dict[str, Any]]:
        """All remaining lines."""
        return [json.loads(line) for line in self._lines]


@dataclass(frozen=True)
class Environment:
    """A function that has started.

    Attributes:
        relay: The relay that the function uses as DynamoDB.
        process: The function's process.
        asked_before: The requests to DynamoDB before the first invocation.
    """

    relay: Relay
    process: subprocess.Popen[bytes]
    asked_before: tuple[Asked, ...]
    _client: httpx.Client

    @contextmanager
    def streaming(self, event: Mapping[str, Any]) -> Iterator[Answer]:
        """Invoke the function; yields the response while it streams."""
        context = event["requestContext"]
        headers = {
            **event["headers"],
            # Replaces the value that a client may have sent.
            "x-amzn-request-context": json.dumps(context),
            "x-amzn-lambda-context": json.dumps({"request_id": context["requestId"]}),
        }
        method = context["http"]["method"]
        address = f"{event['rawPath']}?{event['rawQueryString']}".removesuffix("?")
        content = event.get("body")
        with self._client.stream(method, address, headers=headers, content=content) as response:
            yield Answer(response)

    def invoke(self, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Invoke the function; returns all lines of the response."""
        with self.streaming(event) as answer:
            assert answer.status == 200
            return answer.rest()

    def refusal(self, event: Mapping[str, Any]) -> int:
        """The HTTP status with which the function rejects an event."""
        with self.streaming(event) as answer:
            return answer.status

    def freeze(self) -> None:
        """Freeze the process, as Lambda does between invocations."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Thaw the process, as Lambda does before the next invocation."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill the process, as Lambda does on a timeout."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def shut_down(self) -> None:
        """Shut the process down, as Lambda does with an environment it no longer needs."""
        self.process.terminate()
        self.process.wait(PATIENCE)


@contextmanager
def running_environment(
    url: str,
    settings: Mapping[str, Any],
    log: Path,
    folder: Path = SOURCE,
    **variables: str,
) -> Iterator[Environment]:
    """Start the function.

    Args:
        url: Endpoint of the engine.
        settings: Settings of the saver.
        log: File for the output of the process.
        folder: The function's package, or its source.
        **variables: Further environment variables.

    Raises:
        RuntimeError: The process exited before it was ready; the message is its output.
    """
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with running_relay(url) as relay, httpx.Client(base_url=base, timeout=PATIENCE) as client:
        environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "LAMBDA_TASK_ROOT": str(folder),
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL_DYNAMODB": relay.url,
            "AWS_LWA_PORT": str(port),
            "SAVER_SETTINGS": json.dumps(settings),
            **variables,
        }
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own function
                [str(folder / "run.sh")],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait_until_ready(client, process, log)
            yield Environment(relay, process, tuple(relay.asked), client)
        finally:
            process.kill()
            process.wait(PATIENCE)


def _wait_until_ready(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(log.read_text(encoding="utf-8"))
        try:
            if client.get("/health").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.01)
    raise RuntimeError("the function is not ready in time")

"""Checks the bodies of responses before the SDK parses them.

The SDK treats an unreadable body as an empty response, and an empty response to GetItem means that
the item does not exist: a truncated or replaced body would silently roll a conversation back. So an
invalid body is marked, and the body of a response that seems to be empty is kept for a check.

DynamoDB sends a CRC32 of the body. The SDK retries a request whose response does not match it; but
after the last attempt, in its standard retry mode, it returns the response anyway.
"""

from __future__ import annotations

import json
from binascii import crc32
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from langgraph_checkpoint_dynamodb.runners.client import Service

PROBLEM = "langgraph-checkpoint-dynamodb: problem"
"""Key in the SDK's response for what is wrong with its body."""
BODY = "langgraph-checkpoint-dynamodb: body"
"""Key in the SDK's response for its body."""


def check_bodies(client: Any, service: Service) -> None:
    """Check the responses to a client. It must have been created by this package."""
    register = client.meta.events.register
    if service == "dynamodb":
        register("before-parse.dynamodb", _mark(_problem_of_json))
    else:
        register("before-parse.s3.DeleteObjects", _mark(_problem_of_deletion))


def _mark(problem_of: Callable[[Mapping[str, Any]], str | None]) -> Callable[..., None]:
    def mark(
        response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
    ) -> None:
        if response_dict["status_code"] >= 300:
            return
        problem = problem_of(response_dict)
        if problem is None:
            customized_response_dict[BODY] = response_dict["body"]
            return
        customized_response_dict[PROBLEM] = problem
        # The SDK must not fail to parse it: it first decides whether to retry the request.
        response_dict["body"] = b""

    return mark


def _problem_of_json(response: Mapping[str, Any]) -> str | None:
    body, headers = response["body"], response["headers"]
    checksum = headers.get("x-amz-crc32")
    if checksum is not None and str(crc32(body)) != checksum:
        return f"its body does not fit its checksum (x-amz-crc32: {checksum})"
    length = headers.get("content-length")
    if length is not None and str(len(body)) != length:
        return f"its body has {len(body)} bytes where {length} were announced"
    return None if body.lstrip()[:1] == b"{" else "its body is no JSON object"


def _problem_of_deletion(response: Mapping[str, Any]) -> str | None:
    # S3 may report an error in a response with status 200: the SDK handles that.
    known = any(name in response["body"] for name in (b"<DeleteResult", b"<Error"))
    return None if known else "its body is no DeleteResult"


def is_json_object(body: bytes) -> bool:
    """Whether a body is a JSON object, as DynamoDB's are."""
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False

"""Looks at the bodies of replies before the SDK parses them.

The SDK takes a body that it cannot read for an empty reply, and an empty reply to GetItem means
that there is no such item: a body that was cut off or replaced on its way would roll a
conversation back in silence. So a body that cannot be right is marked as such, and the body of a
reply that seems to be empty can be looked at.

DynamoDB sends a CRC of the body. The SDK repeats a request whose reply does not fit it; after its
last attempt, in its standard retry mode, it returns the reply all the same.
"""

from __future__ import annotations

import json
from binascii import crc32
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from langgraph_checkpoint_dynamodb.runners.client import Service

PROBLEM = "langgraph-checkpoint-dynamodb: problem"
"""Key in the SDK's response under which is said what is wrong with its body."""
BODY = "langgraph-checkpoint-dynamodb: body"
"""Key in the SDK's response under which its body is."""


def check_bodies(client: Any, service: Service) -> None:
    """Have the replies to a client checked. It must be one that was made by this package."""
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
        # The SDK shall not stumble over it: it decides first whether to repeat the request.
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
    # S3 may announce success and then report an error: the SDK knows that.
    known = any(name in response["body"] for name in (b"<DeleteResult", b"<Error"))
    return None if known else "its body is no DeleteResult"


def is_json_object(body: bytes) -> bool:
    """Whether a body can be one of DynamoDB's."""
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False

"""The boto3 clients that a saver creates. They never send a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import boto3

from tests.support.values import config

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from mypy_boto3_dynamodb import DynamoDBClient

    from langgraph_checkpoint_dynamodb import DynamoDBSaver

NAMES: dict[str, Any] = {"checkpoints_table_name": "checkpoints", "writes_table_name": "writes"}
UNROUTABLE = "http://192.0.2.1:9"
"""An address in a network for documentation only (RFC 5737)."""


def first_client(saver: DynamoDBSaver, monkeypatch: pytest.MonkeyPatch) -> DynamoDBClient:
    """The client that a saver creates on its first call; it never sends a request."""
    made = clients_made_by(lambda: saver.get_tuple(config("thread")), monkeypatch)
    assert made.keys() == {"dynamodb"}
    return cast("DynamoDBClient", made["dynamodb"])


def clients_made_by(call: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The clients created during a call, by service; they never send a request."""
    made: list[Any] = []
    original = boto3.Session.client

    def client(self: boto3.Session, *args: Any, **kwargs: Any) -> Any:
        new = original(self, *args, **kwargs)
        new.meta.events.register(
            "before-call", lambda **_: (EmptyReply(), {"Items": [], "ETag": "e"})
        )
        made.append(new)
        return new

    with monkeypatch.context() as patch:
        patch.setattr(boto3.Session, "client", client)
        call()
    by_service = {each.meta.service_model.service_name: each for each in made}
    assert len(by_service) == len(made)
    return by_service


class EmptyReply:
    """The fields of a response that botocore reads."""

    status_code = 200
    headers: dict[str, str] = {}  # noqa: RUF012 - empty, and only read


def config_field(client: DynamoDBClient, name: str) -> Any:
    """An effective setting that botocore's type stubs do not declare."""
    return getattr(client.meta.config, name)


def signed_by(client: DynamoDBClient) -> str:
    """The access key that the client signs with."""
    return str(cast("Any", client)._request_signer._credentials.access_key)

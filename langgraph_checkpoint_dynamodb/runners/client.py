"""Making a DynamoDB client: lazily, once, with settings fit for a checkpointer."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from langgraph_checkpoint_dynamodb.errors import SaverClosedError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from langgraph_checkpoint_dynamodb.settings import ClientSettings, Settings

MAX_CONCURRENCY = 32
"""Requests in flight at once where nothing else is said, and the size of the connection pool."""
_ATTEMPTS = 10
"""Attempts of botocore's standard mode, with up to 20 seconds between two of them."""
_CONNECT_SECONDS = 5
_READ_SECONDS = 15
"""Botocore waits 60 seconds for each, longer than many Lambda functions may run."""


def concurrency(settings: Settings) -> int:
    """Requests in flight at once: as asked for, else as many as the client has connections."""
    if settings.max_concurrency is not None:
        return settings.max_concurrency
    if settings.client.client is not None:
        return _pool_size(settings.client.client.meta.config)
    return _pool_size(_merged({"max_pool_connections": MAX_CONCURRENCY}, settings.client))


def client_config(settings: Settings) -> Config:
    """Botocore settings: the saver's own, and over them every one the user gave.

    Retries follow `AWS_RETRY_MODE` and `AWS_MAX_ATTEMPTS` where either is set.
    """
    defaults: dict[str, Any] = {
        "connect_timeout": _CONNECT_SECONDS,
        "read_timeout": _READ_SECONDS,
        "tcp_keepalive": True,
        "max_pool_connections": concurrency(settings),
        "user_agent_extra": "lib/langgraph-checkpoint-dynamodb",
    }
    if not {"AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS"} & os.environ.keys():
        defaults["retries"] = {"mode": "standard", "total_max_attempts": _ATTEMPTS}
    return _merged(defaults, settings.client)


class ClientHolder:
    """The one client of a saver and of all its clones, made at its first use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._client: DynamoDBClient | None = settings.client.client
        self._closed = False

    def get(self) -> DynamoDBClient:
        """The client.

        Raises:
            SaverClosedError: The saver was closed.
        """
        if self._closed:
            raise SaverClosedError
        if self._client is None:
            # Making clients is not thread-safe in boto3.
            with self._lock:
                if self._client is None:
                    self._client = self._make()
        return self._client

    def close(self) -> None:
        """Close the client if it was made here. Can be repeated."""
        self._closed = True
        with self._lock:
            client, self._client = self._client, None
        if client is not None and client is not self._settings.client.client:
            client.close()

    def _make(self) -> DynamoDBClient:
        given = self._settings.client
        # A session of its own: boto3's default one is shared with threads we do not know.
        session = given.session if given.session is not None else boto3.Session()
        arguments = {**given.arguments, "config": client_config(self._settings)}
        return session.client("dynamodb", **arguments)


def _merged(defaults: dict[str, Any], given: ClientSettings) -> Config:
    config = Config(**defaults)
    own = given.arguments.get("config")
    return config if own is None else config.merge(own)


def _pool_size(config: Config) -> int:
    size: int = vars(config)["max_pool_connections"]
    return size

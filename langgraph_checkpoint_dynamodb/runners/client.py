"""Creates boto3 clients: lazily, once, with settings suited to a checkpointer."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import boto3
from botocore.config import Config

from langgraph_checkpoint_dynamodb.errors import SaverClosedError
from langgraph_checkpoint_dynamodb.runners.bodies import check_bodies
from langgraph_checkpoint_dynamodb.runners.observed import listen

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.settings.client import ClientSettings, RunnerSettings

Service: TypeAlias = Literal["dynamodb", "s3"]

MAX_CONCURRENCY = 32
"""Default number of requests in flight, and default size of the connection pool."""
_ATTEMPTS = 10
"""Attempts of botocore's standard mode, with up to 20 seconds between two of them."""
_CONNECT_SECONDS = 5
_READ_SECONDS = 15
"""Botocore waits 60 seconds for each, longer than many Lambda functions may run."""


def services(settings: RunnerSettings) -> tuple[Service, ...]:
    """The services that a saver calls."""
    return ("dynamodb", "s3") if settings.uses_s3 else ("dynamodb",)


def concurrency(settings: RunnerSettings) -> int:
    """Maximum number of requests in flight: as configured, else the client's connections."""
    if settings.max_concurrency is not None:
        return settings.max_concurrency
    if settings.client.client is not None:
        return _pool_size(settings.client.client.meta.config)
    return _pool_size(_merged({"max_pool_connections": MAX_CONCURRENCY}, settings.client))


def client_config(settings: RunnerSettings, service: Service = "dynamodb") -> Config:
    """Botocore settings: the saver's defaults, overridden by each setting of the user.

    Retries follow `AWS_RETRY_MODE` and `AWS_MAX_ATTEMPTS` if either is set.
    """
    defaults: dict[str, Any] = {
        "connect_timeout": _CONNECT_SECONDS,
        "read_timeout": _READ_SECONDS,
        "tcp_keepalive": True,
        "max_pool_connections": concurrency(settings),
        "user_agent_extra": "lib/langgraph-checkpoint-dynamodb",
        # The values of requests have been checked already.
        "parameter_validation": False,
    }
    if not {"AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS"} & os.environ.keys():
        defaults["retries"] = {"mode": "standard", "total_max_attempts": _ATTEMPTS}
    if service == "s3":
        # Objects carry a digest of this package, and S3-compatible engines may reject the SDK's.
        defaults["request_checksum_calculation"] = "when_required"
        defaults["response_checksum_validation"] = "when_required"
    return _merged(defaults, settings.client)


def client_arguments(settings: RunnerSettings, service: Service) -> dict[str, Any]:
    """The keyword arguments to create a client with."""
    given = settings.client
    arguments = given.arguments if service == "dynamodb" else given.s3_arguments
    return {**arguments, "config": client_config(settings, service)}


def add_handlers(client: Any, service: Service, settings: RunnerSettings) -> None:
    """Check the replies to a client and, for an observer, record its attempts.

    Not for a client that was passed in, which the saver must not change.
    """
    check_bodies(client, service)
    if settings.on_request is not None:
        listen(client, service)


class ClientHolder:
    """The clients of a saver and of its clones in one process, each created at its first use.

    Args:
        settings: The saver's settings.
        forked: Whether this process was forked from the one that created the saver. The
            connections of clients that were passed in are then the parent's.
    """

    def __init__(self, settings: RunnerSettings, *, forked: bool = False) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._given: dict[Service, Any] = {
            "dynamodb": settings.client.client,
            "s3": settings.client.s3_client,
        }
        self._clients = {} if forked else {s: c for s, c in self._given.items() if c is not None}
        self._closed = False

    def get(self, service: Service) -> Any:
        """The client for a service.

        Raises:
            SaverClosedError: The saver was closed.
        """
        if self._closed:
            raise SaverClosedError
        client = self._clients.get(service)
        if client is None:
            # Creating clients is not thread-safe in boto3.
            with self._lock:
                client = self._clients.get(service)
                if client is None:
                    client = self._clients[service] = self._make(service)
        return client

    def close(self) -> None:
        """Close the clients that were created here. Can be repeated."""
        self._closed = True
        with self._lock:
            clients, self._clients = self._clients, {}
        for service, client in clients.items():
            if client is not self._given[service]:
                client.close()

    def _make(self, service: Service) -> Any:
        client = self._given[service]
        if client is not None:
            # After a fork: closed, it opens connections of its own.
            client.close()
            return client
        # A session of its own: boto3's default session is shared with threads of the application.
        given = self._settings.client.session
        session = given if given is not None else boto3.Session()
        # The stubs have one overload for each literal service name.
        create: Any = session.client
        client = create(service, **client_arguments(self._settings, service))
        add_handlers(client, service, self._settings)
        return client


def _merged(defaults: dict[str, Any], given: ClientSettings) -> Config:
    own = given.arguments.get("config")
    # aiobotocore's configs have fields that botocore's do not know.
    return Config(**defaults) if own is None else type(own)(**defaults).merge(own)


def _pool_size(config: Config) -> int:
    size: int = vars(config)["max_pool_connections"]
    return size

"""How clients are created, and the settings a runner needs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, InvalidInputTypeError

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

    from langgraph_checkpoint_dynamodb.format.tables import Table
    from langgraph_checkpoint_dynamodb.watching.observing import OnRequest

_JAVASCRIPT_CREDENTIALS = MappingProxyType(
    {
        "accessKeyId": "aws_access_key_id",
        "secretAccessKey": "aws_secret_access_key",
        "sessionToken": "aws_session_token",
    }
)

_CREDENTIALS = "credentials"
"""The credentials argument of the AWS SDK for JavaScript, version 3."""

_JAVASCRIPT_NAMES = MappingProxyType(
    {
        "region": "region_name",
        "endpoint": "endpoint_url",
        **_JAVASCRIPT_CREDENTIALS,
    }
)

_BOTO3_NAMES = frozenset(
    {
        "region_name",
        "api_version",
        "use_ssl",
        "verify",
        "endpoint_url",
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
        "config",
    }
)

_AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws")
"""Suffixes of the hosts of AWS's own endpoints."""


@dataclass(frozen=True, kw_only=True, repr=False)
class ClientSettings:
    """How the client is created or provided. At most one of the three ways may be used.

    Its `repr` names the given fields without values: keys, sessions and endpoints may be secret.

    Attributes:
        client: An existing client; the saver neither changes nor closes it.
        session: Session to create the client from, with `region_name`, `endpoint_url` and
            `boto_config`.
        region_name: AWS region.
        endpoint_url: Endpoint, for local engines and VPC endpoints.
        boto_config: Botocore settings; each given field overrides the saver's default.
        client_config: Arguments of `boto3.client`, by boto3's names or those of the JavaScript
            port.
        s3_client: An existing client for S3; the saver neither changes nor closes it. By default a
            client is created from the same session and settings, at its first use.
        s3_endpoint_url: Endpoint of the client for S3.

    Raises:
        InvalidInputError: Two ways are combined, or `client_config` has an unknown name.
    """

    client: DynamoDBClient | None = None
    session: boto3.Session | None = None
    region_name: str | None = None
    endpoint_url: str | None = None
    boto_config: Config | None = None
    client_config: Mapping[str, Any] | None = None
    s3_client: S3Client | None = None
    s3_endpoint_url: str | None = None

    def __post_init__(self) -> None:
        parts = {
            "session": self.session,
            "region_name": self.region_name,
            "endpoint_url": self.endpoint_url,
            "boto_config": self.boto_config,
        }
        given = [name for name, value in parts.items() if value is not None]
        ways = [
            *(["client"] if self.client is not None else []),
            *([" and ".join(given)] if given else []),
            *(["client_config"] if self.client_config is not None else []),
        ]
        if len(ways) > 1:
            raise InvalidInputError(
                "client",
                f"got {', '.join(ways)}; pass one of: client=, or session=/region_name=/"
                "endpoint_url=/boto_config=, or client_config=",
            )
        if self.client_config is not None:
            object.__setattr__(self, "client_config", _boto3_arguments(self.client_config))

    def __repr__(self) -> str:
        given = (one.name for one in fields(self) if getattr(self, one.name) is not None)
        return f"{type(self).__name__}({', '.join(f'{name}=...' for name in given)})"

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments for `Session.client`, including the user's botocore settings (`config`)."""
        if self.client_config is not None:
            return dict(self.client_config)
        named = {
            "region_name": self.region_name,
            "endpoint_url": self.endpoint_url,
            "config": self.boto_config,
        }
        return {name: value for name, value in named.items() if value is not None}

    @property
    def s3_arguments(self) -> dict[str, Any]:
        """Arguments for the S3 client: the same, except for the endpoint.

        A local engine has one endpoint for all services, and tests on it must not reach AWS. AWS's
        own endpoints serve one service each. `AWS_ENDPOINT_URL_S3` takes precedence.
        """
        arguments = {
            name: value
            for name, value in self.arguments.items()
            if name not in ("endpoint_url", "api_version")
        }
        if self.client is not None:
            arguments["region_name"] = self.client.meta.region_name
        if self.s3_endpoint_url is not None:
            arguments["endpoint_url"] = self.s3_endpoint_url
        elif self._local_endpoint is not None and "AWS_ENDPOINT_URL_S3" not in os.environ:
            arguments["endpoint_url"] = self._local_endpoint
        return arguments

    @property
    def _local_endpoint(self) -> str | None:
        """The given endpoint of DynamoDB, if it is not AWS's."""
        url = self.arguments.get("endpoint_url")
        if self.client is not None:
            url = self.client.meta.endpoint_url
        if url is None or (urlsplit(url).hostname or "").endswith(_AWS_DOMAINS):
            return None
        return str(url)


class RunnerSettings(Protocol):
    """The settings a runner needs: the tables, and how to connect to them."""

    @property
    def client(self) -> ClientSettings:
        """How the client is created or provided."""

    @property
    def max_concurrency(self) -> int | None:
        """Maximum number of requests in flight; `None` for the client's connections."""

    @property
    def uses_s3(self) -> bool:
        """Whether values may be in S3."""

    @property
    def on_request(self) -> OnRequest | None:
        """Called with each request."""

    @property
    def table_names(self) -> Mapping[Table, str]:
        """Name of each table."""


def _boto3_arguments(client_config: object) -> Mapping[str, Any]:
    if not isinstance(client_config, Mapping):
        raise InvalidInputTypeError(
            "client_config", f"must be a mapping, got {type(client_config).__name__}"
        )
    arguments: dict[str, Any] = {}
    for name, value in _flat(client_config):
        argument = _JAVASCRIPT_NAMES.get(name, name)
        if argument not in _BOTO3_NAMES:
            known = ", ".join(sorted({*_BOTO3_NAMES, *_JAVASCRIPT_NAMES, _CREDENTIALS}))
            raise InvalidInputError("client_config", f"unknown name {name!r}; known are: {known}")
        if argument in arguments:
            raise InvalidInputError("client_config", f"{argument} is given by both of its names")
        arguments[argument] = value
    return MappingProxyType(arguments)


def _flat(client_config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names and values, with `credentials` replaced by its contents."""
    for name, value in client_config.items():
        if name != _CREDENTIALS:
            yield name, value
            continue
        if not isinstance(value, Mapping):
            raise InvalidInputTypeError(
                "client_config", f"{name} must be a mapping, got {type(value).__name__}"
            )
        unknown = value.keys() - _JAVASCRIPT_CREDENTIALS
        if unknown:
            raise InvalidInputError(
                "client_config",
                f"unknown names in {name}: {', '.join(sorted(map(repr, unknown)))}; known are: "
                f"{', '.join(_JAVASCRIPT_CREDENTIALS)}",
            )
        yield from value.items()

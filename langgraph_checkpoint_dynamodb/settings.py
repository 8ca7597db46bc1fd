"""A saver's settings: frozen, checked when made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, InvalidInputTypeError
from langgraph_checkpoint_dynamodb.keys import Table

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config
    from mypy_boto3_dynamodb import DynamoDBClient

_JAVASCRIPT_NAMES = MappingProxyType(
    {
        "region": "region_name",
        "accessKeyId": "aws_access_key_id",
        "secretAccessKey": "aws_secret_access_key",
        "sessionToken": "aws_session_token",
        "endpoint": "endpoint_url",
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
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html;
# an ARN in place of a name reaches a table of another account.
_TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}|arn:[^\s]{1,1019}")
_INDEX_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")


@dataclass(frozen=True, kw_only=True)
class ClientSettings:
    """Where the client comes from. At most one of the three ways may be used.

    Attributes:
        client: A ready client; the saver neither changes nor closes it.
        session: Session to make the client from, with `region_name`, `endpoint_url` and
            `boto_config`.
        region_name: AWS region.
        endpoint_url: Endpoint, for local engines and VPC endpoints.
        boto_config: Botocore settings; every field given wins over the saver's own default.
        client_config: Arguments of `boto3.client`, by boto3's names or those of the JavaScript
            port.

    Raises:
        InvalidInputError: Two ways are mixed, or `client_config` has an unknown name.
    """

    client: DynamoDBClient | None = None
    session: boto3.Session | None = None
    region_name: str | None = None
    endpoint_url: str | None = None
    boto_config: Config | None = None
    client_config: Mapping[str, Any] | None = None

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

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments for `Session.client`, the user's botocore settings (`config`) among them."""
        if self.client_config is not None:
            return dict(self.client_config)
        named = {
            "region_name": self.region_name,
            "endpoint_url": self.endpoint_url,
            "config": self.boto_config,
        }
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything a saver is configured with.

    Attributes:
        checkpoints_table_name: Name or ARN of the table of checkpoints.
        writes_table_name: Name or ARN of the table of pending writes.
        client: Where the client comes from.
        consistent_reads: Whether the reads that a run resumes from are strongly consistent.
        max_concurrency: Most requests in flight at once, from 1; `None` for as many as the client
            has connections.
        run_id_index: Name of the index on `run_id`, `None` where there is none.

    Raises:
        InvalidInputError: A value cannot be used; the message names it.
    """

    checkpoints_table_name: str
    writes_table_name: str
    client: ClientSettings
    consistent_reads: bool = True
    max_concurrency: int | None = None
    run_id_index: str | None = None

    def __post_init__(self) -> None:
        _require_name("checkpoints_table_name", self.checkpoints_table_name, _TABLE_NAME)
        _require_name("writes_table_name", self.writes_table_name, _TABLE_NAME)
        if self.checkpoints_table_name == self.writes_table_name:
            raise InvalidInputError(
                "writes_table_name", "must differ from checkpoints_table_name; their keys differ"
            )
        if self.run_id_index is not None:
            _require_name("run_id_index", self.run_id_index, _INDEX_NAME)
        _require_bool("consistent_reads", self.consistent_reads)
        if self.max_concurrency is not None:
            _require_positive("max_concurrency", self.max_concurrency)

    @property
    def table_names(self) -> dict[Table, str]:
        """Name of each table."""
        return {
            Table.CHECKPOINTS: self.checkpoints_table_name,
            Table.WRITES: self.writes_table_name,
        }


def _boto3_arguments(client_config: object) -> Mapping[str, Any]:
    if not isinstance(client_config, Mapping):
        raise InvalidInputTypeError(
            "client_config", f"must be a mapping, got {type(client_config).__name__}"
        )
    arguments: dict[str, Any] = {}
    for name, value in client_config.items():
        argument = _JAVASCRIPT_NAMES.get(name, name)
        if argument not in _BOTO3_NAMES:
            known = ", ".join(sorted({*_BOTO3_NAMES, *_JAVASCRIPT_NAMES}))
            raise InvalidInputError("client_config", f"unknown name {name!r}; known are: {known}")
        if argument in arguments:
            raise InvalidInputError("client_config", f"{argument} is given by both of its names")
        arguments[argument] = value
    return MappingProxyType(arguments)


def _require_name(field: str, value: object, pattern: re.Pattern[str]) -> None:
    if not isinstance(value, str):
        raise InvalidInputTypeError(field, f"must be a string, got {type(value).__name__}")
    if not pattern.fullmatch(value):
        raise InvalidInputError(
            field,
            f"{value!r} is no valid name: 3 to 255 characters of a-z, A-Z, 0-9, '_', '-' and '.'",
        )


def _require_bool(field: str, value: object) -> None:
    if not isinstance(value, bool):
        raise InvalidInputTypeError(field, f"must be a bool, got {type(value).__name__}")


def _require_positive(field: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidInputTypeError(field, f"must be an int, got {type(value).__name__}")
    if value < 1:
        raise InvalidInputError(field, f"must be at least 1, got {value}")

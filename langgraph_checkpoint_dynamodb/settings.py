"""A saver's settings: frozen, checked when made."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from inspect import iscoroutinefunction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypedDict
from urllib.parse import urlsplit

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, InvalidInputTypeError
from langgraph_checkpoint_dynamodb.format.tables import IndexSpec, Table, run_index, thread_index
from langgraph_checkpoint_dynamodb.ops.memory import MEMORY_BYTES
from langgraph_checkpoint_dynamodb.payloads.compression import (
    CODECS,
    Codec,
    MissingCodecError,
    require_codec,
)
from langgraph_checkpoint_dynamodb.payloads.differences import WHOLE_BYTES
from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy, S3Policy

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

    from langgraph_checkpoint_dynamodb.watching.observing import OnRequest

_JAVASCRIPT_CREDENTIALS = MappingProxyType(
    {
        "accessKeyId": "aws_access_key_id",
        "secretAccessKey": "aws_secret_access_key",
        "sessionToken": "aws_session_token",
    }
)
_CREDENTIALS = "credentials"
"""What the AWS SDK for JavaScript, version 3, takes them within."""
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
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html;
# an ARN in place of a name reaches a table of another account.
TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}|arn:[^\s]{1,1019}")
_INDEX_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, or the ARN of an
# access point.
_BUCKET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}|arn:[^\s]{1,1019}")

_AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws")
"""What the hosts of AWS's own endpoints end with."""

INCREMENTAL = "incremental"
"""What compression is called where checkpoints are stored as differences from earlier states."""
_S3_THRESHOLD_BYTES = 350 * 1024
"""Values above this go to S3 where a bucket is configured: what langgraph-checkpoint-aws does."""
_KEY_PREFIX = "langgraph-checkpoints/"
_LONGEST_LIFE = 1000 * 366 * 24 * 60 * 60
"""Seconds of a thousand years."""
_LONGEST_PREFIX = 512
"""Bytes of a key prefix: it leaves room for the rest of a key within S3's 1,024."""


class S3OffloadConfig(TypedDict, total=False):
    """Where large values go in S3.

    Attributes:
        bucket_name: The bucket. Required.
        key_prefix: What every key begins with; a slash is added where it is missing. Default:
            `"langgraph-checkpoints/"`.
        endpoint_url: Endpoint of S3, for local engines and VPC endpoints. Default:
            `AWS_ENDPOINT_URL_S3`; else the saver's `endpoint_url`, unless that is one of AWS's.
        threshold_bytes: Values of more bytes, after compression, go to S3; at least 0. Default:
            358,400 (350 KB).
        former_bucket_names: Buckets that values went to before. They are read and deleted there.
            Objects in any other bucket are left alone, whatever an item says.
    """

    bucket_name: str
    key_prefix: str
    endpoint_url: str
    threshold_bytes: int
    former_bucket_names: Sequence[str]


@dataclass(frozen=True, kw_only=True, repr=False)
class ClientSettings:
    """Where the client comes from. At most one of the three ways may be used.

    Shown, it names what was given and no value: keys, sessions and endpoints may hold secrets.

    Attributes:
        client: A ready client; the saver neither changes nor closes it.
        session: Session to make the client from, with `region_name`, `endpoint_url` and
            `boto_config`.
        region_name: AWS region.
        endpoint_url: Endpoint, for local engines and VPC endpoints.
        boto_config: Botocore settings; every field given wins over the saver's own default.
        client_config: Arguments of `boto3.client`, by boto3's names or those of the JavaScript
            port.
        s3_client: A ready client for S3; the saver neither changes nor closes it. Without it one is
            made from the same session and settings, at its first use.
        s3_endpoint_url: Endpoint of the client for S3.

    Raises:
        InvalidInputError: Two ways are mixed, or `client_config` has an unknown name.
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
        """Arguments for `Session.client`, the user's botocore settings (`config`) among them."""
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
        """The same for the client for S3, but for the endpoint.

        A local engine has one endpoint for all, and what is tried on it must not end up in AWS.
        Those of AWS itself are of one service each, and `AWS_ENDPOINT_URL_S3` has its say first.
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
        """The endpoint of DynamoDB that was given, where it is none of AWS's."""
        url = self.arguments.get("endpoint_url")
        if self.client is not None:
            url = self.client.meta.endpoint_url
        if url is None or (urlsplit(url).hostname or "").endswith(_AWS_DOMAINS):
            return None
        return str(url)


class RunnerSettings(Protocol):
    """What a runner needs to know: the tables, and how to reach them."""

    @property
    def client(self) -> ClientSettings:
        """Where the client comes from."""

    @property
    def max_concurrency(self) -> int | None:
        """Most requests in flight at once; `None` for as many as the client has connections."""

    @property
    def uses_s3(self) -> bool:
        """Whether values may be in S3."""

    @property
    def on_request(self) -> OnRequest | None:
        """Whom to tell of each request."""

    @property
    def table_names(self) -> Mapping[Table, str]:
        """Name of each table."""


@dataclass(frozen=True)
class ThreadIndex:
    """That threads are listed, and whom they belong to.

    Attributes:
        owner: The key of a run's `configurable` or metadata that names the owner of its thread, a
            text of 1 to 2,048 bytes; an integer or a UUID stands for its text. A thread whose runs
            name none is listed under none.
        index_name: Name of the index on the checkpoints table, which `setup()` makes.
    """

    owner: str
    index_name: str = "by-owner"

    def __post_init__(self) -> None:
        owner: object = self.owner
        if not isinstance(owner, str) or not owner:
            raise InvalidInputError("thread_index.owner", f"must name a key, got {owner!r}")
        require_name("thread_index.index_name", self.index_name, _INDEX_NAME)


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
        ttl_seconds: How long a checkpoint lives, from 1; `None` for ever.
        payloads: How values are stored.
        memory_bytes: How much is remembered of the threads that are served; 0 for nothing.
        thread_index: How threads are listed; `None` for not at all.
        on_conflict: What becomes of a run whose thread another run has moved on: `"fork"` lets both
            go on, `"raise"` ends it.
        clock: Tells the time, in seconds since the epoch.
        on_request: Is told of each request; `None` for nobody.
        observe_threads: Whether it may know which thread a request is about.

    Raises:
        InvalidInputError: A value cannot be used; the message names it.
    """

    checkpoints_table_name: str
    writes_table_name: str
    client: ClientSettings
    consistent_reads: bool = True
    max_concurrency: int | None = None
    run_id_index: str | None = None
    ttl_seconds: int | None = None
    payloads: PayloadPolicy = field(default_factory=PayloadPolicy)
    memory_bytes: int = MEMORY_BYTES
    thread_index: ThreadIndex | None = None
    on_conflict: str = "fork"
    clock: Callable[[], float] = time.time
    on_request: OnRequest | None = None
    observe_threads: bool = False

    def __post_init__(self) -> None:
        require_name("checkpoints_table_name", self.checkpoints_table_name, TABLE_NAME)
        require_name("writes_table_name", self.writes_table_name, TABLE_NAME)
        if self.checkpoints_table_name == self.writes_table_name:
            raise InvalidInputError(
                "writes_table_name", "must differ from checkpoints_table_name; their keys differ"
            )
        if self.run_id_index is not None:
            require_name("run_id_index", self.run_id_index, _INDEX_NAME)
        require_bool("consistent_reads", self.consistent_reads)
        if self.max_concurrency is not None:
            require_positive("max_concurrency", self.max_concurrency)
        require_number("memory_bytes", self.memory_bytes, at_least=0)
        self._require_threads()
        self._require_fence()
        require_observer(self.on_request)
        require_bool("observe_threads", self.observe_threads)
        if self.ttl_seconds is not None:
            require_positive("ttl_seconds", self.ttl_seconds)
            if self.ttl_seconds > _LONGEST_LIFE:
                raise InvalidInputError(
                    "ttl_seconds", f"must be at most {_LONGEST_LIFE}; leave it out to keep for ever"
                )

    def _require_threads(self) -> None:
        index = self.thread_index
        if index is not None and index.index_name == self.run_id_index:
            raise InvalidInputError("thread_index.index_name", "must differ from run_id_index")

    def _require_fence(self) -> None:
        if self.on_conflict not in ("fork", "raise"):
            raise InvalidInputError(
                "on_conflict", f'must be "fork" or "raise", got {self.on_conflict!r}'
            )
        if self.fences and not self.memory_bytes:
            raise InvalidInputError(
                "memory_bytes",
                'must be more than 0 with on_conflict="raise", which remembers what may be forked',
            )

    @property
    def fences(self) -> bool:
        """Whether a run may only go on from what its thread has come to."""
        return self.on_conflict == "raise"

    @property
    def indexes(self) -> tuple[IndexSpec, ...]:
        """The indexes on the checkpoints table."""
        runs = [] if self.run_id_index is None else [run_index(self.run_id_index)]
        threads = [] if self.thread_index is None else [thread_index(self.thread_index.index_name)]
        return (*runs, *threads)

    @property
    def table_names(self) -> dict[Table, str]:
        """Name of each table."""
        return {
            Table.CHECKPOINTS: self.checkpoints_table_name,
            Table.WRITES: self.writes_table_name,
        }

    @property
    def uses_s3(self) -> bool:
        """Whether a bucket is known."""
        return self.payloads.s3 is not None


def read_thread_index(given: object) -> ThreadIndex | None:
    """How threads are listed, from what the user says: as JSON has it, too.

    Raises:
        InvalidInputError: It cannot be used; the message names the field.
    """
    if given is None or isinstance(given, ThreadIndex):
        return given
    if not isinstance(given, Mapping):
        raise InvalidInputTypeError(
            "thread_index", f"must be a ThreadIndex or a mapping, got {type(given).__name__}"
        )
    known = [one.name for one in fields(ThreadIndex)]
    unknown = sorted(map(repr, given.keys() - set(known)))
    if unknown:
        raise InvalidInputError(
            "thread_index", f"unknown names {', '.join(unknown)}; known are: {', '.join(known)}"
        )
    if "owner" not in given:
        raise InvalidInputError("thread_index.owner", "is missing; it must name a key")
    return ThreadIndex(**given)


def payload_policy(
    *,
    compression: str | None,
    s3_offload_config: object,
    max_value_bytes: int,
    key_prefix: str = _KEY_PREFIX,
) -> PayloadPolicy:
    """How values are stored, from what the user says.

    Args:
        compression: What to compress with; `None` for nothing.
        s3_offload_config: A mapping of `S3OffloadConfig`; `None` for no S3.
        max_value_bytes: Largest serialized value.
        key_prefix: What the keys of objects begin with where the mapping does not say.

    Raises:
        InvalidInputError: A setting cannot be used; the message names it.
    """
    require_positive("max_value_bytes", max_value_bytes)
    incremental = compression == INCREMENTAL
    return PayloadPolicy(
        compression=_codec("zstd" if incremental else compression),
        incremental=incremental,
        whole_bytes=WHOLE_BYTES,
        s3=None if s3_offload_config is None else _s3_policy(s3_offload_config, key_prefix),
        max_value_bytes=max_value_bytes,
    )


def s3_endpoint_url(s3_offload_config: object) -> str | None:
    """The endpoint of S3 that the user names, if any."""
    if not isinstance(s3_offload_config, Mapping):
        return None
    url = s3_offload_config.get("endpoint_url")
    if url is not None and not isinstance(url, str):
        raise InvalidInputTypeError(
            "s3_offload_config.endpoint_url", f"must be a string, got {type(url).__name__}"
        )
    return url


def _codec(compression: object) -> Codec | None:
    if compression is None:
        return None
    for codec in CODECS:
        if compression == codec:
            try:
                require_codec(codec)
            except MissingCodecError as error:
                raise InvalidInputError("compression", str(error)) from error
            return codec
    known = ", ".join(map(repr, (*CODECS, INCREMENTAL)))
    raise InvalidInputError("compression", f"must be None or one of {known}, got {compression!r}")


def _s3_policy(config: object, key_prefix: str) -> S3Policy:
    if not isinstance(config, Mapping):
        raise InvalidInputTypeError(
            "s3_offload_config", f"must be a mapping, got {type(config).__name__}"
        )
    unknown = sorted(map(repr, config.keys() - S3OffloadConfig.__annotations__.keys()))
    if unknown:
        known = ", ".join(S3OffloadConfig.__annotations__)
        raise InvalidInputError(
            "s3_offload_config", f"unknown names {', '.join(unknown)}; known are: {known}"
        )
    bucket = require_bucket("s3_offload_config.bucket_name", config.get("bucket_name"))
    former_names = "s3_offload_config.former_bucket_names"
    former = config.get("former_bucket_names", ())
    if isinstance(former, str) or not isinstance(former, Sequence):
        raise InvalidInputTypeError(
            former_names, f"must be a list of names, got {type(former).__name__}"
        )
    threshold = config.get("threshold_bytes", _S3_THRESHOLD_BYTES)
    require_number("s3_offload_config.threshold_bytes", threshold, at_least=0)
    prefix = config.get("key_prefix", key_prefix)
    return S3Policy(
        bucket,
        _key_prefix(prefix),
        threshold,
        tuple(require_bucket(former_names, name) for name in former),
    )


def require_bucket(field_name: str, name: object) -> str:
    """The name of a bucket.

    Raises:
        InvalidInputError: It can be none.
    """
    if not isinstance(name, str):
        raise InvalidInputTypeError(field_name, f"must be a string, got {type(name).__name__}")
    if not _BUCKET_NAME.fullmatch(name):
        raise InvalidInputError(field_name, f"{name!r} is no name of a bucket")
    return name


def _key_prefix(prefix: object) -> str:
    field_name = "s3_offload_config.key_prefix"
    if not isinstance(prefix, str):
        raise InvalidInputTypeError(field_name, f"must be a string, got {type(prefix).__name__}")
    if not re.fullmatch(r"(?:[A-Za-z0-9!_.*'()=-]+(?:/|$))*", prefix) or re.search(
        r"(?:^|/)\.{1,2}(?:/|$)", prefix
    ):
        raise InvalidInputError(
            field_name, f"{prefix!r} must consist of names of safe characters between single '/'"
        )
    if len(prefix) > _LONGEST_PREFIX:
        raise InvalidInputError(field_name, f"has {len(prefix)} bytes, at most {_LONGEST_PREFIX}")
    return prefix if not prefix or prefix.endswith("/") else f"{prefix}/"


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
    """Names and values, those of `credentials` in their place."""
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


def require_observer(on_request: object) -> None:
    """Check that requests can be told to somebody.

    Raises:
        InvalidInputTypeError: It is no plain function.
    """
    if on_request is None:
        return
    if not callable(on_request):
        raise InvalidInputTypeError(
            "on_request", f"must be a function of one argument, got {type(on_request).__name__}"
        )
    if iscoroutinefunction(on_request):
        raise InvalidInputTypeError(
            "on_request", "must be a plain function: nobody awaits what it returns"
        )


def require_name(field: str, value: object, pattern: re.Pattern[str]) -> None:
    """Check that a value is a name of that form.

    Raises:
        InvalidInputError: It is not.
    """
    if not isinstance(value, str):
        raise InvalidInputTypeError(field, f"must be a string, got {type(value).__name__}")
    if not pattern.fullmatch(value):
        raise InvalidInputError(
            field,
            f"{value!r} is no valid name: 3 to 255 characters of a-z, A-Z, 0-9, '_', '-' and '.'",
        )


def require_bool(field: str, value: object) -> None:
    """Check that a value is a bool."""
    if not isinstance(value, bool):
        raise InvalidInputTypeError(field, f"must be a bool, got {type(value).__name__}")


def require_positive(field: str, value: object) -> None:
    """Check that a value is a whole number from 1 on."""
    require_number(field, value, at_least=1)


def require_number(field: str, value: object, *, at_least: int) -> None:
    """Check that a value is a whole number from `at_least` on."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidInputTypeError(field, f"must be an int, got {type(value).__name__}")
    if value < at_least:
        raise InvalidInputError(field, f"must be at least {at_least}, got {value}")

"""How values are stored, from the user's arguments: compression, and offload to S3."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypedDict

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, InvalidInputTypeError
from langgraph_checkpoint_dynamodb.payloads.compression import (
    CODECS,
    Codec,
    MissingCodecError,
    require_codec,
)
from langgraph_checkpoint_dynamodb.payloads.differences import WHOLE_BYTES
from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy, S3Policy
from langgraph_checkpoint_dynamodb.settings.checks import (
    require_known_names,
    require_number,
    require_positive,
    require_string,
)

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, or the ARN of an
# access point.
_BUCKET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}|arn:[^\s]{1,1019}")

INCREMENTAL = "incremental"
"""The `compression` that stores checkpoints as differences from earlier states."""

_S3_THRESHOLD_BYTES = 350 * 1024
"""Values above this go to S3 if a bucket is configured, as in langgraph-checkpoint-aws."""

_KEY_PREFIX = "langgraph-checkpoints/"

_LONGEST_PREFIX = 512
"""Longest key prefix in bytes. Leaves room for the rest of a key within S3's 1,024."""


class S3OffloadConfig(TypedDict, total=False):
    """Where in S3 large values are stored.

    Attributes:
        bucket_name: The bucket. Required.
        key_prefix: Prefix of every key; a missing slash at its end is added. Default:
            `"langgraph-checkpoints/"`.
        endpoint_url: Endpoint of S3, for local engines and VPC endpoints. Default:
            `AWS_ENDPOINT_URL_S3`; else the saver's `endpoint_url`, unless that is an endpoint of
            AWS.
        threshold_bytes: Values with more bytes, after compression, go to S3; at least 0. Default:
            358,400 (350 KB).
        former_bucket_names: Buckets that values were stored in before. They are read and deleted
            there. Objects in any other bucket are never read or deleted, even if an item refers to
            them.
    """

    bucket_name: str
    key_prefix: str
    endpoint_url: str
    threshold_bytes: int
    former_bucket_names: Sequence[str]


def payload_policy(
    *,
    compression: str | None,
    s3_offload_config: object,
    max_value_bytes: int,
    key_prefix: str = _KEY_PREFIX,
) -> PayloadPolicy:
    """How values are stored, from the user's arguments.

    Args:
        compression: The codec, or `"incremental"`; `None` for no compression.
        s3_offload_config: A mapping of `S3OffloadConfig`; `None` for no S3.
        max_value_bytes: Largest serialized value.
        key_prefix: Prefix of the keys of objects if the mapping has none.

    Raises:
        InvalidInputError: A setting is invalid; the message names it.
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
    """The endpoint of S3 in the user's mapping, if any."""
    if not isinstance(s3_offload_config, Mapping):
        return None
    url = s3_offload_config.get("endpoint_url")
    return None if url is None else require_string("s3_offload_config.endpoint_url", url)


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
    require_known_names("s3_offload_config", config, S3OffloadConfig.__annotations__)
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
    """Check that a value is the name or ARN of a bucket, and return it.

    Raises:
        InvalidInputError: It is not.
    """
    text = require_string(field_name, name)
    if not _BUCKET_NAME.fullmatch(text):
        raise InvalidInputError(field_name, f"{text!r} is no name of a bucket")
    return text


def _key_prefix(value: object) -> str:
    field_name = "s3_offload_config.key_prefix"
    prefix = require_string(field_name, value)
    if not re.fullmatch(r"(?:[A-Za-z0-9!_.*'()=-]+(?:/|$))*", prefix) or re.search(
        r"(?:^|/)\.{1,2}(?:/|$)", prefix
    ):
        raise InvalidInputError(
            field_name, f"{prefix!r} must consist of names of safe characters between single '/'"
        )
    if len(prefix) > _LONGEST_PREFIX:
        raise InvalidInputError(field_name, f"has {len(prefix)} bytes, at most {_LONGEST_PREFIX}")
    return prefix if not prefix or prefix.endswith("/") else f"{prefix}/"

"""Parse the context of the ready-made app (`-c key=value`, or `context` in `cdk.json`).

Values given with `-c` are strings, those in `cdk.json` may be other JSON values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb

from langgraph_checkpoint_dynamodb_cdk.checks import refuse, require_positive

DEFAULT_STACK_NAME = "LangGraphCheckpoints"

_CREATE = "create"
_STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
# The CLI's keys and feature flags contain other characters (":", "/", "@"), except _CLI_KEYS.
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
_CLI_KEYS = {"acknowledged-issue-numbers"}

_TABLE_CLASSES = MappingProxyType(
    {
        "STANDARD": dynamodb.TableClass.STANDARD,
        "STANDARD_INFREQUENT_ACCESS": dynamodb.TableClass.STANDARD_INFREQUENT_ACCESS,
    }
)


@dataclass(frozen=True, kw_only=True)
class StackSettings:
    """The settings in a context.

    Attributes:
        stack_name: Name of the stack.
        allow_removal: Whether a deployment may remove deployed tables, indexes, replicas or a
            bucket.
        arguments: Keyword arguments of `CheckpointStoreStack`.
    """

    stack_name: str
    allow_removal: bool
    arguments: Mapping[str, Any]


def stack_settings(context: Mapping[str, Any]) -> StackSettings:
    """Parse the settings in a context.

    Args:
        context: The whole context, including the CLI's keys.

    Returns:
        The settings.

    Raises:
        ValueError: A key is unknown or a value is invalid; the message names it and says what is
            expected.
    """
    settings = {
        key: value
        for key, value in context.items()
        if _PLAIN_KEY.fullmatch(key) and key not in _CLI_KEYS
    }
    unknown = sorted(settings.keys() - CONTEXT_KEYS)
    if unknown:
        raise ValueError(
            f"context: unknown keys {', '.join(unknown)}; known keys: "
            f"{', '.join(sorted(CONTEXT_KEYS))}"
        )
    arguments = {
        argument: parse(key, settings[key])
        for key, (argument, parse) in _ARGUMENTS.items()
        if key in settings
    }
    return StackSettings(
        stack_name=_stack_name("stack_name", settings.get("stack_name", DEFAULT_STACK_NAME)),
        allow_removal=_flag("allow_removal", settings.get("allow_removal", False)),
        arguments={**_throwaway(settings), **arguments, **_bucket(settings)},
    )


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        refuse(key, value, "a string")
    return value


def _flag(key: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if value not in ("true", "false"):
        refuse(key, value, "true or false")
    return value == "true"


def _number(key: str, value: object) -> int:
    if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{0,17}", value):
        return int(value)
    if not isinstance(value, int):
        refuse(key, value, "a whole number from 1")
    require_positive(key, value)
    return value


def _texts(key: str, value: object) -> list[str]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) and part for part in parts):
        refuse(key, value, "names separated by commas, or a list of names in cdk.json")
    return parts


def _mapping(key: str, value: object) -> dict[str, str]:
    expected = "REGION=ARN pairs separated by commas, or an object of them in cdk.json"
    if isinstance(value, str):
        pairs = [part.partition("=")[::2] for part in value.split(",")]
    elif isinstance(value, Mapping):
        pairs = list(value.items())
    else:
        refuse(key, value, expected)
    if not all(name and arn and isinstance(arn, str) for name, arn in pairs):
        refuse(key, value, expected)
    if len({name for name, _ in pairs}) < len(pairs):
        refuse(key, value, "each region once")
    return dict(pairs)


def _table_class(key: str, value: object) -> dynamodb.TableClass:
    if not isinstance(value, str) or value not in _TABLE_CLASSES:
        refuse(key, value, f"one of {', '.join(_TABLE_CLASSES)}")
    return _TABLE_CLASSES[value]


def _stack_name(key: str, value: object) -> str:
    if not isinstance(value, str) or not _STACK_NAME.fullmatch(value):
        refuse(key, value, "a letter, then up to 127 letters, digits and '-'")
    return value


def _bucket(context: Mapping[str, Any]) -> dict[str, Any]:
    """Parse `bucket=create` with an optional `bucket_name`, or `bucket=NAME`."""
    named = "bucket_name" in context
    if context.get("bucket") == _CREATE:
        name = _text("bucket_name", context["bucket_name"]) if named else None
        return {"create_bucket": True, "bucket_name": name}
    if named:
        refuse(
            "bucket_name",
            context["bucket_name"],
            "bucket=create with it; for a bucket that exists pass bucket=NAME",
        )
    if "bucket" not in context:
        return {}
    return {"bucket_name": _text("bucket", context["bucket"])}


def _throwaway(context: Mapping[str, Any]) -> dict[str, Any]:
    if not _flag("throwaway", context.get("throwaway", False)):
        return {}
    if _flag("deletion_protection", context.get("deletion_protection", False)):
        refuse(
            "throwaway",
            context["throwaway"],
            "no deletion_protection=true with it; remove one of them",
        )
    return {
        "removal_policy": RemovalPolicy.DESTROY,
        "deletion_protection": False,
        "bucket_force_destroy": True,
    }


_Parser = Callable[[str, Any], Any]

_ARGUMENTS: Mapping[str, tuple[str, _Parser]] = MappingProxyType(
    {
        "checkpoints_table_name": ("checkpoints_table_name", _text),
        "writes_table_name": ("writes_table_name", _text),
        "store_table_name": ("store_table_name", _text),
        "store_vector_index_name": ("store_vector_index_name", _text),
        "store_vector_dimensions": ("store_vector_dimensions", _number),
        "run_id_index_name": ("run_id_index_name", _text),
        "thread_index_owner": ("thread_index_owner", _text),
        "thread_index_name": ("thread_index_name", _text),
        "ttl": ("ttl_seconds", _number),
        "max_read_request_units": ("max_read_request_units", _number),
        "max_write_request_units": ("max_write_request_units", _number),
        "point_in_time_recovery": ("point_in_time_recovery", _flag),
        "point_in_time_recovery_days": ("point_in_time_recovery_days", _number),
        "warm_read_units": ("warm_read_units", _number),
        "warm_write_units": ("warm_write_units", _number),
        "deletion_protection": ("deletion_protection", _flag),
        "table_class": ("table_class", _table_class),
        "kms_key_arn": ("kms_key_arn", _text),
        "replica_regions": ("replica_regions", _texts),
        "replica_kms_key_arns": ("replica_kms_key_arns", _mapping),
        "bucket_kms_key_arn": ("bucket_kms_key_arn", _text),
        "bucket_key_prefix": ("bucket_key_prefix", _text),
        "store_bucket_key_prefix": ("store_bucket_key_prefix", _text),
        "bucket_versioning": ("bucket_versioning", _flag),
        "bucket_force_destroy": ("bucket_force_destroy", _flag),
        "sweep_schedule": ("sweep_schedule", _text),
        "sweep_package": ("sweep_package", _text),
        "sweep_older_than_seconds": ("sweep_older_than_seconds", _number),
        "alarm_topic_arn": ("alarm_topic_arn", _text),
        "dashboard": ("dashboard", _flag),
        "contributor_insights": ("contributor_insights", _flag),
        "create_policies": ("create_policies", _flag),
        "policy_name_prefix": ("policy_name_prefix", _text),
        "tenant_thread_id_prefix": ("tenant_thread_id_prefix", _text),
        "tenant_owner_prefix": ("tenant_owner_prefix", _text),
        "tenant_root_label": ("tenant_root_label", _text),
    }
)
"""The argument of the stack for each key, and the parser of its value."""

CONTEXT_KEYS = frozenset(_ARGUMENTS) | {
    "allow_removal",
    "bucket",
    "bucket_name",
    "stack_name",
    "throwaway",
}
"""Every context key of the app."""

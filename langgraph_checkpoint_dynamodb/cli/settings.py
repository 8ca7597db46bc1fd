"""The saver's arguments: the settings file (`--settings`), overridden by the options."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import InvalidInputError
from langgraph_checkpoint_dynamodb.settings.saver import ThreadIndex

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langgraph_checkpoint_dynamodb.cli.options import Options

_KNOWN_NAMES = frozenset(
    {
        "checkpoints_table_name",
        "writes_table_name",
        "compression",
        "consistent_reads",
        "endpoint_url",
        "max_concurrency",
        "max_value_bytes",
        "memory_bytes",
        "on_conflict",
        "region_name",
        "run_id_index",
        "s3_offload_config",
        "thread_index",
        "ttl_seconds",
    }
)
_REQUIRED = {
    "checkpoints_table_name": "--checkpoints-table or LANGGRAPH_CHECKPOINTS_TABLE",
    "writes_table_name": "--writes-table or LANGGRAPH_WRITES_TABLE",
}
"""Names that must be set, and the option and variable that set them."""


def saver_arguments(options: Options) -> dict[str, Any]:
    """Return the keyword arguments of `DynamoDBSaver` by name.

    Raises:
        InvalidInputError: The settings file cannot be used, or a table is not named.
    """
    settings = {} if options.settings is None else _read_settings(options.settings)
    overrides = {
        "checkpoints_table_name": options.checkpoints_table,
        "writes_table_name": options.writes_table,
        "run_id_index": options.run_id_index,
        "ttl_seconds": options.ttl_seconds,
        "region_name": options.region,
        "endpoint_url": options.endpoint_url,
    }
    settings |= _without_nones(overrides)
    settings |= _s3_offload_config(options, settings.get("s3_offload_config"))
    settings |= _thread_index(options, settings.get("thread_index"))
    for name, option in _REQUIRED.items():
        if name not in settings:
            raise InvalidInputError(name, f"is missing: name the table with {option}")
    return settings


def _without_nones(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _s3_offload_config(options: Options, from_file: object) -> dict[str, Any]:
    overrides = _without_nones({"bucket_name": options.bucket, "key_prefix": options.key_prefix})
    if from_file is None and not overrides:
        return {}
    return {
        "s3_offload_config": {**(from_file if isinstance(from_file, dict) else {}), **overrides}
    }


def _thread_index(options: Options, from_file: object) -> dict[str, Any]:
    arguments = from_file if isinstance(from_file, dict) else {}
    if isinstance(from_file, str):
        arguments = {"owner": from_file}
    if options.owner_key is not None:
        arguments = {**arguments, "owner": options.owner_key}
    if not arguments:
        return {}
    try:
        return {"thread_index": ThreadIndex(**arguments)}
    except TypeError as error:
        raise InvalidInputError(
            "thread_index", f"must have owner and index_name: {error}"
        ) from error


def _read_settings(path: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text()
        settings = _unwrapped(json.loads(text))
    except OSError as error:
        raise InvalidInputError("--settings", f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise InvalidInputError("--settings", f"{path} is no JSON: {error}") from None
    if not isinstance(settings, dict):
        raise InvalidInputError("--settings", f"{path} must hold a JSON object")
    unknown = sorted(settings.keys() - _KNOWN_NAMES)
    if unknown:
        raise InvalidInputError(
            "--settings",
            f"{path} has unknown names {', '.join(unknown)}; known are: "
            f"{', '.join(sorted(_KNOWN_NAMES))}",
        )
    return _without_nones(settings)


def _unwrapped(document: Any) -> Any:
    """Return the settings within the outputs of Terraform or of the CDK stack."""
    if isinstance(document, dict) and "saver_settings" in document:
        document = document["saver_settings"]  # `terraform output -json` without a name.
    if isinstance(document, dict) and "value" in document:
        document = document["value"]
    # The output of the CDK stack is JSON in a string.
    return json.loads(document) if isinstance(document, str) else document

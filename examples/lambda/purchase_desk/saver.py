"""The saver, configured for Lambda."""

from __future__ import annotations

from typing import Any

from botocore.config import Config

from langgraph_checkpoint_dynamodb import DynamoDBSaver

_CONFIG = Config(
    # Lambda freezes the process between invocations, and a connection may have been dropped
    # silently when the process thaws. A request on such a connection times out after
    # `read_timeout`, then the SDK retries on a new connection. The saver's default is 15 seconds.
    read_timeout=3,
    connect_timeout=2,
)


def make_saver(settings: dict[str, Any]) -> DynamoDBSaver:
    """Make a saver that is not open yet.

    Args:
        settings: The stack's output `SaverSettings`.
    """
    return DynamoDBSaver(
        **settings,
        boto_config=_CONFIG,
        compression="incremental",
        # A retry of a request whose first attempt is still running makes two runs of a thread.
        on_conflict="raise",
    )

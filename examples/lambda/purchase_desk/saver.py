"""The saver, with what Lambda asks for."""

from __future__ import annotations

from typing import Any

from botocore.config import Config

from langgraph_checkpoint_dynamodb import DynamoDBSaver

_CONFIG = Config(
    # Lambda freezes the process between invocations, and a connection may be gone without a word
    # when it goes on. A request on it waits that long before the SDK sends it again on a new one;
    # the saver's default is 15 seconds.
    read_timeout=3,
    connect_timeout=2,
)


def make_saver(settings: dict[str, Any]) -> DynamoDBSaver:
    """A saver that is not open yet.

    Args:
        settings: What the stack has put out as `SaverSettings`.
    """
    return DynamoDBSaver(
        **settings,
        boto_config=_CONFIG,
        compression="incremental",
        # A request that is sent again while its first attempt still runs is two runs of a thread.
        on_conflict="raise",
    )

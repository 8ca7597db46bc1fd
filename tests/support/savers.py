"""The saver under test: on boto3 and threads, or on aiobotocore and tasks.

`TEST_SAVER` selects it: `sync`, or `async`, which needs the extra `[async]`. All differences
between the two that tests have to handle are here and in `sessions`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeAlias

from langgraph_checkpoint_dynamodb import DynamoDBSaver
from langgraph_checkpoint_dynamodb.savers.thread_methods import ThreadMethods

if TYPE_CHECKING:
    from collections.abc import Callable

Saver: TypeAlias = ThreadMethods

KINDS = ("sync", "async")


def saver_kind() -> str:
    """Which saver is tested."""
    kind = os.environ.get("TEST_SAVER", "sync")
    if kind not in KINDS:
        raise RuntimeError(f"TEST_SAVER={kind!r} is unknown; known are {', '.join(KINDS)}")
    return kind


def native() -> bool:
    """Whether the saver on aiobotocore is tested."""
    return saver_kind() == "async"


def saver_class() -> type[Saver]:
    """The saver under test."""
    if not native():
        return DynamoDBSaver
    from langgraph_checkpoint_dynamodb.aio import AsyncDynamoDBSaver

    return AsyncDynamoDBSaver


def new_saver(**settings: Any) -> Saver:
    """A saver of the kind under test."""
    make: Callable[..., Saver] = saver_class()
    return make(**settings)

"""The environment variables and logging of every benchmark process."""

from __future__ import annotations

import logging
import os

from benchmarks.contenders.base import REGION


def prepare_environment() -> None:
    """Set fake credentials, remove the user's AWS settings, and disable logging."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",  # noqa: S106 - engines take any
        AWS_DEFAULT_REGION=REGION,
        AWS_EC2_METADATA_DISABLED="true",
        LANGSMITH_TRACING="false",
    )
    logging.disable(logging.CRITICAL)

"""Settings that the stack passes to the function as environment variables."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Settings:
    """The function's settings.

    Attributes:
        saver: Keyword arguments of `DynamoDBSaver`.
        model: A model name for LangChain's `init_chat_model`; `None` for the scripted one.
        port: The port where the Lambda Web Adapter expects the server.
    """

    saver: dict[str, Any]
    model: str | None
    port: int

    @classmethod
    def from_environment(cls) -> Settings:
        """The settings of this process.

        Raises:
            KeyError: `SAVER_SETTINGS` is missing.
            ValueError: A setting cannot be parsed.
        """
        return cls(
            saver=json.loads(os.environ["SAVER_SETTINGS"]),
            model=os.environ.get("MODEL") or None,
            port=int(os.environ.get("AWS_LWA_PORT", "8080")),
        )

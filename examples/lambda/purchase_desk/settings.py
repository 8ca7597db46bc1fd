"""What the stack tells the function, through its environment."""

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
        model: A model as `init_chat_model` of LangChain names it; `None` for the scripted one.
        port: Where the Lambda Web Adapter expects the server.
    """

    saver: dict[str, Any]
    model: str | None
    port: int

    @classmethod
    def from_environment(cls) -> Settings:
        """The settings of this process.

        Raises:
            KeyError: `SAVER_SETTINGS` is missing.
            ValueError: A setting cannot be read.
        """
        return cls(
            saver=json.loads(os.environ["SAVER_SETTINGS"]),
            model=os.environ.get("MODEL") or None,
            port=int(os.environ.get("AWS_LWA_PORT", "8080")),
        )

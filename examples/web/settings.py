"""Settings of the application, from the command line and from its supervisor."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from examples.engine import ENDPOINT

if TYPE_CHECKING:
    from collections.abc import Sequence

VARIABLE = "WEB_SETTINGS"
"""Environment variable with the settings of a worker."""
PORT = 8321
LOCAL_REGION = "us-east-1"
_WORD_SECONDS = 0.03


@dataclass(frozen=True)
class Settings:
    """The settings of a worker.

    Attributes:
        checkpoints_table: Name of the saver's checkpoints table.
        writes_table: Name of the saver's writes table.
        costs_table: Name of the store's table, which keeps the costs of runs.
        region: AWS region; `None` for that of the environment.
        endpoint_url: Endpoint of an engine; `None` for AWS.
        set_up: Whether to create missing tables.
        model: A model name for LangChain's `init_chat_model`; `None` for the scripted one.
        word_seconds: Pause after each word of the scripted model.
        engine: Description of the engine, shown to users.
        counts_units: Whether the engine counts capacity units as DynamoDB does.
    """

    checkpoints_table: str
    writes_table: str
    costs_table: str
    region: str | None
    endpoint_url: str | None
    set_up: bool
    model: str | None
    word_seconds: float
    engine: str = "Amazon DynamoDB"
    counts_units: bool = True

    def on(self, endpoint_url: str, engine: str, *, counts_units: bool) -> Settings:
        """The same settings for a local engine."""
        return replace(
            self,
            endpoint_url=endpoint_url,
            region=self.region or LOCAL_REGION,
            set_up=True,
            engine=engine,
            counts_units=counts_units,
        )

    def to_json(self) -> str:
        """The settings as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the settings that the supervisor has passed to this process."""
        return cls(**json.loads(os.environ[VARIABLE]))


def read_arguments(arguments: Sequence[str] | None = None) -> tuple[Settings, int, bool]:
    """Read the command line.

    Args:
        arguments: Command line arguments; by default those of this process.

    Returns:
        The settings, the port, and whether to use AWS.
    """
    found = os.environ.get
    parser = argparse.ArgumentParser(
        prog="python -m examples.web", description="A chat on LangGraph and DynamoDB"
    )
    parser.add_argument(
        "--port", type=int, default=int(found("WEB_PORT", PORT)), help="0 for any that is free"
    )
    parser.add_argument("--aws", action="store_true", help="use the AWS account of the environment")
    parser.add_argument(
        "--endpoint-url", default=found(ENDPOINT), help="use an engine that runs already"
    )
    parser.add_argument("--region", default=None, help="AWS region")
    for table in ("checkpoints", "writes", "costs"):
        parser.add_argument(
            f"--{table}-table",
            default=found(f"WEB_{table.upper()}_TABLE", f"chat-{table}"),
            help="default: %(default)s",
        )
    parser.add_argument(
        "--set-up", action="store_true", help="make the tables on AWS; local ones are made anyway"
    )
    parser.add_argument(
        "--model",
        default=found("WEB_MODEL") or None,
        help="for example openai:gpt-5-mini; without it a script answers, which needs no key",
    )
    parser.add_argument(
        "--word-seconds",
        type=float,
        default=float(found("WEB_WORD_SECONDS", _WORD_SECONDS)),
        help="pause after each word of the script; default: %(default)s",
    )
    given = parser.parse_args(arguments)
    settings = Settings(
        checkpoints_table=given.checkpoints_table,
        writes_table=given.writes_table,
        costs_table=given.costs_table,
        region=given.region,
        endpoint_url=None if given.aws else given.endpoint_url,
        set_up=given.set_up,
        model=given.model,
        word_seconds=given.word_seconds,
    )
    return settings, given.port, given.aws

"""Runs the engine until it is stopped: `python -m langgraph_checkpoint_dynamodb.testing`."""

from __future__ import annotations

import argparse
import threading
from contextlib import suppress

from langgraph_checkpoint_dynamodb.testing.engine import embedded_engine


def main() -> None:
    """Run the engine, and print its endpoint."""
    parser = argparse.ArgumentParser(
        prog="python -m langgraph_checkpoint_dynamodb.testing",
        description="DynamoDB and S3 on this machine, for tests. The data is lost when it stops.",
    )
    parser.add_argument("--port", type=int, default=8000, help="default: 8000")
    port = parser.parse_args().port
    try:
        with embedded_engine(port) as endpoint:
            print(f"DynamoDB and S3 listen on {endpoint}; Ctrl-C stops them.", flush=True)  # noqa: T201 - a command
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
    except (OSError, OverflowError) as error:
        parser.error(f"cannot listen on port {port}: {error}; pass another --port")


if __name__ == "__main__":
    main()

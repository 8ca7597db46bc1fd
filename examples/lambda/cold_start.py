"""Measure the parts of a cold start: imports, the saver, the first turns, on a local engine.

    python -m examples.lambda.cold_start

Each run is a separate process. The figures are medians of CPU time, so load on the machine and
latency to the engine do not count. The command starts a local engine; set `DYNAMODB_ENDPOINT_URL`
to use another one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).resolve().parent
_RUNS = 5
_TABLES: dict[str, Any] = {
    "checkpoints_table_name": "cold-start-checkpoints",
    "writes_table_name": "cold-start-writes",
}
_TURN = "turn"
_MESSAGES = ("order 2 lamps", "order 1 desk")


class Watch:
    """Records the CPU time of each part, in order."""

    def __init__(self) -> None:
        self.taken: dict[str, float] = {}
        self._at = 0.0

    def lap(self, name: str) -> None:
        """Record the CPU time since the last lap."""
        now = time.process_time()
        self.taken[name] = now - self._at
        self._at = now


def measure() -> dict[str, float]:
    """Start in this process as the function does, and answer two messages.

    Returns:
        Seconds of CPU time by part.
    """
    watch = Watch()
    watch.lap("start Python")
    import boto3  # noqa: F401 - imported to measure its time

    watch.lap("import boto3")
    import langgraph.graph
    import langgraph.prebuilt  # noqa: F401 - the same

    watch.lap("import langgraph")
    import fastapi  # noqa: F401 - the same
    import uvicorn  # noqa: F401 - the same

    watch.lap("import fastapi, uvicorn")
    import langgraph_checkpoint_dynamodb  # noqa: F401 - the same

    watch.lap("import langgraph_checkpoint_dynamodb")
    _serve(watch)
    return watch.taken


def _serve(watch: Watch) -> None:
    import asyncio

    from purchase_desk import lines, server, turns
    from purchase_desk.agent import build_agent
    from purchase_desk.saver import make_saver
    from purchase_desk.settings import Settings

    watch.lap("import the function")
    saver = make_saver(Settings.from_environment().saver)
    agent = build_agent(saver)
    server.make_app(saver, agent)
    watch.lap("make the agent and the server")

    async def serve() -> None:
        await server.warm_up(agent)
        watch.lap("read once")
        config = server.config_of("cold-start", str(os.getpid()))
        for number, text in enumerate(_MESSAGES, start=1):
            turn = turns.of_message(await agent.aget_state(config), str(number), text)
            async for _ in lines.of_turn(agent, turn, config):
                pass
            watch.lap(f"{_TURN} {number}")

    with saver:
        watch.lap("open the saver")
        asyncio.run(serve())


def table(found: Mapping[str, list[dict[str, float]]]) -> str:
    """The medians, as a Markdown table, in seconds.

    Args:
        found: Measurements of runs, by column title.
    """
    medians = {
        name: {part: median(run[part] for run in runs) for part in runs[0]}
        for name, runs in found.items()
    }
    parts = list(next(iter(medians.values())))
    init = [part for part in parts if not part.startswith(_TURN)]
    turns = [part for part in parts if part.startswith(_TURN)]

    def row(name: str, *summed: str) -> str:
        cells = [f"{sum(taken[part] for part in summed):,.3f}" for taken in medians.values()]
        return f"| {' | '.join([name, *cells])} |"

    return "\n".join(
        [
            f"| seconds | {' | '.join(medians)} |",
            f"|---|{'---:|' * len(medians)}",
            *(row(part, part) for part in init),
            row("**all before the first invocation**", *init),
            *(row(part, part) for part in turns),
        ]
    )


def run(environment: Mapping[str, str], cache: Path | None = None) -> dict[str, float]:
    """Measure in a separate process.

    Args:
        environment: Has the endpoint, `SAVER_SETTINGS` and the import path of the function.
        cache: Folder of the bytecode. Default: Python's usual location.
    """
    prefix = () if cache is None else ("-X", f"pycache_prefix={cache}")
    done = subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, *prefix, str(Path(__file__).resolve()), "--measure"],
        env=dict(environment),
        stdout=subprocess.PIPE,
        check=True,
    )
    taken: dict[str, float] = json.loads(done.stdout)
    return taken


def _compare(runs: int, package: Path) -> str:
    # These import boto3, which the measured processes must not do here.
    from examples.engine import ENDPOINT, isolate, running_engine
    from langgraph_checkpoint_dynamodb import DynamoDBSaver

    isolate()
    with running_engine() as engine, tempfile.TemporaryDirectory() as folder:
        endpoint = os.environ[ENDPOINT]
        with DynamoDBSaver(**_TABLES, endpoint_url=endpoint) as saver:
            saver.setup()
        environment = {
            **os.environ,
            "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
            "SAVER_SETTINGS": json.dumps(_TABLES),
            "PYTHONPATH": os.pathsep.join([str(package), *sys.path]),
            "PYTHONDONTWRITEBYTECODE": "",  # the runs before the measured ones write bytecode
        }
        cache = _python_alone(environment, Path(folder))
        unwritten = {**environment, "PYTHONDONTWRITEBYTECODE": "1"}
        run(environment)
        found: dict[str, list[dict[str, float]]] = {"with bytecode": [], "without": []}
        for _ in range(runs):
            found["with bytecode"].append(run(environment))
            found["without"].append(run(unwritten, cache))
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return f"{table(found)}\n\nPython {version}; engine: {engine}; medians of {runs} runs."


def _python_alone(environment: Mapping[str, str], cache: Path) -> Path:
    """Cache with bytecode of the standard library only, as for a package without bytecode."""
    run(environment, cache)
    own = {Path(sysconfig.get_path(name)).relative_to("/") for name in ("stdlib", "platstdlib")}
    others = [path for path in cache.rglob("*.pyc") if "site-packages" in path.parts]
    others += [
        path
        for path in cache.rglob("*.pyc")
        if not any(path.is_relative_to(cache / folder) for folder in own)
    ]
    for path in set(others):
        path.unlink()
    return cache


def main() -> int:
    """Print the table.

    Returns:
        Exit code: 0.
    """
    parser = argparse.ArgumentParser(description="Measure what a cold start is made of.")
    parser.add_argument("--runs", type=int, default=_RUNS)
    parser.add_argument(
        "--package", type=Path, default=HERE, help="what is measured; the source by default"
    )
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    print(json.dumps(measure()) if chosen.measure else _compare(chosen.runs, chosen.package))
    return 0


if __name__ == "__main__":
    sys.exit(main())

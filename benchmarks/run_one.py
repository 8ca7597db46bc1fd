"""Runs one workload with one contender, in a process and with an engine of its own.

`python -m benchmarks.run_one CONTENDER WORKLOAD` prints what was measured as JSON. The command
`python -m benchmarks` runs one such process after the other.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import traceback
from pathlib import Path

from benchmarks.contenders import CONTENDERS
from benchmarks.contenders.base import EngineContext
from benchmarks.environment import prepare_environment
from benchmarks.measuring import Bench, WrongResultError, as_json
from benchmarks.metering import Meter
from benchmarks.workloads import WORKLOADS
from tests.support.engines import running_engine

_LONGEST_MESSAGE = 200


def main() -> None:
    """Run the workload and contender that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("contender", choices=CONTENDERS)
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("--delay", type=float, default=0.005)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    prepare_environment()
    error = None
    rows = []
    meter = Meter()
    loop = asyncio.new_event_loop()
    try:
        with (
            running_engine() as engine,
            CONTENDERS[asked.contender].open_calls(EngineContext(engine.url, meter, loop)) as calls,
        ):
            bench = Bench(calls, meter, asked.delay, quick=asked.quick)
            rows = bench.rows
            # Clients and connections are made before anything is measured.
            calls.warm()
            WORKLOADS[asked.workload].run(bench)
    except Exception as failure:
        if isinstance(failure, WrongResultError):
            # The figures of a wrong result mean nothing.
            rows = rows[:-1]
        traceback.print_exc()
        error = describe(failure)
    json.dump({"rows": [as_json(row) for row in rows], "error": error}, sys.stdout)
    sys.stdout.flush()


def describe(error: BaseException) -> str:
    """An error in one line: its type and the beginning of what it says, without local paths."""
    said = " ".join(str(error).split())
    for folder in (Path.cwd(), Path.home(), Path(sys.prefix)):
        said = said.replace(f"{folder}/", "")
    said = re.sub(r"http://127\.0\.0\.1:\d+", "the engine", said)
    if len(said) > _LONGEST_MESSAGE:
        said = f"{said[:_LONGEST_MESSAGE]}..."
    return f"{type(error).__name__}: {said}"


if __name__ == "__main__":
    main()

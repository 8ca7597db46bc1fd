"""Explore every pair of calls, then try seeds of more calls for as long as there is time.

    python -m tests.simulation --seconds 600

Pairs may take two thirds of the time; `--seconds 0` takes all of them and no seed. Ends with what
was explored. Where something goes wrong, its story is told and the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import count

from langgraph_checkpoint_dynamodb.requests.calls import batched
from tests.simulation.chance import Luck, try_seed
from tests.simulation.pairs import every

MOST = 150_000
"""Most states of one pair: a few pairs of long calls are cut off there, and counted."""
SEEDS = 20
"""Seeds that a process tries between checks of the time limit."""
WORKERS = os.cpu_count() or 1


@dataclass
class Total:
    """Totals of the exploration."""

    pairs: int = 0
    cut_off: int = 0
    states: int = 0
    steps: int = 0
    schedules: int = 0
    seeds: int = 0
    tried: int = 0
    failures: int = 0

    def __str__(self) -> str:
        return (
            f"{self.pairs:,} of {len(every()):,} pairs and ways ({self.cut_off} of them cut off at "
            f"{MOST:,} states): {self.states:,} states, {self.steps:,} steps between them, "
            f"{self.schedules:.2g} schedules\n"
            f"{self.seeds:,} seeds: {self.tried:,} schedules of three and four calls\n"
            f"{self.failures} failures"
        )


def _explore(number: int) -> tuple[int, int, int, bool, str]:
    report, failure = every()[number].explore(MOST)
    return report.states, report.steps, report.schedules, report.complete, failure


def _try(first: int) -> list[Luck]:
    return [try_seed(seed) for seed in range(first, first + SEEDS)]


def _say(failure: str, total: Total) -> None:
    if failure:
        total.failures += 1
        print(f"\n{failure}\n", flush=True)


def _number(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number


def main(arguments: list[str]) -> int:
    """Explore; returns 0 if nothing failed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=_number, default=600, help="the time there is (600)")
    parser.add_argument("--seed", type=_number, default=0, help="the first seed (0)")
    parser.add_argument("--only-seeds", action="store_true", help="explore no pairs")
    options = parser.parse_args(arguments)
    begin = time.monotonic()
    total = Total()
    with ProcessPoolExecutor(WORKERS) as pool:
        if not options.only_seeds:
            unlimited = options.seconds == 0
            _pairs(pool, total, None if unlimited else begin + options.seconds * 2 / 3)
        _seeds(pool, total, begin + options.seconds, options.seed)
    print(total)
    return 1 if total.failures else 0


def _pairs(pool: ProcessPoolExecutor, total: Total, end: float | None) -> None:
    for numbers in batched(range(len(every())), 16 * WORKERS):
        if end is not None and time.monotonic() > end:
            return
        for states, steps, schedules, complete, failure in pool.map(_explore, numbers):
            total.pairs += 1
            total.states += states
            total.steps += steps
            total.schedules += schedules
            total.cut_off += not complete
            _say(failure, total)


def _seeds(pool: ProcessPoolExecutor, total: Total, end: float, first: int) -> None:
    starts = count(first, SEEDS)
    while time.monotonic() < end and not total.failures:
        for tried in pool.map(_try, [next(starts) for _ in range(WORKERS)]):
            for luck in tried:
                total.seeds += 1
                total.tried += luck.schedules
                _say(luck.failure, total)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

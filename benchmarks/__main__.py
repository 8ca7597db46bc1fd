"""`python -m benchmarks`: runs everything and writes `RESULTS.md` and the plots."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.contenders import CONTENDERS
from benchmarks.plots import write_plots
from benchmarks.processes import run_module
from benchmarks.report import Results, write_report
from benchmarks.special.sections import SPECIALS
from benchmarks.workloads import WORKLOADS
from tests.support.engines import engine_name

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
DELAY = 0.005


def main() -> None:
    """Run what the command line asks for."""
    asked = _arguments()
    begin = time.monotonic()
    results = _run_workloads(asked)
    special = _run_special(asked)
    asked.output.mkdir(parents=True, exist_ok=True)
    plots = write_plots(asked.output / "plots", results)
    write_report(
        asked.output / "RESULTS.md",
        WORKLOADS.values(),
        results,
        special,
        plots,
        delay=asked.delay,
        engine=engine_name(),
    )
    print(f"{asked.output / 'RESULTS.md'} written after {time.monotonic() - begin:.0f} s")


def _run_workloads(asked: argparse.Namespace) -> Results:
    flags = ["--delay", str(asked.delay), *(["--quick"] if asked.quick else [])]
    results: Results = {}
    names = [name for name, each in WORKLOADS.items() if each.quick or not asked.quick]
    for name in _chosen(asked.only, names):
        results[name] = {}
        for contender in WORKLOADS[name].contenders:
            if asked.contender and contender not in asked.contender:
                continue
            if not CONTENDERS[contender].installed():
                print(f"{name:20} {contender:16} is left out: it is not installed", flush=True)
                continue
            start = time.monotonic()
            outcome = run_module("benchmarks.run_one", [contender, name, *flags])
            results[name][contender] = outcome
            said = outcome.error or "done"
            print(f"{name:20} {contender:16} {time.monotonic() - start:6.1f} s  {said}", flush=True)
    return results


def _run_special(asked: argparse.Namespace) -> list[str]:
    sections = []
    for name in _chosen(asked.only, list(SPECIALS)):
        start = time.monotonic()
        sections.append(SPECIALS[name](quick=asked.quick))
        print(f"{name:20} {'':16} {time.monotonic() - start:6.1f} s", flush=True)
    return sections


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        help="run what has this in its name; can be repeated. Known: "
        + ", ".join([*WORKLOADS, *SPECIALS]),
    )
    parser.add_argument("--contender", action="append", metavar="NAME", help="only this one")
    parser.add_argument("--quick", action="store_true", help="do less, to see that it works")
    parser.add_argument(
        "--delay", type=float, default=DELAY, help="seconds that each call takes longer"
    )
    parser.add_argument(
        "--output", type=Path, default=HERE, help="folder of RESULTS.md and the plots"
    )
    return parser.parse_args()


def _chosen(only: Sequence[str] | None, names: Sequence[str]) -> list[str]:
    return [name for name in names if not only or any(part in name for part in only)]


if __name__ == "__main__":
    main()

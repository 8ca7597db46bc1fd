"""Compares this package's savers with LangGraph's on LangGraph's tests: `make langgraph-suite`.

The tests are those of the installed version of LangGraph, from its source distribution on PyPI.
First all tests run unchanged, with LangGraph's savers. The tests that create a saver then run with
each of this package's savers (see `inside/saver_in_place.py`). A test that differs runs again,
alone, with both: only a difference in each run counts, and others are only reported. A test that
the async saver refuses to serve runs once more with its sync methods called in another thread.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tests.langgraph_suite.differences import DIFFERENCES
from tests.langgraph_suite.judging import (
    ASYNC,
    IN_THREADS,
    REFUSAL,
    SYNC,
    Report,
    differing,
    judge,
)
from tests.support.engines import running_engine

CACHE = Path(".suite")
REFERENCE = "memory"
SAVERS = (SYNC, ASYNC)
AGAIN = 2
"""How often to rerun a test that differs."""
LEAST = 1000
"""Minimum number of tests that use a saver; fewer mean that the plugin does not find them."""
MOST_SECONDS = 3600
"""Timeout of one test run."""

# Tests of servers not available here: PostgreSQL, and LangGraph's own. None uses a saver.
LEFT_OUT = ("test_prune_postgres.py", "test_remote_graph.py", "test_remote_graph_v3.py")


def source() -> Path:
    """The folder with the tests of the installed LangGraph; downloads them if needed."""
    name = f"langgraph-{version('langgraph')}"
    folder = CACHE / name
    if not folder.exists():
        CACHE.mkdir(exist_ok=True)
        fetch = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", str(CACHE)]
        wanted = f"langgraph=={version('langgraph')}"
        subprocess.run([sys.executable, "-m", "pip", *fetch, wanted], check=True)  # noqa: S603 - our own
        # Not the library: the tests run against the installed one.
        needed = (f"{name}/tests/", f"{name}/pyproject.toml")
        unpacked = CACHE / f"{name}.new"
        with tarfile.open(CACHE / f"{name}.tar.gz") as archive:
            parts = [part for part in archive if part.name.startswith(needed)]
            archive.extractall(unpacked, parts, filter="data")
        (unpacked / name).rename(folder)
        unpacked.rmdir()
    return folder.resolve()


@dataclass(frozen=True)
class Runs:
    """Runs LangGraph's tests.

    Attributes:
        folder: Folder of the tests.
        endpoint: Endpoint of the engine.
        workers: Number of pytest workers.
    """

    folder: Path
    endpoint: str
    workers: str

    def all(self) -> Report:
        """Run all tests with LangGraph's own savers."""
        return self._run(REFERENCE, self.workers, None)

    def these(self, saver: str, tests: list[str]) -> Report:
        """Run some tests with a saver."""
        return self._run(saver, self.workers, tests)

    def alone(self, saver: str, tests: list[str]) -> Report:
        """Run some tests with a saver, one at a time."""
        return self._run(saver, "0", tests)

    def _run(self, saver: str, workers: str, only: list[str] | None) -> Report:
        report = CACHE / f"{saver}-report.json"
        report.unlink(missing_ok=True)
        left_out = [f"--ignore=tests/{name}" for name in LEFT_OUT]
        options = ["-q", "--no-header", "--tb=no", "-p", "no:randomly", "-p", "no:cacheprovider"]
        done = subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-m", "pytest", *options, "-n", workers, *left_out, "tests"],
            cwd=self.folder,
            env=self._environment(saver, report, only),
            check=False,
            capture_output=True,
            text=True,
            timeout=MOST_SECONDS,
        )
        if not report.exists():
            said = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            raise RuntimeError(f"no report with {saver}:\n{said}")
        found: Report = json.loads(report.read_text())
        return found

    def _environment(self, saver: str, report: Path, only: list[str] | None) -> dict[str, str]:
        environment = {
            **os.environ,
            # Fake credentials, and no others reach the SDK: the engine accepts anything.
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONPATH": str(Path(__file__).parent),
            "PYTEST_PLUGINS": "inside.saver_in_place",
            "SUITE_SAVER": saver,
            "SUITE_ENDPOINT": self.endpoint,
            "SUITE_REPORT": str(report.resolve()),
        }
        if only is not None:
            chosen = CACHE / f"{saver}-chosen.json"
            chosen.write_text(json.dumps(only))
            environment["SUITE_ONLY"] = str(chosen.resolve())
        return environment


def compare(runs: Runs, savers: tuple[str, ...]) -> bool:
    """Run and compare all tests, and print the result; returns whether everything is explained."""
    reference = runs.all()
    wanted = [test for test, result in reference.items() if result.get("savers")]
    print(f"{runs.folder.name}: {len(reference)} tests, of which {len(wanted)} make a saver")
    broken = [test for test in wanted if reference[test]["outcome"] != "passed"]
    for test in broken:
        print(f"  NO REFERENCE {test}\n    {reference[test]['error']}")
    right = not broken
    for saver in savers:
        right = _compare(runs, saver, reference, wanted) and right
    return right


def _compare(runs: Runs, saver: str, reference: Report, wanted: list[str]) -> bool:
    found = runs.these(saver, wanted)
    at_first = differing(reference, found, wanted)
    differ = _each_time(runs, saver, at_first)
    used = sum(1 for result in found.values() if result.get("requests"))
    seconds = sum(result["seconds"] for result in found.values())
    print(f"{saver}: {len(found)} tests in {seconds:.0f} s, of which {used} use it")
    for test in at_first.keys() - differ.keys():
        print(f"  differed, and did not alone: {test}\n    {at_first[test]}")
    right = _judge(saver, differ) and used >= LEAST
    refused = [test for test, error in differ.items() if REFUSAL in error]
    if refused:
        answered = differing(reference, runs.alone(IN_THREADS, refused), refused)
        print(f"{IN_THREADS}: {len(refused)} tests that {saver} has refused")
        right = _judge(IN_THREADS, answered) and right
    return right


def _each_time(runs: Runs, saver: str, differ: dict[str, str]) -> dict[str, str]:
    """The tests that also differ when they run alone."""
    for _ in range(AGAIN):
        if differ:
            tests = list(differ)
            differ = differing(runs.alone(REFERENCE, tests), runs.alone(saver, tests), tests)
    return differ


def _judge(saver: str, differ: dict[str, str]) -> bool:
    judgement = judge(saver, differ, DIFFERENCES)
    print(f"  {len(differ)} differ, of which {len(judgement.unexplained)} are not explained")
    for test, error in judgement.unexplained.items():
        print(f"  UNEXPLAINED {test}\n    {error}")
    for pattern in judgement.outdated:
        print(f"  OUTDATED {pattern}")
    return not judgement.unexplained and not judgement.outdated


def main() -> None:
    """Parse the arguments, run all tests, and fail if a difference is not explained."""
    parser = argparse.ArgumentParser(prog="make langgraph-suite")
    parser.add_argument("--workers", default="auto", help="processes of pytest (default: auto)")
    parser.add_argument("--savers", nargs="*", choices=SAVERS, default=SAVERS)
    arguments = parser.parse_args()
    folder = source()
    with running_engine() as engine:
        right = compare(Runs(folder, engine.url, arguments.workers), tuple(arguments.savers))
    print("all differences are explained" if right else "NOT ALL DIFFERENCES ARE EXPLAINED")
    sys.exit(not right)


if __name__ == "__main__":
    main()

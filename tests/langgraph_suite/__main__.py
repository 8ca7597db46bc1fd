"""Compares the savers with `InMemorySaver` on LangGraph's own tests: `make langgraph-suite`.

The tests are those of the installed version of LangGraph, from its source distribution on PyPI. A
test that differs is run again, alone, with both savers: only what differs each time counts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.langgraph_suite.differences import DIFFERENCES
from tests.support.engines import running_engine

CACHE = Path(".suite")
INSIDE = Path(__file__).parent / "inside"
SAVERS = ("sync", "async")
AGAIN = 2
"""How often a test that differs is run again."""
LEAST = 500
"""Tests that make a saver; fewer mean that the plugin has not found them."""

# Of servers that this project does not run, or of the library's own speed; none makes a saver.
LEFT_OUT = ("test_prune_postgres.py", "test_remote_graph.py", "test_remote_graph_v3.py")

Report = dict[str, dict[str, Any]]
"""For each test its outcome, its error, its seconds, and how many savers it has made."""


def source() -> Path:
    """The folder of the source distribution of the installed LangGraph, fetched where it is not."""
    name = f"langgraph-{version('langgraph')}"
    folder = CACHE / name
    if not folder.exists():
        CACHE.mkdir(exist_ok=True)
        fetch = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", str(CACHE)]
        wanted = f"langgraph=={version('langgraph')}"
        subprocess.run([sys.executable, "-m", "pip", *fetch, wanted], check=True)  # noqa: S603 - our own
        with tarfile.open(CACHE / f"{name}.tar.gz") as archive:
            archive.extractall(CACHE, filter="data")
    return folder.resolve()


def run(
    folder: Path, saver: str, endpoint: str, workers: str, only: list[str] | None = None
) -> Report:
    """Run the tests, or some of them, with a saver."""
    report, chosen = (CACHE / f"{saver}-{what}.json" for what in ("report", "chosen"))
    report.unlink(missing_ok=True)
    environment = {
        **os.environ,
        # Fake, and nothing else reaches the SDK: the engine accepts anything.
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_DOCKER": "true",
        "PYTHONPATH": os.pathsep.join((str(INSIDE), str(Path.cwd()))),
        "SUITE_SAVER": saver,
        "SUITE_ENDPOINT": endpoint,
        "SUITE_REPORT": str(report.resolve()),
    }
    if only is not None:
        chosen.write_text(json.dumps(only))
        environment["SUITE_ONLY"] = str(chosen.resolve())
    left_out = [f"--ignore=tests/{name}" for name in LEFT_OUT]
    options = ["-q", "--no-header", "--tb=no", "-p", "saver_in_place", "-p", "no:randomly"]
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-m", "pytest", *options, "-n", workers, *left_out, "tests"],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    if not report.exists():
        raise RuntimeError(f"no report with {saver}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    found: Report = json.loads(report.read_text())
    return found


def differing(reference: Report, found: Report) -> list[str]:
    """Tests that end with a saver otherwise than with that in memory."""
    return [
        test
        for test, result in found.items()
        if result.get("savers") and result["outcome"] != reference[test]["outcome"]
    ]


def unexplained(saver: str, tests: list[str]) -> list[str]:
    """Those that nothing explains."""
    return [test for test in tests if not any(d.explains(test, saver) for d in DIFFERENCES)]


def outdated(saver: str, tests: list[str]) -> list[str]:
    """Explanations of what does not differ any more."""
    return [
        difference.tests
        for difference in DIFFERENCES
        if difference.always
        and saver in difference.savers
        and not any(difference.explains(test, saver) for test in tests)
    ]


def compare(folder: Path, endpoint: str, workers: str, savers: tuple[str, ...]) -> bool:
    """Run and compare everything, and say what was found; whether all is explained."""
    reference = run(folder, "memory", endpoint, workers)
    wanted = [test for test, result in reference.items() if result.get("savers")]
    print(f"{folder.name}: {len(reference)} tests, of which {len(wanted)} make a saver")
    right = len(wanted) >= LEAST
    for saver in savers:
        found = run(folder, saver, endpoint, workers, wanted)
        tests = differing(reference, found)
        for _ in range(AGAIN):
            if tests:
                again = run(folder, "memory", endpoint, "0", tests)
                tests = differing(again, run(folder, saver, endpoint, "0", tests))
        replaced = sum(1 for result in found.values() if result.get("savers"))
        wrong, old = unexplained(saver, tests), outdated(saver, tests)
        print(f"{saver}: {replaced} tests use it, {len(tests)} differ, {len(wrong)} unexplained")
        for test in wrong:
            print(f"  UNEXPLAINED {test}\n    {found[test].get('error', found[test]['outcome'])}")
        for pattern in old:
            print(f"  OUTDATED {pattern}")
        right = right and replaced >= LEAST and not wrong and not old
    return right


def main() -> None:
    """Parse the arguments, run everything, and fail where something is not explained."""
    parser = argparse.ArgumentParser(prog="make langgraph-suite")
    parser.add_argument("--workers", default="auto", help="processes of pytest (default: auto)")
    parser.add_argument("--savers", nargs="*", choices=SAVERS, default=SAVERS)
    arguments = parser.parse_args()
    folder = source()
    with running_engine() as engine:
        right = compare(folder, engine.url, arguments.workers, tuple(arguments.savers))
    print("all differences are explained" if right else "NOT ALL DIFFERENCES ARE EXPLAINED")
    sys.exit(not right)


if __name__ == "__main__":
    main()

"""What the README says is so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.engines import Engine
    from tests.support.tables import Tables

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_runs_as_it_stands(engine: Engine, tables: Tables) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```", TEXT, flags=re.DOTALL | re.MULTILINE)
    source = example.replace('"checkpoints"', repr(tables.checkpoints))
    source = source.replace('"writes"', repr(tables.writes))
    done = subprocess.run(  # noqa: S603 - our own README
        [sys.executable, "-W", "error", "-c", source],
        env={**os.environ, "AWS_ENDPOINT_URL_DYNAMODB": engine.url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == "You have written 1 message(s).\n"


def test_it_is_two_screens_long() -> None:
    assert len(TEXT.splitlines()) <= 100


def test_what_it_leads_to_is_there() -> None:
    targets = re.findall(r"\]\(([^)#:\s]+)\)", TEXT)
    assert len(targets) > 10
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_command_of_make_in_it_is_one() -> None:
    named = re.findall(r"^make ([a-z-]+)", TEXT, re.MULTILINE)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert named
    assert [name for name in named if not re.search(rf"^{name}:.* ## ", makefile, re.M)] == []

"""The README is true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.interpreters import run_program

if TYPE_CHECKING:
    from tests.support.engines import Engine
    from tests.support.tables import Tables

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_runs_as_it_stands(engine: Engine, tables: Tables) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```", TEXT, flags=re.DOTALL | re.MULTILINE)
    source = example.replace('"checkpoints"', repr(tables.checkpoints))
    source = source.replace('"writes"', repr(tables.writes))
    done = run_program(source, AWS_ENDPOINT_URL_DYNAMODB=engine.url)
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

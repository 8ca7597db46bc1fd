"""The documentation page of the command line and `--help` agree."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.cli.app import COMMANDS, build

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "command-line.md").read_text()
PROGRAM: Any = build(COMMANDS)
BY_NAME: dict[str, Any] = PROGRAM.commands


def options_of(name: str) -> set[str]:
    return {option for param in BY_NAME[name].params for option in param.opts}


def test_the_page_has_the_commands_of_help_in_its_order_and_words(cli: Cli) -> None:
    rows = re.findall(r"^\| `([a-z]+)` \| (.*) \|$", PAGE, re.MULTILINE)
    said = cli("--help").out
    listed = re.findall(r"^│ ([a-z]+) +(\S.*?) +│$", said.partition("Commands")[2], re.MULTILINE)

    assert listed == rows


def test_every_option_on_the_page_is_one() -> None:
    named = set(re.findall(r"--[a-z][a-z-]*", PAGE)) - {"--help"}

    assert named <= {option for name in BY_NAME for option in options_of(name)}


def test_every_command_on_the_page_can_be_typed() -> None:
    lines = [line for line in PAGE.splitlines() if "langgraph-dynamodb " in line]
    assert len(lines) >= 5
    for line in lines:
        name, *arguments = shlex.split(line.partition("langgraph-dynamodb ")[2])
        BY_NAME[name].make_context(name, arguments)


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_the_help_of_a_command_names_no_option_it_has_not(cli: Cli, name: str) -> None:
    text = BY_NAME[name].help
    named = set(re.findall(r"--[a-z][a-z-]*", text))

    assert named <= {option for one in BY_NAME for option in options_of(one)}
    assert all(len(line) <= 80 for line in cli(name, "--help").out.splitlines())


@pytest.mark.parametrize(
    ("option", "commands"),
    [
        ("--dry-run", {"delete", "prune", "sweep"}),
        ("--yes", {"delete", "prune"}),
        ("--json", {"threads", "history", "show", "diff", "stats", "doctor", "sweep"}),
        ("--store-table", {"stats", "doctor", "sweep", "setup"}),
        ("--profile", set(BY_NAME)),
        ("--region", set(BY_NAME)),
        ("--endpoint-url", set(BY_NAME)),
        ("--settings", set(BY_NAME)),
        ("--debug", set(BY_NAME)),
    ],
)
def test_commands_have_the_options_that_the_page_promises(option: str, commands: set[str]) -> None:
    assert {name for name in BY_NAME if option in options_of(name)} == commands


@pytest.mark.parametrize("name", [name for name in BY_NAME if "--json" in options_of(name)])
def test_what_json_has_is_documented(name: str) -> None:
    assert "JSON: " in BY_NAME[name].help

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from langgraph_checkpoint_dynamodb_cdk import (
    CheckpointStore,
    CheckpointStoreBase,
    CheckpointStoreStack,
    Role,
)
from langgraph_checkpoint_dynamodb_cdk.context import CONTEXT_KEYS, DEFAULT_STACK_NAME

from tests.support import ENVIRONMENT, REGION, Synthesized

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_cdk import Stack

    from tests.support import Synthesizer

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_every_argument_is_in_the_table_of_inputs() -> None:
    assert _column("Inputs", 0) == _arguments(CheckpointStore) | _arguments(CheckpointStoreStack)


def test_every_context_key_is_in_the_table_of_inputs() -> None:
    keys = {re.sub(r"=.*", "", key) for key in _column("Inputs", 1)}
    assert keys == CONTEXT_KEYS


def test_defaults_in_the_table_of_inputs_are_those_of_the_code() -> None:
    parameters = inspect.signature(CheckpointStoreStack.__init__).parameters
    for argument, key, default, _ in _rows("Inputs"):
        if default.startswith("`") and argument and argument != "`removal_policy`":
            actual = parameters[argument.strip("`")].default
            written = getattr(actual, "name", str(actual).lower())
            assert default.strip("`") == written, argument
        elif key == "`stack_name`":
            assert default == f"`{DEFAULT_STACK_NAME}`"


def test_every_output_is_in_the_table_of_outputs(
    fullest: Synthesized, synthesizer: Synthesizer
) -> None:
    of_a_store = synthesizer.ready_made(store_table_name="memories").outputs
    assert _column("Outputs", 0) == fullest.outputs.keys() | of_a_store.keys()


def test_every_role_and_grant_is_in_the_table_of_roles() -> None:
    assert _column("Roles", 0) == {role.value for role in Role}
    grants = {name for name in vars(CheckpointStoreBase) if name.startswith("grant")}
    assert _column("Roles", 1) == grants


def test_the_stack_of_the_readme_can_be_synthesized(synthesizer: Synthesizer) -> None:
    namespace = _run(_block("class AgentStack"))
    result = Synthesized.of(namespace["AgentStack"](synthesizer.app(), "Test", env=ENVIRONMENT))
    assert "langgraph-writes" in str(result.granted())
    function = result.only("AWS::Lambda::Function")["Properties"]
    settings = function["Environment"]["Variables"]["SAVER_SETTINGS"]
    assert '"ttl_seconds":2592000' in settings
    assert '"bucket_name":"generated-name"' in settings


def test_the_existing_tables_of_the_readme_can_be_used(synthesizer: Synthesizer) -> None:
    stack: Stack = synthesizer.stack()
    store = _run(_block("from_existing"), self=stack, CheckpointStore=CheckpointStore)["store"]
    assert store.saver_settings == {
        "checkpoints_table_name": "checkpoints",
        "writes_table_name": "writes",
        "region_name": REGION,
        "run_id_index": "by-run",
    }


def test_the_arguments_of_existing_tables_are_named() -> None:
    section = _section("Tables that exist")
    parameters = inspect.signature(CheckpointStore.from_existing).parameters.values()
    for parameter in parameters:
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            assert re.search(rf"\b{parameter.name}\b", section), parameter.name


@pytest.mark.parametrize("line", [line for line in README.splitlines() if "npx" in line])
def test_the_cli_is_pinned_everywhere_to_the_same_version(line: str) -> None:
    assert "npx aws-cdk@2.1148.1 " in line


def _section(title: str) -> str:
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def _rows(title: str) -> Iterator[list[str]]:
    """Rows of the first table of a section, without the header."""
    lines = [line for line in _section(title).splitlines() if line.startswith("|")]
    for line in lines[2:]:
        yield re.split(r"\s*\|\s*", line)[1:-1]


def _column(title: str, number: int) -> set[str]:
    """The text in backticks in a column."""
    cells = [row[number] for row in _rows(title)]
    return {code for cell in cells for code in re.findall(r"`([^`]+)`", cell)}


def _arguments(cls: type[CheckpointStore] | type[CheckpointStoreStack]) -> set[str]:
    parameters = inspect.signature(cls.__init__).parameters.values()
    return {p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}


def _block(text: str) -> str:
    blocks: list[str] = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    (block,) = [block for block in blocks if text in block]
    return block


def _run(block: str, **names: Any) -> dict[str, Any]:
    namespace = dict(names)
    exec(compile(block, "README.md", "exec"), namespace)  # noqa: S102 # our own README
    return namespace

"""The template in a CDK stack in TypeScript: the example compiles and does what it describes."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.infra.tools import ROOT, run

TYPESCRIPT = Path(".engines/typescript").resolve()
EXAMPLE = "examples/typescript"


def test_the_example_in_typescript_compiles_and_has_the_tables_and_the_policies_it_uses(
    tmp_path: Path,
) -> None:
    tsc = TYPESCRIPT / "node_modules/.bin/tsc"
    if not tsc.exists():
        pytest.fail(f"there is no {tsc}; `make infra-test` installs it")
    left = shutil.ignore_patterns("node_modules", "app.js", "package-lock.json")
    shutil.copytree(ROOT / "cloudformation", tmp_path / "cloudformation", ignore=left)
    folder = tmp_path / "cloudformation" / EXAMPLE
    (folder / "node_modules").symlink_to(TYPESCRIPT / "node_modules")

    said = run([str(tsc)], folder, {})
    assert said.code == 0, said.text
    assembly = tmp_path / "assembly"
    said = run(["node", "app.js"], folder, {"CDK_OUTDIR": os.fspath(assembly)})
    assert said.code == 0, said.text

    made = json.loads((assembly / "AgentStack.template.json").read_text(encoding="utf-8"))
    assert {"CheckpointsTable", "WritesTable", "RuntimePolicy"} <= made["Resources"].keys()
    assert "ThreadIndexOwner" not in made["Parameters"]
    assert "RunIdIndexName" in made["Parameters"]
    functions = [
        found["Properties"]
        for found in made["Resources"].values()
        if found["Type"] == "AWS::Lambda::Function"
    ]
    (settings,) = (found["Environment"]["Variables"]["SAVER_SETTINGS"] for found in functions)
    assert "${ThreadIndexOwner}" not in json.dumps(settings)
    assert "user_id" in json.dumps(settings)
    (role,) = (
        found["Properties"]
        for found in made["Resources"].values()
        if found["Type"] == "AWS::IAM::Role"
    )
    assert {"Ref": "RuntimePolicy"} in role["ManagedPolicyArns"]

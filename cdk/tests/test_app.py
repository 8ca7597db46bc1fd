from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import ACCOUNT, CHECKPOINTS, WRITES, Synthesized, saying

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = Path(__file__).parents[1]


def test_cdk_runs_the_app() -> None:
    settings = json.loads((PROJECT / "cdk.json").read_text())
    assert settings["app"] == "python3 app.py"


def test_without_context_the_app_is_the_stack_with_its_defaults(
    tmp_path: Path, default: Synthesized
) -> None:
    _run_app(tmp_path, {})
    result = _template(tmp_path, "LangGraphCheckpoints")
    assert result.outputs == default.outputs
    for name in (CHECKPOINTS, WRITES):
        assert result.table(name) == default.table(name)


def test_the_app_takes_its_context_and_the_environment_of_the_cli(tmp_path: Path) -> None:
    context = {
        "aws:cdk:enable-path-metadata": True,
        "stack_name": "Mine",
        "replica_regions": "eu-west-1",
        "throwaway": "true",
        "ttl": "60",
    }
    _run_app(
        tmp_path,
        context,
        {"CDK_DEFAULT_ACCOUNT": ACCOUNT, "CDK_DEFAULT_REGION": "eu-central-1"},
    )
    result = _template(tmp_path, "Mine")
    assert result.replicas(WRITES).keys() == {"eu-west-1", "eu-central-1"}
    assert json.loads(result.outputs["SaverSettings"])["ttl_seconds"] == 60


def test_the_app_stops_at_a_wrong_value_and_says_which(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=saying("ValueError: ttl: got 'soon', expected")):
        _run_app(tmp_path, {"ttl": "soon"})


def _run_app(
    directory: Path, context: Mapping[str, Any], environment: Mapping[str, str] | None = None
) -> None:
    """Run the app as the CLI does."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("CDK_DEFAULT_")
    }
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=PROJECT,
        env={
            **inherited,
            **(environment or {}),
            "CDK_CONTEXT_JSON": json.dumps(context),
            "CDK_OUTDIR": str(directory),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.replace("\n", " ")


def _template(directory: Path, stack: str) -> Synthesized:
    return Synthesized(json.loads((directory / f"{stack}.template.json").read_text()))

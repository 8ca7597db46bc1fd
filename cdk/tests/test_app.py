from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import ACCOUNT, CHECKPOINTS, WRITES, Synthesized

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


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({"ttl": "soon"}, "error: ttl: got 'soon', expected"),
        ({"tll": "60"}, "error: context: unknown keys tll"),
        ({"tenant_thread_id_prefix": "acme"}, "error: tenant_thread_id_prefix: got 'acme'"),
    ],
)
def test_the_app_stops_at_a_wrong_value_with_a_message_and_no_traceback(
    tmp_path: Path, context: dict[str, str], message: str
) -> None:
    done = _try_app(tmp_path, context)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_the_cli_warns_if_the_deployed_stack_cannot_be_read(tmp_path: Path) -> None:
    _run_app(tmp_path, {}, {"CDK_DEFAULT_ACCOUNT": ACCOUNT, "CDK_DEFAULT_REGION": "eu-central-1"})
    assert "the deployed stack LangGraphCheckpoints could not be read" in _messages(
        tmp_path, "warning"
    )
    _run_app(
        tmp_path,
        {"allow_removal": "true"},
        {"CDK_DEFAULT_ACCOUNT": ACCOUNT, "CDK_DEFAULT_REGION": "eu-central-1"},
    )
    assert _messages(tmp_path, "warning") == ""


def _messages(directory: Path, level: str) -> str:
    """The messages of a level that the CLI prints for the stack."""
    assembly = json.loads((directory / "manifest.json").read_text())
    stack = assembly["artifacts"]["LangGraphCheckpoints"]
    file = stack.get("additionalMetadataFile")
    metadata = json.loads((directory / file).read_text()) if file else stack.get("metadata", {})
    entries = [entry for found in metadata.values() for entry in found]
    return "".join(e["data"] for e in entries if e["type"] == f"aws:cdk:{level}")


def _run_app(
    directory: Path, context: Mapping[str, Any], environment: Mapping[str, str] | None = None
) -> None:
    """Run the app like the CLI."""
    done = _try_app(directory, context, environment)
    assert done.returncode == 0, done.stderr.replace("\n", " ")


def _try_app(
    directory: Path, context: Mapping[str, Any], environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CDK_DEFAULT_", "AWS_"))
    }
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=PROJECT,
        env={
            **inherited,
            **(environment or {}),
            "CDK_CONTEXT_JSON": json.dumps(context),
            "CDK_OUTDIR": str(directory),
            "PYTHONDONTWRITEBYTECODE": "1",
            # Without credentials: the app must make no lookups.
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _template(directory: Path, stack: str) -> Synthesized:
    return Synthesized(json.loads((directory / f"{stack}.template.json").read_text()))

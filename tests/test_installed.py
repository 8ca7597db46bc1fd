"""The warning if another distribution has installed a package of the same name."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import TYPE_CHECKING

import pytest

from langgraph_checkpoint_dynamodb.installed import warn_of_others

if TYPE_CHECKING:
    from pathlib import Path

OTHER = "langgraph_checkpoint_amazon_dynamodb-0.2.0"


def install(folder: Path, name: str, package: str = "langgraph_checkpoint_dynamodb") -> str:
    """Create the files that pip installs for a distribution."""
    info = folder / f"{name}.dist-info"
    info.mkdir(parents=True)
    (info / "RECORD").write_text(
        f"{package}/__init__.py,sha256=abc,12\n{name}.dist-info/RECORD,,\n"
    )
    return str(folder)


def test_another_distribution_with_this_package_is_named(tmp_path: Path) -> None:
    named = "also provided by langgraph_checkpoint_amazon_dynamodb 0.2.0: .* Uninstall all of them"
    with pytest.warns(UserWarning, match=named):
        warn_of_others([install(tmp_path, OTHER)])


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("langgraph_checkpoint_dynamodb-1.0.0", "langgraph_checkpoint_dynamodb"),
        ("langgraph_dynamodb_checkpoint-0.5.0", "langgraph_dynamodb_checkpoint"),
        ("boto3-1.0", "langgraph_checkpoint_dynamodb_no"),
    ],
)
def test_nothing_is_said_of_this_one_and_of_others_of_other_names(
    tmp_path: Path, name: str, package: str
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_others([install(tmp_path, name, package), str(tmp_path / "missing"), ""])


def test_the_warning_comes_with_the_import_and_points_at_it(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import langgraph_checkpoint_dynamodb\n")
    folder = install(tmp_path / "packages", OTHER)
    done = subprocess.run(  # noqa: S603 - the interpreter that runs this test
        [sys.executable, str(program)],
        env={"PYTHONPATH": folder, "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "is also provided by langgraph_checkpoint_amazon_dynamodb 0.2.0" in done.stderr

"""Options set the tables, region, endpoint and credentials; errors take one line."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import langgraph_checkpoint_dynamodb as package
from langgraph_checkpoint_dynamodb.cli import app, main
from langgraph_checkpoint_dynamodb.cli.connection import connect
from langgraph_checkpoint_dynamodb.cli.options import Options
from tests.support.values import put_chain

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from langgraph_checkpoint_dynamodb.settings.saver import Settings
    from tests.cli.conftest import Cli

NAMES = {"checkpoints_table_name": "from-file", "writes_table_name": "other-from-file"}


def settings_of(**options: Any) -> Settings:
    with connect(Options(**options)) as connection:
        return connection.saver._settings


def test_settings_are_read_as_terraform_prints_them(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    s3 = {"bucket_name": "bucket", "key_prefix": "mine/"}
    said = {**NAMES, "run_id_index": "by-run", "ttl_seconds": 60, "s3_offload_config": s3}
    for text in (
        json.dumps(said),
        json.dumps({"saver_settings": {"value": said, "sensitive": False}}),
        json.dumps(json.dumps(said)),
    ):
        file.write_text(text)
        read = settings_of(settings=str(file), region="us-east-1")
        assert read.checkpoints_table_name == "from-file"
        assert (read.run_id_index, read.ttl_seconds) == ("by-run", 60)
        assert read.payloads.s3 is not None
        assert read.payloads.s3.key_prefix == "mine/"


def test_options_win_over_settings(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({**NAMES, "thread_index": {"owner": "a", "index_name": "mine"}}))

    read = settings_of(
        settings=str(file),
        checkpoints_table="named",
        owner_key="user_id",
        bucket="bucket",
        key_prefix="mine/",
        region="us-east-1",
    )

    assert (read.checkpoints_table_name, read.writes_table_name) == ("named", "other-from-file")
    assert read.thread_index is not None
    assert (read.thread_index.owner, read.thread_index.index_name) == ("user_id", "mine")
    assert read.payloads.s3 is not None
    assert (read.payloads.s3.bucket, read.payloads.s3.key_prefix) == ("bucket", "mine/")


def test_settings_come_from_standard_input(
    cli: Cli, plain: DynamoDBSaver, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_chain(plain, "1", 1)  # type: ignore[arg-type]  # a saver has these calls
    names = {
        "checkpoints_table_name": cli.tables.checkpoints,
        "writes_table_name": cli.tables.writes,
    }
    for name in ("LANGGRAPH_CHECKPOINTS_TABLE", "LANGGRAPH_WRITES_TABLE"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(names)))

    assert cli("threads", "--settings", "-").out == "1\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ('"{"', "is no JSON"),
        ("[]", "must hold a JSON object"),
        ('{"table": "x"}', "unknown names table; known are: checkpoints_table_name"),
    ],
)
def test_settings_that_cannot_be_used_are_told(
    cli: Cli, tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "settings.json"
    file.write_text(text)

    assert said in cli("threads", "--settings", str(file), code=1).err
    assert "cannot read" in cli("threads", "--settings", str(tmp_path / "none"), code=1).err


def test_tables_must_be_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANGGRAPH_WRITES_TABLE")

    said = cli("threads", code=1).err

    assert said == (
        "Error: writes_table_name: is missing: name the table with --writes-table or "
        "LANGGRAPH_WRITES_TABLE\n"
    )


def test_an_error_is_one_line_and_with_debug_its_traceback(cli: Cli) -> None:
    said = cli("threads", code=1).err
    debugged = cli("threads", "--debug", code=1).err

    assert said.splitlines()[-1].startswith(f"Error: table '{cli.tables.checkpoints}' does not")
    assert "`langgraph-dynamodb setup` creates it" in said
    assert "Traceback" not in said
    assert "Traceback" in debugged


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--profile", "nobody"], "aws configure list-profiles"),
        (["--serde", "nowhere"], "must be MODULE:NAME"),
        (["--serde", "no.such:thing"], "cannot load 'no.such:thing'"),
        (["--serde", "json:dumps"], "cannot load 'json:dumps'"),
        (["--serde", "os:getcwd"], "is not a LangGraph serializer"),
        (["--checkpoints-table", "a b"], "is no valid name"),
    ],
)
def test_options_that_cannot_be_used_are_told(cli: Cli, options: list[str], said: str) -> None:
    found = cli("threads", *options, code=1).err

    assert said in found
    assert len(found.splitlines()) == 1


def test_a_region_must_be_known(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")

    assert "pass --region, or set AWS_DEFAULT_REGION" in cli("threads", code=1).err


def test_a_mistake_of_this_program_is_shown_whole(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def threads(options: Options) -> None:
        raise ZeroDivisionError(options)

    monkeypatch.setattr(app, "COMMANDS", (app.Command(threads), app.Command(threads)))

    with pytest.raises(ZeroDivisionError):
        cli("threads")


def test_ctrl_c_ends_with_130_and_how_to_go_on(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def threads(options: Options) -> None:
        raise KeyboardInterrupt(options)

    one = app.Command(threads, "Go on.")
    monkeypatch.setattr(app, "COMMANDS", (one, one))

    assert cli("threads", code=130).err == "Stopped. Go on.\n"


def test_unknown_commands_and_options_end_with_2(cli: Cli) -> None:
    assert "No such command" in cli("nothing", code=2).err
    assert "No such option" in cli("threads", "--nothing", code=2).err


def test_the_version_is_told(cli: Cli) -> None:
    assert cli("--version").out.startswith("langgraph-dynamodb 1.")


def test_whoever_reads_the_output_may_have_enough(cli: Cli, plain: DynamoDBSaver) -> None:
    for number in range(3):
        put_chain(plain, str(number), 1)  # type: ignore[arg-type]  # a saver has these calls
    reader, writer = subprocess.PIPE, subprocess.PIPE
    code = "import os, sys; from langgraph_checkpoint_dynamodb.cli import main; "
    code += "sys.stdin.read(); sys.exit(main(['threads', '--all', '--json']))"
    with subprocess.Popen(  # noqa: S603 - this interpreter
        [sys.executable, "-c", code], stdin=reader, stdout=writer, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.close()
        said = process.stderr.read().decode()
        assert process.wait() == 141

    assert "Traceback" not in said
    assert cli is not None


def test_without_the_extra_the_command_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith(f"{main.__module__}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "typer", None)

    assert main(["threads"]) == 1
    assert "its extra [cli], or run: pip install rich textual typer" in capsys.readouterr().err


def test_the_package_needs_nothing_of_the_command_line() -> None:
    root = Path(package.__file__).parent
    names = [
        ".".join(path.relative_to(root.parent).with_suffix("").parts) for path in root.rglob("*.py")
    ]
    # Modules that need an extra: `cli`, or `async` for aiobotocore.
    needs_extra = {"cli", "aio", "loops", "loop_clients", "loop_runner"}
    others = [name for name in names if not needs_extra & {*name.split(".")}]
    code = (
        f"import sys, importlib\n[importlib.import_module(name) for name in {others}]\n"
        "sys.exit(int(bool({'rich', 'textual', 'typer'} & sys.modules.keys())))\n"
    )

    ended = subprocess.run([sys.executable, "-c", code], check=False)  # noqa: S603 - this interpreter
    assert ended.returncode == 0


def test_the_entry_point_is_the_command_line() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()

    assert 'langgraph-dynamodb = "langgraph_checkpoint_dynamodb.cli:main"' in text
    assert main.__module__ == "langgraph_checkpoint_dynamodb.cli"

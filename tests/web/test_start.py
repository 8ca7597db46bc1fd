"""The command that starts the application, and its error messages."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from tests.web.running import TableNames, Talk, end, gone, running_chat, start

if TYPE_CHECKING:
    import pytest

    from tests.support.engines import Engine

READY = "  (process "


def told(*arguments: str, **environment: str) -> str:
    """The output of an application that fails to start."""
    process = start(*arguments, **environment)
    output, _ = process.communicate()
    assert process.returncode == 1
    assert "Traceback" not in output
    return output


def test_a_model_whose_package_is_missing_is_told_with_what_to_install() -> None:
    said = told("--port=0", "--model=openai:gpt-5-mini", "--endpoint-url=http://127.0.0.1:1")
    assert "'openai:gpt-5-mini' needs a package that is not installed" in said
    assert "pip install langchain" in said


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} cannot be used" in told(
            f"--port={port}", "--endpoint-url=http://127.0.0.1:1"
        )


def test_tables_of_an_account_are_made_when_asked_and_told_where_they_are_missing(
    engine: Engine,
) -> None:
    tables = TableNames.new()
    account = {"AWS_ENDPOINT_URL_DYNAMODB": engine.url}
    said = told("--aws", "--port=0", *tables.arguments, **account)
    assert tables.checkpoints in said
    assert "--set-up makes the tables" in said
    process = start("--aws", "--set-up", "--port=0", *tables.arguments, **account)
    with process:
        assert process.stdout is not None
        assert any(READY in line for line in process.stdout)
        end(process)


def test_it_ends_with_its_server_and_the_server_ends_with_it(engine: Engine) -> None:
    with running_chat(engine.url) as chat:
        worker = chat.worker
        assert end(chat.process) == 0
        assert gone(worker)
    with running_chat(engine.url) as chat:
        worker = chat.worker
        chat.process.kill()
        assert gone(worker)


def test_without_an_endpoint_it_brings_an_engine_that_outlives_its_servers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DYNAMODB_ENDPOINT_URL", raising=False)
    # As on a machine without dynoxide.
    monkeypatch.setenv("DYNOXIDE_BIN", os.devnull + "/none")
    with running_chat(None) as chat:
        assert chat.get("/api/about")["engine"].startswith("moto")
        talk = Talk(chat, "ann")
        state = talk.turn("What did I buy with order A-1077?")
        chat.end_worker()
        assert talk.state() == state

"""A real terminal of 80 columns for interactive tests: tmux."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

COLUMNS = 80
_SECONDS = 180
_ROOT = Path(__file__).parents[2]


class Terminal:
    """A terminal that runs a shell.

    Args:
        tmux: The tmux executable.
        socket: The socket of this terminal's own server.
    """

    def __init__(self, tmux: str, socket: Path) -> None:
        self._tmux = [tmux, "-S", str(socket), "-f", "/dev/null"]
        self._numbers = count()

    def type(self, line: str) -> None:
        """Type a line."""
        self.press("-l", line)
        self.press("Enter")

    def press(self, *keys: str) -> None:
        """Press keys, by their tmux names."""
        self._call("send-keys", "-t", "shell", *keys)

    def run(self, line: str) -> tuple[int, list[str]]:
        """Run a command; returns its exit code and its visible output."""
        number = next(self._numbers)
        # The echo of the command is visible too, and must not look like its output.
        self.type(f"clear; {line}; printf '=%s= %s\\n' $? {number}")
        end = re.compile(rf"=(\d+)= {number}\n")
        shown = self.wait_for(lambda text: end.search(text) is not None)
        ended = end.search(shown)
        assert ended is not None
        return int(ended[1]), shown[: ended.start()].rstrip("\n").split("\n")

    def screen(self, *options: str) -> str:
        """All that was printed since the screen was cleared."""
        return self._call("capture-pane", "-p", "-t", "shell", "-S", "-", *options)

    def wait_for(self, seen: Callable[[str], bool]) -> str:
        """Wait until the screen matches; returns its contents."""
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            text = self.screen()
            if seen(text):
                return text
            time.sleep(0.02)
        raise AssertionError(f"not seen in {_SECONDS} s; the screen was:\n{self.screen()}")

    def _call(self, *arguments: str) -> str:
        done = subprocess.run(  # noqa: S603 - tmux, on a socket of its own
            [*self._tmux, *arguments], check=True, capture_output=True, text=True
        )
        return done.stdout


@contextmanager
def running_terminal(folder: Path, environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Run a terminal in a folder for as long as the context lasts."""
    tmux = shutil.which("tmux")
    if tmux is None:
        raise RuntimeError("tmux is not installed: apt-get install tmux")
    programs = folder / "bin"
    programs.mkdir()
    program = programs / "langgraph-dynamodb"
    program.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -m langgraph_checkpoint_dynamodb.cli "$@"\n'
    )
    program.chmod(0o755)
    terminal = Terminal(tmux, folder / "socket")
    variables = {
        **{name: value for name, value in os.environ.items() if name.startswith("AWS_")},
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(_ROOT),
        "PS1": "$ ",
        "TERM": "tmux-256color",
        "LC_ALL": "C.UTF-8",
        **environment,
    }
    given = [f"{name}={value}" for name, value in variables.items()]
    size = ["-x", str(COLUMNS), "-y", "24"]
    terminal._call("start-server", ";", "set-option", "-g", "history-limit", "20000", ";",
                   "new-session", "-d", "-s", "shell", *size, "-c", str(folder),
                   "env", "-i", *given, "bash", "--norc", "--noprofile")  # fmt: skip
    try:
        yield terminal
    finally:
        terminal._call("kill-server")

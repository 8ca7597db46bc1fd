"""Runs programs in a new interpreter."""

from __future__ import annotations

import os
import subprocess
import sys

_SECONDS = 120


def run_program(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program with this Python; warnings are errors.

    Args:
        program: The source code.
        **environment: Environment variables in addition to those of this process.
    """
    return subprocess.run(  # noqa: S603 - the interpreter that runs this test
        [sys.executable, "-W", "error", "-c", program],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )

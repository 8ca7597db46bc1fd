"""LangGraph's own PostgreSQL checkpointer on a server of its own, for scale."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.metering import Meter

_DEBIAN = "/usr/lib/postgresql"
_OWNER = "postgres"
"""PostgreSQL refuses to run as root. Then this user runs it, whom its packages make."""


def programs() -> Path | None:
    """Folder of PostgreSQL's programs, `None` if it is not installed."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += [path.parent for path in sorted(Path(_DEBIAN).glob("*/bin/initdb"), reverse=True)]
    return folders[0] if folders else None


@contextmanager
def postgres_saver(meter: Meter) -> Iterator[Any]:
    """The saver, its tables made, whose statements are metered.

    Raises:
        RuntimeError: PostgreSQL is not installed.
    """
    # Imported late: other contenders' processes need none of it.
    import psycopg
    from langgraph.checkpoint.postgres import PostgresSaver
    from psycopg.rows import dict_row

    class Metered(psycopg.Cursor):  # type: ignore[misc] # not there where types are checked
        def execute(self, *arguments: Any, **named: Any) -> Any:
            with meter.statement():
                return super().execute(*arguments, **named)

        def executemany(self, *arguments: Any, **named: Any) -> Any:
            with meter.statement():
                return super().executemany(*arguments, **named)

    with (
        _running() as folder,
        psycopg.connect(
            host=str(folder),
            user=_OWNER,
            dbname="postgres",
            autocommit=True,
            prepare_threshold=0,
            row_factory=dict_row,
            cursor_factory=Metered,
        ) as connection,
    ):
        made = PostgresSaver(connection)
        made.setup()
        yield made


@contextmanager
def _running() -> Iterator[Path]:
    """A server that listens in the folder alone."""
    bin_folder = programs()
    if bin_folder is None:
        raise RuntimeError("PostgreSQL is not installed: its initdb was not found")
    owner = _OWNER if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="benchmark") as name:
        folder = Path(name)
        if owner is not None:
            shutil.chown(folder, owner)
        data = folder / "data"
        subprocess.run(  # noqa: S603 - a program that was found above
            [str(bin_folder / "initdb"), "-D", str(data), "-A", "trust", "-U", _OWNER],
            user=owner,
            cwd="/",
            check=True,
            stdout=subprocess.DEVNULL,
        )
        command = (bin_folder / "postgres", "-D", data, "-k", folder, "-h", "")
        server = subprocess.Popen(  # noqa: S603 - a program that was found above
            list(map(str, command)), user=owner, cwd=folder, stderr=subprocess.DEVNULL
        )
        try:
            _wait(bin_folder, folder, server)
            yield folder
        finally:
            server.terminate()
            server.wait()


def _wait(bin_folder: Path, folder: Path, server: subprocess.Popen[bytes]) -> None:
    ready = [str(bin_folder / "pg_isready"), "-q", "-h", str(folder)]
    while subprocess.run(ready, check=False).returncode != 0:  # noqa: S603 - as above
        if server.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended with {server.returncode} as it was started")
        time.sleep(0.1)

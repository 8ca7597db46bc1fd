"""Processes that write checkpoints until they are killed, and the engine they write to.

`python -m tests.support.killed` forks them: it has everything imported and no threads, so a fork
starts to work within milliseconds. It reads a `Round` from each line of its input and answers with
the lines the process had written when it was killed.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import traceback
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from langgraph_checkpoint_dynamodb import DynamoDBSaver
from tests.support.engines import DYNOXIDE, Engine, free_port, wait_until_open
from tests.support.sessions import new_session
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.savers import Saver

IDS = ("0001", "0002")
TASKS = ("first", "second")
CHANNELS = ("__resume__", "log")
STATE_BYTES = 1_000_000
WRITE_BYTES = 420_000
"""More than fits into an item."""


class Round(NamedTuple):
    """A process that writes and is killed.

    Attributes:
        url: Endpoint of the engine.
        checkpoints: Name of the checkpoints table.
        writes: Name of the writes table.
        thread_id: The thread it writes to.
        seed: Seed of the written values.
        lines: Lines of its output to read before it is killed.
        spins: Iterations of a busy loop to wait after that.
        engine: Process id of the engine to kill first; 0 to leave the engine running.
    """

    url: str
    checkpoints: str
    writes: str
    thread_id: str
    seed: int
    lines: int
    spins: int
    engine: int


def content(mark: str, size: int) -> bytes:
    """The bytes that belong to a mark: no two parts of them are equal."""
    return hashlib.shake_128(mark.encode()).digest(size)


def _write_without_end(round_: Round, saver: Saver, say: Callable[[str], None]) -> None:
    """Store and replace large values, and write a line with the call's name before and after it."""
    choose = random.Random(round_.seed)  # noqa: S311 - a sample, not a secret
    for number in count():
        mark = f"{round_.seed}-{number}"
        id_, task = choose.choice(IDS), choose.choice(TASKS)
        if choose.random() < 0.6:
            call = f"put {id_} {mark}"
            say(call)
            made = checkpoint(id_, mark=mark, data=content(mark, STATE_BYTES))
            saver.put(config(round_.thread_id), made, metadata(mark=mark), {})
        else:
            call = f"write {id_} {task}"
            say(call)
            value = (mark, content(mark, WRITE_BYTES))
            at = config(round_.thread_id, "", id_)
            saver.put_writes(at, [(channel, value) for channel in CHANNELS], task)
        say(f"end {call}")


def _write(round_: Round, pipe: int) -> None:
    def say(line: str) -> None:
        os.write(pipe, f"{line}\n".encode())

    client = new_session().client("dynamodb", endpoint_url=round_.url)
    # A line for each request and reply: the process is killed before, during or between them.
    for event in ("before-send", "response-received"):
        client.meta.events.register(f"{event}.dynamodb", lambda **_: say("."))
    saver = DynamoDBSaver(
        checkpoints_table_name=round_.checkpoints, writes_table_name=round_.writes, client=client
    )
    _write_without_end(round_, saver, say)


def _run(round_: Round) -> list[str]:
    """Run a process that writes, and kill it; returns the lines it wrote."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            _write(round_, writing)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = [pipe.readline() for _ in range(round_.lines)]
        for _ in range(round_.spins):
            pass
        if round_.engine:
            os.kill(round_.engine, signal.SIGKILL)
        os.kill(child, signal.SIGKILL)
        said += pipe.readlines()
    _, status = os.waitpid(child, 0)
    if os.WTERMSIG(status) != signal.SIGKILL:
        raise RuntimeError("the process ended before it was killed")
    return [line.strip() for line in said if line != ".\n"]


def main() -> None:
    """Run a round for each line of stdin."""
    new_session().client("dynamodb", endpoint_url="http://127.0.0.1:1").close()
    for line in sys.stdin:
        print(json.dumps(_run(Round(*json.loads(line)))), flush=True)  # noqa: T201 - the answer


@contextmanager
def running_writers() -> Iterator[Callable[[Round], list[str]]]:
    """Yield a function that runs rounds, each in its own process."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.killed"],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        requests, answers = process.stdin, process.stdout
        assert requests is not None
        assert answers is not None

        def run(round_: Round) -> list[str]:
            requests.write(f"{json.dumps(round_)}\n")
            requests.flush()
            said: list[str] = json.loads(answers.readline())
            return said

        yield run


class DurableEngine:
    """An engine that keeps its tables in a file, so that they survive a crash.

    Attributes:
        engine: The running engine.
    """

    def __init__(self, path: Path) -> None:
        if not DYNOXIDE.exists():
            raise RuntimeError(f"dynoxide is needed and is not at {DYNOXIDE}; see make help")
        self._path = path
        self._start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def start_again(self) -> None:
        """Start the engine again with its file after it was killed."""
        self._process.wait()
        self._start()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def _start(self) -> None:
        port = free_port()
        self._process = subprocess.Popen(  # noqa: S603 - the binary that the Makefile installed
            [str(DYNOXIDE), "--port", str(port), "--db-path", str(self._path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until_open("dynoxide", port, self._process)
        self.engine = Engine("dynoxide", f"http://127.0.0.1:{port}", faithful=True)


if __name__ == "__main__":
    main()

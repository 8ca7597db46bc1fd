"""The sections of the report about what not every contender takes part in."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from benchmarks.environment import prepare_environment
from benchmarks.report import figure, table
from benchmarks.special.listing_memory import fill
from benchmarks.special.startup import start_section
from tests.support.engines import running_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_APIS = ("sync", "async")
_SIZES = (10_000, 200_000)
_LENGTH = 10_000
_QUICK_LENGTH = 1_000


def processor_section(*, quick: bool) -> str:
    """Processor time of `put` and `get_tuple`."""
    flags = ["--quick"] if quick else []
    rows = []
    for api in _APIS:
        for size in _SIZES:
            costs = _run("benchmarks.special.cpu_time", [api, str(size), *flags])
            if isinstance(costs, str):
                rows.append([f"{api}, {size // 1000} KB", f"failed: {costs}", *[""] * 4])
                continue
            for cost in costs:
                call = f"{api}, `{cost['call'].split(',')[0]}`, {size // 1000} KB"
                micros = (cost["ours"], cost["raw"], cost["serde"])
                rows.append([call, *map(figure, micros), f"{cost['ratio']:.2f}"])
    columns = ["call of this package", "µs", "SDK µs", "serializer µs", "ratio"]
    return f"""## Processor time of a call

Microseconds of processor time of a call, all threads, without added delay: of this package's saver;
of boto3 or aiobotocore called with the very arguments that the saver called it with; and of
LangGraph's serializer on the same values. The state is a chat, `get_tuple` reads the newest
checkpoint and three writes. Medians of rounds in turns; *ratio* is the median of the saver's time
over the sum of the other two.

{table(columns, rows)}"""


def listing_section(*, quick: bool) -> str:
    """Memory while a long history is listed."""
    length = _QUICK_LENGTH if quick else _LENGTH
    rows = []
    prepare_environment()
    with running_engine() as engine:
        fill(engine.url, length)
        for api in _APIS:
            figures = _run("benchmarks.special.listing_memory", [api, str(length), engine.url])
            if isinstance(figures, str):
                rows.append([api, f"failed: {figures}", "", ""])
            else:
                shown = [figures[name] for name in ("early", "end", "seconds")]
                rows.append([api, *map(figure, shown)])
    columns = [
        "this package",
        f"peak MB after {length // 10:,}",
        f"peak MB after {length:,}",
        "seconds",
    ]
    return f"""## Memory of a long history

`list` over {length:,} checkpoints of 50 KB each, without added delay: the peak of resident memory
above what it was before, a tenth into the history and at its end.

{table(columns, rows)}"""


SPECIALS: dict[str, Callable[..., str]] = {
    "processor": processor_section,
    "start": start_section,
    "listing": listing_section,
}
"""By their names on the command line. Each measures and returns a section of the report."""


def _run(module: str, arguments: Sequence[str]) -> Any:
    """What a module prints as JSON, or the last line of why it did not."""
    done = subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-m", module, *arguments], capture_output=True, check=False, text=True
    )
    if done.returncode:
        sys.stderr.write(done.stderr)
        return done.stderr.strip().splitlines()[-1]
    return json.loads(done.stdout)

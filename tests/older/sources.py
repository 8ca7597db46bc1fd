"""The older writers, and the items they store."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb import DynamoDBSaver
from tests.support.recorded import as_base64, restore_bytes

if TYPE_CHECKING:
    from tests.older.releases import Release
    from tests.support.tables import Tables

HERE = Path(__file__).parent
PACKAGES = Path(".older")
"""Where the Makefile installs the packages, each writer in its own folder."""

Items = dict[str, list[dict[str, Any]]]
"""Items of both tables, by `checkpoints` and `writes`."""


def live() -> bool:
    """Whether to run the packages themselves instead of using the recorded items."""
    return bool(os.environ.get("TEST_OLDER"))


@dataclass(frozen=True)
class OlderWriter:
    """A package of an older writer, with a version of LangGraph."""

    name: str
    javascript: bool = False

    def run(self, action: str, tables: Tables, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the package to write its threads, or to read one."""
        home = PACKAGES / self.name
        if not home.exists():
            raise RuntimeError(f"{self.name} is not installed in {home}; see make older-writers")
        if self.javascript:
            command = ["node", str(HERE / "writers/javascript.cjs"), action, str(home.resolve())]
        else:
            command = [str(home / "bin/python"), str(HERE / "writers/pypi.py"), action]
        named = (tables.engine.url, tables.checkpoints, tables.writes)
        return subprocess.run(  # noqa: S603 - our own scripts
            [*command, *named, *arguments], capture_output=True, text=True, check=False
        )

    def write(self, tables: Tables) -> Items:
        """The items that it stores in fresh tables."""
        with DynamoDBSaver(
            checkpoints_table_name=tables.checkpoints,
            writes_table_name=tables.writes,
            client=tables.client,
        ) as saver:
            saver.setup()
        done = self.run("write", tables)
        if done.returncode != 0:
            raise RuntimeError(f"{self.name} could not write: {done.stderr}")
        return {"checkpoints": tables.checkpoint_items(), "writes": tables.items_beside()}

    @property
    def recorded(self) -> Path:
        """The file with its recorded items."""
        return HERE / "recorded" / f"{self.name}.json"


WRITERS = (
    OlderWriter("javascript-langgraph-0.2.74", javascript=True),
    OlderWriter("javascript-langgraph-1.7.3", javascript=True),
    OlderWriter("pypi-langgraph-0.2.53"),
    OlderWriter("pypi-langgraph-1.2.24"),
)


def record(writer: OlderWriter | Release, items: Items) -> None:
    """Record the items of a writer."""
    writer.recorded.write_text(recorded_text(items))


def recorded_text(items: Items) -> str:
    """Items in the format of a recording."""
    ordered = {name: sorted(found, key=_key) for name, found in items.items()}
    return json.dumps(ordered, indent=1, sort_keys=True, default=as_base64) + "\n"


def read_recorded(writer: OlderWriter | Release) -> Items:
    """The recorded items of a writer."""
    items: Items = json.loads(writer.recorded.read_text())
    for item in (*items["checkpoints"], *items["writes"]):
        for attribute in item.values():
            restore_bytes(attribute)
    return items


def of_thread(items: Items, thread_id: str) -> Items:
    """The items of one thread."""
    return {
        "checkpoints": [i for i in items["checkpoints"] if i["thread_id"]["S"] == thread_id],
        "writes": [
            item
            for item in items["writes"]
            if item["thread_id_checkpoint_id_checkpoint_ns"]["S"].startswith(f"{thread_id}:::")
        ],
    }


def _key(item: dict[str, Any]) -> tuple[str, ...]:
    names = ("thread_id", "checkpoint_id", "thread_id_checkpoint_id_checkpoint_ns", "task_id_idx")
    return tuple(item[name]["S"] for name in names if name in item)

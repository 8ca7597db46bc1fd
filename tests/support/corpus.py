"""Real text that never changes: files of this repository at a fixed commit.

Compression is measured on this text, so that tables made at different times, or with different
packages installed, are comparable.
"""

from __future__ import annotations

import subprocess
import tarfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage, HumanMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.messages import BaseMessage

COMMIT = "f2e8402467748ea3c74e10cc0b6b617e3ec013db"
FOLDERS = ("docs", "langgraph_checkpoint_dynamodb")
SUFFIXES = (".md", ".py")
_ROOT = Path(__file__).parents[2]


def repository_text() -> str:
    """The documentation at `COMMIT`, then the modules of the package.

    Raises:
        RuntimeError: This is not a git clone with that commit.
    """
    archive = subprocess.run(  # noqa: S603 - only constants
        ["git", "archive", COMMIT, *FOLDERS],  # noqa: S607 - the user's git
        cwd=_ROOT,
        capture_output=True,
        check=False,
    )
    if archive.returncode != 0:
        raise RuntimeError(
            f"this needs a clone with the commit {COMMIT}: {archive.stderr.decode()}"
        )
    texts: dict[tuple[str, str], str] = {}
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
        for file in files:
            path = Path(file.name)
            content = files.extractfile(file)
            if content is not None and path.suffix in SUFFIXES:
                texts[path.suffix, file.name] = content.read().decode()
    return "".join(texts[place] for place in sorted(texts))


def chat(texts: Sequence[str]) -> list[BaseMessage]:
    """Alternating user and model messages with these texts."""
    kinds = (HumanMessage, AIMessage)
    return [kinds[number % 2](text, id=str(number)) for number, text in enumerate(texts)]

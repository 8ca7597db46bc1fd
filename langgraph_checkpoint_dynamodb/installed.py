"""Warns if another distribution provides this package, too.

Another distribution on PyPI, `langgraph-checkpoint-amazon-dynamodb`, has the same import name: pip
writes the files of one over those of the other and says nothing.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PACKAGE = "langgraph_checkpoint_dynamodb"


def warn_of_others(folders: Iterable[str] = sys.path) -> None:
    """Warn if another distribution provides this package.

    Reads only distributions with `dynamodb` in their name: reading all of them, as
    `importlib.metadata.packages_distributions` does, takes longer than the whole import.
    """
    others = others_installed(folders)
    if others:
        warnings.warn(
            f"{_PACKAGE} is also provided by {', '.join(others)}: files of one lie over those of "
            "the other. Uninstall all of them, then install the one that is wanted.",
            stacklevel=3,
        )


def others_installed(folders: Iterable[str] = sys.path) -> list[str]:
    """The other distributions that provide this package, with their versions."""
    return sorted({name for folder in folders for name in _others(Path(folder))})


def _others(folder: Path) -> Iterable[str]:
    for record in folder.glob("*dynamodb*.dist-info/RECORD"):
        name, _, version = record.parent.name.removesuffix(".dist-info").partition("-")
        if name != _PACKAGE and f"{_PACKAGE}/" in _read(record):
            yield f"{name} {version}"


def _read(record: Path) -> str:
    try:
        return record.read_text(errors="replace")
    except OSError:
        # The file may not be readable. That must not make the import fail.
        return ""

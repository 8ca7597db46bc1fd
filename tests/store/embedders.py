"""Embedders for tests: the same text always gives the same vector, and they count what they do."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from langchain_core.embeddings import Embeddings

if TYPE_CHECKING:
    from collections.abc import Sequence

LETTERS = "abcdefgh"
DIMS = len(LETTERS)


def letters(text: str) -> list[float]:
    """How often each of the first letters is in a text: numbers that 32 bits hold as they are."""
    counts = Counter(text.lower())
    return [float(counts[letter]) for letter in LETTERS]


class Letters(Embeddings):
    """Counts letters, and keeps count of its calls.

    Attributes:
        documents: The texts of each call for documents.
        queries: The queries.
        loops: For each call, whether an event loop ran in its thread.
    """

    def __init__(self) -> None:
        self.documents: list[list[str]] = []
        self.queries: list[str] = []
        self.loops: list[bool] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self._note()
        self.documents.append(list(texts))
        return [letters(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        self._note()
        self.queries.append(text)
        return letters(text)

    def _note(self) -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self.loops.append(False)
        else:
            self.loops.append(True)


def index(embed: Any = None, fields: Sequence[str] | None = None, dims: int = DIMS) -> Any:
    """An `IndexConfig`."""
    config = {"dims": dims, "embed": Letters() if embed is None else embed}
    return config if fields is None else {**config, "fields": list(fields)}

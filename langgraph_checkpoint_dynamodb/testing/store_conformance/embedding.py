"""An embedding whose results are known: how often each letter is in a text."""

from __future__ import annotations

from math import sqrt
from string import ascii_lowercase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langgraph.store.base import IndexConfig


def embed(texts: Sequence[str]) -> list[list[float]]:
    """The vector of each text."""
    return [_vector(text) for text in texts]


def _vector(text: str) -> list[float]:
    lowered = text.lower()
    return [float(lowered.count(letter)) for letter in ascii_lowercase]


def similarity(first: str, second: str) -> float:
    """Cosine similarity of the vectors of two texts; 0 if one of them has no letters."""
    one, other = embed([first, second])
    length = sqrt(sum(a * a for a in one)) * sqrt(sum(b * b for b in other))
    return sum(a * b for a, b in zip(one, other, strict=True)) / length if length else 0.0


def vector_index() -> IndexConfig:
    """The index config for the fixture `vector_store`."""
    return {"dims": len(ascii_lowercase), "embed": embed, "fields": ["text"]}

"""Cosine similarity of one vector to many, with numpy where it is installed."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from operator import mul
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.store.embedding import unpack

if TYPE_CHECKING:
    from collections.abc import Sequence


def similarities(query: Sequence[float], packed: Sequence[bytes]) -> list[float]:
    """The cosine similarity of a vector to each of others, from -1 to 1; 0 if one is a zero vector.

    Args:
        query: The vector.
        packed: The others, packed, of the same dimensions.
    """
    numpy = _numpy()
    if numpy is not None and packed:
        return _by_numpy(numpy, query, packed)
    length = _length(query)
    return [_cosine(query, length, unpack(one)) for one in packed]


def _cosine(query: Sequence[float], length: float, other: Sequence[float]) -> float:
    lengths = length * _length(other)
    return sum(map(mul, query, other)) / lengths if lengths > 0 else 0.0


def _length(vector: Sequence[float]) -> float:
    return float(sum(map(mul, vector, vector)) ** 0.5)


def _by_numpy(numpy: Any, query: Sequence[float], packed: Sequence[bytes]) -> list[float]:
    one = numpy.array(query, dtype="float64")
    others = numpy.frombuffer(b"".join(packed), dtype="<f4").reshape(len(packed), len(query))
    others = others.astype("float64")
    lengths = numpy.linalg.norm(others, axis=1) * numpy.linalg.norm(one)
    found = numpy.zeros(len(packed))
    numpy.divide(others @ one, lengths, out=found, where=lengths > 0)
    similar: list[float] = found.tolist()
    return similar


@lru_cache(maxsize=1)
def _numpy() -> Any | None:
    """An optional import: a store without vectors does not need it, and importing it is slow."""
    try:
        return import_module("numpy")
    except ModuleNotFoundError:
        return None

"""From texts to vectors: the store's `index`, and the texts of a call that are embedded.

The store calls the embedder before its operations, which do no I/O. LangGraph's `get_text_at_path`
selects the texts of a value, as for `InMemoryStore`.
"""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from langgraph.store.base import ensure_embeddings, get_text_at_path, tokenize_path

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, InvalidInputTypeError
from langgraph_checkpoint_dynamodb.settings.checks import require_positive
from langgraph_checkpoint_dynamodb.store.keys import MOST_VECTORS

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from langgraph.store.base import PutOp

Path: TypeAlias = "str | list[str]"
"""`$` for the whole value, else the tokens of a path."""

MOST_DIMS = 4096
"""Maximum dimensions of a vector: the limit of DynamoDB's vector indexes."""
_NAMES = ("dims", "embed", "fields")
_WHOLE = "$"
_NUMBER_BYTES = 4


@dataclass(frozen=True, slots=True)
class Indexing:
    """How values are embedded: LangGraph's `IndexConfig`, validated.

    Attributes:
        dims: Number of dimensions of a vector.
        embeddings: The embedder.
        paths: Paths of the texts that are embedded, unless a put names others.
    """

    dims: int
    embeddings: Embeddings
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of a call to embed, each once.

    Attributes:
        stored: Texts of values.
        queries: Texts to search for.
    """

    stored: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Embedded:
    """The vectors of a call's texts.

    Attributes:
        stored: By text, the vectors of values, packed.
        queries: By text, the vectors to search for.
    """

    stored: Mapping[str, bytes] = field(default_factory=dict)
    queries: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


def require_index(index: object) -> Indexing | None:
    """Check the `index` of a store; `None` if values are not embedded.

    Raises:
        InvalidInputError: It is invalid.
    """
    if index is None:
        return None
    if not isinstance(index, Mapping):
        raise InvalidInputTypeError("index", f"must be an IndexConfig, got {type(index).__name__}")
    unknown = sorted(map(repr, index.keys() - set(_NAMES)))
    if unknown:
        raise InvalidInputError(
            "index", f"unknown names {', '.join(unknown)}; known are: {', '.join(_NAMES)}"
        )
    dims: Any = index.get("dims")
    require_positive("index.dims", dims)
    if dims > MOST_DIMS:
        raise InvalidInputError("index.dims", f"must be at most {MOST_DIMS}, got {dims}")
    try:
        embeddings = ensure_embeddings(index.get("embed"))
    except ValueError as error:
        raise InvalidInputError("index.embed", str(error)) from error
    fields = index.get("fields")
    paths = [_WHOLE] if not fields else require_paths("index.fields", fields)
    tokens = [one if one == _WHOLE else tokenize_path(one) for one in paths]
    return Indexing(dims, embeddings, tuple(tokens))


def require_paths(name: str, paths: object) -> Sequence[str]:
    """Check a list of paths to texts within values.

    Raises:
        InvalidInputError: It is not a list of paths.
    """
    if isinstance(paths, str) or not isinstance(paths, Sequence):
        raise InvalidInputTypeError(name, f"must be a list of paths, got {type(paths).__name__}")
    for path in paths:
        if not isinstance(path, str):
            raise InvalidInputTypeError(name, f"must be paths, got {type(path).__name__}")
    return paths


def texts_of(indexing: Indexing | None, op: PutOp) -> tuple[str, ...]:
    """The texts of a value that is put, one for each vector.

    Raises:
        InvalidInputError: The value has no text that can be embedded, or the paths are invalid.
    """
    if indexing is None or op.index is False:
        return ()
    paths: Iterable[Path] = indexing.paths
    if op.index is not None:
        paths = map(tokenize_path, require_paths("index", op.index))
    try:
        texts = [text for path in paths for text in get_text_at_path(op.value, path)]
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInputError(
            "value",
            f"of key {op.key!r} in namespace {op.namespace!r} has no text to embed: {error}; name "
            "paths of texts (index=[...]), or store it without vectors (index=False)",
        ) from error
    if len(texts) > MOST_VECTORS:
        raise InvalidInputError("value", f"has {len(texts)} texts to embed, over {MOST_VECTORS}")
    return tuple(texts)


def embed(indexing: Indexing, texts: Texts) -> Embedded:
    """The vectors of texts. Blocks until the embedder returns."""
    model = indexing.embeddings
    queries = [model.embed_query(text) for text in texts.queries]
    stored = model.embed_documents(list(texts.stored)) if texts.stored else []
    return _embedded(indexing, texts, stored, queries)


async def aembed(indexing: Indexing, texts: Texts) -> Embedded:
    """Asynchronous version of `embed`."""
    model = indexing.embeddings
    queries = await asyncio.gather(*map(model.aembed_query, texts.queries))
    stored = await model.aembed_documents(list(texts.stored)) if texts.stored else []
    return _embedded(indexing, texts, stored, queries)


def pack(vector: Sequence[float]) -> bytes:
    """Pack a vector as 32-bit floats, little-endian."""
    return struct.pack(f"<{len(vector)}f", *vector)


def unpack(packed: bytes) -> tuple[float, ...]:
    """Unpack a vector."""
    return struct.unpack(f"<{len(packed) // _NUMBER_BYTES}f", packed)


def packed_bytes(dims: int) -> int:
    """Number of bytes of a packed vector."""
    return dims * _NUMBER_BYTES


def _embedded(
    indexing: Indexing, texts: Texts, stored: Sequence[Any], queries: Sequence[Any]
) -> Embedded:
    if len(stored) != len(texts.stored):
        raise InvalidInputError(
            "index.embed", f"has made {len(stored)} vectors of {len(texts.stored)} texts"
        )
    packed = [pack(_vector(indexing, one)) for one in stored]
    asked = [_vector(indexing, one) for one in queries]
    return Embedded(
        dict(zip(texts.stored, packed, strict=True)), dict(zip(texts.queries, asked, strict=True))
    )


def _vector(indexing: Indexing, made: Any) -> tuple[float, ...]:
    """Check a vector that the embedder has returned.

    Raises:
        InvalidInputError: It does not have `dims` numbers, or they are not 32-bit floats.
    """
    try:
        vector = tuple(float(number) for number in made)
    except (TypeError, ValueError) as error:
        raise InvalidInputError("index.embed", f"has made no vector of a text: {error}") from error
    if len(vector) != indexing.dims:
        raise InvalidInputError(
            "index.embed",
            f"has made a vector of {len(vector)} numbers, and index.dims is {indexing.dims}",
        )
    try:
        if all(map(math.isfinite, vector)):
            pack(vector)
            return vector
    except OverflowError:
        pass
    raise InvalidInputError("index.embed", "has made a vector with a number beyond 32 bits")

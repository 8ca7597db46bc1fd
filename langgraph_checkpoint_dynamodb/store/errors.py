"""Errors of the store, in addition to those of the package."""

from __future__ import annotations

from langgraph.store.base import InvalidNamespaceError

from langgraph_checkpoint_dynamodb.errors import InvalidInputError


class NamespaceError(InvalidInputError, InvalidNamespaceError):
    """A namespace is invalid. Also LangGraph's `InvalidNamespaceError`."""


class UnsupportedIndexError(InvalidInputError, NotImplementedError):
    """The installed SDK cannot search the vector index that `vector_index` names."""

"""What the store raises beside the errors of the package."""

from __future__ import annotations

from langgraph.store.base import InvalidNamespaceError

from langgraph_checkpoint_dynamodb.errors import InvalidInputError


class NamespaceError(InvalidInputError, InvalidNamespaceError):
    """A namespace cannot be used. Also LangGraph's `InvalidNamespaceError`."""


class UnsupportedIndexError(InvalidInputError, NotImplementedError):
    """The store was asked to use a vector index, which the installed SDK cannot search."""

"""Values to bytes and back, through the store's serde.

LangGraph's serde rejects integers beyond 64 bits and replaces lone surrogates by question marks.
InMemoryStore accepts both, so such leaves are stored apart: the serde gets a list of the value
without them and of their paths and texts. The attribute `apart` marks such an item. If it is lost,
the item is unreadable rather than wrong, since a value is a mapping and never a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, UnreadableItemError
from langgraph_checkpoint_dynamodb.format.tables import Attribute

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from langgraph.checkpoint.serde.base import SerializerProtocol

_LEAST = -(2**63)
_MOST = 2**64 - 1


def dump(
    serde: SerializerProtocol, value: Mapping[str, Any], place: str
) -> tuple[str, bytes, bool]:
    """Type tag and bytes of a value, and whether some of its leaves are stored apart.

    Raises:
        InvalidInputError: The serde would change a name in it.
    """
    plain = dict(value)
    apart = [[path, _text_of(leaf)] for path, leaf in _leaves_apart(plain, place)]
    whole: object = plain
    if apart:
        whole = [_without(plain), apart]
    tag, data = serde.dumps_typed(whole)
    return tag, bytes(data), bool(apart)


def load(
    serde: SerializerProtocol, tag: str, data: bytes, *, apart: bool, place: str
) -> dict[str, Any]:
    """Deserialize a value.

    Raises:
        UnreadableItemError: The bytes are damaged, or of another serde.
    """
    try:
        loaded = serde.loads_typed((tag, data))
        if apart:
            loaded = _joined(loaded)
    except Exception as error:
        raise UnreadableItemError(
            place=place,
            attribute=Attribute.VALUE,
            problem=f"of type {tag!r} cannot be loaded by {type(serde).__name__} "
            f"({type(error).__name__})",
        ) from error
    if not isinstance(loaded, dict):
        raise UnreadableItemError(
            place=place,
            attribute=Attribute.VALUE,
            problem=f"is a {type(loaded).__name__}, not a mapping",
        )
    return loaded


def _leaves_apart(value: dict[Any, Any], place: str) -> Iterator[tuple[list[Any], Any]]:
    """The leaves that the serde would reject or change, each with its path."""
    stack: list[tuple[tuple[Any, ...], Any]] = [((), value)]
    while stack:
        path, part = stack.pop()
        kind = type(part)
        if kind is dict:
            for name, inside in part.items():
                if _changes(name):
                    raise InvalidInputError(
                        "value",
                        f"of {place} has a name that cannot be stored: an integer beyond 64 bits, "
                        "or text with a lone surrogate",
                    )
                stack.append(((*path, name), inside))
        elif kind is list or kind is tuple:
            stack += [((*path, position), inside) for position, inside in enumerate(part)]
        elif _changes(part):
            yield list(path), part


def _changes(leaf: Any) -> bool:
    kind = type(leaf)
    if kind is int:
        return not _LEAST <= leaf <= _MOST
    if kind is not str or leaf.isascii():
        return False
    try:
        leaf.encode()
    except UnicodeEncodeError:
        return True
    return False


def _without(part: Any) -> Any:
    kind = type(part)
    if kind is dict:
        return {name: _without(inside) for name, inside in part.items()}
    if kind is list or kind is tuple:
        return [_without(inside) for inside in part]
    return None if _changes(part) else part


def _text_of(leaf: int | str) -> str | bytes:
    """An integer as hex text, which has no limit of digits; text as bytes."""
    return hex(leaf) if isinstance(leaf, int) else leaf.encode(errors="surrogatepass")


def _joined(loaded: Any) -> Any:
    if not isinstance(loaded, (list, tuple)):
        raise TypeError(f"got {type(loaded).__name__}, not a value and its leaves")
    value, leaves = loaded
    for path, text in leaves:
        inside = value
        for step in path[:-1]:
            inside = inside[step]
        leaf: int | str = (
            int(text, 16) if isinstance(text, str) else text.decode(errors="surrogatepass")
        )
        inside[path[-1]] = leaf
    return value

"""A serializer that replaces values that cannot be loaded by their type and size.

A saver refuses a checkpoint with a value that its serializer cannot load, because a run must not
continue without it. A browser shows the rest of the checkpoint.
"""

from __future__ import annotations

import copy
import reprlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ormsgpack
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph_checkpoint_dynamodb.cli.serde import DisplaySerde

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph.checkpoint.serde.base import SerializerProtocol

_PLAIN = (type(None), bool, int, float, str, bytes, list, tuple, dict)
"""What LangGraph returns for an object whose type cannot be imported, or is not allowed."""


class Unloaded(dict[str, Any]):
    """Stands for a value that cannot be loaded. It is a mapping, because savers expect one.

    Attributes:
        kind: The type tag of the serializer.
        size: Its serialized size, in bytes.
        error: Name of the type of the error.
    """

    def __init__(self, kind: str, size: int, error: str) -> None:
        super().__init__()
        self.kind, self.size, self.error = kind, size, error

    def __repr__(self) -> str:
        return f"<{self.kind}, {self.size:,} bytes: cannot be loaded ({self.error})>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unloaded) and repr(other) == repr(self)

    __hash__ = None


@dataclass(frozen=True)
class Unbuilt:
    """Stands for an object within a value, whose type cannot be imported or is not allowed.

    Attributes:
        kind: The module and name of its type.
        size: Its serialized size, in bytes.
        parts: The arguments of its constructor, or its fields.
    """

    kind: str
    size: int
    parts: Any

    def __repr__(self) -> str:
        return f"<{self.kind}, {self.size:,} bytes: cannot be loaded> {reprlib.repr(self.parts)}"


class LenientSerde:
    """Wraps a serializer: loading never raises, and serializing is refused."""

    def __init__(self, serde: SerializerProtocol) -> None:
        # The placeholders of a DisplaySerde are for the other commands.
        self._serde = _with_unbuilt_objects(
            serde.strict if isinstance(serde, DisplaySerde) else serde
        )

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Load a value; a value that cannot be loaded becomes an `Unloaded`."""
        tag, packed = data
        try:
            return self._serde.loads_typed(data)
        except Exception as error:
            return Unloaded(tag, len(packed), type(error).__name__)

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Refuse to serialize, because the browser never stores anything."""
        raise NotImplementedError(f"a {type(obj).__name__} cannot be stored by a read-only saver")


def _with_unbuilt_objects(serde: SerializerProtocol) -> SerializerProtocol:
    """Make a `JsonPlusSerializer` return `Unbuilt` for objects that it cannot build."""
    if isinstance(serde, EncryptedSerializer):
        outer = copy.copy(serde)
        outer.serde = _with_unbuilt_objects(serde.serde)
        return outer
    if not isinstance(serde, JsonPlusSerializer) or not hasattr(serde, "_unpack_ext_hook"):
        return serde
    inner = copy.copy(serde)
    inner._unpack_ext_hook = _replace_unbuilt(serde._unpack_ext_hook)
    return inner


def _replace_unbuilt(hook: Callable[[int, bytes], Any]) -> Callable[[int, bytes], Any]:
    def replaced(code: int, data: bytes) -> Any:
        found = hook(code, data)
        if not isinstance(found, _PLAIN):
            return found
        kind = _kind_of(data)
        return found if kind is None else Unbuilt(kind, len(data), found)

    return replaced


def _kind_of(data: bytes) -> str | None:
    """Return the type that a msgpack extension names; `None` for none, or a built-in type."""
    try:
        named = ormsgpack.unpackb(data, ext_hook=lambda *_: None, option=ormsgpack.OPT_NON_STR_KEYS)
    except ValueError:
        return None
    match named:
        case [str(module), str(name), *_] if module != "builtins":
            return f"{module}.{name}"
    return None

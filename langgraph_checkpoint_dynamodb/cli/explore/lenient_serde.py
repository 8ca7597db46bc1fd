"""Loading what can be loaded: a value that cannot be is shown as its type and size instead.

A saver refuses a checkpoint with a value that its serde cannot load, because a run must not go on
without it. Who only looks wants to see the rest.
"""

from __future__ import annotations

import copy
import reprlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ormsgpack
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph.checkpoint.serde.base import SerializerProtocol

_PLAIN = (type(None), bool, int, float, str, bytes, list, tuple, dict)
"""What LangGraph gives for an object whose type it cannot load or must not."""


class Unloaded(dict[str, Any]):
    """Stands for what cannot be loaded. It is a mapping, as savers expect of checkpoints.

    Attributes:
        kind: Its type, as the serde has named it.
        size: Bytes of it, serialized.
        why: The type of the error.
    """

    def __init__(self, kind: str, size: int, why: str) -> None:
        super().__init__()
        self.kind, self.size, self.why = kind, size, why

    def __repr__(self) -> str:
        return f"<{self.kind}, {self.size:,} bytes: cannot be loaded ({self.why})>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unloaded) and repr(other) == repr(self)

    __hash__ = None


@dataclass(frozen=True)
class Unbuilt:
    """Stands for an object within a value whose type is not there or not allowed.

    Attributes:
        kind: The module and name of its type.
        size: Bytes of it, serialized.
        parts: What it was to be made of.
    """

    kind: str
    size: int
    parts: Any

    def __repr__(self) -> str:
        return f"<{self.kind}, {self.size:,} bytes: cannot be loaded> {reprlib.repr(self.parts)}"


class LenientSerde:
    """A serde that raises nothing when it loads, and never serializes."""

    def __init__(self, serde: SerializerProtocol) -> None:
        self._serde = _told_of_types(serde)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """The value, or what stands for it."""
        tag, packed = data
        try:
            return self._serde.loads_typed(data)
        except Exception as error:
            return Unloaded(tag, len(packed), type(error).__name__)

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Not to be called: nothing is stored here."""
        raise NotImplementedError(f"a {type(obj).__name__} was to be stored by a read-only saver")


def _told_of_types(serde: SerializerProtocol) -> SerializerProtocol:
    """The serde, made to tell of objects whose types it cannot load; others are as they were."""
    if isinstance(serde, EncryptedSerializer):
        outer = copy.copy(serde)
        outer.serde = _told_of_types(serde.serde)
        return outer
    if not isinstance(serde, JsonPlusSerializer) or not hasattr(serde, "_unpack_ext_hook"):
        return serde
    inner = copy.copy(serde)
    inner._unpack_ext_hook = _telling(serde._unpack_ext_hook)
    return inner


def _telling(hook: Callable[[int, bytes], Any]) -> Callable[[int, bytes], Any]:
    def telling(code: int, data: bytes) -> Any:
        found = hook(code, data)
        if not isinstance(found, _PLAIN):
            return found
        kind = _kind_of(data)
        return found if kind is None else Unbuilt(kind, len(data), found)

    return telling


def _kind_of(data: bytes) -> str | None:
    """The type that an extension of LangGraph's names, `None` where it names none of others."""
    try:
        named = ormsgpack.unpackb(data, ext_hook=lambda *_: None, option=ormsgpack.OPT_NON_STR_KEYS)
    except ValueError:
        return None
    match named:
        case [str(module), str(name), *_] if module != "builtins":
            return f"{module}.{name}"
    return None

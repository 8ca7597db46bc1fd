"""Serializers that read values without the user's classes.

The command line does not have the user's classes, and must not import a module because an item
names it. `DisplaySerde` loads the types that LangGraph knows and replaces the others by their type
and size. `passthrough_serde` keeps typed values as bytes, for commands that move them.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ormsgpack
from langgraph.checkpoint.serde._msgpack import SAFE_MSGPACK_TYPES
from langgraph.checkpoint.serde.jsonplus import EXT_DELTA_SNAPSHOT, JsonPlusSerializer
from langgraph.checkpoint.serde.types import _DeltaSnapshot

from langgraph_checkpoint_dynamodb.errors import InvalidInputError
from langgraph_checkpoint_dynamodb.format.parts import content_digest

if TYPE_CHECKING:
    from langgraph.checkpoint.serde.base import SerializerProtocol

_OPTION = ormsgpack.OPT_NON_STR_KEYS
_KNOWN_BY_LANGGRAPH = JsonPlusSerializer(allowed_msgpack_modules=None)


@dataclass(frozen=True, slots=True)
class Opaque:
    """Stands for a value that is not loaded.

    Attributes:
        type: Its class, or the type tag of its serializer.
        size: Its serialized size, in bytes.
        digest: Digest of the bytes: equal values have equal digests.
    """

    type: str
    size: int
    digest: str

    @classmethod
    def of(cls, type_: str, data: bytes) -> Opaque:
        """Return the placeholder for serialized bytes."""
        return cls(type_, len(data), content_digest(data))


class Unreadable(dict[str, Any]):
    """Stands for a whole checkpoint, its metadata or a value that cannot be loaded.

    It is an empty mapping, because savers expect one, so a checkpoint has no channels.
    """

    def __init__(self, opaque: Opaque) -> None:
        super().__init__()
        self.opaque = opaque


class DisplaySerde:
    """Loads values to be displayed. Loading never raises.

    Args:
        serde: The user's serializer; `None` for LangGraph's own, restricted to LangGraph's types.

    Attributes:
        strict: Loads the same types, but raises for a value that it cannot load, and returns the
            fields of an object of another type.
    """

    def __init__(self, serde: SerializerProtocol | None) -> None:
        self.strict: SerializerProtocol = serde or _KNOWN_BY_LANGGRAPH
        self._serde = serde or JsonPlusSerializer(__unpack_ext_hook__=_load_known)

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Serialize a value."""
        return self._serde.dumps_typed(obj)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Load a value; a value that cannot be loaded becomes an `Unreadable`."""
        try:
            return self._serde.loads_typed(data)
        except Exception:
            # A serializer can raise anything, such as the wrong key of an encrypted one.
            return Unreadable(Opaque.of(*data))


def passthrough_serde(serde: SerializerProtocol | None) -> SerializerProtocol:
    """Return a serializer that keeps typed values as bytes: the user's one, or LangGraph's."""
    return serde or JsonPlusSerializer(__unpack_ext_hook__=_keep_bytes)


def load_serde(name: str) -> SerializerProtocol:
    """Import the serializer `module:name`. The name can be an instance, a class or a function.

    Raises:
        InvalidInputError: It cannot be imported, or is not a serializer.
    """
    module, separator, attribute = name.partition(":")
    if not (module and separator and attribute):
        raise InvalidInputError("--serde", f"must be MODULE:NAME, got {name!r}")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)  # As `python -m` does.
    try:
        found: Any = attrgetter(attribute)(importlib.import_module(module))
        serde: SerializerProtocol = found() if not hasattr(found, "loads_typed") else found
        if isinstance(serde, type):
            serde = serde()
    except Exception as error:
        raise InvalidInputError("--serde", f"cannot load {name!r}: {error}") from error
    if not hasattr(serde, "loads_typed") or not hasattr(serde, "dumps_typed"):
        raise InvalidInputError(
            "--serde",
            f"{name!r} is not a LangGraph serializer: it needs loads_typed and dumps_typed",
        )
    return serde


def _keep_bytes(code: int, data: bytes) -> Any:
    """Keep a typed value as bytes, except snapshots of DeltaChannels, which the saver reads."""
    if code == EXT_DELTA_SNAPSHOT:
        return _DeltaSnapshot(ormsgpack.unpackb(data, ext_hook=_keep_bytes, option=_OPTION))
    return ormsgpack.Ext(code, data)


def _load_known(code: int, data: bytes) -> Any:
    """Load a typed value of a class that LangGraph knows; others become an `Opaque`."""
    if code == EXT_DELTA_SNAPSHOT:
        return ormsgpack.unpackb(data, ext_hook=_load_known, option=_OPTION)
    try:
        fields = ormsgpack.unpackb(data, ext_hook=_load_known, option=_OPTION)
        module, name, *rest = fields
    except (ValueError, TypeError):
        return Opaque.of(f"extension {code}", data)
    if (module, name) not in SAFE_MSGPACK_TYPES or _holds_opaque(rest):
        return Opaque.of(f"{module}.{name}", data)
    return _KNOWN_BY_LANGGRAPH._unpack_ext_hook(code, data)


def _holds_opaque(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_opaque, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_holds_opaque, value))
    return isinstance(value, Opaque)

"""Reading values without the code they were made by.

The command line has not the user's classes, and must not import what a row names. So one serializer
shows what LangGraph itself knows and names the rest by type and size, and another one keeps every
typed value as the bytes it is, for what is moved.
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
    """A value that cannot be shown.

    Attributes:
        type: Its class, or what its serializer calls it.
        size: Its bytes.
        digest: Of them, so that two of a size are told apart.
    """

    type: str
    size: int
    digest: str

    @classmethod
    def of(cls, type_: str, data: bytes) -> Opaque:
        """What stands for these bytes."""
        return cls(type_, len(data), content_digest(data))


class Unreadable(dict[str, Any]):
    """What stands for a whole checkpoint, metadata or value that cannot be loaded.

    It is an empty mapping, so what reads a checkpoint finds no channel in it.
    """

    def __init__(self, opaque: Opaque) -> None:
        super().__init__()
        self.opaque = opaque


class ShowingSerde:
    """Loads what can be shown, and raises nothing.

    Args:
        serde: The user's serializer; `None` for LangGraph's, as far as that needs no class but its
            own.
    """

    def __init__(self, serde: SerializerProtocol | None) -> None:
        self._serde = serde or JsonPlusSerializer(__unpack_ext_hook__=_show)

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Serialize a value."""
        return self._serde.dumps_typed(obj)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """The value, or what stands for it."""
        try:
            return self._serde.loads_typed(data)
        except Exception:
            # Whatever a serializer raises: that it cannot be read is what is shown.
            return Unreadable(Opaque.of(*data))


def moving_serde(serde: SerializerProtocol | None) -> SerializerProtocol:
    """A serializer for what is moved: it gives back the bytes it was given."""
    return serde or JsonPlusSerializer(__unpack_ext_hook__=_keep)


def load_serde(name: str) -> SerializerProtocol:
    """The serializer that a user names as `module:name`, or what a function of that name returns.

    Raises:
        InvalidInputError: There is none.
    """
    module, separator, attribute = name.partition(":")
    if not (module and separator and attribute):
        raise InvalidInputError("--serde", f"must be MODULE:NAME, got {name!r}")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)  # As `python -m` has it.
    try:
        found: Any = attrgetter(attribute)(importlib.import_module(module))
        serde: SerializerProtocol = found() if not hasattr(found, "loads_typed") else found
        if isinstance(serde, type):
            serde = serde()
    except Exception as error:
        raise InvalidInputError("--serde", f"cannot load {name!r}: {error}") from error
    if not hasattr(serde, "loads_typed") or not hasattr(serde, "dumps_typed"):
        raise InvalidInputError("--serde", f"{name!r} is no serializer of LangGraph's")
    return serde


def _keep(code: int, data: bytes) -> Any:
    """A typed value as it is stored. A DeltaChannel's is looked for by the saver."""
    if code == EXT_DELTA_SNAPSHOT:
        return _DeltaSnapshot(ormsgpack.unpackb(data, ext_hook=_keep, option=_OPTION))
    return ormsgpack.Ext(code, data)


def _show(code: int, data: bytes) -> Any:
    """A typed value, if LangGraph knows its class; else what it is called."""
    if code == EXT_DELTA_SNAPSHOT:
        return ormsgpack.unpackb(data, ext_hook=_show, option=_OPTION)
    try:
        said = ormsgpack.unpackb(data, ext_hook=_show, option=_OPTION)
        module, name, *rest = said
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

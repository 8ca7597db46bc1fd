"""What an operation is given besides its arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langgraph.checkpoint.serde.base import SerializerProtocol


@dataclass(frozen=True, slots=True)
class Store:
    """How to read and write, for the time of one call.

    Attributes:
        serde: The saver's serde as it is now.
        consistent: Whether reads on the resume path are strongly consistent.
        run_id_index: Name of the run index, `None` where there is none.
    """

    serde: SerializerProtocol
    consistent: bool = True
    run_id_index: str | None = None

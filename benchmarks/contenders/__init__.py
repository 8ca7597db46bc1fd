"""The packages that are compared: savers and stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.contenders.savers import SAVERS
from benchmarks.contenders.stores import STORE_CONTENDERS

if TYPE_CHECKING:
    from benchmarks.contenders.base import Contender

CONTENDERS: dict[str, Contender] = {one.name: one for one in (*SAVERS, *STORE_CONTENDERS)}
"""By name, in the order of the report."""

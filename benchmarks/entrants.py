"""All who take part, savers and stores."""

from __future__ import annotations

from benchmarks.contenders import SAVERS, Contender
from benchmarks.stores import STORE_CONTENDERS

CONTENDERS: dict[str, Contender] = {one.name: one for one in (*SAVERS, *STORE_CONTENDERS)}
"""By their names, in the order of the tables."""

"""The definition of a workload, and the groups of contenders that run it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.measuring import Bench

ONE_OF_EACH = ("sync", "async", "aws", "community", "raw", "memory")
"""Every package. Packages whose async methods call the sync ones take part by their sync ones."""
WITH_INCREMENTAL = ("sync", "async", "incremental", "aws", "community", "raw", "memory")
"""For workloads whose checkpoints grow, so that `compression="incremental"` matters."""
WITH_WRAPPERS = ("sync", "async", "aws", "aws-async", "community", "community-async", "raw")
"""For workloads in which it matters that async methods call the sync ones in threads."""

STORES = ("store", "store-async", "store-aws", "store-community", "store-memory")
"""Every package with a store."""


@dataclass(frozen=True)
class Workload:
    """A piece of work that is measured with each contender.

    Attributes:
        name: What it is called on the command line.
        title: What it is called in the report.
        run: Runs it.
        contenders: Names of the contenders that run it.
        note: What a reader must know to read the figures.
        quick: Whether `--quick` runs it.
    """

    name: str
    title: str
    run: Callable[[Bench], None]
    contenders: tuple[str, ...] = ONE_OF_EACH
    note: str = ""
    quick: bool = True

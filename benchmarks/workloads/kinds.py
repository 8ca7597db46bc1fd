"""What a workload is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.measuring import Bench

ONE_OF_EACH = ("sync", "async", "aws", "community", "raw", "memory")
"""Every package; those whose asynchronous methods run the plain ones, by the plain ones."""
WITH_INCREMENTAL = ("sync", "async", "incremental", "aws", "community", "raw", "memory")
"""Where checkpoints grow, so that it matters how they are stored."""
WITH_WRAPPERS = ("sync", "async", "aws", "aws-async", "community", "community-async", "raw")
"""Where it matters that asynchronous methods run in threads."""

STORES = ("store", "store-async", "store-aws", "store-community", "store-memory")
"""Every package with a store."""


@dataclass(frozen=True)
class Workload:
    """Something that is done with each contender.

    Attributes:
        name: What it is called on the command line.
        title: What it is called in the report.
        run: Does it.
        contenders: Names of those that take part.
        note: What a reader must know to read the figures.
        quick: Whether it is run where little is to be done.
    """

    name: str
    title: str
    run: Callable[[Bench], None]
    contenders: tuple[str, ...] = ONE_OF_EACH
    note: str = ""
    quick: bool = True

"""The workloads by name. Each is a function of a `Bench`."""

from __future__ import annotations

from benchmarks.workloads.base import Workload
from benchmarks.workloads.graphs import GRAPHS
from benchmarks.workloads.reads import READS
from benchmarks.workloads.states import STATES
from benchmarks.workloads.stores import STORE_WORKLOADS
from benchmarks.workloads.throughput import THROUGHPUT

WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for workload in (*GRAPHS, *READS, *STATES, *THROUGHPUT, *STORE_WORKLOADS)
}
"""In the order of the report."""

__all__ = ["WORKLOADS", "Workload"]

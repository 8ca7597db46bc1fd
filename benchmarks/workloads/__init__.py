"""What is done, by name. Each workload is a function of a bench."""

from __future__ import annotations

from benchmarks.workloads.graphs import GRAPHS
from benchmarks.workloads.kinds import Workload
from benchmarks.workloads.reads import READS
from benchmarks.workloads.states import STATES
from benchmarks.workloads.stores import STORE_WORKLOADS
from benchmarks.workloads.throughput import THROUGHPUT

WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for workload in (*GRAPHS, *READS, *STATES, *THROUGHPUT, *STORE_WORKLOADS)
}
"""Those that run every contender, in the order of the report."""

__all__ = ["WORKLOADS", "Workload"]

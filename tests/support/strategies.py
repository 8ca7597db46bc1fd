"""Hostile input for the saver: ambiguous names, and values of every kind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from hypothesis import strategies as st
from langgraph.checkpoint.base import WRITES_IDX_MAP
from langgraph.checkpoint.serde.types import _DeltaSnapshot

THREADS = NAMESPACES = TASKS = CHANNELS = 3
IDS = 6
"""Few ids of each kind, so that a run uses the same ones repeatedly."""

LONGEST_THREAD_ID = 2048
LONGEST_CHECKPOINT_ID = 1024 - len("!" + 32 * "0" + ":::")
LONGEST_TASK_ID = 1024 - len(":::999")
"""Bytes that fit into a key next to the saver's own parts."""

RUN_IDS = ("run", "run-2", "r:::\x00é")
"""Metadata loses NUL characters; a search for run ids does not."""
SOUGHT_RUN_IDS = (*RUN_IDS, "r:::é", "unknown")

_PIECES = (
    *("a", "b", ":", "::", ":::", "!", "#", "|", "/", "~", " ", "'", '"', "\\", "%", "\x00", "\n"),
    *("\x7f", "é", "e\u0301", "€", "\ufffd", "\U0001f600", "\U0010ffff"),
)


@dataclass(frozen=True)
class Cast:
    """The names of one run. Rules refer to them by position.

    Attributes:
        ids: Checkpoint ids. A parent comes before its child, so parents never form a cycle
            (`InMemorySaver` would follow it forever), but may sort above the child.
    """

    threads: tuple[str, ...]
    namespaces: tuple[str, ...]
    ids: tuple[str, ...]
    tasks: tuple[str, ...]
    paths: tuple[str, ...]
    channels: tuple[str, ...]


AMBIGUOUS = Cast(
    threads=("a", "a:::b", "a:::b:::c"),
    namespaces=("", "c", "d:::"),
    ids=("c", "b:::c", "c:::d", "d", "b:::c:::d", "c:::c"),
    tasks=("t", "t:::1", "t:::-1"),
    paths=("", "~", "~:::"),
    channels=("c", "c:::1", ""),
)
"""Joined with `:::`, many of these triples of thread, id and namespace are the same string."""


def names(longest: int) -> st.SearchStrategy[str]:
    """Text of one to `longest` bytes: short and odd, or as long as possible."""
    short = st.lists(st.sampled_from(_PIECES), min_size=1, max_size=4).map("".join)
    filling = st.sampled_from(("x", ":", "é", "\U0001f600"))
    return short | st.builds(lambda head, fill: _filled(head, fill, longest), short, filling)


def _filled(head: str, fill: str, longest: int) -> str:
    room = longest - len(head.encode())
    return head + fill * (room // len(fill.encode()))


checkpoint_ids = names(LONGEST_CHECKPOINT_ID - 1).map(lambda t: t if t[:1] > "!" else "0" + t)
"""They begin above `!`; ids that sort lower are refused."""

unstorable_ids = st.sampled_from(("", "!", " a", "!x:::y", "x" * 1025, "\U0001f600" * 300))
"""Ids that a config may name as parent or as `before`, though no checkpoint can have them."""


def _several(strategy: st.SearchStrategy[str], number: int) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(strategy, min_size=number, max_size=number, unique=True).map(tuple)


def _hostile_casts() -> st.SearchStrategy[Cast]:
    ids = _several(checkpoint_ids, IDS)
    return st.builds(
        Cast,
        threads=_several(names(LONGEST_THREAD_ID), THREADS),
        namespaces=_several(names(3000), NAMESPACES - 1).map(lambda nested: ("", *nested)),
        ids=ids | ids.map(sorted).map(tuple),
        tasks=_several(st.just("") | names(LONGEST_TASK_ID), TASKS),
        paths=_several(st.just("") | names(2000), TASKS),
        channels=_several(st.just("") | names(500), CHANNELS),
    )


casts = st.just(AMBIGUOUS) | _hostile_casts()

_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)  # the serde's range
    | st.floats(allow_nan=False)
    | st.sampled_from(_PIECES)
    | st.binary(max_size=8)
)
_nested = st.recursive(
    _scalars,
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.sampled_from(_PIECES), parts),
    max_leaves=4,
)
values = _nested | st.binary(max_size=8).map(bytearray) | _nested.map(_DeltaSnapshot)
"""Values of channels and writes."""


class Change(Enum):
    """How a step changes a channel."""

    KEEP = "leaves it as its parent had it"
    SET = "gives it a value"
    CONSUME = "takes its value away, which makes a version without one"
    FORGET = "no longer names it"


@dataclass(frozen=True)
class Step:
    """A checkpoint to create, without its place.

    Attributes:
        changes: The change of each channel, and its new value if it has one.
        counted: Positions of the channels counted as DeltaChannels in the metadata.
        metadata: The metadata argument.
        merged: Further contents of the config: its own metadata and other configurable keys.
        root: Position of the root checkpoint in its metadata; `None` for no root checkpoint.
    """

    changes: tuple[tuple[Change, Any], ...]
    counted: frozenset[int]
    metadata: dict[str, Any]
    merged: tuple[dict[str, Any], dict[str, Any]]
    root: int | None = None


@dataclass(frozen=True)
class Turn:
    """A step and the writes of one of its tasks."""

    step: Step
    task: int
    writes: list[tuple[int | str, Any]]


_marks = st.sampled_from((None, 0, 1, True, "x", "", [1], {"a": 1}))
_metadata = st.fixed_dictionaries(
    {"source": st.sampled_from(("input", "loop")), "step": st.integers(-2, 3)},
    optional={"run_id": st.sampled_from(RUN_IDS), "score": _marks, "a:::b": _marks},
)
_extras = st.fixed_dictionaries(
    {},
    optional={
        "run_id": st.sampled_from(RUN_IDS),
        "user": _marks | st.just("u\x00ser"),
        "score": _marks,
        "__private": _marks,
        "langgraph_step": st.just(7),
    },
)
_changes = st.tuples(st.sampled_from((*Change, Change.KEEP, Change.CONSUME)), values)

steps = st.builds(
    Step,
    changes=st.tuples(*([_changes] * CHANNELS)),
    counted=st.frozensets(st.integers(0, CHANNELS - 1)),
    metadata=_metadata,
    merged=st.tuples(_extras, _extras),
    root=st.none() | st.integers(0, IDS - 1),
)

filters = st.none() | st.dictionaries(
    st.sampled_from(("source", "step", "run_id", "score", "user", "a:::b", "missing", "__private")),
    st.sampled_from(("loop", "run")) | _marks,
    max_size=2,
)
limits = st.sampled_from((None, None, 1, 2, 3, 0, -1))

_written = st.tuples(st.integers(0, CHANNELS - 1) | st.sampled_from(sorted(WRITES_IDX_MAP)), values)
task_writes = st.lists(_written, max_size=4) | st.lists(_written, min_size=11, max_size=13)
"""Writes of one task: positions of regular channels and names of special ones, with values. As a
string, the index 10 sorts before 2."""

chains = st.lists(
    st.builds(Turn, steps, st.integers(0, TASKS - 1), task_writes), min_size=2, max_size=5
)
wanted_channels = st.permutations(range(CHANNELS)) | st.lists(
    st.integers(0, CHANNELS - 1), max_size=4
)

page_sizes = st.sampled_from((None, 1, 2, 3))
"""Most items the service returns per page; `None` for its own limit of 1 MB."""

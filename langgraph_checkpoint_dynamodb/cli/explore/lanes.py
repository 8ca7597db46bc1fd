"""The graph of the checkpoints of a namespace, newest first, drawn like a git graph."""

from __future__ import annotations

from dataclasses import dataclass

_MAX_LANES = 6
"""Branches that are drawn side by side. The others share the last lane."""
Cell = tuple[str, int]
"""Two characters, and the number of their colour."""


@dataclass
class _Lane:
    """A branch, with the id of its next checkpoint."""

    next_id: str
    colour: int


class Lanes:
    """Draws checkpoints one by one, as the pages of a history are read."""

    def __init__(self) -> None:
        self._lanes: list[_Lane | None] = []
        self._drawn: set[str] = set()
        self._colours = 0

    def draw(self, checkpoint_id: str, parent_id: str | None) -> list[Cell]:
        """Return the cells in front of the next checkpoint.

        Args:
            checkpoint_id: The checkpoint.
            parent_id: Its parent; `None` for none.
        """
        self._drawn.add(checkpoint_id)
        here = [number for number, lane in enumerate(self._lanes) if _leads_to(lane, checkpoint_id)]
        place = here[0] if here else self._open()
        lane = self._lanes[place] or self._new(place)
        cells = self._cells(place, here[1:])
        for joined in here[1:]:
            self._lanes[joined] = None
        lane.next_id = parent_id or ""
        if not parent_id or parent_id in self._drawn:
            self._lanes[place] = None
        while self._lanes and self._lanes[-1] is None:
            self._lanes.pop()
        return cells

    def between(self) -> list[Cell]:
        """Return the cells in front of a line between two checkpoints."""
        return [
            ("  " if lane is None else "│ ", _colour(lane)) for lane in self._lanes[:_MAX_LANES]
        ]

    def _open(self) -> int:
        if None in self._lanes:
            return self._lanes.index(None)
        self._lanes.append(None)
        return len(self._lanes) - 1

    def _new(self, place: int) -> _Lane:
        lane = _Lane("", self._colours)
        self._colours += 1
        self._lanes[place] = lane
        return lane

    def _cells(self, place: int, joined: list[int]) -> list[Cell]:
        cells: list[Cell] = []
        last = joined[-1] if joined else place
        for number, lane in enumerate(self._lanes):
            within = place <= number < last
            if number == place:
                mark = "●"
            elif number in joined:
                mark = "╯" if number == last else "┴"
            elif lane is not None:
                mark = "┼" if within else "│"
            else:
                mark = "─" if within else " "
            cells.append((mark + ("─" if within else " "), _colour(lane)))
        return cells if len(cells) <= _MAX_LANES else [*cells[: _MAX_LANES - 1], _cut(cells, place)]


def _cut(cells: list[Cell], place: int) -> Cell:
    """Return the cell of the lane that the last branches share."""
    return ("● " if place >= _MAX_LANES - 1 else "… ", cells[max(place, _MAX_LANES - 1)][1])


def _leads_to(lane: _Lane | None, checkpoint_id: str) -> bool:
    return lane is not None and lane.next_id == checkpoint_id


def _colour(lane: _Lane | None) -> int:
    return 0 if lane is None else lane.colour

"""Drawing how the checkpoints of a namespace hang together, newest first, as git draws commits."""

from __future__ import annotations

from dataclasses import dataclass

_MOST = 6
"""Branches that are drawn side by side; those beyond share the last place."""
Cell = tuple[str, int]
"""Two characters, and the number of the branch whose colour they have."""


@dataclass
class _Lane:
    """A branch, and the checkpoint that comes next on it."""

    wanted: str
    colour: int


class Lanes:
    """Draws one checkpoint after another, as pages of a history come in."""

    def __init__(self) -> None:
        self._lanes: list[_Lane | None] = []
        self._drawn: set[str] = set()
        self._colours = 0

    def draw(self, checkpoint_id: str, parent_id: str | None) -> list[Cell]:
        """The cells in front of the next checkpoint.

        Args:
            checkpoint_id: The checkpoint.
            parent_id: Its parent; `None` for none.
        """
        self._drawn.add(checkpoint_id)
        here = [number for number, lane in enumerate(self._lanes) if _wants(lane, checkpoint_id)]
        place = here[0] if here else self._open()
        lane = self._lanes[place] or self._new(place)
        cells = self._cells(place, here[1:])
        for joined in here[1:]:
            self._lanes[joined] = None
        lane.wanted = parent_id or ""
        if not parent_id or parent_id in self._drawn:
            self._lanes[place] = None
        while self._lanes and self._lanes[-1] is None:
            self._lanes.pop()
        return cells

    def between(self) -> list[Cell]:
        """The cells in front of a line between two checkpoints."""
        return [("  " if lane is None else "│ ", _colour(lane)) for lane in self._lanes[:_MOST]]

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
        return cells if len(cells) <= _MOST else [*cells[: _MOST - 1], _cut(cells, place)]


def _cut(cells: list[Cell], place: int) -> Cell:
    """What stands for the branches that there is no room for."""
    return ("● " if place >= _MOST - 1 else "… ", cells[max(place, _MOST - 1)][1])


def _wants(lane: _Lane | None, checkpoint_id: str) -> bool:
    return lane is not None and lane.wanted == checkpoint_id


def _colour(lane: _Lane | None) -> int:
    return 0 if lane is None else lane.colour

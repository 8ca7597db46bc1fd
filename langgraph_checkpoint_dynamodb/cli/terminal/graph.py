"""A tree of checkpoints as lines, with its branches drawn as `git log --graph` draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class TreeLine:
    """A line of the drawing.

    Attributes:
        graph: What is drawn.
        node: The node beside it; `None` for a line between two.
    """

    graph: str
    node: str | None


def draw(nodes: Sequence[str], parents: Mapping[str, str | None]) -> Iterator[TreeLine]:
    """Draw a forest.

    Args:
        nodes: The nodes, children before their parents.
        parents: The parent of each; one that is none of the nodes counts as none.
    """
    coming = {node: position for position, node in enumerate(nodes)}
    columns: list[str | None] = []
    """The node that each column leads down to; `None` for one that is free."""
    for position, node in enumerate(nodes):
        for joined in _joining(columns, node):
            yield TreeLine(joined, None)
        if node in columns:
            column = columns.index(node)
        elif None in columns:
            column = columns.index(None)
        else:
            column = len(columns)
            columns.append(None)
        columns[column] = node
        yield TreeLine(_row(columns, column), node)
        parent = parents.get(node)
        # One that was drawn already would be waited for until the end.
        columns[column] = parent if coming.get(parent or "", -1) > position else None
        while columns and columns[-1] is None:
            columns.pop()


def _joining(columns: list[str | None], node: str) -> Iterator[str]:
    """Lines that lead all columns of a node into the first of them, the rightmost first."""
    while columns.count(node) > 1:
        first = columns.index(node)
        last = len(columns) - 1 - columns[::-1].index(node)
        cells = ["|" if column is not None else " " for column in columns]
        line = ""
        for position, cell in enumerate(cells):
            if position == last:
                line = line[:-1] + "/ "
            elif first < position < last:
                line = line[:-1] + "_" + (cell.strip() or "_") + " "
            elif position > last:
                line = line[:-1] + ("/ " if cell == "|" else "  ")
            else:
                line += cell + " "
        yield line.rstrip()
        del columns[last]


def _row(columns: Sequence[str | None], column: int) -> str:
    cells = ["|" if each is not None else " " for each in columns]
    cells[column] = "*"
    return " ".join(cells).rstrip()

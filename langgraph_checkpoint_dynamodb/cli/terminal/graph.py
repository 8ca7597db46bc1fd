"""A forest of checkpoints as lines, drawn like `git log --graph`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class GraphLine:
    """A line of the graph.

    Attributes:
        graph: The drawing.
        node: The node on this line; `None` for a line between two nodes.
    """

    graph: str
    node: str | None


def graph_lines(nodes: Sequence[str], parents: Mapping[str, str | None]) -> Iterator[GraphLine]:
    """Draw a forest.

    Args:
        nodes: The nodes, children before their parents.
        parents: The parent of each node. A parent that is not among the nodes is ignored.
    """
    positions = {node: position for position, node in enumerate(nodes)}
    columns: list[str | None] = []
    """The next node of each column; `None` for a free column."""
    for position, node in enumerate(nodes):
        for line in _join_lines(columns, node):
            yield GraphLine(line, None)
        if node in columns:
            column = columns.index(node)
        elif None in columns:
            column = columns.index(None)
        else:
            column = len(columns)
            columns.append(None)
        columns[column] = node
        yield GraphLine(_node_line(columns, column), node)
        parent = parents.get(node)
        # A parent that is already drawn never comes again and would block the column.
        columns[column] = parent if positions.get(parent or "", -1) > position else None
        while columns and columns[-1] is None:
            columns.pop()


def _join_lines(columns: list[str | None], node: str) -> Iterator[str]:
    """Merge the columns of a node into the first of them, the rightmost first; a line for each."""
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


def _node_line(columns: Sequence[str | None], column: int) -> str:
    cells = ["|" if each is not None else " " for each in columns]
    cells[column] = "*"
    return " ".join(cells).rstrip()

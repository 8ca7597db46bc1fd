"""Draws the plots of the report: SVG without a background, for light and dark pages.

Matplotlib is imported late: only the extra `bench` installs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from benchmarks.contenders import CONTENDERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.processes import Outcome

_GREY = "#808080"
_COLOURS = {
    "sync": "#2f81f7",
    "async": "#a371f7",
    "incremental": "#e5534b",
    "aws": "#d9822b",
    "aws-async": "#c0616b",
    "community": "#2ea05c",
    "community-async": "#1f9aa5",
    "raw": "#808080",
    "postgres": "#b8a038",
}
"""Each is readable on white and on black."""
_DASHED = frozenset({"async", "aws-async", "community-async"})
"""Dashed lines, so that a line below them shows through."""
_STYLE: dict[str, Any] = {
    "svg.hashsalt": "benchmarks",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 13,
    "text.color": _GREY,
    "axes.labelcolor": _GREY,
    "axes.edgecolor": _GREY,
    "axes.titlesize": 14,
    "xtick.color": _GREY,
    "ytick.color": _GREY,
    "grid.color": _GREY,
    "grid.alpha": 0.25,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 2.2,
    "lines.markersize": 6,
    "legend.frameon": False,
}


_NOT_DRAWN = "memory"
"""It sends no requests, so it has nothing to draw."""
_WIDTH = 11.2
_HEIGHT = 6.2


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Attributes:
        points: Name of the points that workloads gave it.
        title: What is above it.
        x: What its x axis says.
        y: What its y axis says.
        logarithmic: Which axes are.
    """

    points: str
    title: str
    x: str
    y: str
    logarithmic: str = ""


_PLOTS = {
    "cost": (
        "Cost of a turn against the length of the chat",
        (
            Panel(
                "chat",
                "all messages in each checkpoint",
                "turn",
                "write units + read units / 5",
            ),
            Panel("delta-chat", "DeltaChannel", "turn", ""),
        ),
    ),
    "long": (
        "Cost of a turn of a long chat, all messages in each checkpoint",
        (Panel("long-chat", "", "turn", "write units + read units / 5", "y"),),
    ),
    "agent": (
        "A turn of a deep agent against the length of its thread",
        (
            Panel("agent-requests", "requests", "turn", "", "y"),
            Panel("agent-units", "write units + read units / 5", "turn", "", "y"),
        ),
    ),
    "latency": (
        "Latency against the length of the thread",
        (
            Panel("latest", "newest checkpoint", "checkpoints in the thread", "ms", "x"),
            Panel("resume", "state of a DeltaChannel", "turns in the thread", "", "xy"),
        ),
    ),
    "throughput": (
        "Throughput against concurrency",
        (
            Panel(
                "throughput",
                "",
                "conversations at once",
                "turns per second",
                "xy",
            ),
        ),
    ),
}


def write_plots(folder: Path, results: Mapping[str, Mapping[str, Outcome]]) -> dict[str, str]:
    """Draw every plot that there are points for; the files, relative to the report, with titles."""
    mpl = import_module("matplotlib")
    mpl.use("svg")
    mpl.rcParams.update(_STYLE)
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for name, (title, panels) in _PLOTS.items():
        drawn = [(panel, _lines(panel, results)) for panel in panels]
        drawn = [(panel, lines) for panel, lines in drawn if lines]
        if drawn:
            _draw(folder / f"{name}.svg", title, drawn)
            written[f"{folder.name}/{name}.svg"] = title
    return written


_Lines = dict[str, list[tuple[float, float]]]


def _lines(panel: Panel, results: Mapping[str, Mapping[str, Outcome]]) -> _Lines:
    """The points of each contender, from left to right."""
    lines: _Lines = {}
    for outcomes in results.values():
        for contender, outcome in outcomes.items():
            points = [
                (x, y) for row in outcome.rows for name, x, y in row.points if name == panel.points
            ]
            if points and contender != _NOT_DRAWN:
                lines.setdefault(contender, []).extend(points)
    return {contender: sorted(lines[contender]) for contender in CONTENDERS if contender in lines}


def _draw(path: Path, title: str, drawn: list[tuple[Panel, _Lines]]) -> None:
    pyplot = import_module("matplotlib.pyplot")
    figure, all_axes = pyplot.subplots(1, len(drawn), figsize=(_WIDTH, _HEIGHT))
    shown: dict[str, Any] = {}
    for axes, (panel, lines) in zip(_listed(all_axes), drawn, strict=True):
        _draw_panel(axes, panel, lines, shown)
    figure.suptitle(title)
    figure.legend(
        shown.values(),
        [CONTENDERS[name].title for name in shown],
        loc="lower center",
        ncols=2,
    )
    figure.tight_layout(rect=(0, 0.045 * -(-len(shown) // 2), 1, 1))
    figure.savefig(path, transparent=True, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)


def _draw_panel(axes: Any, panel: Panel, lines: _Lines, shown: dict[str, Any]) -> None:
    for contender, points in lines.items():
        (line,) = axes.plot(
            [x for x, _ in points],
            [y for _, y in points],
            color=_COLOURS[contender],
            linestyle="--" if contender in _DASHED else "-",
            marker="o" if len(points) < 10 else None,
        )
        shown.setdefault(contender, line)
    if "x" in panel.logarithmic:
        axes.set_xscale("log")
        ticks = sorted({x for points in lines.values() for x, _ in points})
        axes.set_xticks(ticks, [f"{tick:,g}" for tick in ticks])
    if "y" in panel.logarithmic:
        axes.set_yscale("log")
        ticker = import_module("matplotlib.ticker")
        axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:,g}")
    else:
        axes.set_ylim(bottom=0)
    axes.minorticks_off()
    axes.set_title(panel.title)
    axes.set_xlabel(panel.x)
    axes.set_ylabel(panel.y)


def _listed(axes: Any) -> list[Any]:
    """Matplotlib gives one pair of axes alone and several in an array."""
    return list(axes.flat) if hasattr(axes, "flat") else [axes]

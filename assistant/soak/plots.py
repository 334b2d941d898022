"""One picture for each figure of a soak."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import StateError
from assistant.soak.report import Round, SoakReport

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OURS, OTHER, SOFT = "#2463a8", "#e08a3c", "#9aa5b1"
DPI = 130


@dataclass(frozen=True, slots=True)
class Curve:
    """What is drawn over the turns. ``name``: of the file."""

    name: str
    title: str
    unit: str
    lines: tuple[tuple[str, Callable[[Round], float]], ...]


CURVES = (
    Curve("memory", "Memory of the server and its children", "MB", (
        ("shared pages by share", lambda one: one.pss_mb),)),
    Curve("handles", "Open handles with nobody there", "", (
        ("handles", lambda one: one.handles), ("of these, sockets", lambda one: one.sockets))),
    Curve("threads", "Threads and child processes", "", (
        ("threads", lambda one: one.threads), ("children", lambda one: one.children))),
    Curve("processor", "Processor time of the server for a turn", "ms", (
        ("used", lambda one: one.cpu_ms),)),
    Curve("yardstick", "Processor time of the same piece of work, in the same minutes", "ms", (
        ("used", lambda one: one.yardstick_ms),)),
    Curve("waited", "Ready for a turn, and without a processor", "ms", (("waited", lambda one: one.waited_ms),)),
    Curve("latency", "Time of a turn on the wall clock", "ms", (
        ("95th percentile", lambda one: one.p95_ms), ("median", lambda one: one.p50_ms))),
    Curve("relative", "95th percentile, each turn's time over the median of its kind", "×", (
        ("95th percentile", lambda one: one.relative_p95),)),
    Curve("others", "What other programs used of the machine", "%", (("share", lambda one: 100 * one.others),)),
    Curve("state", "The state folder", "MB", (("on the disk", lambda one: one.state_mb),)),
)  # fmt: skip


def draw(report: SoakReport, folder: Path) -> tuple[Path, ...]:
    """Write them; their paths. Raises StateError plot_unwritable."""
    import matplotlib as mpl

    mpl.use("Agg")
    if not report.rounds:
        return ()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        paths = [_saved(_curve(report, curve), folder / f"{curve.name}.png") for curve in CURVES]
        return (*paths, _saved(_overview(report), folder / "soak.png"))
    except OSError as error:
        raise StateError("plot_unwritable", f"{folder} cannot be written: {error.strerror}.") from error


def _saved(figure: Figure, path: Path) -> Path:
    from matplotlib import pyplot

    try:
        figure.savefig(path, dpi=DPI)
    finally:
        pyplot.close(figure)
    return path


def _curve(report: SoakReport, curve: Curve) -> Figure:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8.5, 3.4), layout="constrained")
    _draw(axes, report, curve)
    axes.set_xlabel("turns")
    return figure


def _overview(report: SoakReport) -> Figure:
    """Four of them on one page, for the documentation."""
    from matplotlib import pyplot

    chosen = [curve for curve in CURVES if curve.name in ("memory", "handles", "processor", "state")]
    figure, panels = pyplot.subplots(2, 2, figsize=(11, 5.6), layout="constrained")
    for axes, curve in zip(panels.flat, chosen, strict=True):
        _draw(axes, report, curve)
    failed = f"{report.failed} failures" if report.failed else "no failure"
    figure.suptitle(f"{report.turns:,} turns through all doors, {failed}", x=0.01, ha="left", fontsize=11)
    return figure


def _draw(axes: object, report: SoakReport, curve: Curve) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)  # noqa: S101 - for the types
    turns = [one.turns for one in report.rounds]
    colours: Sequence[str] = (OURS, OTHER, SOFT)
    for (label, value), colour in zip(curve.lines, colours, strict=False):
        axes.plot(turns, [value(one) for one in report.rounds], color=colour, linewidth=1.4, label=label)
    axes.axvspan(0, report.warm_up, color="#eef1f4", zorder=0)
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    axes.set_title(f"{curve.title}{f', {curve.unit}' if curve.unit else ''}", loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e5e8ec", linewidth=0.8)
    if len(curve.lines) > 1:
        axes.legend(frameon=False, fontsize=8, loc="lower right")

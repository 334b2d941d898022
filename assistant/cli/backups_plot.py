"""Pictures of backups for `--plot`: sizes and ages over time, and the year of restore exercises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.errors import StateError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tools.backups.calendar import Due
    from tools.backups.desk import History

OURS, SOFT, BAD = "#2463a8", "#9aa5b1", "#b8322a"
DPI = 130
LANE_INCHES = 2.2
ROW_INCHES = 0.34


def draw_history(histories: Sequence[History], path: Path, now: float) -> None:
    """Two lanes for each destination. ``now``: Unix seconds. Raises StateError."""

    def draw(lanes: Sequence[Axes]) -> None:
        for history, (sizes, ages) in zip(histories, pairwise_lanes(lanes), strict=True):
            _sizes(history, sizes)
            _ages(history, ages, now)

    _saved(path, 2 * len(histories), LANE_INCHES, draw)


def pairwise_lanes(lanes: Sequence[Axes]) -> list[tuple[Axes, Axes]]:
    """The lanes two by two."""
    return list(zip(lanes[::2], lanes[1::2], strict=True))


def _sizes(history: History, axes: Axes) -> None:
    known = [copy for copy in history.copies if copy.size is not None]
    axes.plot([_day(copy.at) for copy in known], [(copy.size or 0) / 1e6 for copy in known], "o-", color=OURS, ms=4)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("MB")
    place = f", {history.destination}" if history.destination else ""
    axes.set_title(f"{history.job}{place}: sizes", loc="left", fontsize=10)


def _ages(history: History, axes: Axes, now: float) -> None:
    times = [copy.at for copy in history.copies]
    teeth = [(times[0], 0.0)] if times else []
    for before, at in pairwise(times):
        teeth += [(at, (at - before) / 3600), (at, 0.0)]
    if times:
        teeth.append((max(now, times[-1]), max(now - times[-1], 0.0) / 3600))
    axes.plot([_day(at) for at, _ in teeth], [age for _, age in teeth], color=OURS)
    axes.axhline(history.max_age_h, color=BAD, linestyle=":")
    for test in history.tests:
        if test.ran:
            axes.axvline(_day(test.at), color=SOFT if test.ok else BAD, linewidth=1)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("hours")
    axes.set_title("age of the newest; dotted: stale; upright: restore tests (red: failed)", loc="left", fontsize=10)


def draw_calendar(year: Sequence[Due], path: Path) -> None:
    """A row for each job and exercise, a mark for each time. Raises StateError."""
    rows = sorted({(one.job, one.exercise.value) for one in year})

    def draw(lanes: Sequence[Axes]) -> None:
        (axes,) = lanes
        for one in year:
            row = rows.index((one.job, one.exercise.value))
            axes.plot([_day(one.at)], [row], "o", color=BAD if one.overdue else OURS, ms=7)
        axes.set_yticks(range(len(rows)), [f"{job}: {what.replace('_', ' ')}" for job, what in rows])
        axes.invert_yaxis()
        axes.set_title("Restore exercises of the year ahead, red where overdue", loc="left", fontsize=11)

    _saved(path, 1, ROW_INCHES * max(len(rows), 1) + 1.2, draw)


def _saved(path: Path, lanes: int, height: float, draw: Callable[[Sequence[Axes]], None]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(
        lanes, 1, figsize=(9, height * lanes), squeeze=False, sharex=True, layout="constrained"
    )
    try:
        for lane in axes[:, 0]:
            lane.spines[["top", "right"]].set_visible(False)
            lane.grid(color="#e5e8ec", linewidth=0.8)
            lane.set_axisbelow(True)
        draw(list(axes[:, 0]))
        figure.savefig(path, dpi=DPI)
    except (OSError, ValueError) as error:  # ValueError: matplotlib's for a suffix that is no format
        raise StateError("plot_unwritable", f"{path} cannot be written: {error}.", mend="Name a .png file.") from error
    finally:
        pyplot.close(figure)


def _day(at: float) -> Any:
    """A date; matplotlib takes one, its types know numbers only."""
    return datetime.fromtimestamp(at, UTC)

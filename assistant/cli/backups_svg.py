"""Two small plots as SVG: sizes and ages over time. Pure; colours come from the page that they stand in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from itertools import pairwise

from assistant.cli.backups_shown import in_bytes
from tools.wording import ago, duration

WIDTH, HEIGHT = 460.0, 180.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 10.0, 12.0, 26.0
HEADROOM = 1.1
"""The largest value stands a little below the top."""

Point = tuple[float, float]


def size_plot(sizes: Sequence[tuple[float, int]], title: str) -> str:
    """(Unix s, bytes), oldest first, at least one."""
    first, last = sizes[0][0], sizes[-1][0]
    most = max(size for _, size in sizes) * HEADROOM or 1.0
    points = [_place(at, size, first, last, most) for at, size in sizes]
    marks = _line(points) + "".join(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in points)
    said = f"{title}: {len(sizes)} from {_day(first)} to {_day(last)}, the newest {in_bytes(sizes[-1][1])}"
    return _svg(said, marks, (first, last), [(0.0, "0"), (most / HEADROOM, in_bytes(round(most / HEADROOM)))], most)


def age_plot(times: Sequence[float], now: float, max_age_h: float, title: str) -> str:
    """How old the newest backup was at each moment: a saw whose teeth end with a backup. ``times``: Unix s, oldest
    first, at least one; what is older than ``max_age_h`` (hours) is stale, and that is a line across."""
    end = max(now, times[-1])
    teeth: list[Point] = [(times[0], 0.0)]
    for before, at in pairwise(times):
        teeth += [(at, at - before), (at, 0.0)]
    teeth.append((end, end - times[-1]))
    limit = max_age_h * 3600
    most = max(limit, *(age for _, age in teeth)) * HEADROOM
    points = [_place(at, age, times[0], end, most) for at, age in teeth]
    _, y = _place(end, limit, times[0], end, most)
    line = f'<line class="limit" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
    said = f"{title}: backed up {ago(max(now - times[-1], 0.0))}; stale after {duration(limit)}"
    return _svg(said, line + _line(points), (times[0], end), [(0.0, "0"), (limit, duration(limit))], most)


def _place(at: float, value: float, first: float, last: float, most: float) -> Point:
    across = (at - first) / (last - first) if last > first else 0.5
    return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - value / most * (HEIGHT - TOP - BOTTOM)


def _line(points: Sequence[Point]) -> str:
    return f'<polyline class="mark" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'


def _svg(title: str, marks: str, span: tuple[float, float], ticks: Sequence[tuple[float, str]], most: float) -> str:
    base = HEIGHT - BOTTOM
    axes = f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}"/>'
    labels = "".join(
        f'<text x="{LEFT - 6}" y="{_place(0, value, 0, 0, most)[1] + 4:.1f}" text-anchor="end">{escape(label)}</text>'
        for value, label in ticks
    )
    days = dict.fromkeys([(LEFT, "start", _day(span[0])), (WIDTH - RIGHT, "end", _day(span[1]))])
    below = "".join(
        f'<text x="{x}" y="{HEIGHT - 8}" text-anchor="{anchor}">{escape(day)}</text>' for x, anchor, day in days
    )
    return (
        f'<svg viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{axes}{marks}{labels}{below}</svg>"
    )


def _day(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d")

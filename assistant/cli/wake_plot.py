"""Scores of wake words over time, as text: one lane for each word, readable over ssh in 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, takewhile

from assistant.ports import Detection
from assistant.speech.wake_scores import CHUNK_S, Trigger

ROWS = 6
GUTTER = 5
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_STEPS_S = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600)
_LABEL_COLUMNS = 9


@dataclass(frozen=True, slots=True)
class Heard:
    """A detection; ``at_s`` is the end of its chunk."""

    at_s: float
    detection: Detection


@dataclass
class Trace:
    """What was heard so far, chunk after chunk of 80 ms; ``chunks`` are forgotten beyond ``kept_chunks``."""

    triggers: Mapping[str, Trigger]
    kept_chunks: int | None = None
    scores: dict[str, list[float]] = field(init=False)
    detections: list[Heard] = field(default_factory=list)
    count: int = 0

    def __post_init__(self) -> None:
        self.scores = {word: [] for word in self.triggers}

    @property
    def began_s(self) -> float:
        """Where the kept chunks begin."""
        return (self.count - len(next(iter(self.scores.values())))) * CHUNK_S

    @property
    def ended_s(self) -> float:
        return self.count * CHUNK_S

    def add(self, scores: Mapping[str, float], detection: Detection | None) -> None:
        """One more chunk. Other words than those of ``triggers`` are left out."""
        self.count += 1
        for word, kept in self.scores.items():
            kept.append(scores[word])
            if self.kept_chunks is not None:
                del kept[: -self.kept_chunks]
        if detection is not None and detection.word in self.triggers:
            self.detections.append(Heard(self.ended_s, detection))

    def best(self, word: str) -> Heard:
        """The highest score of the chunks that are kept."""
        scores = self.scores[word]
        index = max(range(len(scores)), key=scores.__getitem__, default=0)
        return Heard(self.began_s + (index + 1) * CHUNK_S, Detection(word, max(scores, default=0.0)))


def plot(trace: Trace, width: int = 80) -> str:
    """All lanes with the time below. A column is the best score of the chunks that fall on it; ▼ is a detection, ┄ the
    threshold."""
    columns = max(min(width - GUTTER - 1, trace.count, len(next(iter(trace.scores.values())))), 1)
    lanes = [_lane(trace, word, columns, width) for word in trace.triggers]
    return "\n".join(["\n\n".join(lanes), _times(trace, columns)])


def _lane(trace: Trace, word: str, columns: int, width: int) -> str:
    trigger = trace.triggers[word]
    best = trace.best(word)
    found = [heard for heard in trace.detections if heard.detection.word == word]
    patience = f", {trigger.patience} chunks in a row" if trigger.patience > 1 else ""
    title = (
        f"{word}  threshold {trigger.threshold:g}{patience}; best {best.detection.score:.2f} at {best.at_s:.1f} s; "
        f"{len(found) or 'no'} detection{'' if len(found) == 1 else 's'}"
    )
    marks = [" "] * columns
    for heard in found:
        if heard.at_s > trace.began_s:
            marks[_column(trace, heard.at_s, columns)] = "▼"
    rows = _bars(_squeezed(trace.scores[word], columns), trigger.threshold)
    return "\n".join([title[:width], (" " * GUTTER + "".join(marks)).rstrip(), *rows])


def _bars(values: Sequence[float], threshold: float) -> list[str]:
    """Rows from the top; the one in which the threshold lies is drawn through."""
    line = min(int(threshold * ROWS), ROWS - 1)
    rows = []
    for row in reversed(range(ROWS)):
        empty = "┄" if row == line else " "
        cells = [_EIGHTHS[min(max(round(value * ROWS * 8) - row * 8, 0), 8)] for value in values]
        label = {ROWS - 1: "1.0 ┤", line: f"{threshold:.2f}"[:4].ljust(4) + "┤"}.get(row, "    │")
        rows.append((label + "".join(cell if cell != " " else empty for cell in cells)).rstrip())
    return rows


def _squeezed(scores: Sequence[float], columns: int) -> list[float]:
    """The best of each column's chunks."""
    edges = [column * len(scores) // columns for column in range(columns + 1)]
    return [max(scores[start:end], default=0.0) for start, end in pairwise(edges)]


def _column(trace: Trace, at_s: float, columns: int) -> int:
    kept = max(round((trace.ended_s - trace.began_s) / CHUNK_S), 1)
    chunk = round((at_s - trace.began_s) / CHUNK_S) - 1
    last = [column for column in range(columns) if column * kept // columns <= chunk]
    return last[-1] if last else 0


def _times(trace: Trace, columns: int) -> str:
    """The axis and, below it, round times at their columns."""
    length = max(trace.ended_s - trace.began_s, CHUNK_S)
    wanted = max(columns // _LABEL_COLUMNS, 1)
    step = next((step for step in _STEPS_S if length / step <= wanted), _STEPS_S[-1])
    first = -(-trace.began_s // step)
    times = takewhile(lambda at: at < trace.ended_s, (step * (first + index) for index in range(columns)))
    axis, labels = ["─"] * columns, [" "] * (columns + _LABEL_COLUMNS)
    for at in times:
        column = int((at - trace.began_s) / length * columns)
        axis[column] = "┴"
        text = f"{at:g}"
        labels[column : column + len(text)] = text
    return f"0.0 └{''.join(axis)}\n{' ' * GUTTER}{''.join(labels).rstrip()} s"

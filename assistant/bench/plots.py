"""One picture for each table of the voice benchmark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.bench.voice_report import (
    AssistTable,
    FalseAcceptRow,
    Idle,
    Measure,
    SilenceTable,
    SttTable,
    TurnTable,
    VoiceReport,
    WakeTable,
)
from assistant.errors import AudioError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OURS, OTHER, SOFT, BAD = "#2463a8", "#e08a3c", "#9aa5b1", "#b8322a"
STAGES = (
    ("endpoint_ms", "endpoint", "#9aa5b1"),
    ("transcript_ms", "transcript", "#5b8fc9"),
    ("decision_ms", "decision", "#e08a3c"),
    ("first_audio_ms", "first audio", "#2463a8"),
)
DPI = 130
BAR = 0.38
"""Height of a bar where two stand beside each other."""


def draw(report: VoiceReport, folder: Path) -> tuple[Path, ...]:
    """Write the pictures of what the report has; their paths. Raises AudioError plot_unwritable."""
    import matplotlib as mpl

    mpl.use("Agg")
    pictures: list[tuple[str, Callable[[], Figure]]] = []
    if (turns := report.turns) is not None:
        pictures.append(
            (
                "turns",
                lambda: _turns(
                    turns, "Commands that a sentence template decided", "sentence", _limits(report, "turns")
                ),
            )
        )
    if (model := report.model) is not None:
        pictures.append(
            ("model", lambda: _turns(model, f"Requests that {model.engine} decided", "model", _limits(report, "model")))
        )
    if (stt := report.stt) is not None:
        pictures.append(("stt", lambda: _stt(stt)))
    if (wake := report.wake) is not None:
        pictures.append(("wake", lambda: _wake(wake)))
    if (silence := report.silence) is not None:
        pictures.append(("silence", lambda: _silence(silence)))
    if (table := report.home_assistant) is not None:
        pictures.append(("home_assistant", lambda: _beside(table)))
    if (idle := report.idle) is not None:
        pictures.append(("idle", lambda: _idle(idle, _limits(report, "idle"))))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return tuple(_saved(make(), folder / f"{name}.png") for name, make in pictures)
    except OSError as error:
        raise AudioError("plot_unwritable", f"{folder} cannot be written: {error.strerror}.") from error


def _saved(figure: Figure, path: Path) -> Path:
    from matplotlib import pyplot

    try:
        figure.savefig(path, dpi=DPI)
    finally:
        pyplot.close(figure)
    return path


def _limits(report: VoiceReport, part: str) -> tuple[Measure, ...]:
    return tuple(measure for measure in report.measures if measure.part == part)


def _figure(width: float, height: float, panels: int = 1, **how: Any) -> tuple[Figure, Sequence[Axes]]:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, panels, figsize=(width, height), squeeze=False, layout="constrained", **how)
    for panel in axes[0]:
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(length=0)
    return figure, tuple(axes[0])


def _turns(table: TurnTable, title: str, decider: str, limits: Sequence[Measure]) -> Figure:
    """How many turns had come so far after so long: a curve for each stage."""
    members = [turn for turn in table.turns if not turn.cut_off and turn.decided_by == decider]
    figure, (axes,) = _figure(8.5, 4.6)
    for name, label, colour in STAGES:
        times = sorted(value for turn in members if (value := getattr(turn, name)) is not None)
        if times:
            shares = [100 * (number + 1) / len(times) for number in range(len(times))]
            axes.step([times[0], *times], [0, *shares], where="post", color=colour, linewidth=2, label=label)
    for measure in (one for one in limits if "first audio" in one.name):
        height = 50 if measure.name.endswith("p50") else 95
        axes.plot([measure.limit], [height], marker="v", color=BAD if not measure.met else OURS, markersize=9)
        axes.annotate(
            f"wanted: {height} % in {measure.limit:.0f} ms",
            (measure.limit, height),
            xytext=(9, -4),
            textcoords="offset points",
            fontsize=9,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    cut = sum(turn.cut_off for turn in table.turns)
    axes.set_title(f"{title}: {len(members)} turns, {cut} of {len(table.turns)} cut off", loc="left", fontsize=10.5)
    axes.set_xlabel("ms after the true end of speech")
    axes.set_ylabel("% of turns")
    axes.set_ylim(0, 104)
    furthest = max((1.35 * measure.limit for measure in limits if "first audio" in measure.name), default=0.0)
    axes.set_xlim(min(0, axes.get_xlim()[0]), max(furthest, axes.get_xlim()[1]))
    axes.grid(axis="both", color="#e5e8ec", linewidth=0.8)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, loc="lower right")
    return figure


def _stt(table: SttTable) -> Figure:
    rows = table.rows
    figure, panels = _figure(11, 0.75 * max(len(rows), 1) + 1.2, panels=3, sharey=True)
    shown = (
        ("time: median, and p95 as a line", OURS, [row.median_ms for row in rows], "{:.0f} ms"),
        ("word errors", OTHER, [100 * row.wer for row in rows], "{:.1f} %"),
        ("names right", SOFT, [100 * (row.name_accuracy or 0.0) for row in rows], "{:.1f} %"),
    )
    for axes, (title, colour, values, form) in zip(panels, shown, strict=True):
        axes.barh(range(len(rows)), values, color=colour, height=0.6)
        ends, texts = values, [form.format(value) for value in values]
        if axes is panels[0]:
            ends = [max(row.median_ms, row.p95_ms) for row in rows]
            texts = [f"{text}, {row.p95_ms:.0f} ms" for text, row in zip(texts, rows, strict=True)]
            axes.hlines(range(len(rows)), values, ends, color="black", linewidth=1.5)
        for place, (end, text) in enumerate(zip(ends, texts, strict=True)):
            axes.annotate(text, (end, place), xytext=(6, -3), textcoords="offset points", fontsize=9)
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_xlim(0, 1.5 * max([*ends, 1e-9]))
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
    panels[0].set_yticks(range(len(rows)), [row.setting.replace(", ", "\n") for row in rows])
    panels[0].invert_yaxis()
    clips = max((row.clips for row in rows), default=0)
    figure.suptitle(f"Speech recognition, {clips} clips", x=0.01, ha="left", fontsize=11)
    return figure


def _wake(table: WakeTable) -> Figure:
    rows = table.rows
    figure, (axes,) = _figure(8.5, 0.42 * max(len(rows), 1) + 2.2)
    places = list(range(len(rows)))
    for shift, colour, label, missed in (
        (-BAR / 2, OURS, "Jarvis", [row.missed for row in rows]),
        (BAR / 2, OTHER, "openWakeWord at 0.5", [row.missed_stock for row in rows]),
    ):
        shares = [100 * count / row.clips for count, row in zip(missed, rows, strict=True)]
        bars = axes.barh([place + shift for place in places], shares, height=BAR, color=colour, label=label)
        counts = [f"{count} of {row.clips}" for count, row in zip(missed, rows, strict=True)]
        axes.bar_label(bars, counts, padding=4, fontsize=7.5)
    axes.set_yticks(places, [row.noise + ("" if row.snr_db is None else f", {row.snr_db:.0f} dB") for row in rows])
    axes.invert_yaxis()
    most = max((100 * max(row.missed, row.missed_stock) / row.clips for row in rows if row.clips), default=0.0)
    axes.set_xlim(0, min(1.25 * most + 10, 112))
    axes.set_xlabel("% of wake phrases missed (speech so many dB above the noise)")
    axes.grid(axis="x", color="#e5e8ec", linewidth=0.8)
    axes.set_axisbelow(True)
    accepted = [f"in {row.hours:.2f} h of {row.audio}: {_accepts(row)}" for row in table.false_accepts]
    axes.set_title(
        "\n".join(["Wake word: missed, and heard where nobody said it", *accepted]), loc="left", fontsize=9.5
    )
    if rows:
        figure.legend(frameon=False, loc="outside lower center", ncols=2, fontsize=9)
    return figure


def _accepts(row: FalseAcceptRow) -> str:
    most = "" if row.at_most_per_hour is None else f" (at most {row.at_most_per_hour:.2g} an hour)"
    return f"Jarvis {row.accepts}{most}, openWakeWord {row.accepts_stock}"


def _silence(table: SilenceTable) -> Figure:
    from matplotlib.ticker import MaxNLocator

    figure, (axes,) = _figure(8.5, 0.34 * max(len(table.rows), 1) + 1.5)
    places = range(len(table.rows))
    tried = [row.clips + row.after_wake for row in table.rows]
    texts = [row.texts + row.texts_after_wake for row in table.rows]
    axes.barh(places, tried, color="#dfe4ea", height=0.6, label="tried, with and without the wake phrase")
    axes.barh(places, texts, color=BAD, height=0.6, label="ended in a text")
    for place, count in enumerate(texts):
        said = f"{count} of {tried[place]}"
        axes.annotate(said, (tried[place], place), xytext=(6, -3), textcoords="offset points", fontsize=9)
    axes.set_yticks(places, [row.noise for row in table.rows])
    axes.invert_yaxis()
    axes.set_xlabel("utterances")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(x=0.12)
    axes.set_title(f"Nobody spoke: {sum(texts)} of {sum(tried)} utterances ended in a text", loc="left", fontsize=11)
    figure.legend(frameon=False, loc="outside lower center", ncols=2, fontsize=9)
    return figure


def _beside(table: AssistTable) -> Figure:
    """Medians of the stages, one row of marks each, p95 of the first audio as a line."""
    figure, (axes,) = _figure(8.5, 2.6)
    stages = ("endpoint", "transcript", "decision", "first_audio")
    for place, row in enumerate(table.rows):
        for stage, (_, label, colour) in zip(stages, STAGES, strict=True):
            if (found := getattr(row, stage)) is not None:
                axes.plot([found.p50], [place], "o", color=colour, markersize=11, label=label if place == 0 else None)
        if row.first_audio is not None:
            axes.hlines(place, row.first_audio.p50, row.first_audio.p95, color=OURS, linewidth=1.5)
    axes.set_yticks(range(len(table.rows)), [row.who for row in table.rows])
    axes.set_ylim(len(table.rows) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.set_xlabel("ms after the true end of speech: medians, and p95 of the first audio as a line")
    axes.grid(axis="x", color="#e5e8ec", linewidth=0.8)
    both = max((row.answered_by_both for row in table.rows), default=0)
    ratio = "" if table.ratio is None else f"; first audio × {table.ratio:.2f}"
    axes.set_title(f"The same {both} clips{ratio}", loc="left", fontsize=11)
    if axes.get_legend_handles_labels()[0]:
        figure.legend(frameon=False, loc="outside lower center", ncols=4, fontsize=9)
    return figure


def _idle(found: Idle, limits: Sequence[Measure]) -> Figure:
    figure, panels = _figure(8.5, 2.1, panels=2)
    wanted = {measure.unit: measure.limit for measure in limits}
    shown = (
        ("CPU", found.cpu_percent, "% of a core", wanted.get("% of a core")),
        ("memory", found.rss_mb, "MB", wanted.get("MB")),
    )
    for axes, (name, value, unit, limit) in zip(panels, shown, strict=True):
        axes.barh([0], [value], color=OURS if limit is None or value <= limit else BAD, height=0.5)
        if limit is not None:
            axes.axvline(limit, color="black", linewidth=1.5, linestyle=":")
        axes.set_xlim(0, 1.45 * max(value, limit or 0.0, 1e-9))
        axes.set_ylim(-0.5, 0.5)
        axes.set_yticks([])
        wish = "" if limit is None else f" (wanted: at most {limit:g})"
        axes.set_title(f"{name}: {value:.1f} {unit}{wish}", loc="left", fontsize=10)
    figure.suptitle(f"Listening to a quiet room for {found.seconds:.0f} s", x=0.01, ha="left", fontsize=11)
    return figure

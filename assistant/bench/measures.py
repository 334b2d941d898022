"""The figures that are promised, and whether a report keeps them. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from assistant.bench.turns import ALL, BY_MODEL, BY_TEMPLATE
from assistant.bench.voice_report import (
    Idle,
    Measure,
    Part,
    SilenceTable,
    SttTable,
    TurnRow,
    TurnTable,
    VoiceReport,
    WakeTable,
)
from assistant.bench.wake import AUDIO_WITHOUT_WAKE

FULL, SHORT, SHORT_WITHOUT_NAMES = "full window, names", "short window, names", "short window, no names"
"""The ways to transcribe that are compared."""


def measures(report: VoiceReport) -> tuple[Measure, ...]:
    """Those that the report's parts tell something about, in the order of the parts."""
    found: list[Measure] = []
    if report.turns is not None:
        found += _of_turns(report.turns)
    if report.model is not None:
        found += _of_model(report.model)
    if report.stt is not None:
        found += _of_stt(report.stt)
    if report.wake is not None:
        found += _of_wake(report.wake)
    if report.silence is not None:
        found += _of_silence(report.silence)
    if report.idle is not None:
        found += _of_idle(report.idle)
    if (table := report.home_assistant) is not None and table.ratio is not None:
        found.append(_at_most("home_assistant", "first audio to Home Assistant's, p50", table.ratio, 0.25, "ratio"))
    return tuple(found)


def _of_turns(table: TurnTable) -> Iterator[Measure]:
    by_template, everything = _row(table, BY_TEMPLATE), _row(table, ALL)
    if by_template is not None and (audio := by_template.first_audio) is not None:
        yield _at_most("turns", "sentence match: first audio, p50", audio.p50, 600, "ms")
        yield _at_most("turns", "sentence match: first audio, p95", audio.p95, 900, "ms")
    if everything is not None and everything.endpoint is not None:
        yield _at_most("turns", "endpoint, p50", everything.endpoint.p50, 350, "ms")
    if everything is not None and everything.cut_off_share is not None:
        yield _at_most("turns", "utterances cut off", 100 * everything.cut_off_share, 2, "%")


def _of_model(table: TurnTable) -> Iterator[Measure]:
    by_model = _row(table, BY_MODEL)
    if by_model is not None and (audio := by_model.first_audio) is not None:
        yield _at_most("model", "model and tool: first audio, p50", audio.p50, 2000, "ms")


def _of_stt(table: SttTable) -> Iterator[Measure]:
    rows = {row.setting: row for row in table.rows}
    full, short = rows.get(FULL), rows.get(SHORT)
    if short is None or full is None:
        return
    yield _at_most("stt", "time of the short window to the full one", short.time_ratio, 0.33, "ratio")
    yield _at_most("stt", "word errors that the short window adds", 100 * (short.wer - full.wer), 0.5, "points")
    if short.name_accuracy is not None:
        yield _at_least("stt", "names right after resolution", 100 * short.name_accuracy, 95, "%")


def _of_wake(table: WakeTable) -> Iterator[Measure]:
    ours: defaultdict[str, int] = defaultdict(int)
    stock: defaultdict[str, int] = defaultdict(int)
    for row in table.rows:
        ours[row.noise] += row.missed
        stock[row.noise] += row.missed_stock
    if table.rows:
        worse = sum(ours[noise] > stock[noise] for noise in ours)
        yield _at_most("wake", "noise classes with more misses than stock", worse, 0, "classes")
    for accepts in table.false_accepts:
        if accepts.audio == AUDIO_WITHOUT_WAKE["human"]:
            yield _at_most("wake", "false accepts in human speech", accepts.accepts, 0, "accepts")


def _of_silence(table: SilenceTable) -> Iterator[Measure]:
    if table.rows:
        texts = sum(row.texts + row.texts_after_wake for row in table.rows)
        yield _at_most("silence", "turns with a text where nobody spoke", texts, 0, "turns")


def _of_idle(found: Idle) -> Iterator[Measure]:
    yield _at_most("idle", "CPU while listening", found.cpu_percent, 4, "% of a core")
    yield _at_most("idle", "memory without a chat model", found.rss_mb, 600, "MB")


def _row(table: TurnTable, group: str) -> TurnRow | None:
    return next((row for row in table.rows if row.group == group), None)


def _at_most(part: Part, name: str, value: float, limit: float, unit: str) -> Measure:
    value = round(value, 3)
    return Measure(part=part, name=name, value=value, limit=limit, unit=unit, at_least=False, met=value <= limit)


def _at_least(part: Part, name: str, value: float, limit: float, unit: str) -> Measure:
    value = round(value, 3)
    return Measure(part=part, name=name, value=value, limit=limit, unit=unit, at_least=True, met=value >= limit)

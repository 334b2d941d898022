"""A clip, and a whole report of the voice benchmark, to build others from."""

from __future__ import annotations

from dataclasses import replace

from assistant.bench.clips import Clip
from assistant.bench.measures import FULL, SHORT, measures
from assistant.bench.turns import rows
from assistant.bench.voice_report import (
    Conditions,
    FalseAcceptRow,
    Idle,
    Load,
    SilenceRow,
    SilenceTable,
    Spread,
    SttGroup,
    SttRow,
    SttTable,
    Turn,
    TurnTable,
    VoiceReport,
    WakeRow,
    WakeTable,
)

CLIP = Clip(
    id="command-00-flite-slt",
    file="command-00-flite-slt.wav",
    kind="command",
    said="hey jarvis is the backup ok?",
    wake=True,
    speech_start_s=0.4,
    speech_end_s=2.0,
    duration_s=2.6,
    engine="flite",
    voice="slt",
)

TURN = Turn(
    id=CLIP.id,
    kind="command",
    synthesizer="flite",
    voice="slt",
    said="is the backup ok?",
    heard="Is the backup OK?",
    ending="answered",
    decided_by="sentence",
    endpoint_ms=300.0,
    transcript_ms=400.0,
    decision_ms=410.0,
    first_audio_ms=520.0,
    speech_end_ms=2000.0,
    ended_at_ms=2240.0,
    words=4,
    expected=("check_backups {}",),
    called=("check_backups {}",),
    right=True,
    late_ms=2.0,
)

QUIET = Load(before=0.1, after=0.2, late_ms=2.0, full_window_ms=1440.0)


def clip(id_: str, **other: object) -> Clip:
    """CLIP with another id, and whatever else is different."""
    return replace(CLIP, id=id_, file=f"{id_}.wav", **other)  # type: ignore[arg-type]


def turn(**other: object) -> Turn:
    """TURN with something different."""
    return TURN.model_copy(update=other)


def table(*turns: Turn, engine: str = "both") -> TurnTable:
    """The table of these turns."""
    return TurnTable(engine=engine, rows=rows(turns), turns=turns, load=QUIET)


def stt_row(setting: str, **other: object) -> SttRow:
    """A way to transcribe that hears everything right."""
    row = SttRow(
        setting=setting,
        clips=10,
        words=50,
        wer=0.04,
        median_ms=900.0,
        p95_ms=1200.0,
        time_ratio=1.0,
        fell_back={},
        name_clips=5,
        name_accuracy=1.0,
        names_wrong=0,
        voices=4,
        groups=(SttGroup(name="flite", clips=10, wer=0.04, name_accuracy=1.0),),
    )
    return row.model_copy(update=other)


def wake_row(noise: str, missed: int, missed_stock: int, snr_db: float | None = None) -> WakeRow:
    """Of ten clips."""
    return WakeRow(
        noise=noise,
        snr_db=snr_db,
        clips=10,
        missed=missed,
        missed_stock=missed_stock,
        latency=Spread(n=3, p50=120.0, p95=200.0, max=200.0),
    )


def accept_row(audio: str, accepts: int) -> FalseAcceptRow:
    """Of half an hour."""
    return FalseAcceptRow(
        audio=audio,
        clips=20,
        hours=0.5,
        accepts=accepts,
        at_most_per_hour=6.0,
        accepts_stock=0,
        at_most_per_hour_stock=6.0,
    )


def report(**other: object) -> VoiceReport:
    """Every part, every measure met; with the measures of what is different."""
    made = VoiceReport(
        conditions=Conditions(
            version="1",
            python="3.11",
            platform="Linux x86_64",
            cores=2,
            clips=10,
            voices=4,
            short=False,
            transcriber="whisper-base int8, short window",
            endpointing="smart-turn at 0.2 s of silence",
            synthesizer="piper-en-us-joe",
        ),
        turns=table(TURN, turn(id="pause-00", kind="pause", synthesizer="piper", endpoint_ms=310.0)),
        model=table(turn(decided_by="model", first_audio_ms=1800.0), engine="qwen"),
        stt=SttTable(
            rows=(stt_row(FULL), stt_row(SHORT, median_ms=250.0, time_ratio=0.28, fell_back={"score": 1})), load=QUIET
        ),
        wake=WakeTable(
            rows=(wake_row("none", 0, 0), wake_row("music", 1, 2, 10.0)),
            false_accepts=(accept_row("recorded people", 0), accept_row("no speech", 0)),
            load=QUIET,
        ),
        silence=SilenceTable(
            rows=(SilenceRow(noise="hum", clips=3, texts=0, after_wake=3, texts_after_wake=0),), texts=(), load=QUIET
        ),
        idle=Idle(seconds=60.0, cpu_percent=3.0, rss_mb=500.0, pss_mb=450.0, peak_mb=520.0, load=QUIET),
    ).model_copy(update=other)
    return made.model_copy(update={"measures": measures(made)})

"""Jarvis's turns beside Home Assistant's, over the same clips."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.bench import clips as corpus
from assistant.bench import home_assistant
from assistant.bench.clips import Clip
from assistant.bench.figures import share
from assistant.bench.home_assistant import AssistRun
from assistant.bench.load import load_average
from assistant.bench.voice_report import AssistRow, AssistTable, AssistTurn, Load, Spread, Turn
from assistant.bench.wake import phrase_end_ms
from assistant.errors import HomeAssistantError


@dataclass(frozen=True, slots=True)
class HomeAssistantAccess:
    """Where it is, and the long-lived token to speak to it."""

    url: str
    token: str


async def beside(
    access: HomeAssistantAccess,
    clips: Sequence[Clip],
    folder: Path,
    turns: Sequence[Turn],
    progress: Callable[[int, int], None],
) -> AssistTable:
    """The clips of which it is seen where the wake phrase ends, through its preferred pipeline; and our own ``turns``
    of the same. Raises HomeAssistantError (none_comparable, and as its connection does), EgressError, AudioError."""
    starts = await asyncio.to_thread(_phrase_ends, folder, clips)
    chosen = [clip for clip in clips if clip.id in starts]
    if not chosen:
        detail = "No clip shows where its wake phrase ends, and Home Assistant must not hear it."
        raise HomeAssistantError("none_comparable", detail, mend="Make the full corpus: `jarvis bench clips`.")
    before = load_average()
    runs = await home_assistant.compare(access.url, access.token, chosen, folder, progress, starts_s=starts)
    return compared(runs, turns, Load(before=before, after=load_average()))


def _phrase_ends(folder: Path, clips: Sequence[Clip]) -> dict[str, float]:
    ends = {clip.id: phrase_end_ms(corpus.samples(folder, clip), clip) for clip in clips}
    return {id_: end / 1000 for id_, end in ends.items() if end is not None}


def compared(runs: Sequence[AssistRun], turns: Sequence[Turn], load: Load) -> AssistTable:
    """Times of clips that both answered; the ratio is that of the medians of the first audio. Pure."""
    answered = {run.clip: run for run in runs if run.first_audio_s is not None}
    mine = [turn for turn in turns if turn.id in answered and turn.first_audio_ms is not None]
    theirs = [answered[turn.id] for turn in mine]
    jarvis = _row(
        "Jarvis", len(runs), [(t.endpoint_ms, t.transcript_ms, t.decision_ms, t.first_audio_ms) for t in mine]
    )
    other = _row(
        "Home Assistant",
        len(runs),
        [tuple(map(_ms, (r.endpoint_s, r.transcript_s, r.decision_s, r.first_audio_s))) for r in theirs],
    )
    ratio = share(jarvis.first_audio.p50, other.first_audio.p50) if jarvis.first_audio and other.first_audio else None
    return AssistTable(
        rows=(jarvis, other),
        ratio=None if ratio is None else round(ratio, 3),
        turns=tuple(
            AssistTurn(
                id=run.clip,
                heard=run.transcript,
                reply=run.reply,
                error=run.error,
                endpoint_ms=_ms(run.endpoint_s),
                transcript_ms=_ms(run.transcript_s),
                decision_ms=_ms(run.decision_s),
                first_audio_ms=_ms(run.first_audio_s),
            )
            for run in runs
        ),
        load=load,
    )


def _row(who: str, clips: int, times: Sequence[tuple[float | None, ...]]) -> AssistRow:
    endpoint, transcript, decision, first_audio = (Spread.of(row[stage] for row in times) for stage in range(4))
    return AssistRow(
        who=who,
        clips=clips,
        answered_by_both=len(times),
        endpoint=endpoint,
        transcript=transcript,
        decision=decision,
        first_audio=first_audio,
    )


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)

"""Recognition measured over clips: words, names, time and silence, each setting on the same clips."""

from __future__ import annotations

import json
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assistant.bench.clips import Clip, Kind
from assistant.bench.recognition import Recognition, Resolver, as_heard, compare
from assistant.errors import AudioError
from assistant.ports import SAMPLE_RATE_HZ, Names, Samples, Transcript

NAMES = Names(
    {
        "service": {"jellyfin": ("the media server",), "gitea": ("git",), "grafana": ()},
        "job": {"gitea": ("git",), "photos": ("the photo library",)},
    }
)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Scripted:
    """A transcriber that knows each clip by its loudness and takes a fixed time."""

    def __init__(self, texts: dict[int, Transcript], clock: Clock, takes_s: float, log: Callable[[int], None]) -> None:
        self._texts, self._clock, self._takes_s, self._log = texts, clock, takes_s, log
        self.lengths: list[int] = []

    async def transcribe(self, audio: Samples, *, woken: bool = False) -> Transcript:
        self._clock.now += self._takes_s
        self.lengths.append(len(audio))
        self._log(int(audio[0]))
        return self._texts[int(audio[0])]


def heard(text: str, fell_back: str = "") -> Transcript:
    return Transcript(text, "en", "scripted", fell_back=fell_back)


def clip(folder: Path, number: int, said: str, kind: Kind = "names", engine: str = "piper", *names: str) -> Clip:
    """A wav whose every sample is its number, two seconds long, speech from 0.5 s to 1.5 s."""
    file = f"{number}.wav"
    with wave.open(str(folder / file), "wb") as wav:
        wav.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
        wav.writeframes(np.full(2 * SAMPLE_RATE_HZ, number, dtype="<i2").tobytes())
    start, end = (0.5, 1.5) if said else (0.0, 0.0)
    return Clip(
        str(number), file, kind, said, said.startswith("hey"), start, end, 2.0, engine, f"voice {number}", names
    )


@pytest.fixture
def clips(tmp_path: Path) -> tuple[Clip, ...]:
    return (
        clip(tmp_path, 1, "is jellyfin up?", "names", "piper", "jellyfin"),
        clip(tmp_path, 2, "hey jarvis restart gitea", "command", "flite", "gitea"),
        clip(tmp_path, 3, "is grafana down?", "names", "flite", "grafana"),
        clip(tmp_path, 4, "ten of clubs", "human", "human"),
        clip(tmp_path, 5, "", "no_speech", "noises"),
    )


FULL = {1: heard("Is Jellyfin up?"), 2: heard("Hey Jervis, restart git tea."), 3: heard("Is gitea down?"),
        4: heard("10 of clubs."), 5: heard("")}  # fmt: skip
SHORT = {**FULL, 1: heard("Is Jelly Fin up?", "improbable"), 4: heard("ten clubs"), 5: heard("Thank you.", "no speech")}


async def measured(tmp_path: Path, clips: tuple[Clip, ...]) -> tuple[Recognition, Recognition, list[int]]:
    clock, order = Clock(), list[int]()
    settings = {
        "full": Scripted(FULL, clock, 1.0, lambda at: order.append(at)),
        "short": Scripted(SHORT, clock, 0.25, lambda at: order.append(-at)),
    }
    full, short = await compare(settings, clips, tmp_path, NAMES, clock=clock)
    assert settings["full"].lengths == settings["short"].lengths
    return full, short, order


async def test_word_errors_leave_out_the_wake_phrase_and_count_what_was_misheard(
    tmp_path: Path, clips: tuple[Clip, ...]
) -> None:
    full, short, _ = await measured(tmp_path, clips)
    # restart gitea → restart git tea, grafana → gitea
    assert (full.words, full.errors, full.clips) == (3 + 2 + 3 + 3, 2 + 1, 4)
    assert full.word_error_rate == pytest.approx(3 / 11)
    assert short.errors == 4
    assert {group.name: group.word_error_rate for group in short.groups} == {
        "flite": pytest.approx(3 / 5),
        "human": pytest.approx(1 / 3),
        "piper": 0,
    }


async def test_a_name_is_right_when_the_resolver_finds_it_and_wrong_when_it_finds_another(
    tmp_path: Path, clips: tuple[Clip, ...]
) -> None:
    full, short, _ = await measured(tmp_path, clips)
    assert (full.name_clips, full.voices, full.names_wrong) == (3, 3, 1)
    assert full.name_accuracy == pytest.approx(2 / 3)
    assert short.name_accuracy == pytest.approx(2 / 3)
    assert [sorted(one.named) for one in short.heard] == [["jellyfin"], ["gitea"], ["gitea"], [], []]


async def test_times_are_compared_with_the_first_setting_over_the_same_clips(
    tmp_path: Path, clips: tuple[Clip, ...]
) -> None:
    full, short, _ = await measured(tmp_path, clips)
    assert [full.ratio, short.ratio] == pytest.approx([1.0, 0.25])
    assert (full.median_s, full.p95_s, short.median_s) == (1.0, 1.0, 0.25)


async def test_fall_backs_and_words_over_silence_are_counted(tmp_path: Path, clips: tuple[Clip, ...]) -> None:
    full, short, _ = await measured(tmp_path, clips)
    assert (full.no_speech_clips, full.no_speech_with_text, full.fell_back) == (1, 0, {})
    assert (short.no_speech_with_text, short.fell_back) == (1, {"improbable": 1, "no speech": 1})


async def test_settings_take_turns_clip_by_clip_after_one_untimed_clip_each(
    tmp_path: Path, clips: tuple[Clip, ...]
) -> None:
    _, _, order = await measured(tmp_path, clips)
    assert order == [1, -1, 1, -1, -2, 2, 3, -3, -4, 4, 5, -5]


async def test_what_is_transcribed_is_what_the_ears_would_hand_on(tmp_path: Path, clips: tuple[Clip, ...]) -> None:
    assert len(as_heard(tmp_path, clips[0])) == pytest.approx(1.5 * SAMPLE_RATE_HZ, abs=2)
    assert len(as_heard(tmp_path, clips[4])) == 2 * SAMPLE_RATE_HZ


async def test_the_figures_go_through_json(tmp_path: Path, clips: tuple[Clip, ...]) -> None:
    _, short, _ = await measured(tmp_path, clips)
    data = json.loads(json.dumps(short.to_dict()))
    assert data["setting"] == "short"
    assert data["fell_back"] == {"improbable": 1, "no speech": 1}
    assert data["fell_back_share"] == pytest.approx(2 / 5)
    assert "heard" not in data
    rows = json.loads(json.dumps(short.to_dict(clips=True)))["heard"]
    assert [row["text"] for row in rows] == [
        "Is Jelly Fin up?",
        "restart git tea.",
        "Is gitea down?",
        "ten clubs",
        "Thank you.",
    ]


async def test_progress_counts_clips(tmp_path: Path, clips: tuple[Clip, ...]) -> None:
    seen: list[tuple[int, int]] = []
    whisper = Scripted(FULL, Clock(), 0.1, lambda _: None)
    await compare({"full": whisper}, clips, tmp_path, NAMES, lambda done, of: seen.append((done, of)))
    assert seen == [(n, 5) for n in range(1, 6)]


async def test_no_clips_no_figures_and_a_lost_wav_is_said(tmp_path: Path, clips: tuple[Clip, ...]) -> None:
    whisper = Scripted(FULL, Clock(), 0.1, lambda _: None)
    (empty,) = await compare({"full": whisper}, (), tmp_path, NAMES)
    assert (empty.clips, empty.word_error_rate, empty.name_accuracy, empty.ratio) == (0, 0.0, None, 0.0)
    (tmp_path / clips[2].file).unlink()
    with pytest.raises(AudioError):
        await compare({"full": whisper}, clips, tmp_path, NAMES)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Is Jellyfin up?", {"jellyfin"}),
        ("is the media server up?", {"jellyfin"}),
        ("Restart Jitty.", {"gitea"}),
        ("Is it up?", set()),
        ("Is the weather nice?", set()),
        ("Run the photo library backup.", {"photos"}),
    ],
)
def test_names_are_resolved_as_the_assistant_and_its_tools_do_it(text: str, names: set[str]) -> None:
    assert Resolver(NAMES).names(text, ()) == names

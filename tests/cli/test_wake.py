"""`jarvis wake`: scores over time, as a person at a terminal or a script sees them."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console

from assistant.app_speech import wake_word_maker
from assistant.cli import wake as wake_module
from assistant.cli.wake import watch
from assistant.cli.wake_picture import write_picture
from assistant.cli.wake_plot import GUTTER, ROWS, Trace, plot
from assistant.config import WakeSettings
from assistant.errors import AudioError
from assistant.models import ModelStore
from assistant.ports import CHUNK_SAMPLES, Detection, Samples
from assistant.resources import resource
from assistant.speech.wake_scores import CHUNK_S, Trigger
from tests.cli.conftest import Jarvis
from tests.speech.said import read_wav
from tests.speech.sound import FakeSoundDevice

HEY_JARVIS = resource("audio_fixtures", "hey_jarvis_whats_down.wav")


def traced(scores: list[float], threshold: float = 0.5, *, detected_at: tuple[int, ...] = ()) -> Trace:
    trace = Trace({"hey_jarvis": Trigger(threshold)})
    for index, score in enumerate(scores):
        trace.add({"hey_jarvis": score}, Detection("hey_jarvis", score) if index in detected_at else None)
    return trace


# ── the plot ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_detection_is_marked_above_its_bar() -> None:
    title, marks, *rows = plot(traced([0, 0, 0.4, 1, 0, 0], detected_at=(3,))).splitlines()
    assert title == "hey_jarvis  threshold 0.5; best 1.00 at 0.3 s; 1 detection"
    assert marks.index("▼") == GUTTER + 3
    assert [row[GUTTER + 3] for row in rows[:ROWS]] == ["█"] * ROWS


def test_the_threshold_is_a_line_where_nothing_reaches_it() -> None:
    _, _, *rows = plot(traced([0.0] * 20, threshold=0.7)).splitlines()
    drawn = [row for row in rows if "┄" in row]
    assert drawn == ["0.70┤" + "┄" * 20]
    assert rows.index(drawn[0]) == 1  # the fifth of six rows from below holds 0.67–0.83


def test_the_highest_score_of_a_long_recording_is_seen_in_80_columns() -> None:
    scores = [0.0] * 45_000  # an hour
    scores[30_000] = 1.0
    lines = plot(traced(scores, detected_at=(30_000,)), 80).splitlines()
    assert max(map(len, lines)) <= 80
    marked = lines[1].index("▼")
    assert [line[marked] for line in lines[2 : 2 + ROWS]] == ["█"] * ROWS
    assert lines[-1].split() == [f"{600 * n}" for n in range(6)] + ["s"]


def test_each_word_has_a_lane_and_all_share_the_time() -> None:
    trace = Trace({"hey_jarvis": Trigger(0.5), "alexa": Trigger(0.6, patience=3)})
    for _ in range(25):
        trace.add({"hey_jarvis": 0.1, "alexa": 0.2}, None)
    shown = plot(trace)
    assert "alexa  threshold 0.6, 3 chunks in a row; best 0.20" in shown
    assert shown.count("└") == 1
    assert shown.splitlines()[-1].split() == ["0", "1", "s"]  # two seconds in 25 columns


def test_live_only_the_last_chunks_are_kept() -> None:
    trace = Trace({"hey_jarvis": Trigger(0.5)}, kept_chunks=100)
    for index in range(1000):
        trace.add({"hey_jarvis": 0.9 if index == 10 else 0.0}, Detection("hey_jarvis", 0.9) if index == 10 else None)
    assert len(trace.scores["hey_jarvis"]) == 100
    assert trace.began_s == pytest.approx(72)
    shown = plot(trace).splitlines()
    assert "▼" not in shown[1]  # it has gone out of sight, and still counts
    assert "1 detection" in shown[0]


@given(
    scores=st.lists(st.floats(0, 1), min_size=1, max_size=400),
    threshold=st.floats(0.001, 0.999),
    width=st.integers(20, 200),
    patience=st.integers(1, 9),
)
def test_no_scores_break_the_frame(scores: list[float], threshold: float, width: int, patience: int) -> None:
    trace = Trace({"a": Trigger(threshold, patience)})
    for index, score in enumerate(scores):
        trace.add({"a": score}, Detection("a", score) if index % 7 == 3 else None)
    lines = plot(trace, width).splitlines()
    assert len(lines) == ROWS + 4
    assert max(map(len, lines[:-1])) <= width
    columns = min(width - GUTTER - 1, len(scores))
    assert len(lines[-2]) == GUTTER + columns
    assert lines[1].count("▼") == len(
        {max(c for c in range(columns) if c * len(scores) // columns <= i) for i in range(3, len(scores), 7)}
    )


# ── the picture ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_picture_has_the_bars_and_the_mark_of_a_detection(tmp_path: Path) -> None:
    write_picture(traced([0.0] * 30), tmp_path / "quiet.png", "quiet")
    write_picture(traced([0.0] * 10 + [0.9] * 5 + [0.0] * 15, detected_at=(10,)), tmp_path / "loud.png", "loud")
    quiet, loud = (
        Image.open(BytesIO((tmp_path / name).read_bytes())).convert("RGB") for name in ("quiet.png", "loud.png")
    )
    assert quiet.size == loud.size
    green, blue = (0x23, 0x8B, 0x45), (0x9E, 0xCA, 0xE1)
    for colour in (green, blue):
        counts = [sum(n for n, c in image.getcolors(1 << 24) or [] if c == colour) for image in (quiet, loud)]
        assert counts[1] > counts[0] + 50


def test_a_picture_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(AudioError) as failed:
        write_picture(traced([0.1]), tmp_path / "nowhere" / "a.png", "a")
    assert failed.value.code == "not_written"
    assert failed.value.mend


# ── the command ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def models(model_store: ModelStore) -> dict[str, str]:
    """Variables for a command that needs the models."""
    return {"JARVIS_MODELS": str(model_store.models_dir)}


@pytest.mark.real_models
def test_a_recording_is_shown_in_80_columns(jarvis: Jarvis, models: dict[str, str]) -> None:
    result = jarvis("wake", str(HEY_JARVIS), **models)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("hey_jarvis  threshold 0.5; best ")
    assert lines[0].endswith("; 1 detection")
    assert "▼" in lines[1]
    assert max(map(len, lines)) <= 80


@pytest.mark.real_models
def test_json_has_every_score_and_the_detections(jarvis: Jarvis, models: dict[str, str]) -> None:
    result = jarvis(
        "wake", str(HEY_JARVIS), "--json", "--word", "alexa", "--word", "hey_jarvis", "--threshold", "0.6", **models
    )
    shown = json.loads(result.stdout)
    assert set(shown["words"]) == {"alexa", "hey_jarvis"}
    (detection,) = shown["detections"]
    assert detection["word"] == "hey_jarvis"
    assert 1 < detection["at_s"] < 2
    heard = shown["words"]["hey_jarvis"]
    assert heard["threshold"] == 0.6
    assert len(heard["scores"]) * shown["chunk_s"] == pytest.approx(shown["seconds"])
    assert heard["scores"][round(detection["at_s"] / shown["chunk_s"]) - 1] == detection["score"]
    assert max(shown["words"]["alexa"]["scores"]) < 0.1


@pytest.mark.real_models
def test_stop_is_shown_alone_or_beside_the_wake_words(jarvis: Jarvis, models: dict[str, str]) -> None:
    def shown(*names: str) -> list[str]:
        words = [part for name in names for part in ("--word", name)]
        return list(json.loads(jarvis("wake", str(HEY_JARVIS), "--json", *words, **models).stdout)["words"])

    assert shown("stop") == ["stop"]
    assert shown("stop", "hey_jarvis") == ["hey_jarvis", "stop"]


@pytest.mark.real_models
def test_a_picture_on_request(jarvis: Jarvis, models: dict[str, str], tmp_path: Path) -> None:
    picture = tmp_path / "wake.png"
    assert jarvis("wake", str(HEY_JARVIS), "--png", str(picture), **models).exit_code == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    refused = jarvis("wake", str(HEY_JARVIS), "--png", str(tmp_path / "no" / "wake.png"), **models)
    assert refused.exit_code == 1
    assert "cannot be written" in refused.stderr


def test_what_is_missing_is_named_with_its_mend(jarvis: Jarvis, tmp_path: Path) -> None:
    nothing = jarvis("wake", str(tmp_path / "nothing.wav"))
    assert nothing.exit_code == 1
    assert "jarvis wake mic" in nothing.stderr
    no_models = jarvis("wake", str(HEY_JARVIS))
    assert no_models.exit_code == 4
    assert "jarvis models pull" in no_models.stderr
    no_word = jarvis("wake", str(HEY_JARVIS), "--word", "Hey Jarvis", "--json")
    assert no_word.exit_code == 3
    assert json.loads(no_word.stdout)["error"]["code"] == "bad_wake_word"
    assert jarvis("wake", str(HEY_JARVIS), "--threshold", "1.5").exit_code == 2


@pytest.mark.real_models
def test_a_file_that_is_no_recording_is_said(jarvis: Jarvis, models: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("no recording")
    result = jarvis("wake", str(tmp_path / "a.wav"), **models)
    assert result.exit_code == 1
    assert "no recording" in result.stderr


# ── live ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def chunks(audio: Samples) -> AsyncIterator[Samples]:
    for at in range(0, len(audio) - CHUNK_SAMPLES + 1, CHUNK_SAMPLES):
        yield audio[at : at + CHUNK_SAMPLES]


@pytest.mark.real_models
async def test_without_a_terminal_each_detection_is_a_line(
    model_store: ModelStore, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = Trace({"hey_jarvis": Trigger(0.5)})
    await watch(chunks(read_wav(HEY_JARVIS)), wake_word_maker(WakeSettings(), model_store)(), trace)
    listening, detection = capsys.readouterr().out.splitlines()
    assert listening == "Listening for hey_jarvis. Ctrl-C ends."
    (heard,) = trace.detections
    assert detection.split() == [f"{heard.at_s:.2f}", "s", "hey_jarvis", f"{heard.detection.score:.2f}"]
    assert heard.at_s == pytest.approx(round(heard.at_s / CHUNK_S) * CHUNK_S)


@pytest.mark.real_models
async def test_at_a_terminal_the_plot_is_live(model_store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = StringIO()
    monkeypatch.setattr(wake_module, "out", Console(file=screen, force_terminal=True, width=80))
    await watch(
        chunks(read_wav(HEY_JARVIS)),
        wake_word_maker(WakeSettings(), model_store)(),
        Trace({"hey_jarvis": Trigger(0.5)}),
    )
    assert "▼" in screen.getvalue()
    assert "hey_jarvis  threshold 0.5; best" in screen.getvalue()


@pytest.mark.real_models
def test_without_a_microphone_it_says_so(
    jarvis: Jarvis, models: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSoundDevice(inputs=0))
    result = jarvis("wake", "mic", **models)
    assert result.exit_code == 1
    assert "microphone" in result.stderr
    assert "What to do" in result.stderr

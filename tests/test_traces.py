"""Traces: one row per turn, words only when they are wanted, no more rows than are kept."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from assistant import traces
from assistant.errors import Stage, StateError
from assistant.events import ReplySentence, ToolReturned, Transcribed, TurnEvent, TurnFailed, TurnFinished
from assistant.traces import TraceStore
from tools.contract import Level


def turn(turn_id: str, total_ms: float = 10.0) -> list[TurnEvent]:
    return [
        Transcribed(text="is gitea up?", turn_id=turn_id),
        ToolReturned(
            tool="check_services",
            arguments={"service": "gitea"},
            ok=True,
            level=Level.READ,
            spoken="Gitea is up.",
            result={},
            took_ms=3.0,
            turn_id=turn_id,
        ),
        ReplySentence(text="Gitea is up.", spoken="Gitea is up.", turn_id=turn_id),
        TurnFinished(reply="Gitea is up.", spoken="Gitea is up.", matched="none", turn_id=turn_id, at_ms=total_ms),
    ]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TraceStore]:
    opened = TraceStore(tmp_path / "traces.db", keep_words=False)
    yield opened
    opened.close()


def test_a_turn_is_kept_with_its_door_tools_and_timings_and_without_its_words(store: TraceStore) -> None:
    store.keep(turn("a"), "repl")
    (row,) = store.turns()
    assert (row["turn_id"], row["door"], row["matched"]) == ("a", "repl", "none")
    assert row["tools"] == [{"name": "check_services", "ok": True}]
    assert row["timings_ms"]["tools"] == 3.0
    assert row["total_ms"] == 10.0
    assert row["error"] is row["transcript"] is row["reply"] is None


def test_nothing_that_was_said_reaches_the_disk_unless_it_is_wanted(store: TraceStore, tmp_path: Path) -> None:
    store.keep(turn("a"), "repl")
    store.close()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"check_services" in written
    assert b"gitea" not in written.lower()


def test_words_are_kept_when_the_configuration_wants_them(tmp_path: Path) -> None:
    store = TraceStore(tmp_path / "traces.db", keep_words=True)
    store.keep(turn("a"), "cli")
    (row,) = store.turns()
    store.close()
    assert (row["transcript"], row["reply"]) == ("is gitea up?", "Gitea is up.")


def test_a_file_of_before_there_were_callers_is_the_owners(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute(
            "CREATE TABLE turns (turn_id TEXT PRIMARY KEY, at REAL NOT NULL, door TEXT NOT NULL, matched TEXT NOT NULL,"
            " tools TEXT NOT NULL, timings_ms TEXT NOT NULL, total_ms REAL, error TEXT, transcript TEXT, reply TEXT)"
        )
        db.execute("INSERT INTO turns VALUES ('a', 1.0, 'cli', 'none', '[]', '{}', 1.0, NULL, NULL, NULL)")
        db.commit()
    store = TraceStore(path, keep_words=False, clock=lambda: 2.0)
    store.keep(turn("b"), "http", "anna")
    assert [(row["turn_id"], row["who"]) for row in store.turns()] == [("b", "anna"), ("a", "owner")]
    assert [row["turn_id"] for row in store.turns(who="anna")] == ["b"]
    store.close()


def test_a_failed_turn_is_kept_with_its_stage_and_code(store: TraceStore) -> None:
    store.keep([TurnFailed(stage=Stage.WAKE, code="no_wake_word", spoken="x", turn_id="a")], "microphone")
    assert store.turns()[0]["error"] == "wake.no_wake_word"


def test_newest_first_or_slowest_first_and_no_more_than_asked_for(store: TraceStore) -> None:
    for turn_id, total in (("a", 5.0), ("b", 50.0), ("c", 1.0)):
        store.keep(turn(turn_id, total), "cli")
    assert [row["turn_id"] for row in store.turns()] == ["c", "b", "a"]
    assert [row["turn_id"] for row in store.turns(2, slowest_first=True)] == ["b", "a"]


def test_the_oldest_are_dropped(store: TraceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "KEPT_TURNS", 3)
    for number in range(10):
        store.keep(turn(str(number)), "cli")
    assert {"9", "8", "7"} <= {row["turn_id"] for row in store.turns(100)}
    assert len(store.turns(100)) <= 4


def test_turns_are_there_after_a_restart(store: TraceStore, tmp_path: Path) -> None:
    store.keep(turn("a"), "cli")
    store.close()
    again = TraceStore(tmp_path / "traces.db", keep_words=False)
    assert len(again.turns()) == 1
    again.close()


def test_only_the_owner_can_read_them(store: TraceStore, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "traces.db").stat().st_mode) == 0o600


def test_a_damaged_file_is_set_aside_and_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    spoiled = b"no database at all, and long enough to be seen as such" * 40
    path.write_bytes(spoiled)
    store = TraceStore(path, keep_words=False, clock=lambda: 1_800_000_000.0)
    store.keep(turn("a"), "cli")
    assert len(store.turns()) == 1
    store.close()
    (aside,) = (tmp_path / "damaged").iterdir()
    assert aside.name.startswith("traces-2027")
    assert aside.read_bytes() == spoiled


def test_a_file_that_is_damaged_while_it_is_used_is_set_aside_too(store: TraceStore, tmp_path: Path) -> None:
    store.keep(turn("a"), "cli")
    with (tmp_path / "traces.db").open("r+b") as file:
        file.truncate(4096)
        file.seek(24)
        file.write(b"\xff" * 76)
    store.keep(turn("b"), "cli")
    assert [row["turn_id"] for row in store.turns()] == ["b"]
    assert len(list((tmp_path / "damaged").iterdir())) == 1


def test_a_file_that_cannot_be_opened_is_a_state_error_with_its_mend(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    path.mkdir()
    with pytest.raises(StateError) as caught:
        TraceStore(path, keep_words=False)
    assert caught.value.code == "traces_unusable"
    assert str(path) in caught.value.mend


def test_turns_are_kept_for_so_many_days(tmp_path: Path) -> None:
    now = [1_800_000_000.0]
    store = TraceStore(tmp_path / "traces.db", keep_words=False, days=2, clock=lambda: now[0])
    for name in "abcd":
        store.keep(turn(name), "cli")
        now[0] += 86400
    assert [row["turn_id"] for row in store.turns()] == ["d", "c", "b"]
    assert store.dropped == 1
    store.close()


def test_closing_twice_is_closing_once(store: TraceStore) -> None:
    store.close()
    store.close()

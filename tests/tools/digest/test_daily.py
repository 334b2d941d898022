"""The digest of the house and of the day: asked for through the call path, told once, kept as a note."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.tools.digest.made import GITEA_DOWN, NO_ALERTS, PHOTOS_OLD, VMS
from tools.contract import Caller, CallOutcome, Door, ToolResult
from tools.digest import making
from tools.digest.daily import tell_digest
from tools.digest.facts import CHECKS, Digest, Worded, digest_of
from tools.digest.making import make_digest
from tools.notify.messages import Messages
from tools.server import ToolHouse
from tools.settings import ToolSettings
from tools.store import Store
from tools.tasks.built_in import DIGEST

NOW = datetime.fromisoformat("2026-05-13T07:30:00+02:00")
OUTCOMES = {outcome.tool: outcome for outcome in (NO_ALERTS, GITEA_DOWN, PHOTOS_OLD, VMS)}


class Path_:  # noqa: N801 - stands for the call path
    """Answers each check; ``together``: the most calls that were under way at once."""

    def __init__(self) -> None:
        self.callers: list[Caller] = []
        self.under_way = self.together = 0

    async def call(self, name: str, arguments: Mapping[str, Any], caller: Caller) -> CallOutcome:
        assert dict(arguments) == {}
        self.callers.append(caller)
        self.under_way += 1
        self.together = max(self.together, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        return OUTCOMES[name]


async def test_the_checks_are_called_all_at_once_by_a_member_at_the_schedules_door() -> None:
    path = Path_()
    made = await make_digest(path.call, NOW)
    assert made.sentences[0] == "Gitea is down."
    assert made.at == "2026-05-13T07:30:00+02:00"
    assert path.together == len(CHECKS)
    assert {(caller.door, caller.role) for caller in path.callers} == {(Door.SCHEDULE, "member")}


async def test_a_phraser_that_breaks_or_never_ends_leaves_the_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: Sequence[ToolResult]) -> Worded:
        raise RuntimeError("boom")

    async def endless(_: Sequence[ToolResult]) -> Worded:
        await asyncio.Event().wait()
        raise AssertionError

    made = await make_digest(Path_().call, NOW, broken)
    assert (made.by, made.reason, made.sentences) == ("facts", "the model failed", made.facts)
    monkeypatch.setattr(making, "PHRASING_S", 0.01)
    made = await make_digest(Path_().call, NOW, endless)
    assert (made.by, made.reason) == ("facts", "it took too long")


async def test_the_house_makes_one_of_what_is_set_up(tmp_path: Path) -> None:
    settings = ToolSettings.model_validate({"services": {"gitea": {"tcp": "127.0.0.1:1"}}})
    with ToolHouse(settings, tmp_path, lambda: NOW) as house:
        made = await house.digest()
        assert "services" in made.checked
        assert {"backups", "virtual machines"} <= set(made.not_set_up)
        assert any("Gitea is down" in sentence for sentence in made.sentences)
        callers = {(line["who"], line["door"]) for line in house.audit_lines()}
        assert callers == {("digest", "schedule")}


async def test_what_the_assistant_sets_puts_it_into_words(tmp_path: Path) -> None:
    settings = ToolSettings.model_validate({"services": {"gitea": {"tcp": "127.0.0.1:1"}}})

    async def phrase(results: Sequence[ToolResult]) -> Worded:
        return Worded("Gitea is down, and that is all.")

    with ToolHouse(settings, tmp_path, lambda: NOW) as house:
        house.phrase_digest = phrase
        assert (await house.digest()).text == "Gitea is down, and that is all."
        assert (await house.digest(plain=True)).by == "facts"


# ── once a day ────────────────────────────────────────────────────────────────────────────────────────────────────


async def made() -> Digest:
    return digest_of([GITEA_DOWN, VMS], NOW.isoformat())


def day(tmp_path: Path, **digest: Any) -> ToolSettings:
    ntfy = {"url": "http://127.0.0.1:1"} if digest.pop("ntfy", False) else None
    return ToolSettings.model_validate({"digest": digest, "ntfy": ntfy})


async def test_it_is_told_once_at_every_door_and_kept_as_a_note(tmp_path: Path) -> None:
    settings = day(tmp_path, at="07:30", notes=tmp_path)
    with Store(tmp_path / "jarvis.db") as store:
        messages = Messages(store)
        await tell_digest(made, settings, messages)
        await tell_digest(made, settings, messages)
        (message,) = messages.unannounced()
        assert message.text == "Gitea is down. The other eleven are up. Both virtual machines run."
        assert (message.door, message.key) == ("schedule", "digest:2026-05-13")
        assert messages.due("ntfy") == [], "nothing to push to is configured"
    assert "made_by: jarvis digest" in (tmp_path / "2026-05-13.md").read_text()


@pytest.mark.parametrize("push", [True, False])
async def test_it_goes_to_the_phone_where_that_is_wanted(tmp_path: Path, push: bool) -> None:
    with Store(tmp_path / "jarvis.db") as store:
        messages = Messages(store)
        await tell_digest(made, day(tmp_path, ntfy=True, push=push), messages)
        assert len(messages.due("ntfy")) == push


async def test_a_note_that_cannot_be_written_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Store(tmp_path / "jarvis.db") as store:
        messages = Messages(store)
        await tell_digest(made, day(tmp_path, notes=tmp_path / "none"), messages)
        (message,) = messages.unannounced()
    assert message.text.endswith("The note of it couldn't be written.")
    assert "none" in caplog.text


async def test_at_its_time_the_house_tells_it_and_keeps_the_note(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    settings = ToolSettings.model_validate(
        {"services": {"gitea": {"tcp": "127.0.0.1:1"}}, "digest": {"at": "07:30", "notes": notes}}
    )
    with (
        ToolHouse(settings, tmp_path / "state", lambda: NOW) as house,
        Store(tmp_path / "state" / "jarvis.db") as store,
    ):
        async with house.keeping_time(), asyncio.timeout(20):
            while not store.write("UPDATE schedules SET next_at = 1 WHERE id = ?", [(DIGEST,)]):  # noqa: ASYNC110 - threads
                await asyncio.sleep(0.02)
            while not house.messages.unannounced():
                house._schedules.changed()
                await asyncio.sleep(0.02)
        (message,) = house.messages.unannounced()
    assert message.key == "digest:2026-05-13"
    assert "Gitea is down" in message.text
    assert "made_by: jarvis digest" in (notes / "2026-05-13.md").read_text()

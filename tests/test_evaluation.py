"""The evaluation: how the lines are asked, what they come to, and that nothing is done while it is found out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from assistant.conversation import Conversation
from assistant.errors import ChatError, ConfigError, ModelFilesError
from assistant.evaluation import Judged, Rehearsal
from assistant.evaluation_sets import Line, homelab_settings, read_lines, read_sets
from assistant.events import ModelDelta, Narrowed, ReplySentence, SentenceMatched, ToolCalled, ToolReturned
from assistant.judging import Verdict
from assistant.ports import Engine, Foresight, ReplyEvent, Words
from assistant.sampling import Tokens
from tests.fakes import FakeReplier
from tests.fakes_evaluation import HOUSE, call
from tools.contract import Caller, Door, JsonObject, Level

EVAL = Path(__file__).parent / "eval"
HOMELAB = Path(__file__).parents[1] / "assistant" / "demo" / "homelab.yaml"
GITEA = call("check_services", service="gitea")
RESTART = call("service_power", service="gitea", action="restart")

# ── sets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["dev.jsonl", "two_tools.jsonl", "paraphrases.jsonl"])
def test_the_sets_can_be_read_and_every_line_has_an_id_of_its_own(name: str) -> None:
    lines = read_lines(EVAL / name)
    assert len({line.id for line in lines}) == len(lines) > 40


def test_every_bad_line_is_named_by_file_and_number(tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    rows = [
        '{"id": "a", "text": "x", "expect": []}',
        "",
        '{"id": "b", "text": "x", "expect": [{"arguments": {}}]}',
        "nonsense",
        '{"id": "c", "text": "x"}',
        '{"id": "d", "expect": []}',
        '{"id": "e", "turns": [{"text": "x", "expect": []}, {"text": "x"}]}',
        '{"id": "a", "text": "x", "any": [[]]}',
        '{"id": "f", "text": "x", "any": []}',
        '{"id": "g", "text": "x", "forbid": ["notify"]}',
    ]
    file.write_text("\n".join(rows))
    with pytest.raises(ConfigError) as caught:
        read_lines(file)
    named = caught.value.detail.splitlines()
    numbers = [3, 4, 5, 6, 7, 8, 9]
    assert [row.split(": ")[0] for row in named] == [f"{file}:{number}" for number in numbers]
    assert "expect.0.tool" in named[0]
    assert "'a' is the id of line 1, too" in named[5]


def test_of_very_many_bad_lines_ten_are_named(tmp_path: Path) -> None:
    (tmp_path / "set.jsonl").write_text("nonsense\n" * 25)
    with pytest.raises(ConfigError, match="and 15 more"):
        read_lines(tmp_path / "set.jsonl")


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_set_that_cannot_be_read_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "set.jsonl").write_bytes(content)
    with pytest.raises(ConfigError, match=r"set\.jsonl"):
        read_lines(tmp_path / "set.jsonl")


def test_sets_are_called_by_their_file_and_by_their_path_where_that_is_not_enough(tmp_path: Path) -> None:
    files = [tmp_path / "one" / "a.jsonl", tmp_path / "two" / "a.jsonl", tmp_path / "b.jsonl"]
    for file in files:
        file.parent.mkdir(exist_ok=True)
        file.write_text('{"id": "a", "text": "x", "expect": []}\n')
    lines = read_sets([*files, files[2]])
    assert [line.set_name for line in lines] == [str(files[0]), str(files[1]), "b.jsonl"]


@pytest.mark.parametrize(
    "content",
    ["services: 3\n", "- a\n", "services: {a: {aliases: b}}\n", "a: [", "home: {hall: 3}\n", "home_aliases: 1\n"],
)
def test_a_homelab_that_is_none_is_an_error(tmp_path: Path, content: str) -> None:
    file = tmp_path / "house.yaml"
    file.write_text(content)
    with pytest.raises(ConfigError, match=r"house\.yaml is no homelab file"):
        homelab_settings(file)


def test_a_homelab_gives_names_aliases_and_what_is_protected(tmp_path: Path) -> None:
    settings = homelab_settings(HOMELAB)
    assert settings.services["pihole"].aliases == ("pi hole", "the ad blocker", "dns")
    assert "passwords" in settings.backups
    assert settings.vms["router"].protected
    assert settings.areas["office"].lights == ("desk lamp",)
    assert settings.home_aliases["the coffee"] == "coffee machine"
    (tmp_path / "small.yaml").write_text("services: {gitea: }\nvms:\n  box: {aliases: [7]}\n")
    small = homelab_settings(tmp_path / "small.yaml")
    assert (list(small.services), small.vms["box"].aliases, dict(small.backups)) == (["gitea"], ("7",), {})


# ── asking ────────────────────────────────────────────────────────────────────────────────────────────────────────


def line(**keys: object) -> Line:
    return Line.model_validate({"set_name": "set.jsonl", **keys})


def returned(tool: str, *, ok: bool = True, level: Level | None = Level.READ, **arguments: str) -> ToolReturned:
    result: JsonObject = {} if ok else {"error": "needs_confirmation"}
    return ToolReturned(tool=tool, arguments=dict(arguments), ok=ok, level=level, spoken="", result=result)


def said(text: str) -> ReplySentence:
    return ReplySentence(text=text, spoken=text)


async def asked(lines: Sequence[Line], rehearsal: Rehearsal, repeat: int = 1) -> list[Judged]:
    return [turn async for turn in rehearsal.ask(lines, repeat)]


async def test_turns_are_judged_by_their_events() -> None:
    lines = [
        line(id="a", text="is gitea up", expect=[GITEA], tags=["services"]),
        line(id="b", text="restart gitea", expect=[RESTART]),
        line(id="d", turns=[{"text": "one", "expect": [GITEA]}, {"text": "two", "expect": []}]),
    ]
    replier = FakeReplier([returned("check_services", service="gitea"), said("Up.")])
    turns = await asked(lines, Rehearsal(replier, "sentences", HOUSE))
    assert [(turn.id, turn.verdict, turn.in_conversation) for turn in turns] == [
        ("a", Verdict.RIGHT, False),
        ("b", Verdict.WRONG_TOOL, False),
        ("d.1", Verdict.RIGHT, True),
        ("d.2", Verdict.WRONG_TOOL, True),
    ]
    assert [text for text, _, _ in replier.asked] == ["is gitea up", "restart gitea", "one", "two"]
    assert (turns[0].tags, turns[0].note, turns[0].set_name) == (("services",), "Up.", "set.jsonl")


async def test_a_question_back_is_a_confirmation_and_no_deed() -> None:
    one = line(id="a", text="restart gitea", expect=[RESTART], confirm=True)
    answer = returned("service_power", ok=False, level=Level.DESTRUCTIVE, service="gitea", action="restart")
    (turn,) = await asked([one], Rehearsal(FakeReplier([answer])))
    assert turn.verdict is Verdict.RIGHT
    assert turn.planned[0].error == "needs_confirmation"


@dataclass
class RememberingReplier:
    """Keeps the conversations that it was handed, and counts tokens as a model would."""

    tokens: Tokens = field(default_factory=Tokens)
    conversations: list[Conversation] = field(default_factory=list)
    callers: list[Caller] = field(default_factory=list)

    async def foresee(self, text: str, conversation: Conversation, caller: Caller, engine: Engine) -> Foresight:
        return Foresight(text, Words.OPEN)

    async def reply(
        self,
        text: str,
        conversation: Conversation,
        caller: Caller,
        engine: Engine,
        foresight: Foresight | None = None,
    ) -> AsyncGenerator[ReplyEvent, None]:
        self.conversations.append(conversation)
        self.callers.append(caller)
        self.tokens.in_ += 10
        self.tokens.out += 2
        yield said("Hm.")


async def test_the_owner_speaks_by_voice_and_each_line_of_each_repeat_is_a_conversation_of_its_own() -> None:
    lines = [
        line(id="a", turns=[{"text": "one", "expect": []}, {"text": "two", "expect": []}]),
        line(id="b", text="three", expect=[]),
    ]
    replier = RememberingReplier()
    rehearsal = Rehearsal(replier, tokens=replier.tokens)
    await asked(lines, rehearsal)
    turns = await asked(lines, rehearsal, repeat=2)
    first, second, third, *again = replier.conversations
    assert first is second
    assert first is not third
    assert {caller.conversation for caller in replier.callers[:2]} == {first.id}
    assert not {first.id, third.id} & {conversation.id for conversation in again}
    assert len({caller.turn_id for caller in replier.callers}) == 6
    assert {(caller.door, caller.role, caller.name, caller.room) for caller in replier.callers} == {
        (Door.MICROPHONE, "owner", "owner", None)
    }
    assert {(turn.tokens_in, turn.tokens_out, turn.decided_by, turn.repeat) for turn in turns} == {(10, 2, "model", 2)}


@pytest.mark.parametrize(
    ("events", "decider"),
    [
        ([SentenceMatched(template="t", tool="check_services"), said("Up.")], "sentence"),
        ([Narrowed(decided=True), ToolCalled(tool="x", arguments={}, source="signals")], "signals"),
        ([Narrowed(decided=False), ToolCalled(tool="x", arguments={}, source="model")], "model"),
        ([Narrowed(decided=False), ModelDelta(text="Well"), said("Well.")], "model"),
        ([ToolCalled(tool="x", arguments={}, source="confirmation")], "confirmation"),
        ([said("I don't know.")], "none"),
        ([], "none"),
    ],
)
async def test_who_decided_is_read_off_the_events(events: list[ReplyEvent], decider: str) -> None:
    (turn,) = await asked([line(id="a", text="x", expect=[])], Rehearsal(FakeReplier(events)))
    assert turn.decided_by == decider
    assert (turn.decision_ms is not None) is bool(events)


async def test_the_decision_is_timed_up_to_the_first_call_or_word() -> None:
    ticks = iter(range(100))
    events: list[ReplyEvent] = [
        SentenceMatched(template="t", tool="check_services"),
        ToolCalled(tool="check_services", arguments={}, source="sentence"),
        said("Up."),
    ]
    rehearsal = Rehearsal(FakeReplier(events), clock=lambda: next(ticks))
    (turn,) = await asked([line(id="a", text="x", expect=[])], rehearsal)
    assert turn.decision_ms == 1000


@pytest.mark.parametrize("error", [ChatError("model_slow", "too slow"), ModelFilesError("model_damaged", "too slow")])
async def test_what_fails_is_a_missed_turn_with_its_reason(error: Exception) -> None:
    (turn,) = await asked([line(id="a", text="is gitea up", expect=[GITEA])], Rehearsal(FakeReplier([error])))
    assert turn.verdict is Verdict.MISSED
    assert "too slow" in turn.note


async def test_clips_stand_beside_the_set_and_are_heard_before_they_are_asked(tmp_path: Path) -> None:
    heard: list[Path] = []

    async def hear(clip: Path) -> str:
        heard.append(clip)
        return "is gitea up"

    replier = FakeReplier([returned("check_services", service="gitea")])
    clip = line(id="a", wav="clips/a.wav", expect=[GITEA], source=tmp_path / "set.jsonl")
    (turn,) = await asked([clip], Rehearsal(replier, hear=hear))
    assert heard == [tmp_path / "clips" / "a.wav"]
    assert (turn.text, turn.verdict) == ("is gitea up", Verdict.RIGHT)


# ── interrupted ───────────────────────────────────────────────────────────────────────────────────────────────────

INTERRUPTED = """
import os, signal, sys
from assistant.cli import evaluate
from assistant.cli.main import app

advance = evaluate._Bar.advance

def advance_and_interrupt(bar, turn):
    advance(bar, turn)
    if turn.id == "l3":
        os.kill(os.getpid(), signal.SIGINT)

evaluate._Bar.advance = advance_and_interrupt
app()
"""


def test_ctrl_c_keeps_what_was_judged_and_exits_as_interrupted(tmp_path: Path) -> None:
    (tmp_path / "set.jsonl").write_text(
        "".join(f'{{"id": "l{n}", "text": "is gitea up", "expect": []}}\n' for n in range(1, 2000))
    )
    (tmp_path / "jarvis.toml").write_text("[model]\ndiscover = false\n")
    arguments = [
        "eval",
        str(tmp_path / "set.jsonl"),
        "--engine",
        "sentences",
        "--config",
        str(tmp_path / "jarvis.toml"),
    ]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert done.returncode == 130, done.stderr
    assert "0 of 3 right" in done.stdout
    assert "Stopped after 3 of 1999 turns" in done.stdout
    assert "Traceback" not in done.stderr

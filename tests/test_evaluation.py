"""The evaluation: what counts as right, and that nothing is done while it is found out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from assistant.cli.evaluate import evaluate as evaluate_command
from assistant.errors import ChatError, ConfigError
from assistant.evaluation import Report, evaluate, homelab_settings
from assistant.events import ReplySentence, SentenceMatched, ToolCalled, ToolReturned
from assistant.judging import ExpectedTurn, Line, Planned, Verdict, judge, read_lines
from tests.fakes import FakeReplier
from tools.contract import JsonObject, Level

EVAL = Path(__file__).parent / "eval"
HOMELAB = Path(__file__).parents[1] / "assistant" / "demo" / "homelab.yaml"
TOOLS = {"check_services", "check_backups"}


def expecting(*calls: JsonObject, **more: object) -> ExpectedTurn:
    return ExpectedTurn.model_validate({"text": "x", "expect": calls, **more})


def read(tool: str, **arguments: object) -> Planned:
    return Planned(tool, dict(arguments), Level.READ)


def act(tool: str, error: str | None = None, level: Level = Level.DESTRUCTIVE, **arguments: object) -> Planned:
    return Planned(tool, dict(arguments), level, error)


GITEA = {"tool": "check_services", "arguments": {"service": "gitea"}}
RESTART = {"tool": "service_power", "arguments": {"service": "gitea", "action": "restart"}}


@pytest.mark.parametrize(
    ("turn", "planned", "verdict"),
    [
        (expecting(GITEA), [read("check_services", service="gitea")], Verdict.RIGHT),
        (expecting(GITEA), [read("check_services", service="immich")], Verdict.WRONG_ARGUMENT),
        (expecting(GITEA), [read("check_services")], Verdict.WRONG_ARGUMENT),
        (expecting({"tool": "check_services"}), [read("check_services", service="gitea")], Verdict.WRONG_ARGUMENT),
        (expecting(GITEA), [read("check_backups", job="gitea")], Verdict.WRONG_TOOL),
        (expecting(GITEA), [], Verdict.MISSED),
        (expecting(GITEA), [Planned("check_services", {"service": "x"}, None, "unknown_name")], Verdict.WRONG_ARGUMENT),
        (expecting(GITEA), [Planned("check_disks", {}, None, "unknown_tool")], Verdict.MISSED),
        (expecting(GITEA, {"tool": "check_backups"}), [read("check_services", service="gitea")], Verdict.MISSED),
        (expecting(), [], Verdict.RIGHT),
        (expecting(), [Planned("check_disks", {}, None, "unknown_tool")], Verdict.RIGHT),
        (expecting(), [read("check_services")], Verdict.ACTED),
        (expecting(GITEA, forbid=["run_backup"]), [act("run_backup", level=Level.OPERATE)], Verdict.ACTED),
        (expecting(GITEA), [act("service_power", service="gitea", action="stop")], Verdict.ACTED),
        (
            expecting(RESTART, confirm=True),
            [act("service_power", "needs_confirmation", service="gitea", action="restart")],
            Verdict.RIGHT,
        ),
        (expecting(RESTART, confirm=True), [act("service_power", service="gitea", action="restart")], Verdict.ACTED),
        (
            expecting(RESTART),
            [act("service_power", "needs_confirmation", service="gitea", action="restart")],
            Verdict.REFUSED,
        ),
        (
            expecting({"tool": "home_control", "arguments": {"target": "desk lamp", "action": "on"}}),
            [act("home_control", level=Level.OPERATE, target="desk lamp", area="office", action="on")],
            Verdict.RIGHT,
        ),
        (
            expecting({"tool": "notify", "arguments": {"message": "dinner is ready"}}),
            [act("notify", level=Level.OPERATE, message="Dinner's ready. dinner is ready")],
            Verdict.RIGHT,
        ),
    ],
)
def test_verdicts(turn: ExpectedTurn, planned: list[Planned], verdict: Verdict) -> None:
    assert judge(turn, planned) is verdict


def test_the_best_of_several_acceptable_lists_counts() -> None:
    turn = ExpectedTurn.model_validate({"text": "x", "any": [[GITEA], []]})
    assert judge(turn, []) is Verdict.RIGHT
    assert judge(turn, [read("check_services", service="gitea")]) is Verdict.RIGHT


@pytest.mark.parametrize("name", ["dev.jsonl", "two_tools.jsonl"])
def test_the_sets_can_be_read_and_every_line_has_an_id_of_its_own(name: str) -> None:
    lines = read_lines(EVAL / name)
    assert len({line.id for line in lines}) == len(lines) > 40


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    file.write_text('{"id": "a", "text": "x", "expect": []}\n{"id": "b", "expect": [{"arguments": {}}]}\n')
    with pytest.raises(ConfigError) as caught:
        read_lines(file)
    assert "set.jsonl:2: expect.0.tool" in caught.value.detail


def test_a_set_that_is_not_there_and_a_homelab_that_is_none_are_errors(tmp_path: Path) -> None:
    (tmp_path / "house.yaml").write_text("services: 3\n")
    with pytest.raises(ConfigError):
        read_lines(tmp_path / "none.jsonl")
    with pytest.raises(ConfigError):
        homelab_settings(tmp_path / "house.yaml")


def test_the_homelab_gives_names_and_aliases() -> None:
    settings = homelab_settings(HOMELAB)
    assert settings.services["pihole"].aliases == ("pi hole", "the ad blocker", "dns")
    assert "passwords" in settings.backups


def returned(tool: str, **arguments: str) -> ToolReturned:
    return ToolReturned(tool=tool, arguments=dict(arguments), ok=True, level=Level.READ, spoken="", result={})


async def test_turns_are_judged_by_their_events_and_what_needs_other_tools_waits() -> None:
    lines = [
        Line.model_validate({"id": "a", "text": "is gitea up", "expect": [GITEA], "tags": ["services"]}),
        Line.model_validate({"id": "b", "text": "restart gitea", "expect": [RESTART]}),
        Line.model_validate({"id": "c", "wav": "x.wav", "expect": [GITEA]}),
        Line.model_validate({"id": "d", "turns": [{"text": "one", "expect": [GITEA]}, {"text": "two", "expect": []}]}),
    ]
    replier = FakeReplier(
        [
            SentenceMatched(template="t", tool="check_services"),
            ToolCalled(tool="check_services", arguments={}, source="sentence"),
            returned("check_services", service="gitea"),
            ReplySentence(text="Up.", spoken="Up."),
        ]
    )
    seen: list[str] = []
    turns = await evaluate(lines, replier, TOOLS, "sentences", on_turn=lambda turn: seen.append(turn.id))
    assert [(turn.id, turn.verdict) for turn in turns] == [
        ("a", Verdict.RIGHT),
        ("b", Verdict.NOT_YET),
        ("c", Verdict.NOT_YET),
        ("d.1", Verdict.RIGHT),
        ("d.2", Verdict.ACTED),
    ]
    assert seen == [turn.id for turn in turns]
    assert [text for text, _, _ in replier.asked] == ["is gitea up", "one", "two"]
    report = Report(turns).as_json()
    assert (report["turns"], report["right"], report["not_yet"], report["by_sentence"]) == (3, 2, 2, 3)
    assert report["by_tag"]["services"] == {"right": 1}
    assert [wrong["id"] for wrong in report["wrong"]] == ["d.2"]
    assert report["decision_ms"]["p95"] >= report["decision_ms"]["p50"] > 0


async def test_a_stage_that_fails_is_a_missed_turn_with_its_reason() -> None:
    line = Line.model_validate({"id": "a", "text": "is gitea up", "expect": [GITEA]})
    (turn,) = await evaluate([line], FakeReplier([ChatError("model_slow", "too slow")]), TOOLS)
    assert turn.verdict is Verdict.MISSED
    assert "too slow" in turn.note


# ── the command, over the real tools that record ──────────────────────────────────────────────────────────────────


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    config = tmp_path / "jarvis.toml"
    config.write_text("[model]\ndiscover = false\n")
    monkeypatch.setenv("COLUMNS", "200")
    app = typer.Typer()
    app.command()(evaluate_command)
    return app


def run(app: typer.Typer, tmp_path: Path, *arguments: str) -> tuple[int, str, str]:
    config = ("--config", str(tmp_path / "jarvis.toml"))
    result = CliRunner().invoke(app, [*arguments, *config], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def test_the_sentences_are_never_wrong_on_both_sets(command: typer.Typer, tmp_path: Path) -> None:
    sets = (str(EVAL / "dev.jsonl"), str(EVAL / "two_tools.jsonl"))
    code, out, _ = run(command, tmp_path, *sets, "--engine", "sentences", "--json")
    report = json.loads(out)
    assert code == 0
    assert {turn["verdict"] for turn in report["wrong"]} <= {"missed"}
    assert report["right"] / report["turns"] >= 0.85
    assert report["decision_ms"]["p50"] < 50


def test_the_table_lists_tags_failures_and_what_waits(command: typer.Typer, tmp_path: Path) -> None:
    code, out, _ = run(command, tmp_path, str(EVAL / "dev.jsonl"), "--engine", "sentences", "--strict")
    assert code == 1
    assert "acted when it" in out
    assert "missed d43.2" in out
    assert "not yet" in out
    assert "d04" in out


def test_a_broken_set_is_said_in_one_line(command: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("nonsense\n")
    code, _, err = run(command, tmp_path, str(tmp_path / "x.jsonl"))
    assert code == 3
    assert "x.jsonl:1" in err
    assert "Traceback" not in err

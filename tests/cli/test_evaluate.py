"""``jarvis eval`` over the real tools that record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from assistant.cli.evaluate import evaluate

EVAL = Path(__file__).parents[1] / "eval"
PLANS = [
    '{"id": "same", "text": "turn on the coffee", "expect": [{"tool": "home_control",'
    ' "arguments": {"target": "the coffee", "action": "start"}}]}',
    '{"id": "other", "text": "turn on the coffee", "expect": [{"tool": "home_control",'
    ' "arguments": {"target": "desk lamp", "action": "on"}}], "tags": ["wrong"]}',
    '{"id": "yes", "turns": [{"text": "restart gitea", "expect": [{"tool": "service_power",'
    ' "arguments": {"service": "git tea", "action": "restart"}}], "confirm": true}, {"text": "yes", "expect":'
    ' [{"tool": "service_power", "arguments": {"service": "gitea", "action": "restart"}}]}]}',
    '{"id": "no", "turns": [{"text": "restart gitea", "expect": [{"tool": "service_power",'
    ' "arguments": {"service": "gitea", "action": "restart"}}], "confirm": true}, {"text": "no", "expect": []}]}',
]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    (tmp_path / "jarvis.toml").write_text("[model]\ndiscover = false\n")
    (tmp_path / "plans.jsonl").write_text("\n".join(PLANS) + "\n")
    monkeypatch.setenv("COLUMNS", "80")
    app = typer.Typer()
    app.command()(evaluate)
    return app


def run(app: typer.Typer, tmp_path: Path, *arguments: str | Path) -> tuple[int, str, str]:
    config = ("--config", str(tmp_path / "jarvis.toml"), "--engine", "sentences")
    result = CliRunner().invoke(app, [*map(str, arguments), *config], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def test_expectations_are_resolved_and_a_yes_executes(command: typer.Typer, tmp_path: Path) -> None:
    code, out, _ = run(command, tmp_path, tmp_path / "plans.jsonl", "--json")
    report = json.loads(out)
    assert code == 0
    assert {turn["id"]: turn["verdict"] for turn in report["results"]} == {
        "same": "right",
        "other": "acted when it must not",
        "yes.1": "right",
        "yes.2": "right",
        "no.1": "right",
        "no.2": "right",
    }
    (wrong,) = report["wrong"]
    assert "'desk lamp' in 'office', got 'coffee machine' in 'kitchen'" in wrong["why"]
    assert wrong["decided_by"] == "sentence"


def test_repeats_have_seeds_and_a_temperature(command: typer.Typer, tmp_path: Path) -> None:
    sets = tmp_path / "plans.jsonl"
    _, once, _ = run(command, tmp_path, sets, "--json")
    _, out, _ = run(command, tmp_path, sets, "--json", "--repeat", "3", "--seed", "5")
    assert (json.loads(once)["temperature"], json.loads(once)["seeds"]) == (0.0, [1])
    report = json.loads(out)
    assert (report["temperature"], report["seeds"], report["turns"], report["acted"]) == (0.4, [5, 6, 7], 18, 3)
    assert report["unstable"] == []


def test_the_table_fits_and_failures_are_listed(command: typer.Typer, tmp_path: Path) -> None:
    code, out, _ = run(command, tmp_path, tmp_path / "plans.jsonl", "--strict", "--repeat", "2")
    assert code == 1
    assert "acted when it must not: 2" in out
    assert "10 of 12 right" in out
    assert "seed 2: 5 of 6 right" in out
    assert "acted when it must not other (2) “turn on the coffee” → home_control(" in out
    table = out[: out.index("10 of 12 right")]
    assert all(len(row) <= 80 for row in table.splitlines())


def test_the_page_is_written(command: typer.Typer, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    run(command, tmp_path, tmp_path / "plans.jsonl", "--html", page)
    assert "turn on the coffee" in page.read_text(encoding="utf-8")
    code, _, err = run(command, tmp_path, tmp_path / "plans.jsonl", "--html", tmp_path / "no" / "report.html")
    assert code == 3
    assert "report.html cannot be written" in err


def test_two_runs_are_compared(command: typer.Typer, tmp_path: Path) -> None:
    _, before, _ = run(command, tmp_path, tmp_path / "plans.jsonl", "--json")
    (tmp_path / "plans.jsonl").write_text("\n".join(PLANS).replace("desk lamp", "coffee machine"))
    _, after, _ = run(command, tmp_path, tmp_path / "plans.jsonl", "--json")
    one, other = tmp_path / "a.json", tmp_path / "b.json"
    one.write_text(before)
    other.write_text(after)
    code, out, _ = run(command, tmp_path, "--compare", one, other)
    assert code == 0
    assert "became right: 1" in out
    assert "acted when it must not → right" in out
    _, as_json, _ = run(command, tmp_path, "--compare", other, one, "--json")
    assert [line["id"] for line in json.loads(as_json)["became_wrong"]] == ["other"]
    assert run(command, tmp_path, "--compare", one)[0] == 3


def test_a_house_that_was_never_seen(command: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "house.yaml").write_text(
        "services: {navidrome: {aliases: [the music server]}}\nhome: {attic: {lights: [string lights]}}\n"
    )
    (tmp_path / "set.jsonl").write_text(
        '{"id": "a", "text": "is the music server up?", "expect": [{"tool": "check_services",'
        ' "arguments": {"service": "navidrome"}}]}\n'
        '{"id": "b", "text": "turn off the lights in the attic", "expect": [{"tool": "home_control",'
        ' "arguments": {"target": "string lights", "action": "off"}}]}\n'
    )
    code, out, _ = run(command, tmp_path, tmp_path / "set.jsonl", "--homelab", tmp_path / "house.yaml", "--strict")
    assert code == 0, out


def test_a_broken_set_is_said_in_one_line(command: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("nonsense\n")
    code, _, err = run(command, tmp_path, tmp_path / "x.jsonl")
    assert code == 3
    assert "x.jsonl:1" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("name", ["dev.jsonl", "two_tools.jsonl", "paraphrases.jsonl"])
def test_the_sentences_never_act_when_they_must_not(command: typer.Typer, tmp_path: Path, name: str) -> None:
    _, out, _ = run(command, tmp_path, EVAL / name, "--json")
    report = json.loads(out)
    assert report["acted"] == 0, report["wrong"]
    assert report["sentence_share"] >= 0.8

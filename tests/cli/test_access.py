"""``jarvis access``, and the page that it makes a part of."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from assistant.cli.access import BEGIN, END, page
from assistant.cli.main import app

PAGE = Path(__file__).resolve().parents[2] / "docs" / "access.md"


def test_the_tables_of_the_page_are_those_of_the_policy() -> None:
    shown = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert shown == page(), "docs/access.md: put what `jarvis access --markdown` prints between its markers."


def test_the_command_prints_what_stands_in_the_page() -> None:
    printed = CliRunner().invoke(app, ["access", "--markdown"])
    assert (printed.exit_code, printed.stdout) == (0, page())


def test_it_tells_of_the_roles_and_limits_of_this_house(tmp_path: Path) -> None:
    config = tmp_path / "jarvis.toml"
    config.write_text(
        '[roles.sitter]\nmay = "operate"\nonly = ["area:nursery"]\n'
        '[access.doors]\nmicrophone = "guest"\n[access.rooms]\nnursery = "sitter"\n',
        encoding="utf-8",
    )
    printed = CliRunner().invoke(app, ["access", "--config", str(config)], env={"COLUMNS": "200"})
    assert printed.exit_code == 0, printed.output
    assert "sitter is limited to area:nursery." in printed.stdout
    assert "In the nursery everybody is at most sitter." in printed.stdout
    row = next(line for line in printed.stdout.splitlines() if line.startswith("owner") and "microphone" in line)
    assert row.split()[2:] == ["yes", "no", "no", "no", "no"]


def test_a_role_that_is_nowhere_is_named_with_its_key(tmp_path: Path) -> None:
    config = tmp_path / "jarvis.toml"
    config.write_text('[access.doors]\nmcp = "boss"\n', encoding="utf-8")
    printed = CliRunner().invoke(app, ["access", "--config", str(config)])
    assert printed.exit_code != 0
    assert "access.doors.mcp: there is no role 'boss'" in " ".join(printed.output.split())

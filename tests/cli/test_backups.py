"""`jarvis backups`: on the demo homelab, whose backups are real."""

from __future__ import annotations

import json
import re
import stat
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest

from assistant.cli.completion import complete_job
from assistant.demo.backups import JOBS
from tests.cli.conftest import Jarvis
from tests.demo_said import BACKUPS_SAID
from tools.backups.kinds import check_in

COMMANDS = ("list", "check", "run", "test", "calendar", "scorecard", "notes", "init", "history", "report")


class Page(HTMLParser):
    """Tags with their attributes, and the text of cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_help_names_every_command(jarvis: Jarvis) -> None:
    shown = jarvis("backups", "--help").stdout
    assert all(re.search(rf"\b{name}\b", shown) for name in COMMANDS)


def test_the_list_has_every_job_the_worst_first_with_ages_in_words(jarvis: Jarvis) -> None:
    shown = jarvis("backups", "list", COLUMNS="160")
    assert shown.exit_code == 0
    first, head, *rows = shown.stdout.splitlines()
    assert first.startswith(BACKUPS_SAID)
    assert head.split()[:2] == ["verdict", "job"]
    assert len(rows) == len(JOBS)
    assert rows[0].startswith("failed")
    assert rows[-1].startswith("ok")
    assert "three days ago" in next(row for row in rows if " config " in row)


def test_the_list_as_json_is_the_records_and_check_makes_the_exit_code(jarvis: Jarvis) -> None:
    shown = jarvis("backups", "list", "--json", "--check")
    assert shown.exit_code == 1
    listed = json.loads(shown.stdout)
    assert {record["job"]: record["verdict"] for record in listed["jobs"]}["photos"] == "ok"
    assert listed["spoken"].startswith(BACKUPS_SAID)


def test_checking_one_job_looks_now_and_takes_what_people_call_it(jarvis: Jarvis) -> None:
    before = json.loads(jarvis("backups", "list", "--json").stdout)
    good = jarvis("backups", "check", "the photo library", "--json")
    assert good.exit_code == 0
    (record,) = json.loads(good.stdout)["jobs"]
    was = next(one for one in before["jobs"] if one["job"] == "photos")
    assert (record["job"], record["verdict"]) == ("photos", "ok")
    assert record["looked_at"] >= was["looked_at"]
    assert jarvis("backups", "check", "gitea").exit_code == 1


def test_an_unknown_job_is_named_with_those_there_are(jarvis: Jarvis) -> None:
    refused = jarvis("backups", "history", "nonsense", "--json")
    assert refused.exit_code == 3
    error = json.loads(refused.stdout)["error"]
    assert error["code"] == "unknown_job"
    assert "photos" in error["mend"]


def test_a_run_and_a_test_are_followed_to_their_end(jarvis: Jarvis) -> None:
    ran = jarvis("backups", "run", "passwords")
    assert (ran.exit_code, ran.stdout[:30]) == (0, "The passwords backup is done: ")
    tested = jarvis("backups", "test", "the vault", "--json")
    assert tested.exit_code == 0
    assert json.loads(tested.stdout)["ok"] is True


def test_a_test_with_a_seed_runs_here_and_goes_into_the_history(jarvis: Jarvis) -> None:
    tested = jarvis("backups", "test", "passwords", "--seed", "3", "--json")
    assert tested.exit_code == 0
    (record,) = json.loads(tested.stdout)["tests"]
    assert (record["seed"], record["ok"]) == (3, True)
    history = json.loads(jarvis("backups", "history", "passwords", "--json").stdout)
    assert [test["at"] for test in history["destinations"][0]["tests"]][-1] == record["at"]


def test_the_history_is_shown_and_drawn(jarvis: Jarvis, tmp_path: Path) -> None:
    picture = tmp_path / "history.png"
    shown = jarvis("backups", "history", "photos", "--plot", str(picture))
    assert shown.exit_code == 0
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d +\S.* kB", shown.stdout)
    assert "restore test" in shown.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")
    refused = jarvis("backups", "history", "photos", "--plot", str(tmp_path / "none" / "x.png"))
    assert refused.exit_code == 5


def test_the_calendar_says_what_is_due_and_is_drawn(jarvis: Jarvis, tmp_path: Path) -> None:
    picture = tmp_path / "calendar.png"
    shown = jarvis("backups", "calendar", "--plot", str(picture), COLUMNS="160")
    assert shown.exit_code == 0
    assert re.search(r"^now +gitea +the restore of a random file +never *$", shown.stdout, re.MULTILINE)
    assert picture.read_bytes().startswith(b"\x89PNG")
    found = json.loads(jarvis("backups", "calendar", "--json").stdout)
    assert {one["job"] for one in found["due"]} == set(JOBS)
    assert len(found["year"]) > len(found["due"])


def test_the_scorecard_as_a_page_stands_alone_and_can_be_read_by_everybody(jarvis: Jarvis, tmp_path: Path) -> None:
    file = tmp_path / "scorecard.html"
    shown = jarvis("backups", "scorecard", "--html", str(file), COLUMNS="200")
    assert shown.exit_code == 0
    assert "Nothing survives a dead disk, ransomware or a fire." in shown.stdout
    text = file.read_text(encoding="utf-8")
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object", "base"} & {tag for tag, _ in page.tags}
    assert not [a for _, a in page.tags if {"src", "href", "action", "data"} & set(a)]
    assert "url(" not in text
    assert "@import" not in text
    assert page.all("html") == [{"lang": "en"}]
    assert "prefers-color-scheme: dark" in text
    assert all(cell.get("scope") in ("col", "row") for cell in page.all("th"))
    assert len(page.all("table")) == len(page.all("caption")) == 3
    plots = page.all("svg")
    assert len(plots) >= 2 * (len(JOBS) - 2)
    assert all(plot["role"] == "img" and plot["aria-label"] for plot in plots)
    assert "nan" not in " ".join(str(value) for _, attributes in page.tags for value in attributes.values())


def test_the_scorecard_as_json_has_figures_and_survivors(jarvis: Jarvis) -> None:
    found = json.loads(jarvis("backups", "scorecard", "--json").stdout)
    cards = {card["data_class"]: card for card in found["classes"]}
    assert set(cards) == set(JOBS)
    assert cards["photos"]["figures"]["copies"] == 2
    assert cards["photos"]["survivors"]["deleted_folder"] == ["photos"]
    assert cards["photos"]["survivors"]["dead_disk"] == []  # the demo is all on one disk, and says so
    assert cards["photos"]["password_needed"] == ["photos"]


def test_notes_are_exported_for_their_owner_only_and_never_to_where_a_backup_goes(
    jarvis: Jarvis, tmp_path: Path, demo_state_dir: Path
) -> None:
    made = jarvis("backups", "notes", "--export", str(tmp_path / "stick"), COLUMNS="200")
    assert made.exit_code == 0
    files = sorted((tmp_path / "stick").iterdir())
    assert len(files) == len(JOBS)
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    there = demo_state_dir / "demo" / "backups" / "restic" / "notes"
    refused = jarvis("backups", "notes", "--export", str(there))
    assert refused.exit_code == 5
    assert "would be gone with it" in refused.stderr.replace("\n", " ")
    plain = jarvis("backups", "notes", "photos", "--print").stdout
    assert plain == (tmp_path / "stick" / "recovery-photos.md").read_text() + "\n"


def report_job(folder: Path) -> Path:
    config = folder / "jarvis.toml"
    config.write_text('[backups."time machine"]\nkind = "report"\nreport = "said/time-machine.json"\n')
    return config


def test_a_job_checks_in_and_is_judged_by_it(jarvis: Jarvis, tmp_path: Path) -> None:
    config = str(report_job(tmp_path))
    state = {"JARVIS_STATE": str(tmp_path / "state")}
    noted = jarvis("backups", "report", "time machine", "--size", "5000", "-c", config, **state)
    assert (noted.exit_code, noted.stdout) == (0, "Noted: time machine went well.\n")
    said = check_in.read(tmp_path / "said" / "time-machine.json")
    assert (said.ok, said.size) == (True, 5000)
    jarvis("backups", "report", "time machine", "--failed", "--message", "disk full", "-c", config)
    shown = jarvis("backups", "check", "time machine", "-c", config)
    assert shown.exit_code == 1
    assert "disk full" in shown.stdout


def test_a_job_of_another_kind_cannot_check_in(jarvis: Jarvis, tmp_path: Path) -> None:
    config = tmp_path / "jarvis.toml"
    config.write_text('[backups.photos]\nkind = "restic"\n')
    refused = jarvis("backups", "report", "photos", "-c", str(config))
    assert refused.exit_code == 5
    assert "does not check in" in refused.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The disk of a machine with two jobs of cron's."""
    cron = tmp_path / "disk" / "etc" / "cron.d" / "backups"
    cron.parent.mkdir(parents=True)
    cron.write_text(
        "@daily root restic -r rest:http://me:secret@nas/x --password-file /etc/pw backup /srv/photos\n"
        "@daily root restic -r /mnt/nas/docs --password-file /etc/pw backup /srv/docs\n"
        "@daily root rsync -a /srv/music/ nas:/music/\n"
    )
    return tmp_path / "disk"


def test_init_shows_what_it_would_write_and_writes_nothing(jarvis: Jarvis, machine: Path, tmp_path: Path) -> None:
    config = tmp_path / "jarvis.toml"
    shown = jarvis("backups", "init", "--dry-run", "--root", str(machine), "-c", str(config))
    assert shown.exit_code == 0
    assert "[backups.photos]" in shown.stdout
    assert "a mirror keeps no earlier state" in shown.stdout
    assert "me:secret@" not in shown.output
    assert "let nobody else read jarvis.toml" in shown.stdout.replace("\n", " ")
    assert not config.exists()


def test_init_asks_for_each_and_keeps_what_was_there(jarvis: Jarvis, machine: Path, tmp_path: Path) -> None:
    config = tmp_path / "jarvis.toml"
    before = '# mine\nlog_level = "error"'
    config.write_text(before)
    config.chmod(0o640)
    done = jarvis("backups", "init", "--root", str(machine), "-c", str(config), stdin="n\ny\n")
    assert done.exit_code == 0, done.output
    text = config.read_text()
    assert text.startswith(before + "\n")
    assert list(tomllib.loads(text)["backups"]) == ["docs"]
    assert stat.S_IMODE(config.stat().st_mode) == 0o640
    (kept,) = tmp_path.glob("jarvis.toml.*.bak")
    assert kept.read_text() == before
    again = jarvis("backups", "init", "--yes", "--root", str(machine), "-c", str(config))
    assert list(tomllib.loads(config.read_text())["backups"]) == ["docs", "photos"]
    assert "1 added" in again.stdout.replace("\n", " ")


def test_init_where_nobody_can_be_asked_says_what_to_do(jarvis: Jarvis, machine: Path, tmp_path: Path) -> None:
    refused = jarvis("backups", "init", "--root", str(machine), "-c", str(tmp_path / "jarvis.toml"), stdin="")
    assert refused.exit_code == 3
    assert "--yes" in refused.stderr
    assert not (tmp_path / "jarvis.toml").exists()


def test_the_shell_completes_jobs_and_all(jarvis: Jarvis, tmp_path: Path) -> None:
    config = tmp_path / "jarvis.toml"
    config.write_text('[backups.attic]\nkind = "restic"\n[backups.photos]\nkind = "restic"\n')
    jarvis("version", JARVIS_CONFIG=str(config))  # sets the variable; what completes reads it as a shell would
    assert (complete_job("a"), complete_job("ph"), complete_job("x")) == (["attic", "all"], ["photos"], [])


def test_init_on_a_bare_machine_says_so(jarvis: Jarvis, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    shown = jarvis("backups", "init", "--root", str(tmp_path / "bare"), "-c", str(tmp_path / "jarvis.toml"))
    assert (shown.exit_code, shown.stdout) == (0, "No backup was found that is not configured already.\n")

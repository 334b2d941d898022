"""What `jarvis backups init` finds on a machine, and that it takes no secret along."""

from __future__ import annotations

import plistlib
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backups.command_lines import backup_commands, environment_of
from tools.backups.discovery import Discovery, Proposal, discover
from tools.backups.schedules_found import calendar_interval_h, cron_interval_h, max_age_h, span_h
from tools.settings import BackupSettings

SECRET = "hunter2-in-the-open"


class Machine:
    """A root folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root, self.home = root, root / "home" / "me"
        self.home.mkdir(parents=True)

    def has(self, path: str, text: str | bytes, mode: int = 0o644) -> Path:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).lstrip().encode())
        file.chmod(mode)
        return file

    def finds(self, configured: Mapping[str, BackupSettings] | None = None) -> Discovery:
        return discover(self.root, self.home, configured or {})

    def proposes(self) -> dict[str, Proposal]:
        return {proposal.name: proposal for proposal in self.finds().proposals}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_bare_machine_has_nothing_to_propose(machine: Machine) -> None:
    assert machine.finds() == Discovery((), ())


def test_a_cron_job_of_restic_with_everything_in_its_line(machine: Machine) -> None:
    machine.has(
        "/etc/cron.d/photos",
        """
        PATH=/usr/bin
        0 3 * * * root nice -n 19 restic -r /mnt/nas/photos --password-file /etc/photos.pw backup --tag a,b \
-e '*.tmp' /srv/photos >> /var/log/photos.log 2>&1
        """,
    )
    (found,) = machine.finds().proposals
    assert found.name == "photos"
    assert found.settings == {
        "kind": "restic", "repository": "/mnt/nas/photos", "password_file": "/etc/photos.pw", "paths": ("/srv/photos",),
        "tags": ("a", "b"), "exclude": ("*.tmp",), "max_age_h": 26.4,
    }  # fmt: skip
    assert (found.where, found.notes, found.problem) == ("/etc/cron.d/photos", (), "")


def test_a_unit_with_an_env_file_a_script_and_a_weekly_timer(machine: Machine) -> None:
    machine.has("/etc/restic/docs.env", "RESTIC_REPOSITORY=sftp:nas:/docs\nRESTIC_PASSWORD_FILE=/etc/restic/docs.pw\n")
    machine.has(
        "/usr/local/bin/docs-backup",
        """
        #!/bin/bash
        set -e
        restic backup \\
            --exclude-file /etc/restic/excludes \\
            "$HOME/documents"
        restic forget --keep-daily 7 --prune
        """,
    )
    machine.has(
        "/etc/systemd/system/docs-backup.service",
        """
        [Service]
        EnvironmentFile=-/etc/restic/docs.env
        ExecStart=/usr/local/bin/docs-backup
        """,
    )
    machine.has("/etc/systemd/system/docs-backup.timer", "[Timer]\nOnCalendar=Sun *-*-* 04:00\n")
    (found,) = machine.finds().proposals
    assert found.name == "documents"
    assert found.settings["repository"] == "sftp:nas:/docs"
    assert found.settings["paths"] == ("/home/me/documents",)
    assert found.settings["max_age_h"] == max_age_h(168.0)
    assert found.problem == ""


def test_borg_with_a_passphrase_in_the_open_is_proposed_without_it(machine: Machine) -> None:
    machine.has(
        "/etc/cron.daily/borg-backup",
        f"#!/bin/sh\nexport BORG_PASSPHRASE='{SECRET}'\nborg create --stats -C zstd /mnt/usb/borg::x-{{now}} /srv/a\n",
    )
    (found,) = machine.finds().proposals
    assert found.settings["repository"] == "/mnt/usb/borg"
    assert "password_file" not in found.settings
    assert any("stands in the open" in note for note in found.notes)
    assert SECRET not in repr(found)


def test_the_file_that_a_password_is_read_from_is_named(machine: Machine) -> None:
    for line in (
        "RESTIC_PASSWORD=$(cat /etc/pw) restic -r /mnt/r backup /srv/a",
        "restic -r /mnt/r --password-command 'cat /etc/pw' backup /srv/a",
        "export RESTIC_PASSWORD_COMMAND='sudo cat /etc/pw'; restic -r /mnt/r backup /srv/a",
    ):
        (found,) = backup_commands(line)
        assert found.settings["password_file"] == "/etc/pw", line


@pytest.mark.parametrize("nested", [True, False])
def test_borgmatic_is_read_from_its_own_configuration_and_its_timer(machine: Machine, nested: bool) -> None:
    new = "source_directories: [/home, /etc]\nrepositories:\n  - path: ssh://nas/./home\n    label: nas\n"
    old = "location:\n  source_directories: [/home, /etc]\n  repositories: [ssh://nas/./home]\n"
    machine.has("/etc/borgmatic/config.yaml", old if nested else new)
    machine.has(
        "/etc/systemd/system/borgmatic.service", "[Service]\nExecStart=systemd-inhibit borgmatic --verbosity -1\n"
    )
    machine.has("/etc/systemd/system/borgmatic.timer", "[Timer]\nOnCalendar=hourly\n")
    (found,) = machine.finds().proposals
    assert found.settings == {
        "kind": "borgmatic", "config_file": "/etc/borgmatic/config.yaml", "repository": "ssh://nas/./home",
        "paths": ("/home", "/etc"), "max_age_h": 3.0,
    }  # fmt: skip
    assert found.where == "/etc/borgmatic/config.yaml, /etc/systemd/system/borgmatic.service"


def test_dated_snapshots_of_rsync_are_proposed_and_a_mirror_is_only_mentioned(machine: Machine) -> None:
    machine.has(
        "/var/spool/cron/crontabs/root",
        """
        @daily rsync -a --delete --link-dest=/mnt/nas/config/latest /etc/ /mnt/nas/config/$(date +\\%F)
        @daily rsync -a --delete /srv/music/ nas:/music/
        """,
    )
    found = machine.proposes()
    assert found["etc"].settings["kind"] == "rsync-snapshots"
    assert found["etc"].settings["repository"] == "/mnt/nas/config"
    assert found["etc"].problem == ""
    assert found["music"].problem == "a mirror keeps no earlier state"


def test_home_assistants_folder_and_time_machine(machine: Machine) -> None:
    machine.has("/config/backups/abc.tar", b"a tar")
    machine.has("/Library/Preferences/com.apple.TimeMachine.plist", plistlib.dumps({"Destinations": [{"ID": "x"}]}))
    found = machine.proposes()
    assert found["home assistant"].settings["repository"] == "/config/backups"
    assert found["time machine"].settings["kind"] == "report"


def test_what_is_configured_already_is_left_out(machine: Machine) -> None:
    machine.has("/etc/cron.d/a", "0 3 * * * root restic -r /mnt/nas/a/ -p /etc/pw backup /srv/a\n")
    there = BackupSettings(kind="restic", repository="/mnt/nas/a", paths=("/srv/a",))
    assert machine.finds({"mine": there}).proposals == ()
    other = BackupSettings(kind="restic", repository="/mnt/nas/b", paths=("/srv/a",))
    assert [one.name for one in machine.finds({"a": other}).proposals] == ["a 2"]


def test_the_same_job_told_of_twice_is_one_proposal(machine: Machine) -> None:
    line = "restic -r /mnt/nas/a -p /etc/pw backup /srv/a\n"
    machine.has("/etc/cron.daily/a", "#!/bin/sh\n" + line)
    machine.has("/etc/cron.d/a", f"@daily root {line}")
    (found,) = machine.finds().proposals
    assert found.where == "/etc/cron.d/a, /etc/cron.daily/a"


def test_what_only_a_shell_knows_is_said_and_not_guessed(machine: Machine) -> None:
    machine.has("/etc/cron.d/a", '@daily root restic -r "$REPO" -p /etc/pw backup /srv/a\n')
    machine.has("/etc/cron.d/b", "@daily root restic -p /etc/pw backup /srv/b\n")
    found = machine.proposes()
    assert "computed by a script" in found["a"].problem
    assert found["b"].problem == "nothing says where it backs up to"


def test_files_of_others_are_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = machine.has("/etc/cron.d/a", "x")
    reads = Path.read_text

    def refused(path: Path, *how: str, **more: str) -> str:
        if path == theirs:  # root may read all that a test can lock
            raise PermissionError
        return reads(path, *how, **more)

    monkeypatch.setattr(Path, "read_text", refused)
    assert machine.finds().unread == ("/etc/cron.d/a",)


@pytest.mark.parametrize(
    "line",
    [
        "echo restic backup /srv/a",
        "restic -r /mnt/r check",
        "# restic -r /mnt/r backup /srv/a",
        "borg prune /mnt/r",
        "rsync --version",
        "restic -r '/unfinished backup /srv/a",
    ],
)
def test_a_line_that_makes_no_backup_is_none(line: str) -> None:
    assert list(backup_commands(line)) == []


@given(st.text(max_size=200))
def test_no_text_breaks_the_reading(text: str) -> None:
    list(backup_commands(text))
    environment_of(text)
    cron_interval_h(text)
    calendar_interval_h(text)
    span_h(text)


@given(st.text(alphabet=st.characters(codec="ascii", categories=["L", "N"]), min_size=12, max_size=20))
def test_a_password_in_the_open_never_comes_along(secret: str) -> None:
    for line in (
        f"RESTIC_PASSWORD={secret} restic -r /mnt/r backup /srv/a",
        f"export RESTIC_PASSWORD='{secret}'\nrestic -r /mnt/r backup /srv/a",
        f"restic -r /mnt/r --password-command 'pass show {secret}' backup /srv/a",
        f'export BORG_PASSPHRASE="{secret}"; borg create /mnt/r::x /srv/a',
    ):
        (found,) = backup_commands(line)
        assert secret not in repr(found)
        assert found.notes


@pytest.mark.parametrize(
    ("fields", "hours"),
    [
        ("0 2 * * *", 24), ("@weekly", 168), ("0 */6 * * *", 6), ("0 3 * * 0", 168), ("0 3 1 * *", 744),
        ("30 1 * * 1-5", 72), ("0 1,13 * * *", 12), ("@reboot", None), ("nonsense", None),
    ],
)  # fmt: skip
def test_how_often_a_crontab_says(fields: str, hours: float | None) -> None:
    assert cron_interval_h(fields) == hours


@pytest.mark.parametrize(
    ("expression", "hours"),
    [
        ("daily", 24), ("*-*-* 02:00:00", 24), ("Mon *-*-* 03:00", 168), ("Mon..Fri 03:00", 72), ("*-*-01 04:00", 744),
        ("hourly", 1), ("Sun", 168), ("tomorrow", None),
    ],
)  # fmt: skip
def test_how_often_a_timer_says(expression: str, hours: float | None) -> None:
    assert calendar_interval_h(expression) == hours

"""The text of the units, and what a service has to reach, drawn from its settings."""

from __future__ import annotations

import plistlib
import shlex
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.config import Settings
from assistant.config_file import Loaded
from assistant.egress import is_private
from assistant.errors import ServiceError
from assistant.service import unit
from assistant.service.addresses import Allowed, allowed, outside_resolvers
from assistant.service.hardening import HOUSE
from assistant.service.launchd import agent
from assistant.service.needs import needs
from assistant.service.plan import Wishes, plan
from assistant.service.unit import MARK, UnitSpec, quoted, service, state_in

PYTHON = Path("/opt/jarvis/bin/python")
ROOT = Path(__file__).resolve().parents[2]


def lines(text: str, key: str) -> list[str]:
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}=")]


def spec(scope: unit.Scope = "system", **more: object) -> UnitSpec:
    return UnitSpec(scope, PYTHON, Path("/var/lib/jarvis"), **more)  # type: ignore[arg-type]


def loaded(tmp_path: Path, **settings: object) -> Loaded:
    return Loaded(
        Settings.model_validate({"models_dir": str(tmp_path / "models"), **settings}), tmp_path / "jarvis.toml", ()
    )


def test_the_kernel_lets_through_what_the_guard_does() -> None:
    assert all(is_private(network.split("/")[0]) for network in HOUSE)
    assert "100.64.0.0/10" in HOUSE
    text = service(spec(addresses=("203.0.113.7",)))
    assert lines(text, "IPAddressDeny") == ["any"]
    assert lines(text, "IPAddressAllow") == [" ".join([*HOUSE, "203.0.113.7"])]


def test_a_system_unit_is_a_user_of_its_own_that_jobs_outlive_and_a_watchdog_watches() -> None:
    text = service(spec())
    assert lines(text, "ExecStart") == [f"{PYTHON} -P -m assistant serve"]
    wanted = {
        "Type": "notify", "DynamicUser": "yes", "KillMode": "process", "OOMPolicy": "continue", "WatchdogSec": "60",
        "PrivateDevices": "yes", "ProtectHome": "tmpfs", "LimitCORE": "0", "Restart": "on-failure",
    }  # fmt: skip
    assert {key: lines(text, key) for key in wanted} == {key: [value] for key, value in wanted.items()}
    assert "MemoryDenyWriteExecute" not in text  # CTranslate2 would not run
    assert "TMPDIR=/var/cache/jarvis/tmp" in lines(text, "Environment")
    assert "PrivateUsers" not in text  # the next start would not know its jobs again


def test_ears_elsewhere_need_no_memory_that_is_written_and_run() -> None:
    assert lines(service(spec(whisper=False)), "MemoryDenyWriteExecute") == ["yes"]


def test_at_the_microphone_it_has_the_sound_cards_and_no_other_device() -> None:
    text = service(spec(listen=True))
    assert lines(text, "ExecStart") == [f"{PYTHON} -P -m assistant listen"]
    assert lines(text, "DeviceAllow") == ["char-alsa rw"]
    assert lines(text, "DevicePolicy") == ["closed"]
    assert lines(text, "SupplementaryGroups") == ["audio"]
    assert lines(text, "StandardOutput") == ["null"]  # the conversation is no log
    assert "PrivateDevices" not in text


def test_a_users_unit_says_nothing_that_its_manager_cannot_do() -> None:
    text = service(spec("user"))
    for key in (
        "IPAddressDeny",
        "DynamicUser",
        "ProtectHome",
        "ProtectProc",
        "User",
        "RemoveIPC",
        "ProtectSystem",
        "PrivateTmp",
        "CapabilityBoundingSet",
        "PrivateDevices",
    ):
        assert not lines(text, key), key
    assert lines(text, "WantedBy") == ["default.target"]
    assert lines(text, "NoNewPrivileges") == ["yes"]


def test_what_lies_in_a_hidden_home_is_bound_into_the_empty_one() -> None:
    text = service(spec(user="ada", read=(Path("/home/ada/my photos"), Path("/srv/x")), write=(Path("/home/ada/a:b"),)))
    assert lines(text, "User") == ["ada"]
    assert lines(text, "BindReadOnlyPaths") == ['"-/home/ada/my photos"']
    assert lines(text, "BindPaths") == ["-/home/ada/a\\:b"]
    assert "-/var/lib/jarvis" in lines(text, "ReadWritePaths")


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1))
def test_any_word_is_read_back_as_it_was(word: str) -> None:
    if not word.isprintable():
        return
    written = quoted(word)
    if written != word:
        assert shlex.split(written.replace("%%", "%").replace("$$", "$").replace("`", "")) == [word.replace("`", "")]
    assert "%" not in written.replace("%%", "")


@pytest.mark.parametrize("word", ["a\nExecStart=/bin/evil", "a\x00b", "a\rb"])
def test_no_path_can_add_a_line(word: str) -> None:
    with pytest.raises(ValueError, match="cannot stand in a unit"):
        quoted(word)


@given(st.from_regex(r"/[A-Za-z0-9 ._%$\\-]{1,30}", fullmatch=True))
def test_the_state_folder_is_found_again_in_the_unit(path: str) -> None:
    state = Path(path)
    found = service(UnitSpec("user", PYTHON, state))
    assert state_in(found) == state
    assert state_in(found.replace(MARK, "# mine")) is None


def test_names_are_looked_up_and_addresses_taken_as_they_are() -> None:
    book = {"hub.example.org": ("203.0.113.9", "2001:db8::9", "10.0.0.4"), "gone.example.org": ()}
    found = allowed(["hub.example.org", "198.51.100.1", " gone.example.org ", "192.168.1.2", ""], book.__getitem__)
    assert found == Allowed(
        ("198.51.100.1", "2001:db8::9", "203.0.113.9"), ("gone.example.org", "hub.example.org"), ("gone.example.org",)
    )


def test_a_resolver_outside_of_the_house_is_told(tmp_path: Path) -> None:
    conf = tmp_path / "resolv.conf"
    conf.write_text("# x\nnameserver 192.168.1.1\nnameserver 1.1.1.1\noptions edns0\nnameserver\n")
    assert outside_resolvers(conf) == ("1.1.1.1",)
    assert outside_resolvers(tmp_path / "none") == ()


def test_what_is_backed_up_is_read_and_where_it_goes_is_written() -> None:
    settings = Settings.model_validate(
        {
            "backups": {
                "photos": {
                    "kind": "restic", "repository": "/mnt/nas/photos", "password_file": "/home/ada/.secrets/photos",
                    "paths": ["/home/ada/Pictures", "/srv/photos"], "mount": "/mnt/nas",
                    "also": [{"name": "usb", "repository": "/media/usb/photos"},
                             {"name": "cloud", "repository": "sftp:box:photos"}],
                },
            },
            "wake": {"inbox": "/var/spool/wakes"},
        }
    )  # fmt: skip
    found = needs(settings, file=Path("/home/ada/jarvis.toml"), models=Path("/srv/models"), more=(Path("/srv/dumps"),))
    assert found.write == tuple(map(Path, ("/media/usb/photos", "/mnt/nas", "/srv/dumps", "/var/spool/wakes")))
    for path in ("/home/ada/Pictures", "/home/ada/.secrets/photos", "/home/ada/jarvis.toml"):
        assert Path(path) in found.read
    assert Path("/srv/photos") not in found.read  # nothing hides it
    assert found.secrets == (Path("/home/ada/.secrets/photos"),)


def test_a_plan_says_what_may_not_work(tmp_path: Path) -> None:
    (tmp_path / "jarvis.toml").touch(0o600)
    house = loaded(tmp_path, privacy={"allow_hosts": ["gone.example.org"]}, state_dir=str(tmp_path / "state"))
    made = plan(house, Wishes("system"), folder=tmp_path, resolve=lambda _: ())
    said = "\n".join(made.doubts)
    for text in ("may not be able to read", "gone.example.org", "`state_dir` is not used"):
        assert text in said
    assert made.owner is None
    assert made.files[0].path == tmp_path / "jarvis.service"


def test_where_others_write_the_installation_root_runs_no_timer_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = loaded(tmp_path, privacy={"allow_hosts": ["hub.example.org"]})
    answers = {"hub.example.org": ("203.0.113.9",)}
    monkeypatch.setattr("assistant.service.plan.program", lambda: (tmp_path,))
    tmp_path.chmod(0o777)
    made = plan(house, Wishes("system"), folder=tmp_path, resolve=answers.__getitem__)
    assert [file.path.name for file in made.files] == ["jarvis.service"]
    assert any("jarvis service refresh" in doubt for doubt in made.doubts)
    monkeypatch.setattr("assistant.service.plan._others_write", lambda _: False)
    made = plan(house, Wishes("system"), folder=tmp_path, resolve=answers.__getitem__)
    assert [file.path.name for file in made.files] == [unit.NAME, unit.REFRESH, unit.TIMER]
    assert "203.0.113.9" in made.files[0].text


def test_models_that_a_user_of_its_own_could_not_read_are_told_before(tmp_path: Path) -> None:
    model = tmp_path / "models" / "whisper" / "model.bin"
    model.parent.mkdir(parents=True)
    model.touch(0o600)
    with pytest.raises(ServiceError) as refused:
        plan(loaded(tmp_path), Wishes("system"), folder=tmp_path)
    assert refused.value.code == "models_unreadable"
    assert "chmod -R a+rX" in refused.value.mend


def test_a_user_that_there_is_not_and_options_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="no user"):
        plan(loaded(tmp_path), Wishes("system", user="nobody-like-it"), folder=tmp_path)
    with pytest.raises(ServiceError, match="system unit"):
        plan(loaded(tmp_path), Wishes("user", groups=("docker",)), folder=tmp_path)


def test_launchd_gets_a_list_that_plistlib_reads(tmp_path: Path) -> None:
    file = agent(loaded(tmp_path, state_dir="/Users/ada/jarvis"), folder=tmp_path, python=PYTHON)
    listed = plistlib.loads(file.text.encode())
    assert listed["ProgramArguments"] == ["/usr/bin/caffeinate", "-i", str(PYTHON), "-P", "-m", "assistant", "serve"]
    assert listed["KeepAlive"] == {"SuccessfulExit": False}
    assert listed["EnvironmentVariables"]["JARVIS_STATE"] == "/Users/ada/jarvis"
    assert file.write() == "new"
    assert file.write() == "unchanged"


def test_the_examples_in_deploy_are_what_an_install_writes() -> None:
    """After a change: `python -m tests.service.examples`."""
    from tests.service.examples import examples

    for path, text in examples().items():
        assert (ROOT / path).read_text(encoding="utf-8") == text, path


def test_the_interpreter_of_the_unit_is_the_one_that_writes_it(tmp_path: Path) -> None:
    made = plan(loaded(tmp_path), Wishes("user"), folder=tmp_path)
    assert lines(made.files[0].text, "ExecStart") == [f"{quoted(sys.executable)} -P -m assistant serve"]

"""`make` and deploy/setup.sh: what they print, install and leave alone, on a PATH of stand-ins for the programs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CLIPS = (
    "festival/voices/english/kal_diphone",
    "festival/voices/us/cmu_us_slt_arctic_hts",
    "pocketsphinx/test/data",
    "doc/asterisk-core-sounds-en",
    "asterisk/sounds/en_US_f_Allison",
    "asterisk/moh",
    "sounds/freedesktop",
    "sounds/sound-icons",
    "sounds/mate",
)
"""Below /usr/share: what the packages of the voice benchmark's clips install."""

ALERTS = ("prometheus", "prometheus-alertmanager", "prometheus-node-exporter", "prometheus-blackbox-exporter", "upsrw")
"""What raises alerts for the tests, besides upsd."""

MACHINES = ("virsh", "qemu-system-x86_64", "qemu-img")
"""What runs virtual machines for the tests, besides libvirtd and its parts."""

COMMON = ("cat", "cksum", "dirname", "env", "rm", "tr")


class Machine:
    """A checkout of its own and a PATH that holds only what a test puts there; every stand-in logs its calls."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.checkout = folder / "checkout"
        self.log = folder / "calls"
        (self.checkout / "deploy").mkdir(parents=True)
        (self.checkout / "requirements").mkdir()
        self.bin.mkdir()
        self.log.touch()
        shutil.copy(ROOT / "deploy" / "setup.sh", self.checkout / "deploy")
        for file in ("pyproject.toml", "requirements/run.txt", "requirements/dev.txt"):
            (self.checkout / file).write_text("# locked\n")
        for name in COMMON:
            found = shutil.which(name)
            assert found is not None
            (self.bin / name).symlink_to(found)
        self.program("uname", "echo Linux")
        self.program("id", "echo 1000")
        for there in ("restic", "strace", "ip", "flite", "espeak-ng", "text2wave"):
            self.program(there)
        self.share = folder / "share"
        for path in CLIPS:
            (self.share / path).mkdir(parents=True)
        self.python()

    def program(self, name: str, script: str = "", *, folder: Path | None = None) -> None:
        """An executable that logs its name and arguments, then runs ``script`` (sh)."""
        path = (folder or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>{self.log}\n{script}\n')
        path.chmod(0o755)

    def python(self, *, lacks: tuple[str, ...] = (), name: str = "python3", version: str = "3, 11") -> None:
        """An interpreter that finds every library and module but those; ``-m venv`` makes a stand-in environment."""
        inner = self.bin.parent / "venv-python"
        self.program("python", folder=inner)
        mkdir, cp = shutil.which("mkdir"), shutil.which("cp")
        words = "|".join(f"*{word}*" for word in lacks) or "nothing"
        self.program(
            name,
            f'case "$*" in\n'
            f"{words}) exit 1 ;;\n"
            f"*version_info\\ \\<*) exec {sys.executable} -c 'import sys; sys.exit(({version}) < (3, 11))' ;;\n"
            f"*python3.%d-venv*) echo python3.11-venv ;;\n"
            f"*venv\\ --clear*) {mkdir} -p .venv/bin; {cp} {inner}/python .venv/bin/ ;;\n"
            f"*--version*) echo Python 3.11 ;;\n"
            f"esac",
        )

    def setup(self, what: str = "run", **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.checkout / "deploy" / "setup.sh", what],
            env={"PATH": str(self.bin), "HOME": str(self.bin.parent), "SHARE_DIR": str(self.share), **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def calls(self, program: str) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if line.startswith(f"{program} ")]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_it_creates_the_environment_from_hashed_requirements_only(machine: Machine) -> None:
    result = machine.setup()
    assert result.returncode == 0, result.stderr
    installs = [call for call in machine.calls("python") if "pip install" in call]
    assert len(installs) == 2
    assert "--no-deps --require-hashes -r requirements/run.txt" in installs[0]
    assert "--no-deps --no-build-isolation -e ." in installs[1]


def test_the_second_time_it_says_nothing_and_installs_nothing(machine: Machine) -> None:
    machine.setup()
    before = machine.calls("python")
    result = machine.setup()
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert machine.calls("python") == before


def test_a_new_lock_is_installed(machine: Machine) -> None:
    machine.setup()
    (machine.checkout / "requirements" / "run.txt").write_text("# another lock\n")
    assert "Installing the locked requirements" in machine.setup().stderr
    assert machine.setup().stderr == ""


def test_an_install_that_failed_is_tried_again(machine: Machine) -> None:
    inner = machine.bin.parent / "venv-python"
    machine.program("python", 'case "$*" in *install*) exit 1 ;; esac', folder=inner)
    assert machine.setup().returncode != 0
    machine.program("python", folder=machine.checkout / ".venv" / "bin")
    assert "Installing" in machine.setup().stderr


def test_the_requirements_of_tests_are_installed_apart_and_hold_those_of_a_run(machine: Machine) -> None:
    machine.setup()
    assert "-r requirements/dev.txt" not in machine.log.read_text()
    machine.setup("dev")
    assert "-r requirements/dev.txt" in machine.log.read_text()
    assert machine.setup("run").stderr == ""


def test_what_only_tests_need_is_asked_for_only_by_them(machine: Machine) -> None:
    (machine.bin / "strace").unlink()
    (machine.bin / "ip").unlink()
    assert machine.setup("run").returncode == 0
    refused = machine.setup("dev")
    assert refused.returncode != 0
    assert "strace iproute2" in refused.stderr


def test_the_voices_and_recordings_of_the_clips_are_asked_for_by_their_packages(machine: Machine) -> None:
    (machine.bin / "text2wave").unlink()
    (machine.share / "sounds" / "mate").rmdir()
    (machine.share / "pocketsphinx" / "test" / "data").rmdir()
    assert machine.setup("run").returncode == 0
    refused = machine.setup("dev")
    assert refused.returncode != 0
    assert "festival pocketsphinx-testdata mate-media-common" in refused.stderr


def test_outside_programs_are_asked_for_only_by_the_tests_against_them(machine: Machine) -> None:
    nowhere = {"SBIN_DIR": str(machine.share / "sbin"), "LIB_DIR": str(machine.share / "lib")}
    assert machine.setup("dev", **nowhere).returncode == 0
    refused = machine.setup("real", **nowhere)
    assert refused.returncode != 0
    wanted = "borgbackup rclone rsync openssh-client openssh-server postgresql-client postgresql mariadb-client"
    assert f"{wanted} mariadb-server git sqlite3 unzip" in refused.stderr
    assert f"unzip {' '.join(ALERTS[:-1])} nut-server nut-client" in refused.stderr
    machines = "python3-libvirt libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients qemu-system-x86 qemu-utils"
    sound = "pulseaudio libasound2-plugins"
    assert f"nut-client {machines} debootstrap systemd-container {sound} caddy chromium" in refused.stderr
    for program in (
        "borg",
        "rclone",
        "rsync",
        "ssh",
        "psql",
        "mariadb-dump",
        "git",
        "sqlite3",
        "unzip",
        *ALERTS,
        *MACHINES,
        "systemd-nspawn",
        "pulseaudio",
        "caddy",
        "chromium",
    ):
        machine.program(program)
    drivers = "lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so"
    libvirt = ("sbin/libvirtd", "lib/python3/dist-packages/libvirt.py", drivers)
    for path in (
        "sbin/sshd",
        "sbin/mariadbd",
        "sbin/upsd",
        "sbin/debootstrap",
        "lib/postgresql/15/bin/initdb",
        "lib/x86_64-linux-gnu/alsa-lib/libasound_module_pcm_pulse.so",
        *libvirt,
    ):
        machine.program(Path(path).name, folder=(machine.share / path).parent)
    assert machine.setup("real", **nowhere).returncode == 0
    assert machine.setup("dev").stderr == ""  # they are the same requirements


def test_without_rights_it_prints_the_one_line_and_stops(machine: Machine) -> None:
    (machine.bin / "restic").unlink()
    machine.program("apt-get")
    result = machine.setup()
    assert result.returncode == 1
    assert "  sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends restic'\n" in result.stderr
    assert machine.calls("apt-get") == []
    assert not (machine.checkout / ".venv").exists()


def test_the_line_names_all_that_is_missing(machine: Machine) -> None:
    (machine.bin / "restic").unlink()
    machine.program("apt-get")
    machine.python(lacks=("ensurepip", "gomp", "portaudio"))
    line = "install -y --no-install-recommends python3.11-venv restic libgomp1 libportaudio2'"
    assert line in machine.setup().stderr


def test_root_installs_without_being_asked_anything(machine: Machine) -> None:
    (machine.bin / "restic").unlink()
    machine.program("id", "echo 0")
    machine.program("apt-get", f"echo $DEBIAN_FRONTEND >>{machine.log}")
    result = machine.setup()
    assert result.returncode == 0, result.stderr
    assert machine.calls("apt-get") == [
        "apt-get update -q",
        "apt-get install -y -q --no-install-recommends restic",
    ]
    assert "noninteractive" in machine.log.read_text()


def test_sudo_is_used_only_when_it_asks_no_password(machine: Machine) -> None:
    (machine.bin / "restic").unlink()
    machine.program("apt-get")
    machine.program("sudo", "exit 1")
    assert machine.setup().returncode == 1
    assert machine.calls("sudo") == ["sudo -n true"]

    machine.program("sudo", 'shift; exec "$@"')
    machine.program("true")
    assert machine.setup().returncode == 0
    assert len(machine.calls("apt-get")) == 2


def test_an_install_that_fails_ends_in_the_line_to_type(machine: Machine) -> None:
    (machine.bin / "restic").unlink()
    machine.program("id", "echo 0")
    machine.program("apt-get", "exit 100")
    result = machine.setup()
    assert result.returncode == 1
    assert "apt-get install -y --no-install-recommends restic" in result.stderr


def test_no_sound_library_is_a_warning(machine: Machine) -> None:
    machine.python(lacks=("portaudio",))
    machine.program("apt-get")
    result = machine.setup()
    assert result.returncode == 0
    assert "No sound from this machine without libportaudio2" in result.stderr
    assert "--no-install-recommends libportaudio2'" in result.stderr


def test_on_a_mac_restic_comes_from_homebrew(machine: Machine) -> None:
    (machine.bin / "restic").unlink()
    machine.program("uname", "echo Darwin")
    without = machine.setup()
    assert without.returncode == 1
    assert without.stderr.endswith("brew install restic\n")
    machine.program("brew")
    assert machine.setup().returncode == 0
    assert machine.calls("brew") == ["brew install restic"]


def test_another_linux_is_told_the_names(machine: Machine) -> None:
    (machine.bin / "restic").unlink()
    result = machine.setup()
    assert result.returncode == 1
    assert "install with your package manager (Debian's names): restic" in result.stderr


def test_without_a_python_that_is_new_enough_it_says_which_is(machine: Machine) -> None:
    machine.python(version="3, 9")
    result = machine.setup()
    assert result.returncode == 1
    assert "Python 3.11 or newer" in result.stderr


def test_the_newest_python_that_is_known_is_taken(machine: Machine) -> None:
    machine.python(version="3, 9")
    machine.python(name="python3.12", version="3, 12")
    assert machine.setup().returncode == 0
    assert any("-m venv" in call for call in machine.calls("python3.12"))


def test_python_names_the_interpreter(machine: Machine) -> None:
    machine.python(name="mine", version="3, 13")
    machine.setup(PYTHON="mine")
    assert any("-m venv" in call for call in machine.calls("mine"))
    assert "PYTHON=other is not a Python 3.11 or newer" in machine.setup(PYTHON="other").stderr


def test_make_alone_lists_every_target_in_one_line_each() -> None:
    shown = subprocess.run(["make", "-C", ROOT, "-s"], capture_output=True, text=True, check=True).stdout
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert sorted(re.findall(r"^  make (\S+) +\S", shown, re.MULTILINE)) == sorted(phony[1].split())


@pytest.mark.parametrize("target", ["run", "test", "test-real", "check", "fmt", "bench", "eval", "clean", "lock"])
def test_every_target_knows_what_to_do(target: str) -> None:
    env = {**os.environ, "MAKEFLAGS": ""}
    planned = subprocess.run(["make", "-C", ROOT, "-n", target], capture_output=True, text=True, check=True, env=env)
    assert planned.stdout.strip()


@pytest.mark.parametrize(
    "script",
    [
        "deploy/setup.sh",
        "deploy/real.sh",
        "deploy/real/lock.sh",
        "requirements/lock.sh",
        "deploy/tool.sh",
        "deploy/upgrade.sh",
    ],
)
def test_scripts_are_executable_and_portable_sh(script: str) -> None:
    path = ROOT / script
    assert os.access(path, os.X_OK)
    assert path.read_text().startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", path], check=True)


AGAIN = " PYTEST_AGAIN=--last-failed --last-failed-no-failures none"


@pytest.mark.parametrize(
    ("failing", "tries", "code", "ran"),
    [
        ("nothing", 0, 0, ["test", "test-real"]),
        ("test-real", 1, 0, ["test", "test-real", f"test-real{AGAIN}"]),
        ("test-real", 2, 2, ["test", "test-real", f"test-real{AGAIN}"]),
        ("test", 1, 0, ["test", f"test{AGAIN}", "test-real"]),
        ("test", 2, 2, ["test", f"test{AGAIN}"]),
    ],
)
def test_ci_gives_what_failed_a_second_chance_and_ends_with_all_closing_lines(
    tmp_path: Path, failing: str, tries: int, code: int, ran: list[str]
) -> None:
    make = tmp_path / "make"
    make.write_text(f"""#!/bin/sh
echo "=== 3 passed in 1s ($1) ==="
echo after
[ "$1" = {failing} ] || exit 0
echo "FAILED tests/test_one.py::test_two - assert 1"
echo x >>"{tmp_path}/tries"
[ "$(wc -l <"{tmp_path}/tries")" -gt {tries} ] || exit 2
""")
    make.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([ROOT / ".ci" / "run"], capture_output=True, text=True, check=False, env=env, timeout=60)
    assert done.returncode == code
    closing = [f"make {suite}: === 3 passed in 1s ({suite.partition(' ')[0]}) ===" for suite in ran]
    assert done.stdout.splitlines()[-len(closing) :] == closing
    assert ("FAILED tests/test_one.py::test_two - assert 1" in done.stdout.splitlines()) == bool(tries)

"""``jarvis token``, as a person or a script uses it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from assistant.cli.completion import complete_role, complete_token
from assistant.tokens import TokenStore, hashed
from tests.cli.conftest import Jarvis

CONFIGURATION = """
[services.gitea]
url = "http://127.0.0.1:1/"
[vms.windows]
aliases = ["the gaming box"]
[areas.kitchen]
lights = ["ceiling light"]
[roles.child]
only = ["area:kitchen"]
[server]
allowed_hosts = ["nuc.lan"]
"""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jarvis: Jarvis) -> Jarvis:
    """A configured house with a state folder of its own."""
    (tmp_path / "jarvis.toml").write_text(CONFIGURATION)
    monkeypatch.setenv("JARVIS_CONFIG", str(tmp_path / "jarvis.toml"))
    monkeypatch.setenv("JARVIS_STATE", str(tmp_path / "state"))
    return jarvis


def test_a_token_is_shown_once_with_a_qr_code_and_what_changes(house: Jarvis, tmp_path: Path) -> None:
    made = house("token", "create", "--name", "phone", "--role", "child", "--room", "kitchen", "--expires", "90d")
    assert made.exit_code == 0
    (secret,) = [line.strip() for line in made.stdout.splitlines() if line.startswith("  jarvis_")]
    assert hashed(secret) in TokenStore(tmp_path / "state" / "tokens.db").by_hash()
    assert f"http://nuc.lan:8765/#token={secret}" in made.stdout
    assert sum("█" in line for line in made.stdout.splitlines()) > 15
    assert "This is the first token" in made.stdout
    second = house("token", "create", "--name", "tablet", "--no-qr").stdout
    assert "█" not in second
    assert "first token" not in second
    listed = house("token", "list").stdout
    assert secret not in listed
    assert [line.split()[:2] for line in listed.splitlines()[1:]] == [["phone", "child"], ["tablet", "member"]]


def test_a_script_gets_one_object_and_revokes_by_name(house: Jarvis) -> None:
    limits = ("--only", "vm:windows", "--only", "vm:widnows", "--only", "vm:The gaming box")
    made = json.loads(house("token", "create", "--name", "phone", *limits, "--url", "https://j.lan/", "--json").stdout)
    assert (made["only"], made["link"]) == (
        ["vm:windows", "vm:widnows", "vm:The gaming box"],
        f"https://j.lan/#token={made['token']}",
    )
    assert made["doubts"] == ["Nothing in the configuration is called vm:widnows; there is windows."]
    (listed,) = json.loads(house("token", "list", "--json").stdout)["tokens"]
    assert {key: listed[key] for key in ("name", "role", "state", "expires", "last_used", "in_file")} == {
        "name": "phone", "role": "member", "state": "valid", "expires": None, "last_used": None, "in_file": False,
    }  # fmt: skip
    assert json.loads(house("token", "revoke", "Phone", "--json").stdout) == {"revoked": "phone", "left": 0}
    assert json.loads(house("token", "list", "--json").stdout) == {"tokens": []}
    assert len(json.loads(house("token", "list", "--all", "--json").stdout)["tokens"]) == 1


def test_what_nothing_is_called_is_doubted_and_made(house: Jarvis) -> None:
    limits = ("tool:check_services", "tool:check_service", "server:notes", "backup:*", "area:kitchen", "area:attic")
    arguments = [part for limit in limits for part in ("--only", limit)]
    made = json.loads(house("token", "create", "--name", "x", *arguments, "--room", "cellar", "--json").stdout)
    assert made["only"] == list(limits)
    assert [doubt.partition(";")[0] for doubt in made["doubts"]] == [
        "Nothing in the configuration is called tool:check_service",
        "Nothing in the configuration is called server:notes.",
        "Nothing in the configuration is called area:attic",
        "No room in the configuration is called 'cellar'",
    ]


def test_the_last_one_revoked_is_said_to_open_nothing(house: Jarvis) -> None:
    house("token", "create", "--name", "phone")
    assert "No token is left" in house("token", "revoke", "phone").stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("create", "--name", "phone", "--role", "boss"), "unknown_role"),
        (("create", "--name", "phone", "--only", "windows"), "bad_grant"),
        (("create", "--name", "phone", "--expires", "soon"), "bad_expiry"),
        (("create", "--name", "a/b"), "bad_token_name"),
        (("create", "--name", "phone", "--url", "nuc"), "bad_url"),
        (("create", "--name", "phone", "--qr", "code.jpg"), "bad_picture"),
        (("create", "--name", "phone", "--qr", "none/code.svg"), "bad_picture"),
        (("revoke", "phone"), "unknown_token"),
    ],
)
def test_what_cannot_be_is_one_message_with_the_mend_and_makes_nothing(
    house: Jarvis, tmp_path: Path, arguments: tuple[str, ...], code: str
) -> None:
    refused = house("token", *arguments, "--json")
    assert refused.exit_code == 3
    assert json.loads(refused.stdout)["error"]["code"] == code
    assert not (tmp_path / "state" / "tokens.db").exists()


@pytest.mark.parametrize(("file", "begins"), [("code.svg", b"<svg "), ("code.png", b"\x89PNG")])
def test_the_code_is_written_for_nobody_else_to_read(house: Jarvis, tmp_path: Path, file: str, begins: bytes) -> None:
    path = tmp_path / file
    path.touch(mode=0o644)
    assert "█" not in house("token", "create", "--name", "phone", "--qr", str(path)).stdout
    assert path.read_bytes().startswith(begins)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_tokens_file_stands_beside_them(house: Jarvis, tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("tv:guest:0123456789abcdef\n")
    (tmp_path / "tokens").chmod(0o600)
    with (tmp_path / "jarvis.toml").open("a") as configuration:
        configuration.write('tokens_file = "tokens"\n')
    assert "tokens_file" in house("token", "list").stdout
    assert json.loads(house("token", "list", "--json").stdout)["tokens"][0]["in_file"] is True
    refused = house("token", "create", "--name", "TV", "--json")
    assert json.loads(refused.stdout)["error"]["code"] == "token_exists"


def test_a_damaged_file_is_an_error_of_the_state(house: Jarvis, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "tokens.db").write_bytes(b"no database" * 500)
    for arguments in (("list",), ("create", "--name", "phone"), ("revoke", "phone")):
        assert house("token", *arguments).exit_code == 5


def test_the_shell_completes_names_and_roles(house: Jarvis) -> None:
    house("token", "create", "--name", "kitchen tablet")
    house("token", "create", "--name", "phone")
    house("token", "revoke", "phone")
    assert complete_token("") == ["kitchen tablet"]
    assert complete_token("x") == []
    assert sorted(complete_role("")) == ["child", "guest", "member", "owner"]

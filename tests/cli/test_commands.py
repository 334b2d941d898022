"""The other commands, as a person or a script uses them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from assistant import egress
from assistant.cli import main as main_module
from assistant.config import Settings
from assistant.config_pages import example
from tests.cli.conftest import Jarvis

COMMANDS = {
    "demo", "ask", "repl", "listen", "serve", "tools", "mcp", "models", "eval", "doctor", "config", "turns", "version",
    "backups", "catalog", "digest",
}  # fmt: skip


# ── the whole ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_help_lists_every_command(jarvis: Jarvis) -> None:
    lines = jarvis("--help").stdout.splitlines()
    listed = {line.split()[1] for line in lines if line.startswith("│ ") and line[2] != " "}
    assert listed >= COMMANDS


def test_help_loads_no_engine_no_server_and_no_sound() -> None:
    heavy = {"mcp", "openai", "xllamacpp", "faster_whisper", "piper", "onnxruntime", "sounddevice", "starlette"}
    heavy |= {"matplotlib", "tools.backups.desk"}
    program = f"import sys, assistant.cli.main; print(*({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_an_unknown_command_is_a_usage_error(jarvis: Jarvis) -> None:
    result = jarvis("tel")
    assert result.exit_code == 2
    assert "tel" in result.stderr


def test_a_bug_is_one_message_and_a_traceback_only_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise RuntimeError("[red]boom")

    monkeypatch.setattr(main_module, "app", broken)
    monkeypatch.delenv("JARVIS_DEBUG", raising=False)
    with pytest.raises(SystemExit) as ended:
        main_module.main()
    assert ended.value.code == 70
    said = capsys.readouterr().err
    assert "RuntimeError: [red]boom" in said
    assert "Traceback" not in said
    monkeypatch.setenv("JARVIS_DEBUG", "1")
    with pytest.raises(RuntimeError):
        main_module.main()


@pytest.mark.parametrize("command", [("version",), ("config", "check"), ("models", "list")])
def test_the_egress_guard_stands_before_the_command_runs(jarvis: Jarvis, command: tuple[str, ...]) -> None:
    jarvis(*command)
    assert egress._guard is not None


def test_only_pulling_models_goes_without_the_guard(jarvis: Jarvis) -> None:
    assert jarvis("models", "pull", "no-such-model").exit_code == 4
    assert egress._guard is None


# ── config ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_configuration_error_is_one_message_with_exit_code_3(jarvis: Jarvis, tmp_path: Path) -> None:
    path = tmp_path / "jarvis.toml"
    path.write_text("[server]\nprot = 1")
    for command in (("ask", "hello"), ("config", "check"), ("tools", "list"), ("turns",)):
        result = jarvis("--config", str(path), *command)
        assert result.exit_code == 3, command
        assert "did you mean `server.port`?" in result.stderr.replace("\n", " ")
        assert "Traceback" not in result.output


def test_config_show_says_where_values_come_from(jarvis: Jarvis, tmp_path: Path) -> None:
    path = tmp_path / "jarvis.toml"
    path.write_text('engine = "sentences"')
    shown = jarvis("config", "show", "--config", str(path), JARVIS_SERVER__PORT="9").stdout
    assert 'engine = "sentences"   # from the file\n' in shown
    assert "server.port = 9   # from JARVIS_SERVER__PORT\n" in shown
    assert 'server.host = "127.0.0.1"\n' in shown


def test_config_show_never_shows_a_secret(jarvis: Jarvis, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-hunter2")
    (tmp_path / "jarvis.toml").write_text(
        '[model]\napi_key_file = "key"\n[services.x]\nurl = "http://me:hunter2@127.0.0.1/"'
    )
    for arguments in (("show",), ("show", "--json")):
        result = jarvis("config", *arguments, "--config", str(tmp_path / "jarvis.toml"))
        assert result.exit_code == 0
        assert "hunter2" not in result.output


def test_config_check_warns_of_what_only_one_backup_lacks(jarvis: Jarvis, tmp_path: Path) -> None:
    path = tmp_path / "jarvis.toml"
    path.write_text('[backups.photos]\nkind = "restic"\npassword_file = "none"')
    result = jarvis("config", "check", "--config", str(path))
    assert result.exit_code == 0
    assert "`backups.photos.password_file`" in result.stdout


def test_config_schema_is_the_settings_json_schema(jarvis: Jarvis) -> None:
    assert json.loads(jarvis("config", "schema").stdout) == Settings.model_json_schema()


def test_config_example_is_the_shipped_file(jarvis: Jarvis) -> None:
    assert jarvis("config", "example").stdout == example()


# ── tools, turns, repl ────────────────────────────────────────────────────────────────────────────────────────────


def test_tools_are_listed_with_their_arguments(jarvis: Jarvis) -> None:
    tools = {tool["name"]: tool for tool in json.loads(jarvis("tools", "list", "--json").stdout)}
    assert set(tools["check_services"]["input_schema"]["properties"]) == {"service"}
    assert tools["check_backups"]["read_only"] is True


def test_a_tool_is_called_with_names_as_people_say_them(jarvis: Jarvis) -> None:
    result = jarvis("tools", "call", "check_backups", "job=the photo library", "--json")
    outcome = json.loads(result.stdout)
    assert (result.exit_code, outcome["ok"], outcome["arguments"]) == (0, True, {"job": "photos"})
    (job,) = outcome["result"]["data"]["jobs"]
    assert (job["verdict"], job["verify"]["level"]) == ("ok", "restored")


@pytest.mark.parametrize("name", ["check_everything", "check_service"])
def test_a_tool_that_does_not_exist_is_refused_and_not_guessed(jarvis: Jarvis, name: str) -> None:
    result = jarvis("tools", "call", name, "--json")
    assert (result.exit_code, json.loads(result.stdout)["error"]) == (1, "unknown_tool")


@pytest.mark.parametrize("pair", ["gitea", "=gitea"])
def test_what_is_no_key_and_value_is_a_usage_error(jarvis: Jarvis, pair: str) -> None:
    assert jarvis("tools", "call", "check_services", pair).exit_code == 2


def test_turns_lists_what_was_asked_without_the_words(jarvis: Jarvis) -> None:
    asked = json.loads(jarvis("ask", "is pi hole up?", "--engine", "sentences", "--json").stdout)
    rows = json.loads(jarvis("turns", "--json", "--limit", "1").stdout)
    assert [row["turn_id"] for row in rows] == [asked["turn_id"]]
    assert (rows[0]["door"], rows[0]["transcript"]) == ("cli", None)
    slowest = [row["total_ms"] for row in json.loads(jarvis("turns", "--json", "--slow").stdout)]
    assert slowest == sorted(slowest, reverse=True)
    assert "check_services" in jarvis("turns").stdout


def test_turns_before_any_turn(jarvis: Jarvis, tmp_path: Path) -> None:
    result = jarvis("turns", JARVIS_STATE=str(tmp_path / "new"))
    assert (result.exit_code, result.stdout) == (0, "There are no turns yet.\n")


def test_the_repl_takes_lines_from_a_pipe(jarvis: Jarvis) -> None:
    lines = "/help\nis gitea up?\n\n/trace\nis grafana up?\n/nonsense\n/tools\n/quit\nis minecraft up?\n"
    result = jarvis("repl", stdin=lines, JARVIS_ENGINE="sentences")
    assert result.exit_code == 0
    assert "Gitea is up.\n" in result.stdout
    assert "ms  reply      Grafana is up." in result.stdout
    assert "There is no /nonsense." in result.stdout
    assert "check_backups" in result.stdout
    assert "inecraft" not in result.stdout


def test_voice_without_a_loudspeaker_says_what_to_do_instead(jarvis: Jarvis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.speech.player.devices", lambda _: [])
    assert "--speak" in jarvis("repl", stdin="/voice\n", JARVIS_ENGINE="sentences").stdout


def test_listening_without_a_microphone_says_so_at_once(jarvis: Jarvis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.speech.microphone.devices", lambda _: [])
    result = jarvis("listen")
    assert result.exit_code == 1
    assert "no microphone" in result.stderr
    assert "jarvis repl" in result.stderr


# ── doctor ────────────────────────────────────────────────────────────────────────────────────────────────────────


def checks(output: str) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in json.loads(output)}


def test_the_doctor_looks_at_everything_and_names_a_mend_for_what_is_not_well(jarvis: Jarvis) -> None:
    result = jarvis("doctor", "--json", JARVIS_MODEL__DISCOVER="false")
    found = checks(result.stdout)
    assert len(found) >= 12
    assert all(check["mend"] for check in found.values() if check["status"] != "ok")
    assert found["models"]["status"] == "broken"
    assert "jarvis models pull" in found["models"]["mend"]
    assert result.exit_code == 1


@pytest.mark.real_models
def test_with_the_models_nothing_is_broken(jarvis: Jarvis, models_dir: Path) -> None:
    result = jarvis("doctor", "--json", JARVIS_MODELS=str(models_dir), JARVIS_MODEL__DISCOVER="false")
    assert [c["name"] for c in checks(result.stdout).values() if c["status"] == "broken"] == []
    assert result.exit_code == 0


def test_the_doctor_goes_on_when_the_configuration_is_broken(jarvis: Jarvis) -> None:
    found = checks(jarvis("doctor", "--json", JARVIS_ENGIN="x").stdout)
    assert found["configuration"]["status"] == "broken"
    assert "`engine`" in found["configuration"]["detail"]
    assert "restic" in found


def test_the_doctor_misses_restic_only_where_it_is_needed(
    jarvis: Jarvis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert checks(jarvis("doctor", "--json").stdout)["restic"]["status"] == "broken"
    services_only = {"JARVIS_SERVICES__X__URL": "http://127.0.0.1/"}
    assert checks(jarvis("doctor", "--json", **services_only).stdout)["restic"]["status"] == "ok"


def test_the_doctor_sees_a_port_that_is_taken(jarvis: Jarvis, unused_tcp_port: int) -> None:
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", unused_tcp_port))
        other.listen()
        found = checks(jarvis("doctor", "--json", JARVIS_SERVER__PORT=str(unused_tcp_port)).stdout)
    assert found["server"]["status"] == "warning"
    assert str(unused_tcp_port) in found["server"]["detail"]


# ── completion ────────────────────────────────────────────────────────────────────────────────────────────────────


def completed(jarvis: Jarvis, *words: str) -> list[str]:
    with pytest.MonkeyPatch.context() as shell:
        shell.setenv("COMP_WORDS", " ".join(("jarvis", *words)))
        shell.setenv("COMP_CWORD", str(len(words)))
        shell.setenv("_JARVIS_COMPLETE", "complete_bash")
        return jarvis().stdout.split()


def test_tools_arguments_and_names_are_completed(jarvis: Jarvis) -> None:
    jarvis("tools", "list")
    assert completed(jarvis, "tools", "call", "check_b") == ["check_backups"]
    assert completed(jarvis, "tools", "call", "check_backups", "j") == ["job="]
    assert completed(jarvis, "tools", "call", "check_services", "service=g") == ["service=gitea", "service=grafana"]


def test_names_are_those_of_the_configured_house(jarvis: Jarvis, tmp_path: Path) -> None:
    path = tmp_path / "here" / "jarvis.toml"
    path.write_text('[services.garage]\nurl = "http://127.0.0.1/"')
    assert completed(jarvis, "tools", "call", "check_services", "service=g") == ["service=garage"]


def test_a_broken_configuration_completes_nothing_and_says_nothing(jarvis: Jarvis, tmp_path: Path) -> None:
    (tmp_path / "here" / "jarvis.toml").write_text("[[[")
    assert completed(jarvis, "tools", "call", "check_services", "service=g") == []

"""`jarvis.toml` and the environment: found, read, explained; what is wrong is said with its place and its mend."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from assistant import config_file
from assistant.config import Settings
from assistant.config_file import every_setting, load, nearest
from assistant.errors import ConfigError

Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of this machine is in sight."""
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("JARVIS_CONFIG", raising=False)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "jarvis.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def refused(path: Path | None, environment: dict[str, str] | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(path, environment or {})
    return caught.value


# ── finding it ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_file_and_variables_everything_is_at_its_default() -> None:
    loaded = load(environment={})
    assert loaded.settings == Settings()
    assert loaded.file is None
    assert loaded.origins == {}


def test_the_working_folders_file_comes_before_the_users(tmp_path: Path) -> None:
    user = tmp_path / "config" / "jarvis" / "jarvis.toml"
    user.parent.mkdir(parents=True)
    user.write_text('engine = "model"')
    assert load(environment={}).file == user
    Path("jarvis.toml").write_text('engine = "sentences"')
    assert load(environment={}).settings.engine == "sentences"


def test_jarvis_config_names_the_file_and_the_argument_wins_over_it(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.toml"
    other.write_text('engine = "model"')
    monkeypatch.setenv("JARVIS_CONFIG", str(other))
    assert load(environment={}).settings.engine == "model"
    assert load(write('engine = "sentences"'), {}).settings.engine == "sentences"


def test_a_file_that_was_named_has_to_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No such file" in refused(tmp_path / "none.toml").detail
    monkeypatch.setenv("JARVIS_CONFIG", str(tmp_path / "none.toml"))
    assert "none.toml" in refused(None).detail


# ── what is wrong with it ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_syntax_error_has_its_line_and_column(write: Write) -> None:
    error = refused(write("[server]\nport 8765\n"))
    assert error.code == "not_toml"
    assert "line 2, column 6" in error.detail


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "jarvis.toml"
    path.write_bytes(b'engine = "\xff"')
    assert "not UTF-8" in refused(path).detail


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[server]\nprot = 1", "`server.prot` is not a setting; did you mean `server.port`?"),
        ("[srever]\nport = 1", "`srever` is not a setting; did you mean `server`?"),
        ('[services.gitea]\nulr = "http://x/"', "did you mean `services.gitea.url`?"),
        ("max_clip_s = 1", "`max_clip_s` is not a setting; did you mean `server.max_clip_s`?"),
        ("[wake]\nsilence_s = 1", "`wake.silence_s` is not a setting; did you mean `endpoint.silence_s`?"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(write: Write, text: str, said: str) -> None:
    assert said in refused(write(text)).detail


def test_a_key_that_is_near_to_nothing_gets_no_guess(write: Write) -> None:
    assert "`qqqqqq` is not a setting." in refused(write("qqqqqq = 1")).detail


@pytest.mark.parametrize(
    ("text", "key", "bound"),
    [
        ("[server]\nport = 65536", "`server.port`", "65535"),
        ("[wake.words.computer]\nthreshold = 1.0", "`wake.words.computer.threshold`", "less than 1"),
        ('[transcriber]\nengine = "wyoming"', "`transcriber`", "needs `url`"),
        ('engine = "magic"', "`engine`", "'sentences', 'model', 'both' or 'bare'"),
        ('[services.x]\nurl = "ftp://x/"', "`services.x.url`", "http"),
        ('[mcp_servers.x]\ncommand = ["a"]\nurl = "http://x/"', "`mcp_servers.x`", "not both"),
    ],
)
def test_a_bad_value_is_refused_with_its_key_and_what_is_allowed(write: Write, text: str, key: str, bound: str) -> None:
    detail = refused(write(text)).detail
    assert key in detail
    assert bound in detail


def test_every_mistake_is_said_at_once(write: Write) -> None:
    detail = refused(write('[server]\nprot = 1\nport = -1\n[backups.x]\nkind = "floppy"')).detail
    assert all(key in detail for key in ("server.prot", "server.port", "backups.x.kind"))


def test_a_name_that_no_mcp_server_can_have_is_said_as_such(write: Write) -> None:
    assert (
        "`mcp_servers.My Notes`: this name cannot be used"
        in refused(write('[mcp_servers."My Notes"]\ncommand = ["a"]')).detail
    )


def test_a_wrong_value_is_not_repeated_in_the_message(write: Write) -> None:
    assert "hunter2" not in str(refused(write('[server]\nport = "hunter2"')))


def test_a_missing_secret_file_is_said_with_its_key(write: Write) -> None:
    error = refused(write('[model]\napi_key_file = "none.key"'))
    assert error.code == "secret_unreadable"
    assert "`model.api_key_file`" in error.detail


def test_a_missing_backup_password_leaves_the_rest_working_and_is_warned_of(write: Write) -> None:
    loaded = load(write('[backups.photos]\nkind = "restic"\npassword_file = "none.password"'), {})
    (warning,) = config_file.warnings(loaded.settings)
    assert "`backups.photos.password_file`" in warning


def test_a_secret_that_others_can_read_is_warned_of(write: Write, tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("me:secret")
    (tmp_path / "tokens").chmod(0o644)
    settings = load(write('[server]\ntokens_file = "tokens"'), {}).settings
    assert [w for w in config_file.warnings(settings) if "chmod 600" in w]
    (tmp_path / "tokens").chmod(0o600)
    assert list(config_file.warnings(settings)) == []


# ── paths ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_paths_are_relative_to_the_file_and_know_the_home_folder(write: Write, tmp_path: Path) -> None:
    text = 'state_dir = "state"\nmodels_dir = "~/models"\n[backups.p]\nkind = "restic"\npassword_file = "/abs/pw"'
    settings = load(write(text), {}).settings
    assert settings.state_dir == tmp_path / "state"
    assert settings.models_dir == tmp_path / "home" / "models"
    assert settings.backups["p"].password_file == Path("/abs/pw")


# ── variables ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("variable", "text", "read"),
    [
        ("JARVIS_SERVER__PORT", "9000", lambda s: s.server.port == 9000),
        ("JARVIS_ENGINE", "model", lambda s: s.engine == "model"),
        ("JARVIS_PRIVACY__KEEP_TRANSCRIPTS", "true", lambda s: s.privacy.keep_transcripts is True),
        ("JARVIS_WAKE__REFRACTORY_S", "0.25", lambda s: s.wake.refractory_s == 0.25),
        ("JARVIS_PRIVACY__ALLOW_HOSTS", "a.org, b.org", lambda s: s.privacy.allow_hosts == ("a.org", "b.org")),
        ("JARVIS_PRIVACY__ALLOW_HOSTS", '["a.org"]', lambda s: s.privacy.allow_hosts == ("a.org",)),
        ("JARVIS_PRIVACY__ALLOW_HOSTS", "", lambda s: s.privacy.allow_hosts == ()),
        ("JARVIS_MODEL__NAME", "7", lambda s: s.model.name == "7"),
        ("JARVIS_MODEL__BASE_URL", "", lambda s: s.model.base_url is None),
        ("JARVIS_SERVICES__GITEA__URL", "http://127.0.0.1/", lambda s: "gitea" in s.services),
        ("JARVIS_STATE", "/tmp/jarvis-state", lambda s: s.state_dir == Path("/tmp/jarvis-state")),
        ("JARVIS_MODELS", "/tmp/jarvis-models", lambda s: s.models_dir == Path("/tmp/jarvis-models")),
    ],
)
def test_a_variable_sets_a_setting(variable: str, text: str, read: Callable[[Settings], bool]) -> None:
    assert read(load(environment={variable: text}).settings)


def test_variables_win_over_the_file_and_both_are_named_as_origins(write: Write) -> None:
    path = write('engine = "sentences"\nstate_dir = "a"\n[server]\nport = 1\nhost = "::1"')
    loaded = load(path, {"JARVIS_SERVER__PORT": "2", "JARVIS_STATE_DIR": "/b", "PATH": "/bin"})
    assert (loaded.settings.server.port, loaded.settings.server.host) == (2, "::1")
    assert loaded.settings.state_dir == Path("/b")
    assert loaded.variables == ("JARVIS_SERVER__PORT", "JARVIS_STATE_DIR")
    assert loaded.origins == {
        "engine": "file",
        "server.host": "file",
        "server.port": "JARVIS_SERVER__PORT",
        "state_dir": "JARVIS_STATE_DIR",
    }


def test_jarvis_state_and_jarvis_models_are_asked_only_where_no_setting_names_the_folder(write: Write) -> None:
    special = {"JARVIS_STATE": "/special", "JARVIS_MODELS": "/special"}
    by_file = load(write('state_dir = "/file"\nmodels_dir = "/file"'), special)
    assert by_file.settings.state_dir == by_file.settings.models_dir == Path("/file")
    assert by_file.variables == ()
    by_variable = load(environment={**special, "JARVIS_STATE_DIR": "/setting"})
    assert by_variable.settings.state_dir == Path("/setting")
    assert by_variable.settings.models_dir == Path("/special")


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("JARVIS_SERVER__PROT", "`server.prot` (JARVIS_SERVER__PROT) is not a setting; did you mean `server.port`?"),
        ("JARVIS_ENGIN", "`engin` (JARVIS_ENGIN) is not a setting; did you mean `engine`?"),
    ],
)
def test_a_variable_that_names_no_setting_is_refused_like_a_key(variable: str, said: str) -> None:
    assert said in refused(None, {variable: "1"}).detail


def test_a_bad_value_names_the_variable_that_set_it() -> None:
    assert "(JARVIS_SERVER__PORT)" in refused(None, {"JARVIS_SERVER__PORT": "many"}).detail


def test_a_variable_cannot_make_a_section_out_of_a_value() -> None:
    assert refused(None, {"JARVIS_ENGINE": "both", "JARVIS_ENGINE__X": "1"}).code == "not_a_section"


def test_the_special_variables_are_no_settings() -> None:
    assert load(environment={"JARVIS_DEBUG": "1", "JARVIS_CONFIG": ""}).settings == Settings()


@given(st.dictionaries(st.text(max_size=12).map(lambda name: f"JARVIS_{name}"), st.text(max_size=12), max_size=3))
def test_whatever_the_variables_hold_there_are_settings_or_a_config_error(environment: dict[str, str]) -> None:
    with contextlib.suppress(ConfigError):
        assert isinstance(load(environment=environment).settings, Settings)


@given(st.text(max_size=60))
def test_whatever_the_file_holds_there_are_settings_or_a_config_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(text, encoding="utf-8")
    with contextlib.suppress(ConfigError):
        assert isinstance(load(path, {}).settings, Settings)


# ── the settings themselves ───────────────────────────────────────────────────────────────────────────────────────


def test_settings_are_frozen() -> None:
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.engine = "model"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        settings.server.port = 1  # type: ignore[misc]


def test_every_setting_is_described() -> None:
    assert [name for name, field, _ in every_setting() if not (field.description or "").endswith(".")] == []


@pytest.mark.parametrize("name", [name for name, _, _ in every_setting() if "NAME" not in name])
def test_a_setting_that_lacks_its_last_letter_is_still_recognised(name: str) -> None:
    assert nearest(name[:-1]) == name

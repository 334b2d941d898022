"""The catalogue's folder is part of the configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.config_catalog import read_catalog
from assistant.config_file import load
from assistant.config_pages import in_force
from assistant.config_paths import with_paths
from assistant.errors import ConfigError
from tools.settings import ServiceSettings, ToolSettings

Catalog = Callable[..., Path]


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """Files by name; the path of a jarvis.toml that names their folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JARVIS_CONFIG", raising=False)
    folder = tmp_path / "catalog"
    folder.mkdir()

    def make(toml: str = "", **files: str) -> Path:
        for name, text in files.items():
            (folder / f"{name.replace('_', '-')}.yaml").write_text(text, encoding="utf-8")
        path = tmp_path / "jarvis.toml"
        path.write_text(f'catalog = "catalog"\n{toml}', encoding="utf-8")
        return path

    return make


def refused(path: Path | None, environment: dict[str, str] | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(path, environment or {})
    return caught.value


def test_its_services_stand_beside_those_of_the_file(catalog: Catalog) -> None:
    path = catalog('[services.gitea]\nurl = "http://127.0.0.1:3000/"', home_assistant="host: nas\nport: 8123")
    services = load(path, {}).settings.services
    assert set(services) == {"gitea", "home assistant"}
    assert (services["home assistant"].host, services["home assistant"].port) == ("nas", 8123)


def test_a_service_in_both_is_an_error_that_names_both(catalog: Catalog) -> None:
    path = catalog('[services.Gitea]\nurl = "http://127.0.0.1:3000/"', gitea="host: nas")
    error = refused(path)
    assert str(path) in error.detail
    assert str(path.parent / "catalog" / "gitea.yaml") in error.detail


def test_two_files_of_one_service_are_an_error_that_names_both(catalog: Catalog) -> None:
    path = catalog(a="name: gitea\nhost: nas", gitea="host: nas")
    folder = path.parent / "catalog"
    both = f"{folder / 'gitea.yaml'} and {folder / 'a.yaml'} both describe the service 'gitea'."
    assert refused(path).detail == both


def test_what_is_wrong_in_a_file_is_said_with_file_line_and_key(catalog: Catalog) -> None:
    error = refused(catalog(gitea="host: nas\nprot: 3000"))
    assert error.detail.endswith("gitea.yaml, line 2: `prot` is no setting of a service; did you mean `port`?")
    assert "jarvis catalog edit" in error.mend


def test_hidden_files_and_others_are_no_services(catalog: Catalog, tmp_path: Path) -> None:
    path = catalog(gitea="host: nas")
    for name in (".gitea.yaml.part", ".draft.yaml", "README.md", "gitea.yaml~"):
        (tmp_path / "catalog" / name).write_text("nonsense: [")
    (tmp_path / "catalog" / "folder.yaml").mkdir()
    assert set(load(path, {}).settings.services) == {"gitea"}


def test_a_folder_that_is_not_there_is_said_with_the_mend(catalog: Catalog, tmp_path: Path) -> None:
    path = catalog()
    (tmp_path / "catalog").rmdir()
    error = refused(path)
    assert "catalog cannot be read: No such file" in error.detail
    assert "mkdir -p" in error.mend


def test_bytes_that_are_no_text_are_refused(catalog: Catalog, tmp_path: Path) -> None:
    path = catalog()
    (tmp_path / "catalog" / "a.yaml").write_bytes(b"host: \xff")
    assert "not UTF-8" in refused(path).detail


def test_a_file_that_may_not_be_read_is_said_by_name(catalog: Catalog, tmp_path: Path) -> None:
    path = catalog()
    (tmp_path / "catalog" / "a.yaml").symlink_to(tmp_path / "nowhere.yaml")
    assert load(path, {}).settings.services == {}, "a link that leads nowhere is no file"
    (tmp_path / "nowhere.yaml").write_text("host: nas")
    assert set(load(path, {}).settings.services) == {"a"}


def test_a_variable_names_the_folder_and_changes_a_service(catalog: Catalog, tmp_path: Path) -> None:
    catalog(gitea="host: nas\nport: 3000")
    settings = load(
        None, {"JARVIS_CATALOG": str(tmp_path / "catalog"), "JARVIS_SERVICES__GITEA__PORT": "3001"}
    ).settings
    assert settings.services["gitea"].port == 3001


def test_paths_are_relative_to_the_file_that_has_them(catalog: Catalog, tmp_path: Path) -> None:
    path = catalog(craft="logs: craft.log\nminecraft:\n  rcon_password_file: rcon.secret")
    craft = load(path, {}).settings.services["craft"]
    assert craft.logs == tmp_path / "catalog" / "craft.log"
    assert craft.minecraft is not None
    assert craft.minecraft.rcon_password_file == tmp_path / "catalog" / "rcon.secret"


def test_where_a_setting_comes_from_is_the_catalogues_file(catalog: Catalog, tmp_path: Path) -> None:
    loaded = load(catalog(gitea="host: nas"), {})
    origins = {dotted: origin for dotted, _, origin in in_force(loaded)}
    assert origins["services.gitea.host"] == str(tmp_path / "catalog" / "gitea.yaml")
    assert origins["services.gitea.port"] == "default"
    assert loaded.variables == ()


def test_whoever_mends_the_files_can_do_without_them(catalog: Catalog) -> None:
    path = catalog(gitea="nonsense: [")
    assert load(path, {}, with_catalog=False).settings.catalog == path.parent / "catalog"


def test_sixty_services_are_read_in_the_order_of_their_files(catalog: Catalog, tmp_path: Path) -> None:
    catalog(**{f"s{number:02}": f"host: nas\nport: {number}" for number in range(1, 61)})
    assert list(read_catalog(tmp_path / "catalog")) == [f"s{number:02}" for number in range(1, 61)]


def test_paths_are_found_in_lists_tables_and_sections() -> None:
    folder = Path("/etc/jarvis")
    raw = {
        "alerts": {"disks": ["/", "data"], "reports": ["~/outbox"]},
        "home_assistant": {"url": "http://ha.lan", "token_file": "ha.token"},
        "backups": {
            "p": {
                "repository": "as it is",
                "credentials": {"KEY": "key"},
                "also": [{"name": "usb", "password_file": "usb.pw", "mount": "/mnt"}],
            }
        },
        "unknown": {"password_file": "x"},
    }
    meant = with_paths(raw, ToolSettings, folder)
    assert meant["alerts"] == {"disks": ["/", "/etc/jarvis/data"], "reports": [str(Path("~/outbox").expanduser())]}
    assert meant["home_assistant"]["token_file"] == "/etc/jarvis/ha.token"
    assert meant["backups"]["p"] == {
        "repository": "as it is",
        "credentials": {"KEY": "/etc/jarvis/key"},
        "also": [{"name": "usb", "password_file": "/etc/jarvis/usb.pw", "mount": "/mnt"}],
    }
    assert meant["unknown"] == {"password_file": "x"}


def test_what_does_not_fit_its_type_is_left_for_the_settings_to_refuse() -> None:
    assert with_paths({"logs": 5, "minecraft": "no", "watched_as": ["x"]}, ServiceSettings, Path("/x")) == {
        "logs": 5, "minecraft": "no", "watched_as": ["x"],
    }  # fmt: skip

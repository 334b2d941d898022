"""The generated pages are what the repository holds, and true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from assistant.config import Settings
from assistant.config_file import every_setting, load
from assistant.config_pages import SAMPLES, as_toml, example, hidden, in_force, markdown

ROOT = Path(__file__).resolve().parents[1]


def test_the_example_in_the_repository_is_the_generated_one() -> None:
    assert (ROOT / "jarvis.example.toml").read_text(encoding="utf-8") == example(), (
        "run `jarvis config example > jarvis.example.toml`"
    )


def test_the_table_in_the_docs_is_the_generated_one() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    _, _, table = page.partition("<!-- generated: jarvis config example --markdown -->\n")
    assert table == markdown(), "put the output of `jarvis config example --markdown` below the mark"


def test_the_example_changes_nothing_as_it_stands() -> None:
    assert Settings.model_validate(tomllib.loads(example())) == Settings()


def test_every_line_of_the_example_is_valid_with_its_mark_taken_off() -> None:
    raw = tomllib.loads(re.sub(r"^#(?=[^ \n])", "", example(), flags=re.MULTILINE))
    del raw["mcp_servers"]["notes"]["url"]  # one way in, not both
    settings = Settings.model_validate(raw)
    assert settings.backups["photos"].kind == "restic"
    assert settings.home_aliases["the heating"] in settings.areas["living room"].devices
    assert settings.server == Settings().server.model_copy(update={"tokens_file": Path("tokens")})


def test_every_setting_is_in_the_example_and_in_the_table() -> None:
    for name, _, _ in every_setting():
        key = name.rsplit(".", 1)[-1]
        assert f"\n#{key} = " in example()
        assert f"| `{key}` |" in markdown()


def test_ranges_are_told() -> None:
    assert "whole number (from 0, up to 65535)" in markdown()


def test_samples_stand_only_for_settings_without_a_default_worth_showing() -> None:
    known = {name: field for name, field, _ in every_setting()}
    assert set(SAMPLES) <= set(known)
    unset = {name for name, f in known.items() if f.is_required() or (not f.default_factory and f.default is None)}
    assert unset - set(SAMPLES) == set()


def test_what_is_in_force_says_where_each_value_comes_from(tmp_path: Path) -> None:
    path = tmp_path / "jarvis.toml"
    path.write_text('[services.gitea]\nurl = "http://me:hunter2@127.0.0.1/"')
    shown = {name: (value, origin) for name, value, origin in in_force(load(path, {"JARVIS_ENGINE": "model"}))}
    assert shown["services.gitea.url"] == ("http://me:…@127.0.0.1/", "file")
    assert shown["engine"] == ("model", "JARVIS_ENGINE")
    assert shown["server.port"] == (8765, "default")


@given(st.from_regex(r"[a-z0-9]{6,20}", fullmatch=True))
def test_passwords_in_urls_are_hidden_wherever_they_stand(password: str) -> None:
    value = {"a": [f"rest:https://me:{password}@nas.lan/repo"], "b": {"c": f"http://:{password}@x"}}
    assert f":{password}@" not in str(hidden(value))


@given(
    st.recursive(
        st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
)
def test_values_survive_the_way_through_toml(value: object) -> None:
    text = as_toml(value)
    if "\x7f" not in text:  # TOML wants it escaped, and no setting has it
        assert tomllib.loads(f"x = {text}")["x"] == value

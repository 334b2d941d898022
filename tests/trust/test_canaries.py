"""No secret is written anywhere: every setting that carries one is planted, and whatever quotes it is cleaned.

The whole of it, with the real server and every job failing, is ``tests/real/trust/test_canaries.py``.
"""

from __future__ import annotations

import base64
import io
import json
import logging
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.cli.config import show
from assistant.config import Settings
from assistant.config_file import load
from assistant.errors import ChatError
from tests.fakes_tools import ThingTool
from tests.trust.planting import Planted, canary, carriers, house
from tools.contract import Caller, Door, Finding, ToolResult
from tools.known_secrets import HIDDEN, KNOWN, MIN_CHARACTERS, HidingFormatter, KnownSecrets, secret_forms
from tools.outbox import Outbox
from tools.policy import CallPath
from tools.program import read_secret
from tools.store import Store


@pytest.fixture
def planted(tmp_path: Path) -> Planted:
    return Planted(tmp_path, "127.0.0.1:1")


def all_bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def settings_of(planted: Planted) -> Settings:
    file = planted.folder / "jarvis.toml"
    file.write_text(house(planted), encoding="utf-8")
    return load(file, {}).settings


def test_every_setting_that_carries_a_secret_is_planted(planted: Planted) -> None:
    house(planted)
    missing, gone = set(carriers()) - planted.settings, planted.settings - set(carriers())
    assert not missing, f"Plant them in tests/trust/planting.py, or say there why they carry no secret: {missing}"
    assert not gone, f"They are no settings any more: {gone}"


def test_the_settings_teach_all_secrets_that_they_hold_or_name(planted: Planted) -> None:
    known = KnownSecrets()
    known.learn(settings_of(planted))
    for setting in planted.settings - {"access.pin_file"}:
        assert known.hide(f"it says {canary(setting)}.") == f"it says {HIDDEN}.", setting
    for name in planted.more:
        assert not known.stands_in("nothing")
        assert known.stands_in(canary(name)), name


def test_a_file_that_cannot_be_read_teaches_nothing_and_breaks_nothing(planted: Planted) -> None:
    settings = settings_of(planted)
    for file in planted.folder.iterdir():
        file.unlink()
    known = KnownSecrets()
    known.learn(settings)  # what stands in the settings themselves is known all the same
    assert known.stands_in(canary("ntfy.url"))
    assert not known.stands_in(canary("ntfy.token_file"))


@given(st.text(min_size=MIN_CHARACTERS, max_size=60).filter(lambda text: len(text.strip()) >= MIN_CHARACTERS))
def test_no_form_in_which_a_secret_travels_is_left(secret: str) -> None:
    known = KnownSecrets()
    known.add(secret)
    value = secret.strip()
    for form in (value, quote(value, safe=""), json.dumps(value)):
        assert value not in known.hide(f"before {form} behind")
        assert form.strip('"') not in known.hide(f"before {form} behind")


@pytest.mark.parametrize("user", ["", "m", "me", "her", "them"])
def test_what_basic_authentication_makes_of_it_is_hidden_too(user: str) -> None:
    known = KnownSecrets()
    known.add(canary("x"))
    header = base64.b64encode(f"{user}:{canary('x')}".encode()).decode()
    assert HIDDEN in known.hide(f"Authorization: Basic {header}")
    assert len(known.hide(header)) < 20


def test_short_values_are_left_since_they_stand_in_ordinary_words() -> None:
    known = KnownSecrets()
    known.add("1234567")
    assert known.hide("at 12345678") == "at 12345678"
    assert repr(known) == "KnownSecrets(0 forms)"


def test_of_two_secrets_of_which_one_holds_the_other_nothing_is_left() -> None:
    known = KnownSecrets()
    known.add("correct-horse")
    known.add("correct-horse-battery")
    assert known.hide("correct-horse-battery correct-horse") == f"{HIDDEN} {HIDDEN}"


def test_a_log_line_holds_none_in_message_arguments_or_traceback() -> None:
    known = KnownSecrets()
    known.add(canary("log"))
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(HidingFormatter(logging.Formatter("%(levelname)s %(message)s"), known))
    log = logging.getLogger("tests.canaries")
    log.propagate = False
    log.addHandler(handler)
    try:
        try:
            raise ValueError(f"sent {canary('log')}")
        except ValueError:
            log.exception("with %r", {"token": canary("log")})
    finally:
        log.removeHandler(handler)
    assert canary("log") not in out.getvalue()
    assert out.getvalue().count(HIDDEN) >= 2


def test_a_secret_that_was_read_stands_in_no_error(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{canary('error')}\n")
    read_secret(file)
    error = ChatError("model_error", f"It says: {canary('error')}", mend=f"Not {canary('error')}")
    assert (error.detail, error.mend) == (f"It says: {HIDDEN}", f"Not {HIDDEN}")


def test_forms_are_not_so_short_that_they_would_be_found_by_chance() -> None:
    assert min(map(len, secret_forms("x" * MIN_CHARACTERS))) >= MIN_CHARACTERS


async def test_what_a_tool_quotes_is_left_out_of_its_outcome_its_artifact_and_the_audit(tmp_path: Path) -> None:
    KNOWN.add(canary("tool"))

    async def quotes() -> ToolResult:
        return ToolResult(
            spoken=f"It answers {canary('tool')}.",
            data={"headers": [canary("tool"), {"deep": canary("tool")}]},
            findings=(Finding(severity="warning", subject="lamp", message=f"Basic {canary('tool')}"),),
        )

    with closing(Store(tmp_path / "jarvis.db")) as store:
        path = CallPath([ThingTool(quotes)], store, Outbox(tmp_path / "outbox"))
        outcome = await path.call("look", {"thing": "lamp"}, Caller(name="me", door=Door.REPL))
    assert outcome.ok
    assert outcome.spoken == f"It answers {HIDDEN}."
    written = all_bytes(tmp_path)
    assert written
    assert canary("tool").encode() not in written + outcome.model_dump_json().encode()


def test_config_show_shows_none_in_either_form(planted: Planted, capsys: pytest.CaptureFixture[str]) -> None:
    settings_of(planted)
    for as_json in (True, False):
        show(as_json=as_json, config=planted.folder / "jarvis.toml")
    told = capsys.readouterr()
    assert "mcp_servers" in told.out
    assert planted.found_in("config show", (told.out + told.err).encode()) == []

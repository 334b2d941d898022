"""No dependency reports anything to anybody: each has been looked at, each switch is off before it is imported."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from assistant.telemetry import OFFLINE, SWITCHES, switch_off
from tests.trust.reviewed import REVIEWED

ROOT = Path(__file__).resolve().parents[2]
LOCKED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==", re.MULTILINE)


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_dependency_has_been_looked_at() -> None:
    locked = {normalized(name) for name in LOCKED.findall((ROOT / "requirements" / "run.txt").read_text("utf-8"))}
    assert len(locked) > 50
    new, gone = sorted(locked - set(REVIEWED)), sorted(set(REVIEWED) - locked)
    assert not new, f"Look up whether they report anything, and write it into tests/trust/reviewed.py: {new}"
    assert not gone, f"They are no dependencies any more; take them out of tests/trust/reviewed.py: {gone}"


def test_every_switch_that_a_dependency_needs_is_off() -> None:
    assert {switch for switches in REVIEWED.values() for switch in switches} <= set(SWITCHES)


def test_importing_the_package_switches_off_whatever_the_environment_says() -> None:
    opposite = {**os.environ, **dict.fromkeys(SWITCHES, "opposite"), "ORT_DISABLE_TELEMETRY": "0"}
    program = "import assistant, json, os; print(json.dumps(dict(os.environ)))"
    done = subprocess.run([sys.executable, "-c", program], env=opposite, capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout)
    assert {name: seen[name] for name in SWITCHES} == dict(SWITCHES)


def test_nothing_else_in_the_environment_is_touched() -> None:
    environment = {"PATH": "/bin", "ORT_DISABLE_TELEMETRY": "0"}
    switch_off(environment)
    assert environment == {"PATH": "/bin", **SWITCHES}


def test_no_module_of_a_dependency_that_reports_is_imported_before_the_switches_are_off() -> None:
    program = """
import sys
class Watch:
    def find_spec(self, name, path=None, target=None):
        import os
        if name in ("onnxruntime", "huggingface_hub", "hf_xet", "pydantic", "mcp", "opentelemetry", "faster_whisper"):
            off = os.environ.get("ORT_DISABLE_TELEMETRY"), os.environ.get("PYDANTIC_DISABLE_PLUGINS")
            if off != ("1", "__all__"):
                sys.stdout.write(name + " too early\\n")
            else:
                sys.stdout.write("seen " + name + "\\n")
sys.meta_path.insert(0, Watch())
import assistant.cli.main
"""
    clean = {name: value for name, value in os.environ.items() if name not in SWITCHES}
    done = subprocess.run([sys.executable, "-c", program], env=clean, capture_output=True, text=True, check=True)
    assert "too early" not in done.stdout
    assert "seen pydantic" in done.stdout


def test_the_libraries_themselves_say_that_it_is_off() -> None:
    program = """
import json, assistant
import huggingface_hub.constants as hub
from pydantic.plugin._loader import get_plugins
from opentelemetry.trace import get_tracer_provider
print(json.dumps({
    "telemetry": hub.HF_HUB_DISABLE_TELEMETRY,
    "updates": hub.HF_HUB_DISABLE_UPDATE_CHECK,
    "token": hub.HF_HUB_DISABLE_IMPLICIT_TOKEN,
    "plugins": len(list(get_plugins())),
    "tracer": type(get_tracer_provider()).__name__,
}))
"""
    clean = {name: value for name, value in os.environ.items() if name not in {*SWITCHES, *OFFLINE}}
    done = subprocess.run([sys.executable, "-c", program], env=clean, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {
        "telemetry": True,
        "updates": True,
        "token": True,
        "plugins": 0,
        "tracer": "ProxyTracerProvider",
    }


@pytest.mark.parametrize("child", ["assistant.chat.embedded_child", "assistant.speech.decode_child"])
def test_a_child_with_an_environment_of_its_own_has_them_off_too(child: str) -> None:
    program = f"import importlib, os; importlib.import_module({child!r}); print(os.environ['ORT_DISABLE_TELEMETRY'])"
    few = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    done = subprocess.run([sys.executable, "-c", program], env=few, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == SWITCHES["ORT_DISABLE_TELEMETRY"]

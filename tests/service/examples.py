"""The units in deploy/ as an install of a plain house writes them: ``python -m tests.service.examples`` renews them."""

from __future__ import annotations

from pathlib import Path

from assistant.config import Settings
from assistant.config_file import Loaded
from assistant.service import unit
from assistant.service.launchd import agent
from assistant.service.unit import UnitSpec

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path("/opt/jarvis/bin/python")
CONFIG = Path("/etc/jarvis/jarvis.toml")
MODELS = Path("/srv/jarvis/models")


def examples() -> dict[str, str]:
    """Path in the checkout → text."""
    environment = {"JARVIS_CONFIG": str(CONFIG), "JARVIS_MODELS": str(MODELS)}
    system = UnitSpec("system", PYTHON, unit.STATE, environment=environment)
    home = Path("/home/ada")
    user = UnitSpec("user", PYTHON, home / ".local/state/jarvis", environment=environment)
    house = Settings.model_validate({"state_dir": "/Users/ada/jarvis", "models_dir": str(MODELS)})
    mac = agent(
        Loaded(house, CONFIG, ()), folder=Path("/x"), log=Path("/Users/ada/Library/Logs/jarvis.log"), python=PYTHON
    )
    return {
        "deploy/systemd/jarvis.service": unit.service(system),
        "deploy/systemd/user/jarvis.service": unit.service(user),
        "deploy/systemd/jarvis-addresses.service": unit.refresh(PYTHON, environment),
        "deploy/systemd/jarvis-addresses.timer": unit.timer(),
        "deploy/launchd/local.jarvis.plist": mac.text,
    }


def main() -> None:
    """Write them."""
    for path, text in examples().items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

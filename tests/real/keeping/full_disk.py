"""Run in a mount namespace of its own, with a small tmpfs of 4 MB at the folder that is named: what the call path does
when that disk is full, when it is mounted read-only, and when it is well again. Prints one JSON object."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from assistant.cli.common import House as CliHouse
from assistant.cli.doctor_state import state_folder
from assistant.config import Settings
from assistant.errors import StateError
from assistant.state import StateFolder
from tests.fakes_tools import SwitchTool, ThingTool
from tools.contract import Caller, Door, Speech
from tools.outbox import Outbox
from tools.policy import CallPath
from tools.store import Store, StoreError

ANNA = Caller(name="anna", role="owner", door=Door.CLI, turn_id="t", speech=Speech.ORDER)


def fill(folder: Path) -> None:
    """To the last byte."""
    with (folder / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)


def attempt(work: object) -> str:
    try:
        work()  # type: ignore[operator]
    except (StoreError, StateError) as error:
        return str(error)
    return ""


class House:
    """A call path over a database on that disk."""

    def __init__(self, state: Path) -> None:
        self.store = Store(state / "jarvis.db")
        self.look, self.switch = ThingTool(), SwitchTool()
        self.path = CallPath((self.look, self.switch), self.store, Outbox(state / "outbox"))

    def both(self) -> dict[str, object]:
        """Look, and act."""
        looked = asyncio.run(self.path.call("look", {"thing": "lamp"}, ANNA))
        acted = asyncio.run(self.path.call("switch", {"thing": "lamp"}, ANNA))
        return {
            "looked": looked.ok, "acted": acted.ok, "spoken": acted.spoken, "detail": acted.detail,
            "done": len(self.switch.executed), "lines": len(self.store.audit_lines()),
        }  # fmt: skip


def main(folder: Path) -> dict[str, object]:
    told: dict[str, object] = {}
    state = folder / "state"
    house = House(state)
    told["well"] = house.both()
    fill(folder)
    told["full"] = house.both()
    told["open when full"] = attempt(lambda: Store(state / "jarvis.db").close())
    (folder / "filler").unlink()
    told["well again"] = house.both()
    house.store.close()  # a disk with a file that is open to be written is not mounted read-only
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    house = House(state)
    told["read-only"] = house.both()
    told["folder when read-only"] = attempt(lambda: StateFolder.prepared(state))
    found = state_folder(CliHouse(Settings(state_dir=state), demo=False))
    told["doctor when read-only"] = [found.status, found.mend]
    house.store.close()
    subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
    house = House(state)
    told["in the end"] = house.both()
    house.store.close()
    return told


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700", "none", str(folder)], check=True)
    os.umask(0o077)
    sys.stdout.write(json.dumps(main(folder)))

"""A real upsd over a real driver without a UPS (dummy-ups), on loopback."""

from __future__ import annotations

import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.real.daemons import daemon, free_port, need
from tests.real.prometheus import until

PACKAGE = "nut-server and nut-client"
VARIABLES = {"ups.status": "OL", "battery.charge": "100", "battery.runtime": "1800"}


@dataclass
class Upsd:
    """One UPS, called rack."""

    port: int
    driver: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def get(self, variable: str) -> str:
        """Its value, or what upsc complains of."""
        asked = subprocess.run(
            [need("upsc", PACKAGE), f"rack@127.0.0.1:{self.port}", variable],
            capture_output=True, text=True, check=False, timeout=10,
        )  # fmt: skip
        return asked.stdout.strip() or asked.stderr.strip()

    def set(self, **variables: str) -> None:
        """Have the UPS say something else, and wait until upsd says so; "__" stands for a dot."""
        for name, value in variables.items():
            variable = name.replace("__", ".")
            subprocess.run(
                [need("upsrw", PACKAGE), "-s", f"{variable}={value}", "-u", "admin", "-p", "only-on-loopback",
                 f"rack@127.0.0.1:{self.port}"],
                capture_output=True, check=True, timeout=10,
            )  # fmt: skip
            until(partial(self._has, variable, value), f"{variable} is not {value}")

    def _has(self, variable: str, value: str) -> bool:
        return self.get(variable) == value

    def hang(self) -> None:
        """The driver says nothing any more, and is still there."""
        self.driver.send_signal(signal.SIGSTOP)
        until(lambda: "stale" in self.get("ups.status").casefold(), "upsd believes its driver")


@contextmanager
def upsd() -> Iterator[Upsd]:
    """Its folder has a short name: the path of its socket may have a hundred characters."""
    with tempfile.TemporaryDirectory(prefix="nut-") as name:
        folder, port = Path(name), free_port()
        (folder / "rack.dev").write_text("".join(f"{key}: {value}\n" for key, value in VARIABLES.items()))
        files = {
            "nut.conf": "MODE=standalone\n",
            "ups.conf": f'[rack]\n  driver = dummy-ups\n  port = {folder}/rack.dev\n  desc = "A \\"dummy\\""\n',
            "upsd.conf": f"LISTEN 127.0.0.1 {port}\nMAXAGE 3\n",
            "upsd.users": "[admin]\n  password = only-on-loopback\n  actions = SET\n",
        }
        for file, text in files.items():
            (folder / file).write_text(text)
            (folder / file).chmod(0o600)
        paths = {f"NUT_{which}PATH": str(folder) for which in ("CONF", "STATE", "ALTPID")}
        driver = [need("dummy-ups", PACKAGE), "-u", "root", "-a", "rack", "-F"]
        server = [need("/lib/nut/upsd", PACKAGE), "-u", "root", "-F"]
        with daemon(driver, folder / "driver.log", environment=paths) as running:
            until((folder / "dummy-ups-rack").exists, "dummy-ups does not start")
            with daemon(server, folder / "upsd.log", port, environment=paths):
                found = Upsd(port, running)
                until(lambda: found.get("ups.status") == "OL", "the UPS is not on mains")
                try:
                    yield found
                finally:
                    running.send_signal(signal.SIGCONT)

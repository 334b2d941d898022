"""The Caddyfile of deploy/, run by the real Caddy before a real `jarvis serve`: TLS, who is let in, streams."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.real.daemons import daemon, free_port, need
from tests.serving import Served, jarvis, serving

pytestmark = pytest.mark.real_server

CADDYFILE = Path(__file__).resolve().parents[3] / "deploy" / "caddy" / "Caddyfile"
NAME = "jarvis.lan"
CONFIGURATION = f"""
engine = "sentences"
[model]
discover = false
[server]
allowed_hosts = ["{NAME}"]
[access]
tailscale = true
[access.tailscale_users]
"ada@example.org" = "owner"
[services.grafana]
url = "http://127.0.0.1:1/"
"""
ADA = {"Tailscale-User-Login": "ada@example.org"}
WITHOUT_ROOT = "{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n}\n"
"""Nothing of Caddy's goes into this machine's certificates, and no other port is opened."""


@dataclass(frozen=True)
class House:
    """Jarvis at its own port, and behind Caddy. ``token``: a member's."""

    served: Served
    caddy_port: int
    root: Path
    token: str

    @contextmanager
    def stream(self, method: str, path: str, **more: Any) -> Iterator[httpx.Response]:
        """Through Caddy."""
        context = ssl.create_default_context(cafile=str(self.root))
        url = f"https://127.0.0.1:{self.caddy_port}{path}"
        headers = {"Host": NAME, **more.pop("headers", {})}
        with (
            httpx.Client(verify=context, timeout=60, trust_env=False) as client,
            client.stream(method, url, headers=headers, extensions={"sni_hostname": NAME}, **more) as answer,
        ):
            yield answer

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The whole answer."""
        with self.stream(method, path, **more) as answer:
            answer.read()
            return answer

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def caddyfile(port: int, jarvis_url: str) -> str:
    """Ours, at other ports."""
    text = CADDYFILE.read_text(encoding="utf-8")
    for old, new in (
        (f"{NAME} {{", f"https://{NAME}:{port} {{"),
        ("127.0.0.1:8765", jarvis_url.removeprefix("http://")),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    return WITHOUT_ROOT + text


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder, port = tmp_path_factory.mktemp("caddy"), free_port()
    program = need("caddy", "caddy")
    with serving(folder, CONFIGURATION) as served:
        made = jarvis("token", "create", "--name", "phone", environment=served.environment)
        file = folder / "Caddyfile"
        file.write_text(caddyfile(port, served.url), encoding="utf-8")
        command = [program, "run", "--adapter", "caddyfile", "--config", file]
        with daemon(command, folder / "log", port, {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}):
            root = folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"
            yield House(served, port, root, made["token"])


def test_caddy_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    file = tmp_path / "Caddyfile"
    file.write_text(CADDYFILE.read_text(encoding="utf-8"), encoding="utf-8")
    command = [need("caddy", "caddy"), "validate", "--adapter", "caddyfile", "--config", str(file)]
    environment = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert ended.returncode == 0, ended.stderr
    assert "not formatted" not in ended.stderr


def test_a_token_lets_in_over_tls_and_nothing_else_does(house: House) -> None:
    asked = {"text": "is grafana up?"}
    let_in = house.ask("POST", "/command", json=asked, headers=house.bearer)
    assert let_in.status_code == 200
    assert let_in.json()["reply"] == "Grafana is down: the connection is refused."
    assert house.ask("POST", "/command", json=asked).status_code == 401


def test_who_somebody_says_to_be_is_taken_off_outside(house: House) -> None:
    directly = httpx.get(f"{house.served.url}/api/me", headers=ADA, timeout=60, trust_env=False)
    assert directly.status_code == 200  # what the header is worth where nothing takes it off
    assert house.ask("GET", "/api/me", headers=ADA).status_code == 401


def test_the_numbers_of_the_house_stay_inside(house: House) -> None:
    assert house.ask("GET", "/metrics", headers=house.bearer).status_code == 404


def test_events_come_as_they_happen(house: House) -> None:
    """The stream of announcements does not end, and its first bytes are there all the same."""
    headers = {**house.bearer, "Accept": "text/event-stream"}
    with house.stream("GET", "/announcements", headers=headers) as stream:
        assert stream.status_code == 200
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert next(stream.iter_raw())

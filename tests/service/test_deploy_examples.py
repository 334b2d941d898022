"""The examples in deploy/: what can be checked of them without the programs that they are for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from assistant.config import ServerSettings

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
ROOT = DEPLOY.parent

TRAEFIK = {
    "entryPoints": {
        "NAME": {
            "address": None,
            "forwardedHeaders": {"insecure": None},
            "transport": {"respondingTimeouts": {"readTimeout": None, "idleTimeout": None}},
        }
    },
    "providers": {"file": {"filename": None}},
    "log": {"level": None},
    "global": {"checkNewVersion": None, "sendAnonymousUsage": None},
    "http": {
        "routers": {"NAME": {"rule": None, "entryPoints": None, "middlewares": None, "service": None, "tls": None}},
        "middlewares": {"NAME": {"headers": {"customRequestHeaders": None}}},
        "services": {"NAME": {"loadBalancer": {"servers": None, "responseForwarding": {"flushInterval": None}}}},
    },
    "tls": {"certificates": None},
}  # fmt: skip
"""The keys that we use, as Traefik v3's reference has them (static and dynamic configuration, file provider)."""


def read(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))
    return loaded


def unknown(given: Any, known: Any, at: str = "") -> list[str]:
    if known is None or not isinstance(given, dict):
        return []
    found = []
    for key, value in given.items():
        inner = known.get(key, known.get("NAME", "none"))
        found += [f"{at}{key}"] if inner == "none" else unknown(value, inner, f"{at}{key}.")
    return found


def test_traefiks_keys_are_those_of_its_reference_and_its_names_fit_together() -> None:
    static, dynamic = read("traefik/traefik.yaml"), read("traefik/jarvis.yaml")
    assert unknown(static, TRAEFIK) == []
    assert unknown(dynamic, TRAEFIK) == []
    http = dynamic["http"]
    router = http["routers"]["jarvis"]
    assert set(router["middlewares"]) == set(http["middlewares"])
    assert set(router["entryPoints"]) <= set(static["entryPoints"])
    assert router["service"] in http["services"]
    assert static["global"] == {"checkNewVersion": False, "sendAnonymousUsage": False}
    assert static["entryPoints"]["https"]["forwardedHeaders"] == {"insecure": False}


def test_every_proxy_goes_to_the_port_that_jarvis_has_and_takes_off_who_somebody_says_to_be() -> None:
    port = ServerSettings().port
    caddy = (DEPLOY / "caddy" / "Caddyfile").read_text(encoding="utf-8")
    assert f"reverse_proxy 127.0.0.1:{port}" in caddy
    assert "header_up -Tailscale-*" in caddy
    http = read("traefik/jarvis.yaml")["http"]
    assert http["services"]["jarvis"]["loadBalancer"]["servers"] == [{"url": f"http://127.0.0.1:{port}"}]
    taken_off = http["middlewares"]["jarvis-nobody-says-who-they-are"]["headers"]["customRequestHeaders"]
    assert {"Tailscale-User-Login", "Tailscale-User-Name", "Forwarded"} <= set(taken_off)
    assert set(taken_off.values()) == {""}


def test_the_compose_file_binds_no_port_of_jarvis_and_lets_it_write_its_state_alone() -> None:
    composed = read("compose/compose.yaml")
    jarvis, caddy = composed["services"]["jarvis"], composed["services"]["caddy"]
    assert jarvis["network_mode"] == "service:caddy"
    assert "ports" not in jarvis
    assert (jarvis["read_only"], jarvis["cap_drop"]) == (True, ["ALL"])
    assert [volume for volume in jarvis["volumes"] if not volume.endswith(":ro")] == ["state:/var/lib/jarvis"]
    for service in (jarvis, caddy):
        named = {volume.split(":")[0] for volume in service["volumes"]} - {"./jarvis.toml", "../caddy/Caddyfile"}
        assert named <= set(composed["volumes"])
    folder = DEPLOY / "compose"
    assert (folder / jarvis["build"]["context"] / jarvis["build"]["dockerfile"]).resolve() == folder / "Containerfile"


def test_what_the_container_copies_is_there_and_is_sent_to_the_builder() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", (DEPLOY / "compose" / "Containerfile").read_text("utf-8"), re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    sent = (DEPLOY / "compose" / "Containerfile.dockerignore").read_text("utf-8").splitlines()
    for source in sources:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in sent, source

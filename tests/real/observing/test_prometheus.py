"""A real Prometheus that scrapes a real ``jarvis serve`` with a token for that, and Debian's promtool on the rules."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.observing.test_deploy import ROOT, RULES, expressions
from tests.real.daemons import need
from tests.real.prometheus import prometheus, scraping, until, value
from tests.serving import Served, jarvis, serving

pytestmark = pytest.mark.real_server

HOUSE = """
engine = "sentences"
[services.gitea]
url = "http://127.0.0.1:1/"
[backups.photos]
kind = "report"
report = "photos.json"
data_class = "pictures"
[heartbeat.kuma]
kind = "uptime-kuma"
url = "http://127.0.0.1:1/api/push/token"
[logging]
format = "json"
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("observed"), HOUSE) as server:
        yield server


def token(served: Served, name: str, *options: str) -> str:
    made = jarvis("token", "create", "--name", name, *options, environment=served.environment)
    assert isinstance(made["token"], str)
    return made["token"]


def test_prometheus_scrapes_it_and_every_panel_and_alert_can_be_asked_for(served: Served, tmp_path: Path) -> None:
    owner = {"Authorization": f"Bearer {token(served, 'olga', '--role', 'owner')}"}
    asked = httpx.post(
        f"{served.url}/command", json={"text": "is gitea up?"}, headers=owner, trust_env=False, timeout=60
    )
    assert asked.json()["reply"].startswith("Gitea is down")
    (tmp_path / "token").write_text(token(served, "prometheus", "--role", "guest", "--only", "tool:metrics"))
    scrape = {
        **scraping("jarvis", served.url.removeprefix("http://")),
        "authorization": {"credentials_file": str(tmp_path / "token")},
    }
    with prometheus(tmp_path / "prometheus", scrapes=[scrape]) as url:
        until(lambda: value(url, 'up{job="jarvis"} == 1') != [], "Prometheus does not get /metrics")
        turns = 'jarvis_turns_total{door="http",matched="sentence",outcome="answered"}'
        until(lambda: [one["value"][1] for one in value(url, turns)] == ["1"], "the turn is not counted")
        until(lambda: value(url, 'sum(jarvis_backups{data_class="pictures"}) == 1') != [], "no verdict")
        until(lambda: value(url, 'jarvis_heartbeats_total{result="failed"} > 0') != [], "no heartbeat was tried")
        assert value(url, "histogram_quantile(0.95, sum by (le) (jarvis_stage_seconds_bucket{stage='total'}))")
        for expression in expressions():
            value(
                url, expression.replace("$job", "jarvis").replace("$__rate_interval", "1m")
            )  # raises where it is none


def test_a_token_of_a_guest_does_not_scrape(served: Served) -> None:
    gus = {"Authorization": f"Bearer {token(served, 'gus', '--role', 'guest')}"}
    assert httpx.get(f"{served.url}/metrics", headers=gus, trust_env=False).status_code == 403
    assert httpx.get(f"{served.url}/metrics", trust_env=False).status_code == 401


def test_promtool_takes_the_rules_and_each_fires_when_it_should(tmp_path: Path) -> None:
    promtool = need("promtool", "prometheus")
    for command in (["check", "rules", str(RULES)], ["test", "rules", "deploy/prometheus/jarvis.test.yml"]):
        done = subprocess.run([promtool, *command], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "SUCCESS" in done.stdout


def test_its_log_is_one_object_a_line(tmp_path: Path) -> None:
    with serving(tmp_path, HOUSE, JARVIS_LOG_LEVEL="info", JARVIS_SERVER__PORT="0") as server:
        httpx.post(f"{server.url}/command", json={"text": "is gitea up?"}, trust_env=False, timeout=60)
        server.process.terminate()
        _, said = server.process.communicate(timeout=60)
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    turn = next(line for line in lines if line["logger"] == "assistant.turns")
    assert (turn["outcome"], turn["matched"], turn["door"]) == ("answered", "sentence", "http")
    others = [line for line in said.splitlines() if not line.startswith("{")]
    assert not any(line.startswith(("INFO", "WARNING", "ERROR")) for line in others), others
    assert "is gitea up" not in said

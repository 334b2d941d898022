"""A real Prometheus with its Alertmanager and exporters, on loopback, that looks and judges once a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.real.daemons import daemon, free_port, need

WAIT_S = 30.0

BLACKBOX = {
    "modules": {
        "http_2xx": {"prober": "http", "timeout": "2s"},
        "tcp_connect": {"prober": "tcp", "timeout": "2s"},
    }
}


@contextmanager
def prometheus(
    folder: Path,
    *,
    scrapes: Sequence[Mapping[str, Any]] = (),
    rules: Sequence[Mapping[str, Any]] = (),
    alertmanager: str | None = None,
    external_labels: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Its URL. ``scrapes``: entries of scrape_configs; ``rules``: alerting rules; ``alertmanager``: a URL."""
    program = need("prometheus", "prometheus")
    folder.mkdir(parents=True, exist_ok=True)
    configuration: dict[str, Any] = {
        "global": {
            "scrape_interval": "1s",
            "scrape_timeout": "1s",
            "evaluation_interval": "1s",
            "external_labels": dict(external_labels or {}),
        },
        "scrape_configs": list(scrapes),
        "rule_files": ["rules.yml"],
    }
    if alertmanager:
        target = alertmanager.removeprefix("http://")
        configuration["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [target]}]}]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    groups = {"groups": [{"name": "house", "rules": list(rules)}]}
    (folder / "rules.yml").write_text(yaml.safe_dump(groups), encoding="utf-8")
    port = free_port()
    command = [
        *(program, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"),
        *(f"--web.listen-address=127.0.0.1:{port}", "--rules.alert.resend-delay=5s"),
    ]
    with daemon(command, folder / "log", port):
        url = f"http://127.0.0.1:{port}"
        until(lambda: httpx.get(f"{url}/-/ready", trust_env=False).status_code == 200, "Prometheus is not ready")
        yield url


@contextmanager
def alertmanager(folder: Path, configuration: Mapping[str, Any] | None = None) -> Iterator[str]:
    """Its URL. Without a configuration it tells nobody."""
    program = need("prometheus-alertmanager", "prometheus-alertmanager")
    folder.mkdir(parents=True, exist_ok=True)
    quiet = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(dict(configuration or quiet)), encoding="utf-8")
    port = free_port()
    command = [
        *(program, f"--config.file={folder / 'alertmanager.yml'}", f"--storage.path={folder / 'data'}"),
        *(f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="),
    ]
    with daemon(command, folder / "log", port):
        url = f"http://127.0.0.1:{port}"
        until(lambda: httpx.get(f"{url}/-/ready", trust_env=False).status_code == 200, "Alertmanager is not ready")
        yield url


@contextmanager
def node_exporter(folder: Path) -> Iterator[str]:
    """host:port of one that tells of this machine's memory, load and file systems."""
    program = need("prometheus-node-exporter", "prometheus-node-exporter")
    port = free_port()
    wanted = [f"--collector.{name}" for name in ("filesystem", "meminfo", "loadavg", "uname", "cpu")]
    command = [program, f"--web.listen-address=127.0.0.1:{port}", "--collector.disable-defaults", *wanted]
    with daemon(command, folder / "log", port):
        yield f"127.0.0.1:{port}"


@contextmanager
def blackbox_exporter(folder: Path) -> Iterator[str]:
    """host:port of one with the modules http_2xx and tcp_connect."""
    program = need("prometheus-blackbox-exporter", "prometheus-blackbox-exporter")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "blackbox.yml").write_text(yaml.safe_dump(BLACKBOX), encoding="utf-8")
    port = free_port()
    command = [program, f"--config.file={folder / 'blackbox.yml'}", f"--web.listen-address=127.0.0.1:{port}"]
    with daemon(command, folder / "log", port):
        yield f"127.0.0.1:{port}"


def scraping(job: str, *targets: str, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    """An entry of scrape_configs."""
    return {"job_name": job, "static_configs": [{"targets": list(targets), "labels": dict(labels or {})}]}


def probing(job: str, exporter: str, module: str, *targets: str) -> dict[str, Any]:
    """An entry of scrape_configs that asks a blackbox exporter about targets, as its own documentation has it."""
    return {
        **scraping(job, *targets),
        "metrics_path": "/probe",
        "params": {"module": [module]},
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": exporter},
        ],
    }


def rule(name: str, expression: str, severity: str, **annotations: str) -> dict[str, Any]:
    """An alerting rule that fires at once."""
    return {"alert": name, "expr": expression, "labels": {"severity": severity}, "annotations": annotations}


def firing(url: str) -> list[str]:
    """Names of the alerts that fire at a Prometheus."""
    alerts = httpx.get(f"{url}/api/v1/alerts", trust_env=False).raise_for_status().json()["data"]["alerts"]
    return sorted(alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing")


def known(url: str) -> list[str]:
    """Names of the alerts that an Alertmanager has."""
    alerts = httpx.get(f"{url}/api/v2/alerts", trust_env=False).raise_for_status().json()
    return sorted(alert["labels"]["alertname"] for alert in alerts)


def value(url: str, query: str) -> list[dict[str, Any]]:
    """What a query gives now."""
    answer = httpx.get(f"{url}/api/v1/query", params={"query": query}, trust_env=False).raise_for_status().json()
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found


def until(met: Callable[[], bool], otherwise: str, within_s: float = WAIT_S) -> None:
    """Look until it is so; the test fails with those words where it never is."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if met():
                return
        except httpx.HTTPError:
            pass  # it is just starting
        time.sleep(0.1)
    pytest.fail(f"{otherwise} within {within_s:g} s.", pytrace=False)

"""How long a typed command takes over HTTP, and its reply as sound: ``python -m tests.bench_http``.

A real ``jarvis serve`` with its voice; each command is answered in other words, so that no speech is in the cache.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import httpx

from tests.serving import serving

COMMANDS = 30
HOUSE = 'engine = "sentences"\n[services.gitea]\nurl = "http://127.0.0.1:1/"\n'


def main() -> None:
    """Prints medians and 95th percentiles in milliseconds."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder), HOUSE) as served,
        httpx.Client(base_url=served.url, timeout=60, trust_env=False) as client,
    ):
        _voice_is_ready(client)
        answered, fetched = [], []
        for number in range(COMMANDS):
            began = time.perf_counter()
            answer = client.post("/command", json={"text": f"set a timer for {number + 61} minutes"}).json()
            answered.append(time.perf_counter() - began)
            began = time.perf_counter()
            client.get(answer["audio_url"]).raise_for_status()
            fetched.append(time.perf_counter() - began)
    _print("a typed command, answered as JSON", answered)
    _print("and its reply as sound, fetched", fetched)


def _voice_is_ready(client: httpx.Client) -> None:
    """The first command loads what is not loaded yet."""
    answer = client.post("/command", json={"text": "hello"}, headers={"Accept": "audio/wav"})
    answer.raise_for_status()


def _print(what: str, seconds: list[float]) -> None:
    ordered = sorted(seconds)
    p95 = ordered[round(0.95 * (len(ordered) - 1))]
    print(f"{what:36} p50 {statistics.median(ordered) * 1000:6.0f} ms   p95 {p95 * 1000:6.0f} ms")  # noqa: T201


if __name__ == "__main__":
    main()

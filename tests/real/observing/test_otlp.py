"""OpenTelemetry's real SDK, which is in no lock of Jarvis's own: one turn arrives at a collector as one trace."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.observing.test_deploy import ROOT
from tests.observing.turns import SECRET

pytestmark = pytest.mark.real_server

STAGES = ["utterance", "transcript", "decision", "tool", "speech"]


def test_a_turn_arrives_as_one_trace_and_by_no_proxy() -> None:
    packages = sorted((ROOT / ".real" / "otel").glob("lib/python3*/site-packages"))
    if not packages:
        pytest.fail("OpenTelemetry's SDK is not installed: run `deploy/real.sh`, or `make test-real`.", pytrace=False)
    nowhere = "http://127.0.0.1:1"
    environment = {**os.environ, "PYTHONPATH": str(packages[0]), "HTTP_PROXY": nowhere, "http_proxy": nowhere}
    done = subprocess.run(
        [sys.executable, "-m", "tests.real.observing.otlp"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    spans = json.loads(done.stdout)
    (turn,) = [span for span in spans if span["name"] == "turn"]
    below = [span for span in spans if span is not turn]
    assert (turn["parent"], turn["took_ms"]) == ("", pytest.approx(7_500, abs=0.01))
    assert [span["name"] for span in below] == STAGES
    assert {span["parent"] for span in below} == {turn["id"]}
    assert all(span["resource"] == {"service.name": "jarvis"} for span in spans)

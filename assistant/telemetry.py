"""Telemetry of the dependencies: every switch that one of them knows, set off before any of them is imported.

The package itself sets them (``assistant/__init__.py``), so that no import can come first. What each dependency does,
and how that was found out, stands in ``tests/trust/reviewed.py``; a dependency that is not in it fails the tests.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping

SWITCHES: Mapping[str, str] = {
    # onnxruntime 1.29 and newer sends what it loads to Microsoft, from native code that no audit hook sees; its
    # disable_telemetry_events() comes too late for what is sent at its start (docs/Privacy.md there, and #29843)
    "ORT_DISABLE_TELEMETRY": "1",
    # huggingface_hub, and hf_xet below it, which reports each transfer (environment variables in their docs)
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_XET_TELEMETRY_ENABLED": "0",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    # models are public: a token that lies about on this machine has no business at the hub
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    # what several libraries agreed on (donottrack.sh), and what some others read
    "DO_NOT_TRACK": "1",
    "DISABLE_TELEMETRY": "1",
    "ANONYMIZED_TELEMETRY": "False",
    "SCARF_NO_ANALYTICS": "1",
    # pydantic loads every plugin that is installed, and logfire is one (docs.pydantic.dev/latest/concepts/plugins)
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
    # the SDK of OpenTelemetry, where something installed it, exports nothing that nobody asked for
    "OTEL_TRACES_EXPORTER": "none",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
    # pip, which `jarvis models pull` uses for packages of models
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    # no telemetry: it warns when a process that used its threads starts another
    "TOKENIZERS_PARALLELISM": "false",
}
"""Variables of the environment and their values; they are for children, too."""

OFFLINE: Mapping[str, str] = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "LLAMA_ARG_OFFLINE": "1",
}
"""Besides, wherever the egress guard stands: everywhere but in `jarvis models pull`."""


def switch_off(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set them, whatever stood there before: who runs Jarvis was promised that nothing leaves the house."""
    environment.update(SWITCHES)

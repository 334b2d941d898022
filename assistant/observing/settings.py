"""Settings of what can be seen of Jarvis. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from tools.settings import Frozen

HeartbeatName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,30}$")]
"""It stands in metrics and in the log."""

LONGEST_DELAY_S = 3 * 86400.0
"""ntfy keeps nothing back for longer (its ``message-delay-limit``)."""


class LoggingSettings(Frozen):
    """``[logging]``"""

    format: Literal["text", "json"] = Field(
        default="text", description="text: a line for people; json: one JSON object a line, for Loki and the like."
    )


class TelemetrySettings(Frozen):
    """``[telemetry]``: traces for OpenTelemetry, from the extra `otel`."""

    otlp_url: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        description="Collector that takes traces by OTLP over HTTP, e.g. http://tempo.lan:4318/v1/traces; empty: none.",
    )


class HeartbeatSettings(Frozen):
    """``[heartbeat.NAME]``: somebody who notices when nothing comes any more."""

    kind: Literal["healthchecks", "uptime-kuma", "ntfy"] = Field(
        description="healthchecks, uptime-kuma: is asked for its URL; ntfy: holds a message back for as long as it is "
        "told to again and again (ntfy 2.16 or newer)."
    )
    url: str | None = Field(
        default=None, pattern=r"^https?://\S+$", description="Its push or ping URL; for ntfy http(s)://host/TOPIC."
    )
    url_file: Path | None = Field(
        default=None,
        description="File with that URL, where it is to stand in no configuration: it counts before `url`.",
    )
    token_file: Path | None = Field(default=None, description="ntfy: file with an access token.")
    every_s: float = Field(default=60.0, ge=10, le=86_400, description="Seconds between two signs of life.")
    late_s: float = Field(
        default=300.0, ge=20, le=LONGEST_DELAY_S, description="ntfy: seconds of silence after which it tells the phone."
    )
    timeout_s: float = Field(default=10.0, gt=0, le=60, description="Seconds one may take.")

    @model_validator(mode="after")
    def _is_whole(self) -> HeartbeatSettings:
        if self.url is None and self.url_file is None:
            raise ValueError("a heartbeat needs `url` or `url_file`")
        if self.kind == "ntfy" and self.late_s < 2 * self.every_s:
            raise ValueError("`late_s` has to be at least twice `every_s`, or one lost beat is an alarm")
        return self


class DebugRecordingSettings(Frozen):
    """``[debug_recording]``: what was said is kept, to find out why it was not understood."""

    folder: Path | None = Field(
        default=None, description="Folder (0700) that keeps sound, words and events of every turn; empty: nothing is."
    )
    keep_days: float = Field(default=7.0, gt=0, le=3_660, description="Days after which they go.")
    max_mb: float = Field(default=200.0, gt=0, le=1_000_000, description="Megabytes kept there; the oldest go first.")

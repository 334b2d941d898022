"""Outcomes of the four checks, as the tools give them."""

from __future__ import annotations

from tools.contract import CallOutcome, Finding, JsonObject, Severity, ToolResult


def said(tool: str, spoken: str, *found: tuple[Severity, str], tainted: bool = False, **data: object) -> CallOutcome:
    """An answer of a tool; ``found``: (severity, "subject: message")."""
    findings = tuple(
        Finding(severity=severity, subject=text.partition(": ")[0], message=text.partition(": ")[2])
        for severity, text in found
    )
    content: JsonObject = dict(data)
    result = ToolResult(spoken=spoken, data=content, findings=findings, tainted=tainted)
    return CallOutcome(ok=True, spoken=spoken, tool=tool, result=result)


def unavailable(tool: str) -> CallOutcome:
    """Not configured."""
    return CallOutcome(ok=False, spoken="It is not set up.", tool=tool, error="unavailable")


def failed(tool: str) -> CallOutcome:
    """Took too long."""
    return CallOutcome(ok=False, spoken="That took too long, so I can't tell you.", tool=tool, error="timeout")


GITEA_DOWN = said(
    "check_services",
    "Gitea is down. The other eleven are up.",
    (Severity.CRITICAL, "gitea: down: the connection is refused"),
    services=[{"name": "gitea", "state": "down"}],
)
PHOTOS_OLD = said(
    "check_backups",
    "The photos backup is too old. The others are proven.",
    (Severity.WARNING, "photos: its newest backup is three days old"),
    jobs=[{"job": "photos", "verdict": "stale"}],
)
NO_ALERTS = said("check_alerts", "Nothing looks wrong. The disk is 34 per cent full.")
VMS = said("check_vms", "Both virtual machines run.", vms=[{"name": "windows", "state": "running"}])

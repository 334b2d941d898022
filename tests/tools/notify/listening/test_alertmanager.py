"""Alertmanager's webhook: firing and resolved, each told once; anything else is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.notify.fakes import NOW, Clock
from tools.contract import JsonObject
from tools.notify.listening.alertmanager import MOST_ALERTS, NotAlertsError, received
from tools.notify.listening.inbox import Inbox
from tools.notify.listening.webhook import Webhook

BEGAN = "2026-11-22T03:00:00.000Z"


def alert(
    name: str = "DiskFull", status: str = "firing", severity: str = "critical", began: str = BEGAN, **annotations: str
) -> JsonObject:
    """As in webhook_config's version 4."""
    labels = {"alertname": name, "severity": severity, "instance": "nas"}
    return {
        "status": status, "labels": labels, "annotations": annotations, "startsAt": began,
        "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://prometheus/graph", "fingerprint": f"f-{name}",
    }  # fmt: skip


def body(*alerts: JsonObject) -> JsonObject:
    return {"version": "4", "groupKey": "{}", "status": "firing", "receiver": "jarvis", "alerts": list(alerts)}


def test_severity_is_the_priority_and_the_summary_the_words() -> None:
    found = received(
        body(
            alert("Slow", severity="warning", summary="Gitea is slow. It takes 3 s."),
            alert("DiskFull"),
            alert("Note", severity="info", description="A new version"),
            alert("Odd", severity="purple"),
        ),
        NOW,
    )
    assert [(one.priority, one.text) for one in found] == [
        (5, "Disk full: nas"), (3, "Gitea is slow"), (3, "Odd: nas"), (2, "A new version"),
    ]  # fmt: skip


def test_what_is_over_is_said_to_be_over_and_is_no_emergency() -> None:
    (one,) = received(body(alert(status="resolved", summary="The disk is full")), NOW)
    assert (one.priority, one.text) == (3, "over: The disk is full")


@pytest.fixture
def webhook(tmp_path: Path, inbox: Inbox, clock: Clock) -> Webhook:
    token = tmp_path / "webhook.token"
    token.write_text("a-long-webhook-token\n")
    return Webhook(token, inbox, clock)


def test_repetitions_are_kept_once_and_a_new_start_is_new(webhook: Webhook) -> None:
    def take(*alerts: JsonObject) -> int:
        return webhook.take(json.dumps(body(*alerts)).encode())

    assert take(alert(), alert("Slow")) == 2
    assert take(alert(), alert("Slow"), alert("Third")) == 1
    assert take(alert(status="resolved")) == 1
    assert take(alert(status="resolved")) == 0
    assert take(alert(began="2026-11-22T05:00:00.000Z")) == 1


def test_only_the_token_is_let_in(webhook: Webhook, inbox: Inbox) -> None:
    assert webhook.admits("Bearer a-long-webhook-token")
    for wrong in (
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer a-long-webhook-toke",
        "Basic a-long-webhook-token",
        "Bearer ü",
    ):
        assert not webhook.admits(wrong)
    assert not Webhook(None, inbox).admits("Bearer ")
    assert not Webhook(None, inbox).configured


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"alerts": {}}', b"<html>", b"[" * 100_000, b'{"alerts": null}'])
def test_anything_else_is_refused(webhook: Webhook, raw: bytes) -> None:
    with pytest.raises(NotAlertsError):
        webhook.take(raw)


def test_only_so_many_alerts_are_taken_at_once(webhook: Webhook) -> None:
    many = [alert(f"A{number}") for number in range(MOST_ALERTS + 100)]
    assert webhook.take(json.dumps(body(*many)).encode()) == MOST_ALERTS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["alerts", "labels", "annotations", "status", "fingerprint", "startsAt", "summary"]), inner
        )
    ),
    max_leaves=20,
)


@given(JSON, st.sampled_from(["firing", "resolved"]))
def test_nonsense_inside_breaks_nothing(nonsense: object, status: str) -> None:
    inside = nonsense if isinstance(nonsense, dict) else {"labels": nonsense, "annotations": nonsense}
    for one in received({"alerts": [nonsense, {**inside, "status": status}]}, NOW):
        assert one.text
        assert 1 <= one.priority <= 5

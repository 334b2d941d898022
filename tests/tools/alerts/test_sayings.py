"""How alerts are said: two sentences at most."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.alerts.merging import WORST_FIRST, Merged
from tools.alerts.port import Alert, Origin
from tools.alerts.sayings import say
from tools.contract import Severity

NOW = 1_000_000.0
HERE = "this machine"
DOCS = Path(__file__).resolve().parents[3] / "docs" / "alerts.md"


def one(
    said: str, severity: Severity = Severity.WARNING, origin: Origin = "rule", since: float | None = None, *,
    silenced: bool = False, foreign: bool = False, value: float | None = None, subject: str = HERE,
) -> Merged:  # fmt: skip
    alert = Alert(
        source="prom", origin=origin, severity=severity, subject=subject, said=said, key=said, foreign=foreign,
        value=value,
    )  # fmt: skip
    return Merged(alert, ("prom",), severity, since, silenced)


def ok(said: str, origin: Origin, value: float | None = None, **more: bool | str) -> Merged:
    return one(said, Severity.OK, origin, value=value, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "merged, failed, said",
    [
        ([], [], "Nothing fires."),
        ([one("the fan is loud")], [], "The fan is loud."),
        ([one("the fan is loud", since=NOW - 7200)], [], "The fan is loud, for two hours."),
        ([one("updates reports x", origin="report", since=NOW - 7200)], [], "Updates reports x, two hours ago."),
        ([one("the fan is loud", since=NOW)], [], "The fan is loud."),
        ([one("the fan is loud", silenced=True)], [], "Nothing fires."),
        ([one("a"), one("b", since=NOW - 120)], [], "Two things need attention: a; b, for two minutes."),
        ([one("a", Severity.NOTICE), one("b", Severity.NOTICE)], [], "Two things to know: a; b."),
        (
            [one("a", Severity.CRITICAL), one("b")],
            [],
            "Two things need attention, one of them critical: a; b.",
        ),
        (
            [one(word, Severity.CRITICAL) for word in "abcde"],
            [],
            "Five things need attention, all critical: a; b; c; two more.",
        ),
        (
            [one("a")],
            [("prom", "the connection is refused")],
            "A. I couldn't ask prom, because the connection is refused.",
        ),
        ([], [("prom", "x"), ("bell", "y")], "Nothing fires as far as I can see. I couldn't look at prom and bell."),
        (
            [one("…", Severity.UNKNOWN, subject=f"the certificate of {n}") for n in "abc"],
            [("prom", "x"), ("bell", "y")],
            "Nothing fires as far as I can see. I couldn't look at prom, bell, the certificate of a and two more.",
        ),
    ],
)  # fmt: skip
def test_what_is_said(merged: list[Merged], failed: list[tuple[str, str]], said: str) -> None:
    assert say(merged, failed, NOW, rules=True) == said


def test_when_nothing_is_wrong_what_was_looked_at_is_said() -> None:
    well = [
        ok("the disk is 40 per cent full", "disk", 40.2),
        ok("…", "memory", 31.0),
        ok("…", "load", 0.4),
        ok("…", "temperature", 52.4),
        ok("the UPS is on mains power", "ups"),
        ok("…", "certificate", 45.0),
        ok("…", "certificate", 300.0),
        ok("…", "report"),
    ]
    assert say(well, [], NOW, rules=True) == (
        "Nothing fires. The disk is 40 per cent full, memory is 31 per cent used, the load is 0.4 per core, "
        "the hottest sensor is at 52 degrees, the UPS is on mains power, "
        "both certificates are good for more than a month and the report is fine."
    )


def test_the_page_about_alerts_quotes_what_is_said() -> None:
    page = " ".join(line.removeprefix("> ") for line in DOCS.read_text(encoding="utf-8").splitlines())
    low = "the UPS is on battery and its battery is low, with ten minutes left"
    wrong = [one(low, Severity.CRITICAL, "ups"), one("the disk of nas is 88 per cent full", since=NOW - 7200)]
    assert say(wrong, [("grafana", "the connection is refused")], NOW, rules=True) in page
    well = [
        ok("…", "disk", 40.0),
        ok("…", "memory", 31.0),
        ok("…", "load", 0.4),
        ok("the UPS is on mains power", "ups"),
        *(ok("…", "certificate", days) for days in (45.0, 300.0)),
    ]
    assert say(well, [], NOW, rules=True) in page


def test_without_anything_at_which_rules_fire_it_does_not_say_that_nothing_fires() -> None:
    assert say([ok("…", "disk", 40.0)], [], NOW, rules=False) == "Nothing looks wrong. The disk is 40 per cent full."


def test_what_is_well_is_said_without_a_word_from_outside() -> None:
    well = [
        ok("the disk of evil is 40 per cent full", "disk", 40.0, foreign=True, subject="evil"),
        ok("the disk is 30 per cent full", "disk", 30.0),
        ok("…", "memory", 31.0, foreign=True, subject="evil"),
        ok("the UPS evil is on mains power", "ups", foreign=True),
        ok("the report of evil is fine", "report", foreign=True),
    ]
    said = say(well, [], NOW, rules=True)
    assert said == "Nothing fires. The fullest of two disks is 40 per cent full and the report is fine."


def _unknown(merged: Merged) -> Merged:
    """What could not be looked at says so itself."""
    if merged.severity is not Severity.UNKNOWN:
        return merged
    return replace(merged, alert=replace(merged.alert, said="I couldn't look at x, because it is down"))


merged_alerts = st.builds(
    one,
    said=st.text("ab c", min_size=1, max_size=8),
    severity=st.sampled_from(list(Severity)),
    origin=st.sampled_from(["disk", "memory", "load", "temperature", "ups", "certificate", "report", "logs", "rule"]),
    since=st.none() | st.floats(0, NOW),
    silenced=st.booleans(),
    value=st.none() | st.floats(0, 100),
).map(_unknown)


@settings(max_examples=50)
@given(
    st.lists(merged_alerts, max_size=8),
    st.lists(st.tuples(st.sampled_from(["prom", "bell"]), st.just("it is down")), max_size=3),
    st.booleans(),
)
def test_it_is_never_more_than_two_sentences_and_never_well_when_something_is_not(
    merged: list[Merged], failed: list[tuple[str, str]], rules: bool
) -> None:
    said = say(sorted(merged, key=lambda m: WORST_FIRST.index(m.severity)), failed, NOW, rules=rules)
    assert said.endswith(".")
    assert said.replace("0.", "").count(". ") <= 1
    heard = {m.severity for m in merged if not m.silenced}
    wrong = heard & {Severity.CRITICAL, Severity.WARNING, Severity.NOTICE}
    assert said.startswith("Nothing") is not bool(wrong)
    assert ("I couldn't look" in said or "I couldn't ask" in said) is bool(failed or Severity.UNKNOWN in heard)

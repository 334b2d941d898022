"""One alert from several sources is one; the worst comes first."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tools.alerts.merging import WORST_FIRST, merge
from tools.alerts.port import Alert
from tools.contract import Severity


def alert(
    source: str = "prom",
    severity: Severity = Severity.WARNING,
    key: str = "rule:x",
    said: str = "x fires",
    **more: object,
) -> Alert:
    origin = "rule" if key.startswith("rule:") else "disk"
    fields = {"labels": frozenset(more.pop("labels", ())), **more}  # type: ignore[call-overload]
    return Alert(source=source, origin=origin, severity=severity, subject="x", said=said, key=key, **fields)  # type: ignore[arg-type]


def test_labels_that_one_of_two_sources_adds_do_not_make_it_another_alert() -> None:
    labels = {("instance", "nas")}
    (one,) = merge([alert(labels=labels), alert("bell", labels=labels | {("replica", "a")})])
    assert one.sources == ("prom", "bell")


def test_alerts_of_one_name_about_two_machines_stay_two() -> None:
    one, two = {("instance", "nas")}, {("instance", "nuc")}
    assert len(merge([alert(labels=one), alert(labels=two), alert("bell", labels=one), alert("bell", labels=two)])) == 2


def test_two_of_one_source_stay_two_though_one_has_all_labels_of_the_other() -> None:
    assert len(merge([alert(labels={("a", "1")}), alert(labels={("a", "1"), ("b", "2")})])) == 2


def test_our_own_words_are_said_with_the_worst_severity_and_the_earliest_time() -> None:
    ours = alert("here", key="disk:here:/", said="the disk is 86 per cent full")
    theirs = alert("prom", Severity.CRITICAL, key="disk:here:/", said="DiskFull!", foreign=True, since=5.0)
    (one,) = merge([theirs, ours])
    assert (one.alert.said, one.severity, one.since) == ("the disk is 86 per cent full", Severity.CRITICAL, 5.0)


def test_it_is_as_old_as_whoever_knew_first_says() -> None:
    (one,) = merge([alert(since=20.0), alert("bell", since=10.0), alert("grafana")])
    assert one.since == 10.0


def test_what_is_well_for_one_and_wrong_for_another_is_wrong_in_the_others_words() -> None:
    ours = alert("here", Severity.OK, key="disk:here:/", said="the disk is 60 per cent full")
    theirs = alert("prom", key="disk:here:/", said="the disk is filling up", foreign=True)
    (one,) = merge([ours, theirs])
    assert (one.alert.said, one.severity) == ("the disk is filling up", Severity.WARNING)


def test_silenced_at_one_is_silent_unless_another_sees_worse() -> None:
    (silent,) = merge([alert(), alert("bell", silenced=True)])
    assert silent.silenced
    (heard,) = merge([alert("here", Severity.CRITICAL), alert("bell", silenced=True)])
    assert not heard.silenced


alerts = st.builds(
    alert,
    source=st.sampled_from(["a", "b", "c"]),
    severity=st.sampled_from(list(Severity)),
    key=st.sampled_from(["rule:x", "rule:y", "disk:here:/", "disk:nas:/"]),
    labels=st.frozensets(st.tuples(st.sampled_from("ab"), st.sampled_from("12")), max_size=2),
    since=st.none() | st.floats(0, 1e9),
    silenced=st.booleans(),
    foreign=st.booleans(),
)


@settings(max_examples=50)
@given(st.lists(alerts, max_size=8))
def test_nothing_gets_lost_or_milder_and_the_order_is_worst_first(given_alerts: list[Alert]) -> None:
    merged = merge(given_alerts)
    ranks = [WORST_FIRST.index(one.severity) for one in merged]
    assert ranks == sorted(ranks)
    assert {one.alert.key for one in merged} == {alert.key for alert in given_alerts}
    for alert in given_alerts:
        best = min(WORST_FIRST.index(one.severity) for one in merged if one.alert.key == alert.key)
        assert best <= WORST_FIRST.index(alert.severity)
    assert sum(len(one.sources) for one in merged) <= len(given_alerts)


@settings(max_examples=50)
@given(st.lists(alerts, max_size=5))
def test_an_alert_of_a_disk_told_by_all_is_one(given_alerts: list[Alert]) -> None:
    disks = [alert for alert in given_alerts if alert.origin == "disk"]
    assert len(merge(disks)) == len({alert.key for alert in disks})

"""What Prometheus says of its targets: ``up`` of what it scrapes, ``probe_success`` of what a blackbox exporter asks.

Pure. Source of the shapes: Prometheus' HTTP API, "Querying API".
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.services.port import Observation, WatcherError
from tools.services.shapes import figure, part, rows, run_of_looks, text

Labels = frozenset[tuple[str, str]]
Samples = list[tuple[float, float]]

NAMED_BY = ("service", "name", "app", "app_kubernetes_io_name", "container")
"""Labels that people give a target its name by; the job and the instance come after them."""


@dataclass(frozen=True, slots=True)
class Series:
    """One time series: oldest sample first."""

    metric: str
    labels: Mapping[str, str]
    samples: Samples = field(default_factory=list)

    @property
    def key(self) -> Labels:
        """The same for all series of one target."""
        return frozenset(self.labels.items())


def read_series(answer: Any) -> list[Series]:
    """Of an answer to a query, a vector or a matrix. Raises WatcherError."""
    if part(answer, "status") != "success":
        raise WatcherError("its answer is not in the form that I know")
    found = []
    for row in rows(part(answer, "data", "result")):
        labels = {key: text(value) for key, value in (row.get("metric") or {}).items()} if _has_metric(row) else {}
        pairs = row["values"] if isinstance(row.get("values"), list) else [row.get("value")]
        samples = []
        for pair in pairs:
            if isinstance(pair, list) and len(pair) == 2:
                at, value = figure(pair[0]), figure(pair[1])
                if at is not None and value is not None:
                    samples.append((at, value))
        if samples:
            found.append(Series(labels.pop("__name__", ""), labels, samples))
    return found


def _has_metric(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("metric"), Mapping)


def still_down(history: list[Series], now: list[Series]) -> bool:
    """Whether something is down and was so in the whole window."""
    current = {(one.metric, one.key) for one in now if one.metric in ("up", "probe_success")}
    return any(
        (one.metric, one.key) in current and not any(value for _, value in one.samples)
        for one in history
        if one.metric in ("up", "probe_success")
    )


def read_targets(
    now: list[Series], history: list[Series], probers: set[str], downs: list[Series], step_s: float
) -> list[Observation]:
    """What is there now, when it was really looked at, and since when it is so.

    ``history``: the samples of the window; ``probers``: jobs that a blackbox exporter works for, whose ``up`` is the
    exporter's own; ``downs``: of a longer time, a sample every ``step_s`` seconds where it was down.
    """
    past = {(one.metric, one.key): one.samples for one in history}
    outages = {(one.metric, one.key): one.samples for one in downs}
    statuses = {one.key: int(one.samples[-1][1]) for one in now if one.metric == "probe_http_status_code"}
    probed = {one.key for one in now if one.metric == "probe_success"}
    sizes = Counter(one.labels.get("job", "") for one in now if one.metric == "up")
    grouped: dict[str, list[Observation]] = defaultdict(list)
    for one in now:
        is_probe = one.metric == "probe_success"
        if not is_probe and (one.metric != "up" or one.key in probed):
            continue
        samples = past.get((one.metric, one.key), one.samples)
        lost = not is_probe and one.labels.get("job", "") in probers
        if lost and one.samples[-1][1]:
            continue  # its prober is up, and has nothing to say of it any more
        grouped[one.metric].append(
            _target(one, samples, outages.get((one.metric, one.key), []), step_s, sizes, statuses.get(one.key), lost)
        )
    return [seen for several in grouped.values() for seen in several]


def _target(
    one: Series, samples: Samples, outage: Samples, step_s: float, sizes: Counter[str], status: int | None, lost: bool
) -> Observation:
    job, instance = one.labels.get("job", ""), one.labels.get("instance", "")
    names = [one.labels[label] for label in NAMED_BY if one.labels.get(label)]
    if job and sizes[job] == 1:  # one of several is not the job
        names.append(job)
    names.append(instance)
    at, value = samples[-1]
    up = None if lost else bool(value)
    since, changes = run_of_looks([(at, bool(value)) for at, value in samples], samples[0][0])
    if since is None and up is False:
        since = _outage_began(outage, step_s) or samples[0][0]
    is_probe = one.metric == "probe_success"
    return Observation(
        service=names[0] or instance,
        also=tuple(names[1:]),
        up=up,
        at=at,
        since=since if up is not None else None,
        changes=changes,
        reason="its prober does not answer" if lost else _reason(is_probe, up, status),
        address=instance,
        hold="pending" if lost else None,
        beside=not is_probe,
    )


def _reason(is_probe: bool, up: bool | None, status: int | None) -> str:
    if is_probe:
        if up is not False:
            return ""
        return f"it answers with HTTP status {status}" if status and status >= 400 else "it does not answer"
    return "its metrics can be read" if up else "its metrics cannot be read"


def _outage_began(outage: Samples, step_s: float) -> float | None:
    """The start of the last run without a gap."""
    began = None
    for (before, _), (at, _) in zip(reversed(outage[:-1]), reversed(outage[1:]), strict=True):
        if at - before > 1.5 * step_s:
            return at
        began = before
    return began if began is not None else (outage[-1][0] if outage else None)

"""``/metrics``: everything that is counted, in Prometheus's text format. ``docs/observability.md`` lists it.

A collector over counts of our own: nothing is registered for the whole process, and what costs more than a look at a
number (the database, the size of the folder) is asked at most every ``SLOW_EVERY_S`` and never twice at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from assistant.errors import JarvisError
from assistant.observing.house import HasBreakers, Watched
from assistant.observing.labels import OTHER
from assistant.observing.turn_counts import TurnCounts

log = logging.getLogger(__name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

SLOW_EVERY_S = 30.0
"""What is looked up in the database or on the disk is as old as that at most."""

BREAKER_STATES = ("closed", "half-open", "open")
VERDICTS = ("ok", "unverified", "stale", "unknown", "failed")
STATE_PARTS = ("database", "traces", "outbox", OTHER)

MOST_CLASSES = 100
"""Classes of data that are labels, in the order of the configuration; the jobs of more are counted together."""


@dataclass
class _Slow:
    """What was looked up last; ``failed``: parts of it that could not be."""

    at: float = float("-inf")
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    state_bytes: Mapping[str, int] = field(default_factory=dict)
    overdue_s: float | None = None
    failed: frozenset[str] = frozenset()


class Metrics:
    """Over one app. ``counts`` is fed by whoever is told of turns; ``page`` is what a scrape gets."""

    def __init__(
        self, app: Watched, counts: TurnCounts, version: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.counts = counts
        self._app = app
        self._version = version
        self._clock = clock
        self._started = time.time()
        self._slow = _Slow()
        self._looking = asyncio.Lock()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Families(self._families))

    async def page(self) -> bytes:
        """All of it. Raises nothing: what cannot be read is left out, and counted as such."""
        async with self._looking:
            if self._clock() - self._slow.at >= SLOW_EVERY_S:
                self._slow = await self._look()
        return generate_latest(self._registry)

    async def _look(self) -> _Slow:
        found, failed = _Slow(self._clock()), set()
        try:
            found.verdicts = _by_class(await self._app.backup_verdicts())
            found.overdue_s = await self._app.overdue_s()
        except JarvisError as error:
            log.warning("the database cannot be read for metrics: %s", error.code)
            failed.add("database")
        try:
            found.state_bytes = await asyncio.to_thread(state_bytes, self._app.state_path)
        except OSError as error:
            log.warning("the state folder cannot be measured: %s", error.strerror)
            failed.add("state_folder")
        found.failed = frozenset(failed)
        return found

    def _families(self) -> Iterator[Metric]:
        yield from self._of_this_process()
        yield from self._of_turns()
        yield from self._of_the_model()
        yield from self._of_parts()
        yield from self._of_heartbeats()

    def _of_this_process(self) -> Iterator[Metric]:
        labels = {"version": self._version, "python": platform.python_version()}
        yield _gauge("jarvis_build_info", "What runs; always 1.", tuple(labels), [(tuple(labels.values()), 1)])
        yield _gauge("jarvis_start_time_seconds", "When it was started (Unix time).", (), [((), self._started)])
        yield _gauge("jarvis_turns_running", "Turns under way.", (), [((), self._app.running_turns)])
        help_ = "Turns that wait for another one of their conversation."
        yield _gauge("jarvis_turns_waiting", help_, (), [((), self._app.waiting_turns)])
        recording = [((), float(self._app.recording))]
        yield _gauge("jarvis_debug_recording", "1 while sound and words of turns are kept.", (), recording)
        refused = sum(self._app.refused_connections().values())
        yield _counter("jarvis_egress_refusals", "Connections out of the house that were refused.", (), {(): refused})

    def _of_turns(self) -> Iterator[Metric]:
        counts = self.counts
        labels = ("door", "matched", "outcome")
        yield _counter("jarvis_turns", "Turns that are over.", labels, counts.turns)
        yield _counter("jarvis_turn_failures", "Turns that failed.", ("stage", "code"), counts.failures)
        stages = HistogramMetricFamily("jarvis_stage_seconds", "Time of a stage of a turn.", labels=("stage",))
        for values, buckets, total in counts.stages.series():
            stages.add_metric(values, buckets, total)
        yield stages
        yield _counter("jarvis_wake_detections", "Wake words that were heard.", ("word",), counts.wake_detections)
        help_ = "Wake words after which nothing was said to us, and clips without the one they should have."
        yield _counter("jarvis_wake_misses", help_, ("reason",), counts.wake_misses)
        labels = ("tool", "level", "result")
        yield _counter("jarvis_tool_results", "Answers of tools in turns.", labels, counts.tool_results)

    def _of_the_model(self) -> Iterator[Metric]:
        spent = self._app.spent
        yield _counter("jarvis_model_answers", "Answers of the language model in turns.", (), {(): spent.answers})
        tokens: dict[tuple[str, ...], float] = {
            ("read",): spent.read,
            ("written",): spent.written,
            ("cached",): spent.cached,
        }
        help_ = "Tokens as the model's server told; cached ones are among those read."
        yield _counter("jarvis_model_tokens", help_, ("kind",), tokens)
        help_ = "Answers that another model gave, or none, because the one that should failed."
        yield _counter("jarvis_model_fallbacks", help_, ("code",), self.counts.fallbacks)

    def _of_parts(self) -> Iterator[Metric]:
        breakers = self._app.breakers() if isinstance(self._app, HasBreakers) else ()
        states = [((one.name, state), float(one.state == state)) for one in breakers for state in BREAKER_STATES]
        yield _gauge("jarvis_breaker_state", "1 for the state that a breaker is in.", ("name", "state"), states)
        opened: dict[tuple[str, ...], float] = {(one.name,): one.opened for one in breakers}
        yield _counter("jarvis_breaker_openings", "How often a breaker opened.", ("name",), opened)
        slow = self._slow
        verdicts = [
            ((name, verdict), slow.verdicts[name, verdict])
            for name in dict.fromkeys(name for name, _ in slow.verdicts)
            for verdict in VERDICTS
        ]
        help_ = "Backup jobs of a class of data with that verdict."
        yield _gauge("jarvis_backups", help_, ("data_class", "verdict"), verdicts)
        sizes = [((part,), size) for part, size in slow.state_bytes.items()]
        yield _gauge("jarvis_state_bytes", "Size of the state folder.", ("part",), sizes)
        if slow.overdue_s is not None:
            help_ = "How late the most overdue of all that is scheduled is."
            yield _gauge("jarvis_schedule_overdue_seconds", help_, (), [((), slow.overdue_s)])
        failed = [((part,), float(part in slow.failed)) for part in ("database", "state_folder")]
        yield _gauge("jarvis_unreadable", "1 where these numbers could not be read.", ("part",), failed)

    def _of_heartbeats(self) -> Iterator[Metric]:
        beats = self._app.heartbeats
        ages = [((one.name,), one.age_s) for one in beats if one.age_s is not None]
        yield _gauge("jarvis_heartbeat_age_seconds", "Since the last one that arrived.", ("name",), ages)
        counted: dict[tuple[str, ...], float] = {}
        for one in beats:
            counted |= {(one.name, "sent"): one.sent, (one.name, "failed"): one.failed}
            counted[one.name, "withheld"] = one.withheld
        yield _counter("jarvis_heartbeats", "Signs of life.", ("name", "result"), counted)


class _Families(Collector):
    def __init__(self, families: Callable[[], Iterable[Metric]]) -> None:
        self._make = families

    def collect(self) -> Iterable[Metric]:
        return self._make()


def _gauge(
    name: str, help_: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help_, labels=labels)
    for of, value in values:
        family.add_metric(of, value)
    return family


def _counter(
    name: str, help_: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, help_, labels=labels)
    for of, value in sorted(values.items()):
        family.add_metric(of, value)
    return family


def _by_class(found: Iterable[tuple[str, str]]) -> Counter[tuple[str, str]]:
    counted: Counter[tuple[str, str]] = Counter()
    known: dict[str, None] = {}
    for name, verdict in found:
        if name in known or len(known) < MOST_CLASSES:
            known[name] = None
        counted[name if name in known else OTHER, verdict] += 1
    return counted


def state_bytes(folder: Path) -> Mapping[str, int]:
    """Bytes of the files below a folder, by part: the database, the traces, the tools' artifacts, the rest. Blocks.
    What goes away meanwhile is not counted. Raises OSError where the folder itself cannot be read."""
    sizes = dict.fromkeys(STATE_PARTS, 0)
    for at, _, files in os.walk(folder, onerror=_raise_for(folder)):
        for name in files:
            try:
                size = os.lstat(os.path.join(at, name)).st_size  # noqa: PTH118 - thousands of files
            except OSError:
                continue
            sizes[_part(Path(at).relative_to(folder), name)] += size
    return sizes


def _part(below: Path, name: str) -> str:
    if below.parts:
        return "outbox" if below.parts[0] == "outbox" else OTHER
    stem = name.split(".")[0]
    return {"jarvis": "database", "traces": "traces"}.get(stem, OTHER)


def _raise_for(folder: Path) -> Callable[[OSError], None]:
    def look(error: OSError) -> None:
        if error.filename == str(folder):
            raise error

    return look

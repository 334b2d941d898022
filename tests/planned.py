"""The calls of a matcher or narrower, planned over the demo homelab and judged, without a reply around them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from assistant.evaluation_sets import ExpectedTurn, homelab_settings, read_lines
from assistant.judging import NEEDS_CONFIRMATION, PROTECTED, Judgement, Planned, judge
from assistant.ports import DeviceName, Names, WantedCall
from assistant.resources import resource
from assistant.same_calls import Meaning, Order
from assistant.sentences import HassilMatcher, is_bare_answer
from tools.contract import Candidates, JsonObject, Level, PlannedCall
from tools.home.devices import Home
from tools.names import NameIndex
from tools.recording import RecordingHouse, evaluation_clock
from tools.settings import ToolSettings

EVAL = Path(__file__).parent / "eval"
HOMELAB = resource("assistant", "demo", "homelab.yaml")
SETS = ("dev.jsonl", "two_tools.jsonl", *(f"paraphrases{n}.jsonl" for n in ("", "_2", "_3", "_4")))


def names_of(settings: ToolSettings) -> Names:
    """As ``jarvis://names`` would have them."""
    index = NameIndex.from_settings(settings)
    by_kind = {kind: {name: tuple(other) for name, other in known.items()} for kind, known in index.as_json().items()}
    devices = (DeviceName(one.name, one.area, one.kind.value) for one in Home(settings, index).devices)
    return Names(by_kind, tuple(devices))


@cache
def homelab_names() -> Names:
    """Of the demo homelab."""
    return names_of(homelab_settings(HOMELAB))


@cache
def matcher() -> HassilMatcher:
    """Over the demo homelab, on the day of the evaluation. Immutable, so one for all tests."""
    return HassilMatcher(homelab_names(), clock=evaluation_clock)


@dataclass(frozen=True)
class Planner:
    """Plans calls as the server would for the owner who orders by voice, and judges them; nothing is done."""

    house: RecordingHouse

    def judged(self, turn: ExpectedTurn, calls: Sequence[WantedCall]) -> Judgement:
        meaning = Meaning(self._canonical, self._devices, self._order)
        return judge(turn, [self.planned(call) for call in calls], meaning)

    def planned(self, call: WantedCall) -> Planned:
        found = self.house.path.plan(call.tool, call.arguments)
        if not isinstance(found, PlannedCall):
            return Planned(call.tool, call.arguments, None, found.error)
        if found.protected and found.level is not Level.READ:
            return Planned(found.tool, found.arguments, None, PROTECTED)
        wants_yes = found.level is Level.DESTRUCTIVE
        return Planned(found.tool, found.arguments, found.level, NEEDS_CONFIRMATION if wants_yes else None)

    def _canonical(self, tool: str, arguments: JsonObject) -> JsonObject | None:
        found = self.house.path.plan(tool, arguments)
        return found.arguments if isinstance(found, PlannedCall) else None

    def _devices(self, arguments: JsonObject) -> frozenset[Hashable]:
        found = self.house.home.find(str(arguments.get("target", "")), arguments.get("area"), one=False)
        return frozenset() if isinstance(found, Candidates) else frozenset(found.devices)

    def _order(self, words: str) -> Order | None:
        call = self.house.read_order(words)
        arguments = self._canonical(*call) if call is not None else None
        return (call[0], arguments) if call is not None and arguments is not None else None


@contextmanager
def planner() -> Iterator[Planner]:
    """Over the demo homelab; scheduled orders are read with its templates."""
    settings = homelab_settings(HOMELAB)
    with TemporaryDirectory() as folder, RecordingHouse(settings, Path(folder)) as house:
        house.read_order = matcher().order
        yield Planner(house)


@dataclass(frozen=True)
class Asked:
    """One turn of a set, with the call that the turns before it should have left to refer to."""

    id: str
    text: str
    turn: ExpectedTurn
    last: WantedCall | None
    alone: bool


def asked(name: str) -> Iterator[Asked]:
    """The turns of a set but for the bare answers, which mean nothing without the question before."""
    for line in read_lines(EVAL / name):
        last: WantedCall | None = None
        for turn_id, turn in line.each():
            if turn.text is not None and not is_bare_answer(turn.text):
                yield Asked(turn_id, turn.text, turn, last, alone=not line.turns)
            for call in turn.acceptable[0]:
                last = WantedCall(call.tool, call.arguments)

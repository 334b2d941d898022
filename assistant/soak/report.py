"""What a soak found, as one object (``jarvis soak --json``)."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Verdict = Literal["met", "missed", "not judged"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Failure(_Frozen):
    """A turn that did not end as it has to, or a difference between what was agreed to and what was done."""

    turn: int = Field(description="How many had been asked before it.")
    kind: str = Field(description="What was asked.")
    detail: str = Field(description="What was expected, and what came.")


class Round(_Frozen):
    """The turns of one deck, 200, and what the server held after them, with nobody there."""

    turns: int = Field(description="Turns so far.")
    seconds: float = Field(description="Since the first turn.")
    pss_mb: float = Field(description="Memory of the server and its children, shared pages by share.")
    rss_mb: float = Field(description="Resident memory of the server alone.")
    handles: int = Field(description="Open files, sockets and pipes.")
    sockets: int = Field(description="Of these, sockets.")
    threads: int = Field(description="Threads of the server and its children.")
    children: int = Field(description="Processes below the server.")
    state_mb: float = Field(description="The state folder on the disk.")
    cpu_ms: float = Field(description="Processor time of the server for a turn, in the mean of these turns.")
    yardstick_ms: float = Field(
        default=1.0, description="Processor time of a fixed piece of work, the median of these turns."
    )
    waited_ms: float = Field(description="Time for a turn in which threads were ready and had no processor.")
    others: float = Field(description="Share of the machine's processors that other programs used.")
    p50_ms: float = Field(description="Median time of a turn.")
    p95_ms: float = Field(description="95th percentile of the time of a turn.")
    relative_p95: float = Field(default=1.0, description="The same, each turn's time over the median of its kind.")


class DoorRow(_Frozen):
    """The turns of a door after the warm-up."""

    door: str
    turns: int = Field(description="How many.")
    failures: int = Field(description="How many of all its turns failed.")
    p50_ms: float = Field(description="Median time.")
    first_p95_ms: float = Field(description="95th percentile in the first tenth.")
    last_p95_ms: float = Field(description="95th percentile in the last tenth.")
    ratio: float = Field(description="Last over first, each turn's time over the median of its kind.")


class Measure(_Frozen):
    """One line of the verdict."""

    name: str
    value: str = Field(description="What came of it.")
    limit: str = Field(description="What it has to be.")
    verdict: Verdict
    why: str = Field(default="", description="Why it was not judged, or by which figure.")


class SoakReport(_Frozen):
    """The whole."""

    version: str = Field(description="Of Jarvis.")
    wanted: int = Field(description="Turns that were wanted.")
    turns: int = Field(description="Turns that were had.")
    warm_up: int = Field(description="Turns that were had before memory and times count.")
    seconds: float = Field(description="From the first turn to the last.")
    seed: int = Field(description="Of the order of the turns.")
    cores: int = Field(description="Processors of the machine.")
    kinds: dict[str, int] = Field(description="How many turns there were of each kind.")
    acts: int = Field(description="Acts that the world counted.")
    failures: tuple[Failure, ...] = Field(description="The first hundred.")
    failed: int = Field(description="How many there were.")
    doors: tuple[DoorRow, ...]
    rounds: tuple[Round, ...] = Field(description="In order.")
    measures: tuple[Measure, ...]

    @property
    def passed(self) -> bool:
        """Whether no measure was missed, and at least failures were judged."""
        return all(measure.verdict != "missed" for measure in self.measures)

"""What the checks said → the facts of a digest: at most five of their own sentences, the worst first. Pure."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.contract import CallOutcome, Finding, Severity, ToolResult
from tools.wording import listing

CHECKS: Mapping[str, str] = {
    "check_alerts": "alerts",
    "check_services": "services",
    "check_backups": "backups",
    "check_vms": "virtual machines",
}
"""The tools that are asked, and what they look at."""

_LISTS = {"check_services": "services", "check_backups": "jobs"}
"""Where a tool that is always there has what it looked at: an empty list is nothing that was set up."""

MOST_SENTENCES = 5
MOST_FINDINGS = 200
"""Kept of all that was found; the sentences come from the tools, which count what is left out."""

_RANK = {Severity.OK: 0, Severity.NOTICE: 1, Severity.UNKNOWN: 2, Severity.WARNING: 3, Severity.CRITICAL: 4}
"""What cannot be told is worse than a notice, and not as bad as what is known to be wrong."""

NO_ALERTS = "There are no alerts."

_END = re.compile(r"(?<=[.!?])\s+(?=[\"“'(]?[A-Z0-9])")


class DigestFinding(BaseModel):
    """One finding, and what looked for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: str
    severity: Severity
    subject: str
    message: str
    since: str | None = None


class Digest(BaseModel):
    """The summary. ``sentences``: what is said; ``facts``: the tools' own, the same where no model phrased them;
    ``by``: whose words are said, ``reason``: why not the model's; ``checked``, ``not_set_up``, ``failed``: what was
    looked at, what is not configured, what could not be looked at; ``at``: local time, ISO 8601."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: str
    severity: Severity
    sentences: tuple[str, ...]
    facts: tuple[str, ...]
    by: Literal["facts", "model"] = "facts"
    reason: str = ""
    findings: tuple[DigestFinding, ...] = ()
    counts: dict[Severity, int]
    checked: tuple[str, ...] = ()
    not_set_up: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All of it, to be said."""
        return " ".join(self.sentences)


@dataclass(frozen=True, slots=True)
class Worded:
    """A model's words for some facts; None and the reason where they are not to be said."""

    text: str | None
    reason: str = ""


Phrase = Callable[[Sequence[ToolResult]], Awaitable[Worded]]
"""Puts results into fewer words, and vouches that nothing in these is unsupported. Raises nothing."""


@dataclass(frozen=True, slots=True)
class Part:
    """One check's share: ``sentences`` are those of its own that are said."""

    check: str
    severity: Severity
    sentences: tuple[str, ...]
    result: ToolResult | None
    """None where it failed: then there is nothing that a model could be given."""

    @property
    def may_be_phrased(self) -> bool:
        """What somebody outside may have written is said as the tool says it."""
        return self.result is not None and not self.result.tainted


def parts_of(outcomes: Sequence[CallOutcome]) -> list[Part]:
    """The checks that have something to say, the worst first, with no more than five sentences together: the first of
    each, then the following ones of the worst."""
    parts = [part for outcome in outcomes if (part := _part(outcome)) is not None]
    parts.sort(key=lambda part: -_RANK[part.severity])
    own = _each_once([part.sentences for part in parts])
    takes = [0] * len(parts)
    left = MOST_SENTENCES
    for wanted in (1, MOST_SENTENCES):
        for at, sentences in enumerate(own):
            more = min(max(min(wanted, len(sentences)) - takes[at], 0), left)
            takes[at] += more
            left -= more
    return [
        Part(part.check, part.severity, tuple(sentences[:take]), part.result)
        for part, sentences, take in zip(parts, own, takes, strict=True)
        if take
    ]


def _each_once(texts: Sequence[Sequence[str]]) -> list[list[str]]:
    """Without what was said before: a service that is down may be an alert as well."""
    seen: set[str] = set()
    kept = []
    for sentences in texts:
        kept.append([sentence for sentence in sentences if sentence not in seen])
        seen.update(sentences)
    return kept


def _part(outcome: CallOutcome) -> Part | None:
    if _is_not_set_up(outcome):
        return None
    if not outcome.ok or outcome.result is None:
        looked_at = CHECKS.get(outcome.tool, outcome.tool)
        return Part(outcome.tool, Severity.UNKNOWN, (f"I couldn't check the {looked_at}.",), None)
    found = [finding.severity for finding in outcome.result.findings]
    worst = max(found, key=_RANK.__getitem__, default=Severity.OK)
    sentences = sentences_of(outcome.spoken)
    if outcome.tool == "check_alerts":
        sentences = _beside_others(sentences, worst)
    return Part(outcome.tool, worst, tuple(sentences), outcome.result)


def _is_not_set_up(outcome: CallOutcome) -> bool:
    if outcome.error == "unavailable":
        return True
    if outcome.result is None or outcome.result.findings:
        return False
    key = _LISTS.get(outcome.tool)
    return key is not None and outcome.result.data.get(key) == []


def _beside_others(sentences: list[str], worst: Severity) -> list[str]:
    """ "Nothing looks wrong." is said of alerts alone, and would be false behind a service that is down."""
    if not sentences or not sentences[0].startswith("Nothing ") or worst not in (Severity.OK, Severity.UNKNOWN):
        return sentences
    return [NO_ALERTS, *sentences[1:]] if worst is Severity.OK else sentences[1:] or sentences


def sentences_of(text: str) -> list[str]:
    """A tool's own text in sentences; each on one line."""
    return [" ".join(part.split()) for part in _END.split(text.strip()) if part.strip()]


def digest_of(outcomes: Sequence[CallOutcome], at: str) -> Digest:
    """The facts alone. ``at``: local time, ISO 8601."""
    every = [part for outcome in outcomes if (part := _part(outcome)) is not None]
    parts = parts_of(outcomes)
    not_set_up = [CHECKS.get(o.tool, o.tool) for o in outcomes if _is_not_set_up(o)]
    failed = [CHECKS.get(o.tool, o.tool) for o in outcomes if not o.ok and o.error != "unavailable"]
    facts = tuple(sentence for part in parts for sentence in part.sentences)
    findings = _findings(outcomes)
    return Digest(
        at=at,
        severity=max((part.severity for part in every), key=_RANK.__getitem__, default=Severity.OK),
        sentences=facts or (_nothing(not_set_up),),
        facts=facts or (_nothing(not_set_up),),
        findings=tuple(findings[:MOST_FINDINGS]),
        counts={severity: sum(one.severity is severity for one in findings) for severity in Severity},
        checked=tuple(CHECKS.get(o.tool, o.tool) for o in outcomes if o.ok and not _is_not_set_up(o)),
        not_set_up=tuple(not_set_up),
        failed=tuple(failed),
    )


def _findings(outcomes: Sequence[CallOutcome]) -> list[DigestFinding]:
    """The worst first."""
    found = [
        _shown(CHECKS.get(outcome.tool, outcome.tool), one)
        for outcome in outcomes
        if outcome.result is not None
        for one in outcome.result.findings
    ]
    return sorted(found, key=lambda one: -_RANK[one.severity])


def _shown(check: str, one: Finding) -> DigestFinding:
    return DigestFinding(check=check, severity=one.severity, subject=one.subject, message=one.message, since=one.since)


def _nothing(not_set_up: Sequence[str]) -> str:
    if not not_set_up:
        return "There is nothing to tell."
    return f"There is nothing to tell: no {listing(not_set_up, 'and no')} are set up."


async def phrased(digest: Digest, outcomes: Sequence[CallOutcome], phrase: Phrase) -> Digest:
    """In the model's words where it has any that hold; what is tainted, and what failed, as it is. Raises nothing that
    ``phrase`` does not."""
    parts = parts_of(outcomes)
    given = [part for part in parts if part.may_be_phrased]
    if sum(len(part.sentences) for part in given) < 2:
        return digest.model_copy(update={"reason": "there is nothing to put into fewer words"})
    results = [
        part.result.model_copy(update={"spoken": " ".join(part.sentences)}) for part in given if part.result is not None
    ]
    worded = await phrase(results)
    if worded.text is None:
        return digest.model_copy(update={"reason": worded.reason})
    own = sentences_of(worded.text)
    before = [s for part in parts[: parts.index(given[0])] for s in part.sentences]
    after = [s for part in parts[parts.index(given[0]) :] if not part.may_be_phrased for s in part.sentences]
    said = (*before, *own, *after)
    if len(said) > MOST_SENTENCES:
        return digest.model_copy(update={"reason": f"it has more than {MOST_SENTENCES} sentences"})
    return digest.model_copy(update={"sentences": said, "by": "model", "reason": ""})

"""Digests over seeded results: outcomes of the four checks as the tools' own sayings make them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.seeded_results import SeededTurn
from tools.contract import CallOutcome, ToolResult
from tools.digest.facts import Digest, Phrase, digest_of, phrased

AT = "2026-05-13T07:30:00+02:00"
_CHECK_OF = {"services": "check_services", "jobs": "check_backups", "vms": "check_vms"}


def outcomes_of(turn: SeededTurn) -> list[CallOutcome]:
    """What the checks would have answered; of the home no digest tells, and anything else counts as alerts."""
    kept = [result for result in turn.results if "devices" not in result.data and "lights" not in result.data]
    return [CallOutcome(ok=True, spoken=r.spoken, tool=_check(r), result=r) for r in kept]


def _check(result: ToolResult) -> str:
    return next((tool for key, tool in _CHECK_OF.items() if key in result.data), "check_alerts")


async def digest_from(outcomes: Sequence[CallOutcome], phrase: Phrase) -> Digest:
    """Facts, then the model's words."""
    return await phrased(digest_of(outcomes, AT), outcomes, phrase)

"""What is said after an action: what is true now, never what was hoped for. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tools.contract import ToolResult
from tools.home.deeds import Deed
from tools.home.devices import ALL, Target
from tools.home.kinds import DeviceKind
from tools.home.sayings import Clause, is_plural
from tools.home.telling import Seen, all_of, noun, place, result, seen, several_told, subject
from tools.wording import listing, number, sentence

MOST_NAMED = 4


def outcome(target: Target, deeds: Sequence[Deed]) -> ToolResult:
    """What is true after the orders."""
    rows = [_row(deed) for deed in deeds]
    lost = next((deed.lost for deed in deeds if deed.lost), "")
    if lost:
        return result(f"I sent it, but {lost}, so I can't tell what became of it.", target, rows)
    good = [row for row, deed in zip(rows, deeds, strict=True) if deed.done or deed.begun]
    bad = [deed for deed in deeds if not (deed.done or deed.begun)]
    if not bad:
        return result(_all_done(target, rows), target, rows)
    parts = [_some_done(target, good, len(deeds))] if good else []
    parts += _why_not(bad)
    return result(sentence("; ".join(parts)), target, rows)


def nothing_sent(target: Target, deeds: Sequence[Deed]) -> str | None:
    """The sentence to say where nothing can be sent at all; None where something can."""
    if any(deed.order is not None for deed in deeds):
        return None
    return sentence("; ".join(_why_not(deeds)))


def refused_altogether(deeds: Sequence[Deed]) -> str | None:
    """The sentence to say where every order was refused; None where one was not."""
    reasons = list(dict.fromkeys(deed.refused.reason for deed in deeds if deed.refused is not None))
    if not reasons or any(deed.order is not None and deed.refused is None for deed in deeds):
        return None
    return sentence(f"that was not done: {reasons[0]}")


_DONE = {
    DeviceKind.SCENE: Clause("has", "been switched on"),
    DeviceKind.BUTTON: Clause("has", "been pressed"),
}


def _row(deed: Deed) -> Seen:
    row = seen(deed.device, deed.after, detailed=deed.order is not None and deed.order.detailed)
    if deed.done and (said := _DONE.get(deed.device.kind)) is not None:
        return Seen(row.device, row.state, said)
    if deed.done and deed.device.kind is DeviceKind.SCRIPT and deed.order and deed.order.service == "turn_on":
        running = deed.after is not None and deed.after.state == "on"
        return Seen(row.device, row.state, Clause("is", "running") if running else Clause("has", "run"))
    return row


def _all_done(target: Target, rows: Sequence[Seen]) -> str:
    if len(rows) == 1:
        row = rows[0]
        return sentence(f"{subject(row.device)} {row.clause.after(plural=is_plural(row.device.name))}")
    if len({row.clause.after(plural=True) for row in rows}) == 1:
        if target.name == ALL:
            return sentence(f"everything{place(target) or ' in the house'} {rows[0].clause.after(plural=False)}")
        return sentence(f"{all_of(target, len(rows))} {rows[0].clause.after(plural=True)}")
    return several_told(target, rows)


def _some_done(target: Target, good: Sequence[Seen], count: int) -> str:
    if len({row.clause.after(plural=True) for row in good}) > 1:
        return several_told(target, good).rstrip(".")
    verb = good[0].clause.after(plural=len(good) > 1)
    what = noun(target) if len({row.device.kind for row in good}) == 1 or target.name == ALL else "things"
    return f"{number(len(good))} of {number(count)} {what}{place(target)} {verb}"


def _why_not(deeds: Sequence[Deed]) -> list[str]:
    """Those with the same reason together."""
    reasons: dict[str, list[Deed]] = {}
    for deed in deeds:
        reasons.setdefault(_reason(deed), []).append(deed)
    parts = []
    for reason, same in reasons.items():
        names = [subject(deed.device) for deed in same[:MOST_NAMED]]
        if len(same) > MOST_NAMED:
            names.append(f"{number(len(same) - MOST_NAMED)} more")
        parts.append(f"{listing(names)} {reason}")
    return parts


def _reason(deed: Deed) -> str:
    plural = is_plural(deed.device.name)
    if deed.cannot:
        return deed.cannot if not (plural and deed.cannot.startswith("is ")) else "are " + deed.cannot[3:]
    if deed.refused is not None:
        return f"{'were' if plural else 'was'} not changed: {deed.refused.reason}"
    row = seen(deed.device, deed.after)
    if row.clause.dead:
        return f"{'don' if plural else 'doesn'}'t answer"
    said = row.clause.after(plural=plural)
    verb, _, rest = said.partition(" ")
    return f"{verb} still {rest}"

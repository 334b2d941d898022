"""The evaluation as one page of HTML that needs nothing else: figures, the confusion picture, the failing lines. Pure.

The page is well-formed XML too, has no scripts, and its own policy forbids it to load anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape

from assistant.evaluation import Judged
from assistant.evaluation_figures import NOTHING, Report, confusion, figures
from assistant.judging import Planned, Verdict
from tools.contract import JsonObject

CELL = 34
"""Side of a cell of the picture, in pixels; the margins hold the names of the tools."""

LEFT, TOP, RIGHT = 150, 130, 80
FAINTEST, FULLEST = 0.18, 0.75
"""Opacity of a cell with the least in it, so that one lonely mistake is seen, and of the one with the most."""

STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --paper: #fff; --line: #d5dae2; --soft: #667085; --good: #1a7f4b;
  --bad: #c0362c; --row: #f5f7fa; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ef; --paper: #14181f; --line: #333b48; --soft: #98a2b3;
  --good: #4cc38a; --bad: #ff6b5e; --row: #1b212b; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
p.how { color: var(--soft); margin-top: .2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .3rem .7rem; border-bottom: 1px solid var(--line); }
th { font-weight: 600; } td.n, th.n { text-align: right; } tbody tr:nth-child(odd) { background: var(--row); }
.cards { display: flex; flex-wrap: wrap; gap: .8rem; padding: 0; list-style: none; }
.cards li { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem 1rem; min-width: 8rem; }
.cards b { display: block; font-size: 1.5rem; } .good { color: var(--good); } .bad { color: var(--bad); }
code { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
svg .good { fill: var(--good); } svg .bad { fill: var(--bad); } svg .grid { fill: none; stroke: var(--line); }
"""

POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def as_html(report: Report) -> str:
    """The whole page."""
    title = f"Jarvis: {', '.join(report.sets) or 'evaluation'}"
    body = [
        f"<h1>{_text(title)}</h1>",
        f'<p class="how">{_text(_conditions(report))}</p>',
        _cards(report),
        "<h2>By tag</h2>",
        _figure_table("tag", ((tag, figures(turns)) for tag, turns in report.by_tag().items())),
        "<h2>Who decided</h2>",
        _figure_table("decided by", ((who, figures(turns)) for who, turns in report.by_decider())),
    ]
    if len(report.seeds) > 1:
        repeats = ((f"seed {seed}", figures(turns)) for seed, turns in report.by_repeat())
        body += ["<h2>Repeats</h2>", _figure_table("repeat", repeats), _unstable(report)]
    body += ["<h2>Expected and planned</h2>", _picture(report), f"<h2>Not right: {len(report.wrong)}</h2>"]
    body.append(_failures(report))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>{_text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _text(value: object) -> str:
    """Escaped, and without characters that a page cannot hold."""
    return escape("".join(c if c.isprintable() else " " for c in str(value)))


def _conditions(report: Report) -> str:
    parts = [f"engine {report.engine}"]
    if report.model:
        parts.append(f"model {report.model}, temperature {report.temperature:g}, seeds {_listed(report.seeds)}")
    parts.append("Wednesday 2026-05-13 10:00, by voice, as the owner")
    if report.interrupted:
        parts.append(f"stopped after {len(report.judged)} of {report.planned_turns} turns")
    return " · ".join(parts)


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))


def _cards(report: Report) -> str:
    of_all = figures(report.judged)
    acted = of_all["acted"]
    cards = [
        ("turns", of_all["turns"], ""),
        ("right", _percent(of_all["right_share"]), "good" if not report.wrong else ""),
        ("acted when it must not", acted, "bad" if acted else "good"),
        ("by sentence match", _percent(of_all["sentence_share"]), ""),
        ("of those wrong", of_all["sentence_wrong"], "bad" if of_all["sentence_wrong"] else "good"),
        ("decision p50", _ms(of_all["decision_ms"]["p50"]), ""),
        ("decision p95", _ms(of_all["decision_ms"]["p95"]), ""),
        ("tokens in, out", f"{of_all['tokens']['in']}, {of_all['tokens']['out']}", ""),
    ]
    items = (f'<li><b class="{kind}">{_text(value)}</b>{_text(name)}</li>' for name, value, kind in cards)
    return f'<ul class="cards">{"".join(items)}</ul>'


def _figure_table(what: str, rows: Iterable[tuple[str, JsonObject]]) -> str:
    heads = ["turns", *map(str, Verdict), "by sentence", "p50", "p95", "tokens in", "tokens out"]
    head = f"<th>{_text(what)}</th>" + "".join(f'<th class="n">{_text(name)}</th>' for name in heads)
    lines = []
    for name, of_it in rows:
        cells = [
            of_it["turns"],
            *(of_it["verdicts"][str(verdict)] or "" for verdict in Verdict),
            _percent(of_it["sentence_share"]),
            _ms(of_it["decision_ms"]["p50"]),
            _ms(of_it["decision_ms"]["p95"]),
            of_it["tokens"]["in"],
            of_it["tokens"]["out"],
        ]
        numbers = "".join(f'<td class="n">{_text(cell)}</td>' for cell in cells)
        lines.append(f"<tr><th>{_text(name)}</th>{numbers}</tr>")
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(lines) or _none(len(heads) + 1)}'
        "</tbody></table></div>"
    )


def _none(columns: int) -> str:
    return f'<tr><td colspan="{columns}">none</td></tr>'


def _unstable(report: Report) -> str:
    wavering = report.unstable()
    if not wavering:
        return "<p>Every line ended the same way in every repeat.</p>"
    items = (
        f"<li>{_text(f'{turns[0].id} “{turns[0].text}”: right {sum(t.right for t in turns)} of {len(turns)}')}</li>"
        for turns in wavering
    )
    return f"<p>Not the same in every repeat:</p><ul>{''.join(items)}</ul>"


def _picture(report: Report) -> str:
    """Expected tool × planned tool as a heat map; what is off the diagonal is a mistake."""
    pairs = confusion(report.judged)
    names = [*sorted({name for pair in pairs for name in pair} - {NOTHING}), NOTHING]
    most = max(pairs.values(), default=1)
    width, height = LEFT + CELL * len(names) + RIGHT, TOP + CELL * len(names) + 10
    drawn = [f'<text x="{LEFT - 8}" y="{TOP - 8}" text-anchor="end">expected ↓ planned →</text>']
    for place, name in enumerate(names):
        middle = CELL * place + CELL // 2
        drawn.append(f'<text x="{LEFT - 8}" y="{TOP + middle + 4}" text-anchor="end">{_text(name)}</text>')
        across = f"translate({LEFT + middle + 4},{TOP - 10}) rotate(-45)"
        drawn.append(f'<text transform="{across}">{_text(name)}</text>')
    for row, wanted in enumerate(names):
        for column, planned in enumerate(names):
            x, y = LEFT + CELL * column, TOP + CELL * row
            if count := pairs[wanted, planned]:
                kind, depth = ("good" if wanted == planned else "bad"), FAINTEST + (FULLEST - FAINTEST) * count / most
                drawn.append(
                    f'<rect class="{kind}" x="{x}" y="{y}" width="{CELL}" height="{CELL}" fill-opacity="{depth:.2f}">'
                    f"<title>{_text(f'expected {wanted}, planned {planned}: {count}')}</title></rect>"
                    f'<text x="{x + CELL // 2}" y="{y + CELL // 2 + 4}" text-anchor="middle">{count}</text>'
                )
            drawn.append(f'<rect class="grid" x="{x}" y="{y}" width="{CELL}" height="{CELL}"/>')
    label = "How often which tool was planned where which was expected"
    return (
        f'<div class="wide"><svg role="img" aria-label="{label}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">{"".join(drawn)}</svg></div>'
    )


def _failures(report: Report) -> str:
    if not report.wrong:
        return "<p>None.</p>"
    worst_first = sorted(report.wrong, key=lambda turn: list(Verdict).index(turn.verdict), reverse=True)
    head = "".join(f"<th>{name}</th>" for name in ("line", "said", "verdict", "why", "planned", "decided by", "answer"))
    rows = "".join(_failure(turn, len(report.seeds) > 1) for turn in worst_first)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _failure(turn: Judged, repeated: bool) -> str:
    name = f"{turn.id} ({turn.repeat})" if repeated else turn.id
    planned = "<br/>".join(f"<code>{_text(said_as_call(call))}</code>" for call in turn.planned) or "nothing"
    kind = "bad" if turn.verdict is Verdict.ACTED else ""
    return (
        f'<tr><td>{_text(name)}</td><td>{_text(turn.text)}</td><td class="{kind}">{_text(turn.verdict)}</td>'
        f"<td>{_text(turn.judgement.why)}</td><td>{planned}</td><td>{_text(turn.decided_by)}</td>"
        f"<td>{_text(turn.note)}</td></tr>"
    )


def said_as_call(call: Planned) -> str:
    """``home_control(target="desk lamp", action="on")``, and what became of it when it was not done."""
    arguments = ", ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in call.arguments.items())
    return f"{call.tool}({arguments})" + (f" → {call.error}" if call.error else "")


def _percent(part: float | None) -> str:
    return "" if part is None else f"{100 * part:.1f} %"


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f} ms"

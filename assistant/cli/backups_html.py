"""The scorecard as one page: no script, nothing loaded, light and dark, for screen readers and printers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

from assistant.cli.backups_svg import age_plot, size_plot
from tools.backups.scorecard import NAMED, Failure, Score, say
from tools.wording import ago

if TYPE_CHECKING:
    from tools.backups.desk import History

_STYLE = """
:root { color-scheme: light dark; --ink: #1a1f26; --soft: #5b6672; --paper: #ffffff; --line: #d5dae0; --good: #17663a;
  --bad: #a3241c; --mark: #2463a8; --band: #f3f5f8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaee; --soft: #a7b1bc; --paper: #14181d; --line: #39424d;
  --good: #6fd39a; --bad: #ff9a90; --mark: #7fb4ee; --band: #1d232a; } }
* { box-sizing: border-box; }
body { margin: 2rem auto; max-width: 70rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; } h3 { font-size: 1rem; margin-bottom: .25rem; }
.scroll { overflow-x: auto; } .scroll:focus-visible { outline: 2px solid var(--mark); }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; color: var(--soft); padding: .5rem 0; }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; } .soft { color: var(--soft); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
figure { margin: .5rem 0 1.5rem; } figcaption { color: var(--soft); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 0 2rem; }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
svg .axis { stroke: var(--line); } svg .mark { stroke: var(--mark); fill: none; stroke-width: 2; }
svg .dot { fill: var(--mark); } svg .limit { stroke: var(--bad); stroke-dasharray: 5 4; }
@media print { body { margin: 0; max-width: none; } section { break-inside: avoid; } }
"""


def page(
    cards: Sequence[Score], histories: Sequence[History], records: Sequence[Mapping[str, Any]], spoken: str, now: float
) -> str:
    """The whole document. ``records``: those of ``check_backups``, in its order, and what it said; ``now``: Unix s."""
    made = datetime.fromtimestamp(now).astimezone()
    parts = (
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">""",
        f"<title>Backups: the scorecard</title><style>{_STYLE}</style></head><body><main>",
        "<h1>Backups: the scorecard</h1>",
        f'<p class="soft">Made on <time datetime="{made.isoformat(timespec="seconds")}">'
        f"{made.strftime('%d %B %Y, %H:%M').lstrip('0')}</time> by Jarvis.</p>",
        f"<p><strong>{escape(spoken)}</strong></p>",
        _verdicts(records, now),
        _figures(cards),
        _matrix(cards),
        _plots(histories, now),
        "</main></body></html>",
    )
    return "\n".join(parts) + "\n"


def _verdicts(records: Sequence[Mapping[str, Any]], now: float) -> str:
    rows = (
        [
            str(record.get("job")),
            str(record.get("kind") or ""),
            _coloured(str(record.get("verdict")), good=record.get("verdict") == "ok"),
            escape(_age(record.get("age_h"))),
            escape(_why(record)),
        ]
        for record in records
    )
    head = ("job", "kind", "verdict", "last backup", "why")
    return _section("Verdicts", "Every job, the worst first.", head, rows)


def _why(record: Mapping[str, Any]) -> str:
    detail, cause = str(record.get("detail") or "").strip(), str(record.get("cause") or "").replace("_", " ")
    return f"{cause}: {detail}" if detail and len(detail.split()) < 4 else detail or cause


def _age(hours: object) -> str:
    return ago(max(hours, 0.0) * 3600) if isinstance(hours, int | float) else "never"


def _figures(cards: Sequence[Score]) -> str:
    rows = (
        [card.data_class, *(_figure(value, met) for value, met in zip(card.figures, card.met, strict=True))]
        for card in cards
    )
    head = ("data", "copies (3)", "media (2)", "off-site (1)", "offline or immutable (1)", "not proven (0)")
    said = "".join(f"<li>{escape(say(card))}</li>" for card in cards)
    caption = "What there is, the original counted as one copy; in brackets what the rule wants."
    return _section("3-2-1-1-0", caption, head, rows, after=f"<ul>{said}</ul>")


def _figure(value: int, met: bool) -> str:
    mark = f'{value} <span aria-hidden="true">{"✓" if met else "✗"}</span>'
    return f'<span class="{_class(met)}">{mark}<span class="unseen"> ({"met" if met else "not met"})</span></span>'


def _matrix(cards: Sequence[Score]) -> str:
    rows = ([NAMED[failure], *(_survivors(card, failure) for card in cards)] for failure in Failure)
    keys = any(card.keys for card in cards)
    note = '<p class="soft">* only with its password: keep that in another building, too.</p>' if keys else ""
    head = ("after …", *(card.data_class for card in cards))
    return _section("What survives", "Which copies are left after which failure.", head, rows, after=note)


def _survivors(card: Score, failure: Failure) -> str:
    names = card.survivors[failure]
    if not names:
        return _coloured("nothing", good=False)
    return ", ".join(escape(name) + (" *" if name in card.keys else "") for name in names)


def _plots(histories: Sequence[History], now: float) -> str:
    figures = []
    for history in histories:
        name = f"{history.job} on {history.destination}" if history.destination else history.job
        sized = [(copy.at, copy.size) for copy in history.copies if copy.size is not None]
        aged = [copy.at for copy in history.copies]
        if not aged:
            figures.append(f"<h3>{escape(name)}</h3><p>No backup was ever seen there.</p>")
            continue
        plots = [
            _captioned(age_plot(aged, now, history.max_age_h, f"age of the newest {name} backup"), "Age over time")
        ]
        if sized:
            plots.append(_captioned(size_plot(sized, f"sizes of the {name} backups"), "Size over time"))
        figures.append(f'<h3>{escape(name)}</h3><div class="plots">{"".join(plots)}</div>')
    return f"<section><h2>Over time</h2>{''.join(figures)}</section>"


def _captioned(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def _section(title: str, caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], after: str = "") -> str:
    """A table whose first column names its rows. Its first cells are text, the others HTML."""
    heads = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
        for first, *cells in rows
    )
    table = f"<table><caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    scrolled = f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(title)}">{table}</div>'
    return f"<section><h2>{escape(title)}</h2>{scrolled}{after}</section>"


def _coloured(text: str, *, good: bool) -> str:
    """Never by colour alone."""
    return f'<span class="{_class(good)}">{escape(text)}</span>'


def _class(good: bool) -> str:
    return "good" if good else "bad"

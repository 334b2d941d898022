"""Numbers with units, money, signs, ranges, comparisons and versions → speech. Pure.

The figures themselves stay: espeak-ng reads 3.5 and 1,234 as a person would.
"""

from __future__ import annotations

import re

from assistant.text import words
from assistant.text.rules import NOT_INSIDE, NUMBER, Rule, one_of, rule

_UNITS = one_of(words.UNITS)
_GLUED = one_of(words.GLUED_UNITS)
_MONEY = one_of(words.CURRENCIES)
_SIGNS = one_of(sign for sign in words.CURRENCIES if not sign.isalpha())
_MULTIPLE = r"(?: ?(k|K|M|bn|million|billion)(?![A-Za-z]))?"
_ENDS = r"(?![\w°²³‰%])"


# ── versions ──────────────────────────────────────────────────────────────────────────────────────────────────────

_BUILD = r"((?:[-+~][0-9A-Za-z]+(?:[.-][0-9A-Za-z]+)*)?)"


@rule(
    "version",
    rf"(?<![\w.:,-])(?:({words.VERSION}|release) v?|v)?([0-9]+(?:\.[0-9]+){{1,5}}){_BUILD}(?!\w|,[0-9]|\.[0-9])",
    re.IGNORECASE,
)
def version(match: re.Match[str]) -> str:
    """espeak-ng reads 2.14.3 as "two point one four point three"."""
    noun, numbers, build = match.groups()
    marked = match.group()[0] in "vV" and noun is None
    if noun is None and not marked and numbers.count(".") == 1:
        return match.group()
    said = f" {words.POINT} ".join(numbers.split("."))
    tail = re.sub(r"(?<=[A-Za-z])(?=[0-9])", " ", re.sub(r"[^0-9A-Za-z]", " ", build))
    lead = f"{noun} " if noun else f"{words.VERSION} " if marked else ""
    return f"{lead}{said}{tail}"


@rule("v1", r"(?<![\w.-])[vV]([0-9]{1,4})(?![\w.-])")
def short_version(match: re.Match[str]) -> str:
    return f"{words.VERSION} {match.group(1)}"


# ── figures ───────────────────────────────────────────────────────────────────────────────────────────────────────


@rule("thousands", r"(?<![\w.,'’])[0-9]{1,3}(?:(['’\u202f\u2009\u00a0_])[0-9]{3})(?:\1[0-9]{3})*(?!\w|['’][0-9])")
def thousands(match: re.Match[str]) -> str:
    return re.sub(r"[^0-9]", ",", match.group())


@rule("decimal without a zero", r"(?<![\w.)])\.(?=[0-9])")
def bare_decimal(_: re.Match[str]) -> str:
    return "0."


@rule("comparison", rf"({one_of(words.COMPARISONS)}) ?(?=[-−+]?(?:{_SIGNS})?[0-9])")
def comparison(match: re.Match[str]) -> str:
    return f" {words.COMPARISONS[match.group(1)]} "


@rule("or more", rf"{NOT_INSIDE}([0-9]+)\+(?![\w+])")
def or_more(match: re.Match[str]) -> str:
    return f"{match.group(1)} or more"


@rule("minus", rf"(?<![\w.,)\]%°-])[-−](?=(?:{_SIGNS})?[0-9])|(?<=[(]) ?[-−](?=[0-9])")
def minus(_: re.Match[str]) -> str:
    return f"{words.MINUS} "


@rule("plus", rf"(?<![\w.,)\]%°+])\+(?=(?:{_SIGNS})?[0-9])")
def plus(_: re.Match[str]) -> str:
    return f"{words.PLUS} "


@rule(
    "range",
    rf"""(?<![\w.,:/–-]) ((?:{_SIGNS})?) ({NUMBER}) ([ ]?(?:{_UNITS}))?
         ([ ]?[-–—−][ ]?) (?= \1({NUMBER}) (?! [-–]?[0-9] | [:/.][0-9] ) )""",
    re.VERBOSE,
)
def number_range(match: re.Match[str]) -> str:
    """A hyphen is "to" only where the second figure is larger: 10-4 is left as it is, 5 - 3 is five minus three."""
    sign, first, unit, dash, second = match.groups()
    low, high = (float(figure.replace(",", "")) for figure in (first, second))
    hyphen, spaced = dash.strip() == "-", dash != dash.strip()
    led_by = match.string[max(0, match.start() - 8) : match.start()].casefold()
    to = words.AND if led_by == f"{words.BETWEEN} " else words.TO
    led = any(len(figure) > 1 and figure.startswith("0") and "." not in figure for figure in (first, second))
    if high > low and not (hyphen and led):
        return f"{sign}{first}{unit or ''} {to} "
    if spaced and dash.strip() in "-−" and unit is None and not led:
        return f"{sign}{first} {words.MINUS} "
    return match.group()


@rule("by", r"(?<![\w.,])([0-9]+) ?x ?(?=[0-9]+(?![\w.]))")
def by(match: re.Match[str]) -> str:
    return match.group() if match.group(1) == "0" else f"{match.group(1)} {words.BY} "


@rule("x of y", r"(?<![\w./,-])([0-9]{1,6})/([0-9]{1,6})(?![\w/,-]|\.[0-9])")
def of(match: re.Match[str]) -> str:
    first, second = match.groups()
    between = words.OF if int(first) <= int(second) else words.SLASH
    return f"{first} {between} {second}"


@rule("number", r"(?<![\w&])# ?(?=[0-9]+(?!\w))")
def hash_number(_: re.Match[str]) -> str:
    return f"{words.NUMBER} "


# ── money ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@rule("money", rf"(?<![\w.,])({_MONEY}) ?({NUMBER}|[0-9]+,[0-9]{{2}}){_MULTIPLE}(?![\w]|[.,][0-9])"
      rf"|{NOT_INSIDE}({NUMBER}|[0-9]+,[0-9]{{2}}){_MULTIPLE} ?({_MONEY})(?!\w)")  # fmt: skip
def money(match: re.Match[str]) -> str:
    sign, number, multiple = match.group(1, 2, 3) if match.group(1) else match.group(6, 4, 5)
    if re.fullmatch(r"[0-9]+,[0-9]{2}", number):
        number = number.replace(",", ".")
    large, small = words.CURRENCIES[sign]
    if multiple:
        return f"{number} {words.MULTIPLES.get(multiple, multiple)} {large.many}"
    whole, _, cents = number.partition(".")
    if small is None or len(cents) != 2:
        return f"{number} {large.one if number == '1' else large.many}"
    said = [f"{whole} {large.one if whole == '1' else large.many}"] if whole.strip("0,") or cents == "00" else []
    said += [f"{int(cents)} {small.one if int(cents) == 1 else small.many}"] if cents != "00" else []
    return f" {words.AND} ".join(said)


@rule("money from to", rf"(?<!\w)({_SIGNS})({NUMBER}) ?[-–—] ?(?:\1)?(?={NUMBER})")
def money_range(match: re.Match[str]) -> str:
    return f"{match.group(2)} {words.TO} {match.group(1)}"


# ── units ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_RATE = rf"(?:/({one_of(words.PER)}))?"
_TIGHT = r"(?:(?<=\w)\.(?=[ ][a-z]))?"
"""The stop of an abbreviated unit inside a sentence: "5 min. later"."""


@rule(
    "unit",
    rf"""(?<![\w.,]) ((?:[Aa]n?[ ])?) ({NUMBER}|[0-9]+,[0-9]{{1,2}})
         ([ -]?(?:{_UNITS})|(?:{_GLUED})) {_RATE} {_ENDS} (?!-?/) {_TIGHT}""",
    re.VERBOSE,
)
def unit(match: re.Match[str]) -> str:
    article, number, symbol, rate = match.groups()
    if "," in number and not re.fullmatch(NUMBER, number):
        number = number.replace(",", ".")
    name = symbol.lstrip(" -")
    if name == "k" and number in ("4", "8"):
        return match.group()
    noun = words.UNITS.get(name) or words.GLUED_UNITS[name]
    beside = bool(re.match(r" [a-z]", match.string[match.end() : match.end() + 2]))
    one = number == "1" or (beside and (bool(article) or symbol.startswith("-")))
    per = f" {words.PER_WORD} {words.PER[rate]}" if rate else ""
    return f"{article}{number} {noun.one if one else noun.many}{per}"


@rule("rate", rf"(?<=[a-z])/({one_of(words.PER)}){_ENDS}(?!/)")
def rate(match: re.Match[str]) -> str:
    return f" {words.PER_WORD} {words.PER[match.group(1)]}"


RULES: tuple[Rule, ...] = (
    thousands, version, short_version, bare_decimal, comparison, or_more, money_range, number_range, minus, plus, money,
    by, of, hash_number, unit, rate,
)  # fmt: skip

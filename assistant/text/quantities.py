"""Numbers with units, money, signs, ranges and comparisons → speech. Pure.

The figures themselves stay: espeak-ng reads 3.5 and 1,234 as a person would.
"""

from __future__ import annotations

import re

from assistant.text import unit_words, words
from assistant.text.rules import NOT_INSIDE, NUMBER, Rule, one_of, rule

_UNITS = one_of(unit_words.UNITS)
_GLUED = one_of(unit_words.GLUED_UNITS)
_MONEY = one_of(unit_words.CURRENCIES)
_SIGNS = one_of(sign for sign in unit_words.CURRENCIES if not sign.isalpha())
_MULTIPLE = r"(?: ?(k|K|M|bn|million|billion)(?![A-Za-z]))?"
_ENDS = r"(?![\w°²³‰%])"


# ── figures ───────────────────────────────────────────────────────────────────────────────────────────────────────


@rule(
    "thousands",
    r"""(?<![\w.,'’]) (?<![0-9][ ]) [0-9]{1,3}
        (?: (['’\u202f\u2009\u00a0_])[0-9]{3} (?:\1[0-9]{3})* | (?:[ ]000)+ ) (?! \w | ['’ ][0-9] )""",
    re.VERBOSE,
)
def thousands(match: re.Match[str]) -> str:
    """1'234'567; a plain space only in 10 000, as in 10 500 it could be one between two numbers."""
    return re.sub(r"[^0-9]", ",", match.group())


@rule("decimal without a zero", r"(?<![\w.)])\.(?=[0-9])")
def bare_decimal(_: re.Match[str]) -> str:
    return "0."


@rule("comparison", rf"({one_of(words.COMPARISONS)}) ?(?=[-−+]?(?:{_SIGNS})?[0-9])")
def comparison(match: re.Match[str]) -> str:
    return f" {words.COMPARISONS[match.group(1)]} "


@rule("or more", rf"{NOT_INSIDE}([0-9]+)\+(?![\w+])")
def or_more(match: re.Match[str]) -> str:
    return f"{match.group(1)} {words.OR_MORE}"


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


@rule("by", r"(?<![\w.,])([0-9]{1,9})( ?)x ?(?=([0-9]{1,9})(?![0-9]))")
def by(match: re.Match[str]) -> str:
    """1920x1080, 2 x 4 TB; 0x10 is another thing."""
    first, space, second = match.groups()
    if first == "0" and not space:
        return match.group()
    return f"{first} {words.SYMBOLS['×'] if space and min(int(first), int(second)) < 100 else words.BY} "


@rule(
    "x of y",
    rf"""(?<![\w./,-]) ({NUMBER}) ([ ]?(?:{_UNITS}))? /
         (?= ({NUMBER}) ([ ]?(?:{_UNITS}))? (?! [\w/-] | [.,][0-9] ) )""",
    re.VERBOSE,
)
def of(match: re.Match[str]) -> str:
    """3/5 disks, 1.2TB/4TB; 50 °C/122 °F is no share."""
    first, unit, second, whole = match.groups()
    same = not unit or (whole is not None and unit[-1] == whole[-1])
    less = (
        float(first.replace(",", "")) <= float(second.replace(",", "")) or (unit or "").strip() != (whole or "").strip()
    )
    return f"{first}{unit or ''} {words.OF if same and less else words.SLASH} "


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
    large, small = unit_words.CURRENCIES[sign]
    if multiple:
        return f"{number} {unit_words.MULTIPLES.get(multiple, multiple)} {large.many}"
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

_RATE = rf"(?:/({one_of(unit_words.PER)}))?"
_TIGHT = r"(?:(?<=\w)\.(?=[ ][a-z]))?"
"""The stop of an abbreviated unit inside a sentence: "5 min. later"."""


@rule(
    "unit",
    rf"""(?<![\w.,]) ((?:[Aa]n?[ ])?) ({NUMBER}|[0-9]+,[0-9]{{1,2}})
         ([ -]?(?:{_UNITS})|(?:{_GLUED})) {_RATE} {_ENDS} {_TIGHT}""",
    re.VERBOSE,
)
def unit(match: re.Match[str]) -> str:
    article, number, symbol, rate = match.groups()
    if "," in number and not re.fullmatch(NUMBER, number):
        number = number.replace(",", ".")
    name = symbol.lstrip(" -")
    if name == "k" and number in ("4", "8"):
        return match.group()
    noun = unit_words.UNITS.get(name) or unit_words.GLUED_UNITS[name]
    beside = bool(re.match(r" [a-z]", match.string[match.end() : match.end() + 2]))
    one = number == "1" or (beside and (bool(article) or symbol.startswith("-")))
    per = f" {words.PER_WORD} {unit_words.PER[rate]}" if rate else ""
    return f"{article}{number} {noun.one if one else noun.many}{per}"


@rule("inch", rf"{NOT_INSIDE}({NUMBER})[\"″](?=[ -][a-z])")
def inch(match: re.Match[str]) -> str:
    """3.5" disks; where there are more quotation marks it may be one of them."""
    return f"{match.group(1)} {words.INCH}" if match.string.count('"') < 2 else match.group()


@rule("rate", rf"(?<=[a-z])/({one_of(unit_words.PER)}){_ENDS}(?!/)")
def rate(match: re.Match[str]) -> str:
    return f" {words.PER_WORD} {unit_words.PER[match.group(1)]}"


RULES: tuple[Rule, ...] = (
    thousands, bare_decimal, comparison, or_more, money_range, number_range, minus, plus, money,
    by, of, hash_number, inch, unit, rate,
)  # fmt: skip

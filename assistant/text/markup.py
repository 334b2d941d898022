"""Markdown → plain lines: headings, quotes, rules, lists, tables, fenced code, links, emphasis, HTML. Pure."""

from __future__ import annotations

import html
import re

from assistant.text import words
from assistant.text.json_text import say_json
from assistant.text.lists import Item, as_sentences, cells_of, say_list, say_table, tree_of
from assistant.text.rules import Rule, rule

SAID_CODE = 80
"""A single line of code up to this many characters is read out; of longer code only that it is some."""

_FENCE = re.compile(r"\s{0,12}(`{3,}|~{3,})[^`]*$")
_ITEM = re.compile(r"([ \t]*)(?:[-*•+‣◦▪]|([0-9]{1,3})[.)])[ \t]+(?=\S)(.*)$", re.DOTALL)
_TASK = re.compile(r"\[([ xX])\][ \t]+")
_HEADING = re.compile(r"\s{0,12}#{1,6}[ \t]+(.*?)[ \t#]*$")
_QUOTE = re.compile(r"^[ \t]*(?:>[ \t]?){1,20}(?!=)")
_RULE = re.compile(r"[\s\-=*_─━═┄┈]{3,}$")
_BORDER = re.compile(r"[\s|:+\-─━═┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬╭╮╰╯=]{3,}$")
_BOX = str.maketrans(dict.fromkeys("│┃║┆┊", "|") | dict.fromkeys("┌├└╔╠╚╭╰", "+"))
_UNDERLINE = re.compile(r"[ ]{0,3}(?:=+|-{2,})[ \t]*$")
_HEADED = "\x00"
"""Behind a heading until it is known whether something follows."""

_REFERENCE = re.compile(r"\s{0,3}\[\^?[^\]]{1,80}\]:\s")


def plain_lines(text: str) -> str:
    """The text in one line: what is said of its blocks, a stop between paragraphs, a colon behind headings."""
    lines = [_QUOTE.sub("", line, count=1) for line in text.splitlines()]
    parts: list[str] = []
    prose: list[str] = []
    at = 0
    while at < len(lines):
        block = _block(lines, at)
        if block is None:
            prose.append(lines[at].strip())
            at += 1
            continue
        if prose and _UNDERLINE.match(lines[at]):
            prose[-1] += _HEADED
        said, at = block
        parts += [" ".join(prose), said]
        prose = []
    parts = [part for part in (*parts, " ".join(prose)) if part.strip()]
    if parts and parts[-1].endswith(_HEADED):
        parts[-1] = parts[-1].removesuffix(_HEADED)
    return as_sentences([part.replace(_HEADED, ":") for part in parts])


def _block(lines: list[str], at: int) -> tuple[str, int] | None:
    """What is said of the block that begins here and the index behind it; None where a line of prose is."""
    line = lines[at]
    if not line.strip():
        return "", at + 1
    if fence := _FENCE.match(line):
        return _code(lines, at, fence.group(1))
    if _ITEM.match(line):
        return _list(lines, at)
    if _starts_table(lines, at):
        return _table(lines, at)
    if _RULE.match(line) or _REFERENCE.match(line):
        return "", at + 1
    if heading := _HEADING.match(line):
        text = heading.group(1).strip()
        return (text if text.endswith((".", "!", "?", ":")) or not text else text + _HEADED), at + 1
    return None


def _code(lines: list[str], at: int, mark: str) -> tuple[str, int]:
    """A short command and JSON are said; of other code only that it is some."""
    end = at + 1
    while end < len(lines) and not lines[end].strip().startswith(mark):
        end += 1
    code = [line.strip() for line in lines[at + 1 : end] if line.strip()]
    said = say_json("\n".join(code))
    if said is None:
        said = code[0] if len(code) == 1 and len(code[0]) <= SAID_CODE else words.SOME_CODE if code else ""
    if end < len(lines) and (behind := lines[end].strip().lstrip(mark[0])):
        lines[end] = behind
        return said, end
    return said, end + 1


def _list(lines: list[str], at: int) -> tuple[str, int]:
    """Its items with what is indented below them; a line that is neither ends it, and so does an empty one."""
    items: list[Item] = []
    while at < len(lines) and lines[at].strip():
        if found := _ITEM.match(lines[at]):
            text = found.group(3).strip()
            if task := _TASK.match(text):
                text = f"{text[task.end() :]}, {words.OPEN if task.group(1) == ' ' else words.DONE}"
            items.append(Item(found.group(2) or "", text, len(found.group(1).expandtabs(4))))
        elif lines[at][0] in " \t" and not _FENCE.match(lines[at]):
            items[-1].text = f"{items[-1].text} {lines[at].strip()}"
        else:
            break
        at += 1
    return say_list(tree_of(items)), at


def _starts_table(lines: list[str], at: int) -> bool:
    """A row between borders, a border like +---+, or a row above one of dashes."""
    line = lines[at].translate(_BOX).strip()
    if line.startswith("|") and line.count("|") > 1:
        return True
    if "+" in line[:1] and _is_border(line):
        return True
    below = lines[at + 1].translate(_BOX).strip() if at + 1 < len(lines) else ""
    return "|" in line and "|" in below and _is_border(below)


def _is_border(line: str) -> bool:
    return any(mark in line for mark in "-─━═=") and bool(_BORDER.match(line))


def _table(lines: list[str], at: int) -> tuple[str, int]:
    """Its rows up to the first line without a border; the heading is what stands above the first one of dashes."""
    rows: list[list[str]] = []
    headed = False
    while at < len(lines):
        line = lines[at].translate(_BOX).strip()
        if _is_border(line):
            headed = headed or (len(rows) == 1 and at + 1 < len(lines) and "|" in lines[at + 1].translate(_BOX))
        elif "|" in line:
            rows.append(cells_of(line))
        else:
            break
        at += 1
    return say_table(rows, headed=headed), at


# ── inside a line ─────────────────────────────────────────────────────────────────────────────────────────────────

_TAGS = (
    "a|abbr|b|blockquote|br|code|dd|del|details|div|dl|dt|em|h[1-6]|hr|i|img|ins|kbd|li|mark|ol|p|pre|q|s|samp|small|"
    "span|strong|sub|summary|sup|table|tbody|td|th|thead|tr|u|ul"
)


@rule("HTML", rf"<!--.{{0,2000}}?-->|</?(?:{_TAGS})(?:\s[^<>]{{0,300}})?/?>", re.IGNORECASE | re.DOTALL)
def tag(_: re.Match[str]) -> str:
    return " "


@rule("entity", r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
def entity(match: re.Match[str]) -> str:
    return html.unescape(match.group())


@rule(
    "link",
    r"""!?\[([^\[\]]{0,400})\]
        (?: \( (?: <[^<>]{0,500}> | [^()\s]{0,2000} ) (?: \s+["'][^"']{0,200}["'] )? \) | \[[^\[\]]{0,100}\] )""",
    re.VERBOSE,
)
def link(match: re.Match[str]) -> str:
    return match.group(1)


@rule("footnote", r"\[\^[^\[\]\s]{1,40}\]")
def footnote(_: re.Match[str]) -> str:
    return ""


@rule("emphasis", r"(?<![0-9])\*{1,3}|\*{1,3}(?! ?[0-9])|~~|`+|(?<!\w)_{1,3}|_{1,3}(?!\w)|\\(?=[*_`#~\[\]|])")
def emphasis(_: re.Match[str]) -> str:
    return ""


RULES: tuple[Rule, ...] = (tag, link, footnote, entity, emphasis)

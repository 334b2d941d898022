"""Paths, file names, long identifiers, options and variables → speech. Pure."""

from __future__ import annotations

import re

from assistant.text import words
from assistant.text.addresses import dotted
from assistant.text.rules import Rule, one_of, rule

SPELLED_CHARACTERS = 4
"""Of a commit or a snapshot's ID, as people read them to each other."""


@rule("UUID", r"(?<![\w-])[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}(?![\w-])")
def uuid(_: re.Match[str]) -> str:
    return words.AN_ID


@rule(
    "ID",
    rf"""(?<![\w.-]) (?: ({one_of(words.HAVE_IDS)})[ ] )?
         ( (?:sha(?:1|256|512):)?[0-9A-Fa-f]{{7,128}} | [A-Za-z0-9]{{24,}} ) (?![\w-]|\.\w)""",
    re.IGNORECASE | re.VERBOSE,
)
def identifier(match: re.Match[str]) -> str:
    """Hexadecimal or random letters and digits, mixed: neither a word nor a number, with a unit or without."""
    noun, said = match.groups()
    bare = said.rsplit(":", 1)[-1]
    if re.fullmatch(r"[0-9]*[A-Za-z]*|[A-Za-z]+[0-9]+|[0-9]+[eE][0-9]+", bare):
        return match.group()
    if not noun:
        return words.AN_ID
    return f"{noun} {', '.join(bare[:SPELLED_CHARACTERS].upper())}"


_PART = r"\.?[\w@+%-]+(?:\.[\w@+%-]+)*"


@rule(
    "path",
    rf"""(?<![\w/.~%°²³€$£)\]]) (?: ~ | \.\.? )? (?: /{_PART} )+ /? (?!\w)
         | (?<!\w) [A-Za-z]:\\ (?: [\w.+ -]*\w\\ )* [\w.+-]*\w""",
    re.VERBOSE,
)
def path(match: re.Match[str]) -> str:
    """The last part: the folders before it are on the screen."""
    return re.split(r"[/\\]", match.group().rstrip("/\\"))[-1]


@rule("relative path", rf"(?<![\w/.~-])(?:[\w-]+/)+([\w-]+(?:\.[\w-]+)*\.(?:{one_of(words.FILE_ENDS)}))(?![\w/]|\.\w)")
def relative_path(match: re.Match[str]) -> str:
    return match.group(1)


@rule("file name", rf"(?<![\w.-])([\w-]+(?:\.[\w-]+)*\.(?:{one_of(words.FILE_ENDS)}))(?::([0-9]+))?(?!\w|[.:-]\w)")
def file_name(match: re.Match[str]) -> str:
    name = dotted(match.group(1))
    return f"{name} {words.LINE} {match.group(2)}" if match.group(2) else name


@rule("hidden file", r"(?<![\w.)\]!?…])\.([A-Za-z][\w-]{1,30})(?!\w)")
def hidden_file(match: re.Match[str]) -> str:
    return f"{words.DOT} {match.group(1)}"


@rule("option", r"(?<![\w-])(--?)(?=[A-Za-z])([A-Za-z]{1,4}(?![\w-])|(?<=--)[A-Za-z][\w-]*)(?:=(?=\w))?")
def option(match: re.Match[str]) -> str:
    dashes = " ".join([words.DASH] * len(match.group(1)))
    return f"{dashes} {match.group(2)} " if match.group().endswith("=") else f"{dashes} {match.group(2)}"


@rule("variable", r"\$\{?([A-Za-z_]\w*)\}?")
def variable(match: re.Match[str]) -> str:
    return match.group(1)


@rule("snake case", r"(?<=[^\W_])_+(?=[^\W_])")
def snake_case(_: re.Match[str]) -> str:
    return " "


RULES: tuple[Rule, ...] = (uuid, path, relative_path, identifier, file_name, hidden_file, option, variable, snake_case)

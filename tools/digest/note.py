"""A digest as a markdown note with YAML front matter. Pure."""

from __future__ import annotations

import re
from typing import Any

import yaml

from tools.contract import Severity
from tools.digest.facts import Digest, DigestFinding

MADE_BY = "jarvis digest"
"""In the front matter, so that our own note is known again."""

_FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~$^=&@])|(?<=\w)(:)(?=//)|(?<=\bwww)(\.)")
"""What markdown, HTML, wiki links, embeds, tags and bare addresses are made of."""

LONGEST = 300


def as_markdown(digest: Digest) -> str:
    """The note. What others wrote (alerts, log lines, names) makes no link, no picture, no heading in it."""
    lines = ["---", _front_matter(digest), "---", "", f"# {digest.at[:10]}", ""]
    lines += [_escaped(sentence) for sentence in digest.sentences]
    if digest.by == "model" and digest.facts != digest.sentences:
        lines += ["", "## Facts", "", *(f"- {_escaped(fact)}" for fact in digest.facts)]
    wrong = [one for one in digest.findings if one.severity is not Severity.OK]
    if wrong:
        lines += ["", "## Findings", "", *(_finding(one) for one in wrong)]
    if digest.failed:
        lines += ["", f"Could not be checked: {', '.join(digest.failed)}."]
    return "\n".join(lines) + "\n"


def is_ours(text: str) -> bool:
    """Whether a note was made here, and may be replaced by a newer one of the same day."""
    front = _FRONT.match(text)
    if front is None:
        return False
    try:
        read = yaml.safe_load(front[1])
    except yaml.YAMLError:
        return False
    return isinstance(read, dict) and read.get("made_by") == MADE_BY


def _front_matter(digest: Digest) -> str:
    tags = ["jarvis", "digest", *([digest.severity.value] if digest.severity is not Severity.OK else [])]
    front: dict[str, Any] = {
        "date": digest.at[:10],
        "time": digest.at[11:16],
        "tags": tags,
        "severity": digest.severity.value,
        "counts": {s.value: digest.counts.get(s, 0) for s in Severity if s is not Severity.OK},
        "checked": list(digest.checked),
        "words": digest.by,
        "made_by": MADE_BY,
    }
    return yaml.safe_dump(front, sort_keys=False, allow_unicode=True).rstrip()


def _finding(one: DigestFinding) -> str:
    message = (
        one.message if one.message.casefold().startswith(one.subject.casefold()) else f"{one.subject}: {one.message}"
    )
    since = f" (since {_escaped(one.since)})" if one.since else ""
    return f"- **{one.severity.value}** {_escaped(message)}{since}"


def _escaped(text: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    short = line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", short)

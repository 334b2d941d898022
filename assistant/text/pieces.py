"""A streamed reply → what is said as one: sentences of prose, and whole lists, tables, JSON and fenced code. Pure.

A table or a listing cut into lines would be read out line by line; whole, it is said as a person would.
"""

from __future__ import annotations

import json
import re
from enum import Enum

from assistant.text.sentences import SentenceSplitter

MAX_BLOCK_CHARACTERS = 4_000
"""A block is cut at a line's end behind so many, so that speech can begin and memory stays bounded."""

_MAY_BECOME_A_BLOCK = re.compile(
    r"""[ \t]*(?: $ | [-*+•‣◦▪](?:[ \t]|$) | [0-9]{1,3}(?:$|[.)](?:[ \t]|$)) | `(?:`(?:`|$)|$) | ~(?:~(?:~|$)|$)
        | [|│┃┌├└╭╰] | \+(?:[-=]|$) | \{[ \t]*(?:["}]|$) | \[[ \t]*(?:[{"\[]|$) )""",
    re.VERBOSE,
)
"""A line that begins otherwise is prose, and need not wait for its end."""

_FENCE = re.compile(r"[ \t]{0,12}(`{3,}|~{3,})[^`]*$")
_ITEM = re.compile(r"[ \t]*(?:[-*•+‣◦▪]|[0-9]{1,3}[.)])[ \t]+\S")
_ROW = re.compile(r"[ \t]*(?:[|│┃].*[|│┃]|[┌├└╭╰].*[─━]|\+[-=])")
_JSON = re.compile(r'[ \t]*(?:\{[ \t]*(?:["}]|$)|\[[ \t]*(?:[{"\[]|$))')


class _Kind(Enum):
    PROSE = "prose"
    FENCE = "fence"
    LIST = "list"
    TABLE = "table"
    JSON = "JSON"


class PieceSplitter:
    """Feed fragments, get pieces for ``to_spoken``; ``flush`` gives the rest. The chunking does not matter."""

    def __init__(self) -> None:
        self._prose = SentenceSplitter()
        self._line = ""
        self._line_is_prose = False
        self._block: list[str] = []
        self._kind = _Kind.PROSE

    def feed(self, fragment: str) -> list[str]:
        """The pieces that are complete now, stripped, without empty ones."""
        found: list[str] = []
        for part in re.split(r"(?<=\n)", fragment):
            found += self._feed_part(part)
        return found

    def flush(self) -> list[str]:
        """What is left; the splitter is empty afterwards."""
        line, self._line = self._line, ""
        found = self._take_line(line) if line else []
        self._line_is_prose = False
        return found + self._end_block() + self._prose.flush()

    def _feed_part(self, part: str) -> list[str]:
        """``part`` has a line's end at most at its own."""
        if not self._line_is_prose:
            self._line += part
            if len(self._line) > MAX_BLOCK_CHARACTERS:
                return self._cut_line()
            if self._line.endswith("\n"):
                line, self._line = self._line, ""
                return self._take_line(line)
            if self._waits():
                return []
            part, self._line = self._line, ""
            found = self._end_block() if part.strip() else []
            self._line_is_prose = True
            return found + self._prose.feed(part)
        self._line_is_prose = not part.endswith("\n")
        return self._prose.feed(part)

    def _waits(self) -> bool:
        """Whether only the whole line shows what it is."""
        below_item = self._kind is _Kind.LIST and self._line[:1] in (" ", "\t")
        return self._kind in (_Kind.FENCE, _Kind.JSON) or below_item or bool(_MAY_BECOME_A_BLOCK.match(self._line))

    def _cut_line(self) -> list[str]:
        """A line too long to wait for: what there is of it now counts as one, the rest is prose."""
        line, self._line = self._line, ""
        found = self._take_line(line[:MAX_BLOCK_CHARACTERS]) + self._end_block()
        self._line_is_prose = True
        return found + self._feed_part(line[MAX_BLOCK_CHARACTERS:])

    def _take_line(self, line: str) -> list[str]:
        """A whole line: more of the block, the beginning of one, or prose."""
        if self._kind is not _Kind.PROSE:
            if self._goes_on(line):
                return self._add(line)
            found = self._end_block()
            return found + self._take_line(line)
        self._kind = _kind_of(line)
        if self._kind is _Kind.PROSE:
            return self._prose.feed(line)
        return self._prose.flush() + self._add(line)

    def _goes_on(self, line: str) -> bool:
        if self._kind in (_Kind.FENCE, _Kind.JSON):
            return True
        if self._kind is _Kind.LIST:
            return bool(_ITEM.match(line)) or (line[0] in " \t" and bool(line.strip()) and not _FENCE.match(line))
        return bool(_ROW.match(line))

    def _add(self, line: str) -> list[str]:
        self._block.append(line)
        if self._is_closed(line) or sum(map(len, self._block)) > MAX_BLOCK_CHARACTERS:
            return self._end_block()
        return []

    def _is_closed(self, line: str) -> bool:
        if self._kind is _Kind.FENCE:
            mark = self._block[0].strip()[:3]
            return len(self._block) > 1 and line.strip().startswith(mark)
        if self._kind is _Kind.JSON:
            return not line.strip() or (line.rstrip().endswith(("}", "]")) and _is_json("".join(self._block)))
        return False

    def _end_block(self) -> list[str]:
        text, self._block, self._kind = "".join(self._block).strip(), [], _Kind.PROSE
        return [text] if text else []


def split_reply(text: str) -> list[str]:
    """All pieces of a whole reply."""
    splitter = PieceSplitter()
    return splitter.feed(text) + splitter.flush()


def _kind_of(line: str) -> _Kind:
    for kind, beginning in ((_Kind.FENCE, _FENCE), (_Kind.LIST, _ITEM), (_Kind.TABLE, _ROW), (_Kind.JSON, _JSON)):
        if beginning.match(line):
            return kind
    return _Kind.PROSE


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True

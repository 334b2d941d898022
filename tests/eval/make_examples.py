"""``prompts/examples/en_said.yaml`` from the sets to develop on: `python -m tests.eval.make_examples`.

What people say to each tool, with names masked as the router masks them. The dev set and the frozen sets stay out:
they measure.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from assistant.evaluation_sets import Line, homelab_settings, read_lines
from assistant.narrowing.mentions import Mentions, masked
from assistant.narrowing.router import ANSWER
from assistant.ports import DeviceName, Names
from assistant.sentences.normalize import plain_words
from assistant.sentences.speech_kind import is_hypothetical, is_reported, is_waved_off
from tools.home.devices import Home
from tools.names import NameIndex

HERE = Path(__file__).parent
SETS = tuple(f"paraphrases{n}.jsonl" for n in ("", "_2", "_3", "_4", "_5", "_6", "_7"))
TARGET = HERE.parent.parent / "prompts" / "examples" / "en_said.yaml"
CHAT = "chat"
"""The tag of lines that no tool is for; other lines without a call forbid one, which is not the router's business."""

_HEADER = """\
# What people said to each tool in tests/eval/{sets}, with names masked.
# Made by `python -m tests.eval.make_examples`; edit en.yaml, not this.
"""


def main() -> int:
    said: dict[str, dict[str, None]] = {}
    mentions = Mentions(_names())
    for line in (line for name in SETS for line in read_lines(HERE / name)):
        for tool, text in _of(line):
            plain = plain_words(text)
            found = mentions.find(plain)
            kinds = list(dict.fromkeys(kind for mention in found for kind in mention.names)) or [""]
            for kind in kinds:
                for devices in (False, True):
                    said.setdefault(tool, {})[masked(plain, found, kind, devices=devices)] = None
    data = {tool: sorted(lines) for tool, lines in sorted(said.items())}
    head = _HEADER.format(sets=", ".join(SETS))
    TARGET.write_text(head + yaml.safe_dump(data, allow_unicode=True, width=1000), encoding="utf-8")
    sys.stdout.write(f"{sum(map(len, data.values()))} examples of {len(data)} tools in {TARGET.name}\n")
    return 0


def _of(line: Line) -> Iterator[tuple[str, str]]:
    """The tool of a line that is one request to one tool."""
    if line.turns or line.text is None or len(line.acceptable) != 1 or len(line.acceptable[0]) > 1:
        return
    if is_waved_off(line.text) or is_hypothetical(line.text) or is_reported(line.text):
        return
    if line.acceptable[0]:
        yield line.acceptable[0][0].tool, line.text
    elif CHAT in line.tags:
        yield ANSWER, line.text


def _names() -> Names:
    settings = homelab_settings(HERE.parent.parent / "assistant" / "demo" / "homelab.yaml")
    index = NameIndex.from_settings(settings)
    devices = tuple(DeviceName(known.name, known.area, known.kind.value) for known in Home(settings, index).devices)
    kinds = {kind: {name: tuple(also) for name, also in known.items()} for kind, known in index.as_json().items()}
    return Names(kinds, devices)


if __name__ == "__main__":
    sys.exit(main())

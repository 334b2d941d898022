"""One answer of a model as it streams in: what may be shown at once, and what it comes to. Pure.

Text is shown as soon as it is certain that it stays text. From the first character on that could begin a call, code or
reasoning it is held back to the end of the answer, so a call spoken as text never reaches the person. However the
answer was cut into fragments, the shown pieces together are the text of the reply.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from assistant.chat.call_dialects import CUT
from assistant.chat.lenient import whole_characters
from assistant.chat.repair import MAX_TEXT, arguments_from, read_tool_calls, strip_reasoning
from assistant.ports import ModelReply, ToolCallRequest, ToolDescription

_LABELS = ("json", "tool", "function", "action")
"""Words that models put on a line before a call."""

_HELD = re.compile(rf"[{{\[<`]|^[ \t]*(?:{'|'.join(_LABELS)})", re.IGNORECASE | re.MULTILINE)


@dataclass(slots=True)
class _Fragments:
    """A native tool call in pieces."""

    id: str = ""
    name: str = ""
    arguments: str = ""


class StreamedAnswer:
    """Feed it fragments; then :meth:`end` gives the text not yet shown and the reply."""

    def __init__(self, tools: Sequence[ToolDescription] = ()) -> None:
        self.tokens_in: int | None = None
        self.tokens_out: int | None = None
        self.tokens_cached: int | None = None
        self._known = frozenset(tool.name for tool in tools)
        self._requiring = frozenset(tool.name for tool in tools if tool.input_schema.get("required"))
        self._text = ""
        self._shown = 0
        self._native: list[_Fragments] = []
        self._places: dict[int, _Fragments] = {}

    def add_text(self, fragment: str) -> str:
        """Take a fragment of text; returns what can be shown now."""
        self._text = (self._text + whole_characters(fragment).replace(CUT, ""))[:MAX_TEXT]
        visible = strip_reasoning(self._text).lstrip()
        certain = visible[: certainly_text(visible, self._known)].rstrip()
        fresh = certain[self._shown :]
        self._shown += len(fresh)
        return fresh

    def add_call(self, index: int | None, id_: str | None, name: str | None, arguments: str | None) -> None:
        """Take a fragment of a native call.

        Fragments of a call share their index. Servers that send whole calls give each the same index, or none, and a
        new id or a new name over finished arguments: that begins another call. Some repeat the name with each fragment.
        """
        place = index if index is not None else -1
        call = self._places.get(place)
        if call is None or (id_ and call.id and id_ != call.id) or (index is None and name and call.arguments):
            call = self._places[place] = _Fragments()
            self._native.append(call)
        call.id = call.id or id_ or ""
        if name and name != call.name:
            call.name = name if name.startswith(call.name) else call.name + name
        call.arguments += arguments or ""

    def end(self, *, cut_off: bool = False) -> tuple[str, ModelReply]:
        """What was held back and is text, and the reply. ``cut_off``: the server's limit ended the answer."""
        read = read_tool_calls(self._text, self._known, cut_off=cut_off)
        text = read.rest.strip()
        calls = tuple(self._native_calls(cut_off)) or read.calls
        counted = (self.tokens_in, self.tokens_out)
        return text[self._shown :], ModelReply(text, calls, *counted, tokens_cached=self.tokens_cached)

    def _native_calls(self, cut_off: bool) -> list[ToolCallRequest]:
        last = len(self._native) - 1
        return [
            ToolCallRequest(
                id=call.id or f"call_{number}",
                name=call.name,
                arguments=arguments_from(
                    call.arguments, required=call.name in self._requiring, cut_off=cut_off and number == last
                ),
                raw=call.arguments,
            )
            for number, call in enumerate(self._native)
            if call.name or call.arguments.strip()
        ]


def certainly_text(text: str, known: Collection[str] = ()) -> int:
    """Length of the beginning of ``text`` that stays text whatever follows."""
    places = [len(text)]
    if held := _HELD.search(text):
        places.append(held.start())
    places += [place for name in known if (place := text.find(name)) >= 0]
    fragment = re.search(r"[\w.-]*\Z", text)
    if fragment and fragment.group() and any(name.startswith(fragment.group()) for name in known):
        places.append(fragment.start())
    line = text[text.rfind("\n") + 1 :]
    if any(label.startswith(line.strip().casefold()) for label in _LABELS):
        places.append(len(text) - len(line))
    return min(places)

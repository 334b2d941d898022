"""Names that occur in an utterance, of every kind at once. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assistant.ports import Names
from assistant.sentences.vocabulary import KINDS, joined_names, misheard, spoken_forms, template_words
from tools.names import NameIndex

MASKS = {
    "vm": "the virtual machine",
    "service": "the app",
    "job": "the data",
    "area": "the room",
    "device": "the device",
}
"""What stands for a name of that kind in an example (prompts/examples)."""


@dataclass(frozen=True, slots=True)
class Mention:
    """Words of the utterance that name something, by kind: "gitea" is a service and a backup job."""

    words: str
    names: Mapping[str, str]
    heard: bool = False
    """It only sounds like the name."""


class Mentions:
    """Finds them, for one set of live names."""

    def __init__(self, names: Names, language: str = "en") -> None:
        self._language = language
        self._index = NameIndex(names.by_kind)
        forms: dict[str, dict[str, str]] = {}
        for kind in KINDS:
            for form, name in spoken_forms(names.by_kind.get(kind, {}), language).items():
                forms.setdefault(form, {})[kind] = name
        self._whole = frozenset(forms)
        self._forms = sorted(forms.items(), key=lambda item: -len(item[0]))

    def joined(self, words: str) -> str:
        """With names that were heard as several words put together."""
        return joined_names(words, self._whole)

    def _holds_another(self, words: str, found: list[Mention]) -> Mention | None:
        """A misheard name of which another name is a part: "jelly fan" is no fan, when no template knows "jelly"."""
        if len(found) != 1 or " " in found[0].words:
            return None
        for kind in KINDS:
            for stretch, name in misheard(kind, words, self._index, self._language, strict=False):
                parts = stretch.split()
                others_forms = (form for form, names in self._forms if names.get(kind) != name)
                known = template_words(self._language) | {word for form in others_forms for word in form.split()}
                others = [part for part in parts if part != found[0].words]
                if 0 < len(others) < len(parts) and not known.intersection(others):
                    return Mention(stretch, {kind: name}, heard=True)
        return None

    def _apart(self, rest: str) -> list[Mention]:
        """A device whose words stand apart: "the lamp of the desk", "the lights outside on the patio"."""
        said = {word.removesuffix("s") for word in rest.split()}
        for form, names in self._forms:
            parts = form.split()
            if "device" in names and len(parts) > 1 and said.issuperset(part.removesuffix("s") for part in parts):
                return [Mention(form, {"device": names["device"]})]
        return []

    def find(self, words: str) -> tuple[Mention, ...]:
        """Longest first, each word used once; when nothing is named, what sounds like a name."""
        rest, found = f" {words} ", []
        for form, names in self._forms:
            if f" {form} " in rest:
                rest = rest.replace(f" {form} ", " \0 ", 1)
                found.append(Mention(form, names))
        if (longer := self._holds_another(words, found)) is not None:
            return (longer,)
        if not any("device" in mention.names for mention in found):
            found += self._apart(rest)
        if not found:
            heard: dict[str, dict[str, str]] = {}
            for kind in KINDS:
                for stretch, name in misheard(kind, words, self._index, self._language, strict=False):
                    heard.setdefault(stretch, {}).setdefault(kind, name)
            longest = max(heard, key=len, default=None)
            if longest is not None:
                found.append(Mention(longest, heard[longest], heard=True))
        return tuple(found)


def masked(words: str, mentions: tuple[Mention, ...], preferred: str, *, devices: bool = False) -> str:
    """The words with names masked by kind; one that is of several kinds as ``preferred``, where it is of that.

    What a device is called says what can be done with it, so devices are masked only when asked for.
    """
    text = f" {words} "
    for mention in mentions:
        kind = preferred if preferred in mention.names else next(k for k in MASKS if k in mention.names)
        if kind == "device" and not devices:
            continue
        for article in ("the ", "my ", "our ", ""):
            text = text.replace(f" {article}{mention.words} ", f" {MASKS[kind]} ")
    return text.strip()

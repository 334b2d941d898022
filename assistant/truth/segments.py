"""The tokens of a sentence → segments, each of which says one thing. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from assistant.truth.tokens import Token
from assistant.truth.words import Role, kind_words

_BY_STRENGTH = ("", "stop", "and", "colon", "cause")


@dataclass(slots=True)
class Segment:
    """Tokens between two stops. ``joint``: what stands before it: "", "stop", "colon", "and", "cause"."""

    joint: str
    tokens: list[Token] = field(default_factory=list)

    def has(self, *roles: Role) -> bool:
        return any(token.role in roles for token in self.tokens)

    @property
    def only_names(self) -> bool:
        """Names, with what kind of thing they are and where: "the ntfy service", "the lamp in the hall"."""
        places = [n for n, token in enumerate(self.tokens) if token.role is Role.NAME and token.is_area]
        return self.has(Role.NAME) and all(
            token.role in (Role.NAME, Role.NEUTRAL)
            or (token.role is Role.WORD and token.text in kind_words())
            or (token.role is Role.PREPOSITION and token.text in ("in", "at") and n < max(places, default=0))
            for n, token in enumerate(self.tokens)
        )

    @property
    def hangs_on(self) -> bool:
        """A time or a number that belongs to what stands beside it: "…, first seen two hours ago"."""
        speaks = self.has(Role.NAME, Role.STATE, Role.VERB, Role.PRONOUN, Role.MARK)
        return self.has(Role.NUMBER) and not speaks and self.joint in ("", "stop", "and", "cause")


def segments_of(found: Sequence[Token]) -> list[Segment]:
    """Split at punctuation and conjunctions, but for "up and running", "restored and compared"."""
    segments = [Segment("")]
    found = _prepositions_told_from_states(found)
    for at, token in enumerate(found):
        joint = {Role.STOP: "stop", Role.COLON: "colon", Role.SPLIT: "and", Role.CAUSE: "cause"}.get(token.role)
        if joint is None:
            segments[-1].tokens.append(token)
            continue
        around = [found[n] for n in (at - 1, at + 1) if 0 <= n < len(found)]
        if token.text == "and" and len(around) == 2 and all(_is_of_a_pair(beside) for beside in around):
            continue
        if segments[-1].tokens:
            segments.append(Segment(joint))
        else:  # ", but", "and because": the stronger tie counts
            segments[-1].joint = max(segments[-1].joint, joint, key=_BY_STRENGTH.index)
    return [segment for segment in segments if segment.tokens]


def _prepositions_told_from_states(found: Sequence[Token]) -> list[Token]:
    """ "on endeavour" and "on port 3000" say where; "is on" says a state."""
    told = []
    for at, token in enumerate(found):
        if token.role is Role.STATE and token.text == "on":
            after = next((t for t in found[at + 1 :] if t.role is not Role.NEUTRAL), None)
            if after is not None and after.role in (Role.NAME, Role.WORD):
                token = Token(Role.PREPOSITION, token.text)
        told.append(token)
    return told


def _is_of_a_pair(token: Token) -> bool:
    """A state, but for a whole statement such as "I can't tell about"."""
    return token.role is Role.STATE and "unknown" not in token.values


def joined_up(segments: Sequence[Segment], ours: bool) -> list[Segment]:
    """Lists of names with the segment that says something of them; times with what they belong to."""
    joined: list[Segment] = []
    waiting: list[Token] = []
    for at, segment in enumerate(segments):
        if segment.only_names:
            follows_a_list = bool(joined) and (segment.joint == "colon" or joined[-1].tokens[-1].role is Role.NAME)
            verb = next((after for after in segments[at + 1 :] if not after.only_names), None)
            begins_a_list = verb is not None and _is_plural(verb) and segment.joint != "colon"
            if joined and (follows_a_list if ours else not begins_a_list):
                joined[-1].tokens += segment.tokens
            if not (ours and follows_a_list):
                waiting += segment.tokens
        elif segment.hangs_on and joined and not waiting:
            joined[-1].tokens += segment.tokens
        else:
            if not ours or _is_plural(segment):
                segment.tokens[:0] = waiting
            waiting = []
            joined.append(segment)
    if waiting and not joined:
        joined.append(Segment("", waiting))
    return _leading_times(joined)


def _is_plural(segment: Segment) -> bool:
    """ "gitea, immich and ntfy are down": the verb says that all of them are meant."""
    verbs = [token.text for token in segment.tokens if token.role is Role.VERB]
    return bool(verbs) and verbs[0] in ("are", "were", "have", "do", "did")


def _leading_times(segments: list[Segment]) -> list[Segment]:
    """ "Two hours ago, gitea was restored." """
    if len(segments) > 1 and segments[0].hangs_on:
        segments[1].tokens += segments[0].tokens
        return segments[1:]
    return segments

"""What speaks against a tool, whatever its likeness: no act out of a question, none at another time or place. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from assistant.narrowing.candidates import Said, unknown_place
from assistant.sentences.normalize import utterance_core
from assistant.sentences.speech_kind import is_message
from assistant.sentences.vocabulary import ACTS
from tools.contract import Speech

NO_ORDER = "no order"
"""Why an act is excluded where nothing was asked."""

_LATER = ("every ", "each ", "at ", "after ", "before ", "once ", "when ", "whenever ", "as soon as ", "tomorrow ")
"""How an order begins that is not for now: "at dusk turn off the heating" must not turn it off at noon."""

_DESTROYS = frozenset(
    [
        "delete",
        "erase",
        "wipe",
        "remove",
        "overwrite",
        "destroy",
        "purge",
        "format",
        "trash",
        "nuke",
        "rid",
        "gone",
        "ditch",
    ]
)
"""What is said with these is done to a backup by no tool."""

_NEED_CUES = frozenset(
    {"check_alerts", "service_logs", "find_service", "list_tasks", "cancel_task", "schedule", "notify", "test_restore",
     "run_backup"}
)  # fmt: skip
"""Tools that are never meant without one of their own words (prompts/sentences/en/actions.yaml)."""

_TAKES = {
    "check_services": {"service"}, "check_alerts": {"service"}, "service_logs": {"service"},
    "service_power": {"service"}, "check_backups": {"job"}, "run_backup": {"job"}, "test_restore": {"job"},
    "check_vms": {"vm"}, "vm_power": {"vm"}, "home_state": {"device"}, "home_control": {"device"},
    "find_service": {"service"}, "list_tasks": {"job"},
}  # fmt: skip
"""Kinds of names that a tool can do something with; tools that take any text are not here."""


def why_not(tool: str, said: Said, speech: Speech, cues: Mapping[str, int], *, acting: bool) -> str:
    """Why the tool cannot be meant; empty when it can. ``acting``: whether an act may be read out of the utterance."""
    if tool in ACTS and speech is Speech.QUESTION:
        return "a question"
    if tool in ACTS and not acting and not (tool == "notify" and is_message(said.text, said.language)):
        return NO_ORDER
    if tool == "schedule" and said.when is None:
        return "no time"
    if tool in ACTS and tool not in ("notify", "schedule", "cancel_task") and is_message(said.text, said.language):
        return "a message"
    if said.when is not None and tool in ACTS and tool not in ("schedule", "cancel_task"):
        return "at another time"
    if said.when is None and tool in ACTS and utterance_core(said.words, said.language).startswith(_LATER):
        return "at a time that is not understood"
    if tool in ("run_backup", "test_restore") and _DESTROYS & set(said.words.split()):
        return "what no tool does"
    if tool in _NEED_CUES and not cues[tool]:
        return "no word for it"
    if tool in ("home_control", "home_state") and unknown_place(said):
        return "an unknown place"
    kinds = {kind for mention in said.mentions for kind in mention.names} - {"area"}
    taken = _TAKES.get(tool)
    if kinds and taken is not None and not kinds & taken:
        return "another kind of name"
    return ""

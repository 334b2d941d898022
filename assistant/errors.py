"""The error tree. Every public function of the assistant raises one of these or nothing.

::

    JarvisError            code, detail (for the log and the screen), mend (what to do)
    ├── ConfigError        the configuration cannot be used
    ├── StateError         the state folder: locked, unwritable, corrupt
    ├── EgressError      a connection that would leave the private network
    ├── ModelFilesError    a model file is missing, or is not what the manifest says
    ├── ServiceError       the service of this machine: no manager, no permission, it does not start
    ├── HomeAssistantError a Home Assistant to be measured beside Jarvis: unreachable, refusing, gone
    └── StageError         a stage of the turn failed; ``stage`` names it
        ├── AudioError         bytes that are no speech clip we can decode
        ├── WakeWordError      EndpointingError      TranscriptionError
        ├── ChatError          the model server: down, slow, without the model, talking nonsense
        ├── ToolboxError       the MCP server: unreachable, crashed, answering nonsense
        ├── SynthesisError     PlaybackError
        └── InternalError      a bug of ours, caught at the turn's edge

What is *spoken* for a code stands in ``prompts/phrases/en.yaml`` (``assistant.phrases``).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar

from tools.known_secrets import KNOWN


class Stage(StrEnum):
    """The stages of a turn, in order."""

    AUDIO = "audio"
    WAKE = "wake"
    ENDPOINT = "endpoint"
    TRANSCRIPT = "transcript"
    DECISION = "decision"
    MODEL = "model"
    TOOLS = "tools"
    SYNTHESIS = "synthesis"
    PLAYBACK = "playback"


def one_line(text: str) -> str:
    """Without line breaks, escapes and marks that turn the direction of writing, a blank stands for each; and without
    what is known to be secret, which a server may quote."""
    text = KNOWN.hide(text)
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


class JarvisError(Exception):
    """Base of all errors.

    ``code`` is a stable snake_case word; ``detail`` says what happened with the facts; ``mend`` says what to do. Both
    are one line without control characters: they may quote what somebody sent, and go to logs and terminals. A detail
    of several lines is given as these, and ``detail`` has them one below the other.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, detail: str | Sequence[str], *, mend: str = "") -> None:
        detail = "\n".join(map(one_line, [detail] if isinstance(detail, str) else detail))
        mend = one_line(mend)
        super().__init__(f"{detail} {mend}".strip())
        self.code = code
        self.detail = detail
        self.mend = mend


class ConfigError(JarvisError):
    exit_code = 3


class ModelFilesError(JarvisError):
    exit_code = 4


class StateError(JarvisError):
    exit_code = 5


class EgressError(JarvisError, ConnectionError):
    """Also a ConnectionError: libraries treat it as a connection that could not be made, which it is."""

    exit_code = 6


class ServiceError(JarvisError):
    """``jarvis service``: it cannot be installed, started, asked or removed here."""

    exit_code = 7


class HomeAssistantError(JarvisError):
    """Of the benchmark's comparison; it is no stage of a turn."""


class StageError(JarvisError):
    """A stage of the turn failed."""

    stage: ClassVar[Stage] = Stage.DECISION


class AudioError(StageError):
    stage = Stage.AUDIO


class WakeWordError(StageError):
    stage = Stage.WAKE


class EndpointingError(StageError):
    stage = Stage.ENDPOINT


class TranscriptionError(StageError):
    stage = Stage.TRANSCRIPT


class ChatError(StageError):
    stage = Stage.MODEL


class ToolboxError(StageError):
    stage = Stage.TOOLS


class SynthesisError(StageError):
    stage = Stage.SYNTHESIS


class PlaybackError(StageError):
    stage = Stage.PLAYBACK


class InternalError(StageError):
    """A bug: an exception that no stage declared."""

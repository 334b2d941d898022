"""The answer to ``describe``: what is offered, in the protocol's form. Pure.

Written as JSON by hand, because the library's classes differ from version to version and clients of any version read
it.
"""

from __future__ import annotations

from typing import Any

from wyoming.event import Event

from assistant.wyoming.services import Services

PROGRAM = "Jarvis"
MAKER = {"name": "Jarvis", "url": ""}


def info(services: Services) -> Event:
    """The ``info`` event."""
    language = [services.language]
    models: dict[str, list[dict[str, Any]]] = {
        "asr": [_artifact("whisper", "Speech recognition", services, languages=language)]
        if services.transcriber is not None
        else [],
        "tts": [_artifact(services.voice, services.voice, services, languages=[services.voice_language], speakers=None)]
        if services.speech is not None
        else [],
        "wake": [
            _artifact(name, phrase, services, languages=language, phrase=phrase)
            for name, phrase in services.wake_words.items()
        ]
        if services.detector is not None
        else [],
        "handle": [_artifact("jarvis", "Answers from the tools of the house", services, languages=language)],
        "intent": [_artifact("sentences", "Sentence templates", services, languages=language)],
    }
    data = {kind: [_program(kind, found, services)] if found else [] for kind, found in models.items()}
    return Event("info", {**data, "mic": [], "snd": []})


_DOES = {
    "asr": ("Jarvis ears", {"supports_transcript_streaming": False, "requires_external_vad": True}),
    "tts": ("Jarvis voice", {"supports_synthesize_streaming": True}),
    "wake": ("Jarvis wake words", {}),
    "handle": ("Jarvis", {"supports_handled_streaming": True, "supports_home_control": True}),
    "intent": ("Jarvis", {}),
}
"""By kind: the name that people choose it by, and what it can."""


def _program(kind: str, models: list[dict[str, Any]], services: Services) -> dict[str, Any]:
    name, can = _DOES[kind]
    artifact = _artifact(PROGRAM, name, services)
    return {**artifact, "voices" if kind == "tts" else "models": models, **can}


def _artifact(name: str, description: str, services: Services, **more: Any) -> dict[str, Any]:
    about = {"name": name, "description": description, "attribution": MAKER, "installed": True}
    return {**about, "version": services.version, **more}

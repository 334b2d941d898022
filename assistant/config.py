"""The configuration: one ``jarvis.toml``, environment variables over it, secrets in files.

Frozen; units stand in the names; an unknown key is refused with the nearest known one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from assistant.observing.settings import (
    DebugRecordingSettings,
    HeartbeatName,
    HeartbeatSettings,
    LoggingSettings,
    TelemetrySettings,
)
from assistant.ports import Engine
from tools.settings import Frozen, ToolSettings


class WakeWordSettings(Frozen):
    """``[wake.words.NAME]``: one wake word."""

    model: Path | None = Field(
        default=None, description="Model file (.onnx or .tflite); empty: the one of that name in the model cache."
    )
    threshold: float = Field(default=0.5, gt=0, lt=1, description="Score from which it counts as heard.")
    patience: int = Field(default=1, ge=1, le=20, description="Chunks of 80 ms in a row that have to reach it.")


class WakeSettings(Frozen):
    """``[wake]``"""

    words: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")], WakeWordSettings] = Field(
        default={"hey_jarvis": WakeWordSettings()}, min_length=1, description="The wake words, by name."
    )
    refractory_s: float = Field(
        default=2.0, ge=0, le=30, description="Seconds in which further detections are ignored."
    )
    pre_roll_s: float = Field(default=1.5, ge=0, le=10, description="Seconds kept from before the detection.")
    vad_gate: float = Field(
        default=0.0, ge=0, lt=1, description="VAD probability that a detection needs beside its score; 0: none."
    )
    together_ms: int = Field(
        default=300,
        ge=0,
        le=2_000,
        description="Satellites that hear it within this time have heard the same phrase, and the loudest answers; 0: "
        "each of them answers.",
    )
    inbox: Path | None = Field(
        default=None, description="Folder that keeps the seconds before false wakes; empty: nothing is kept."
    )
    inbox_files: int = Field(default=100, ge=1, le=10_000, description="Files kept there; the oldest go first.")


class EndpointSettings(Frozen):
    """``[endpoint]``"""

    speech_probability: float = Field(default=0.5, gt=0, lt=1, description="VAD probability from which it is speech.")
    turn_model: str = Field(
        default="smart-turn",
        description="Model that hears whether a sentence is complete: name in the manifest or an .onnx file; empty or "
        "not there: silence alone decides.",
    )
    turn_probability: float = Field(default=0.5, gt=0, lt=1, description="From which it takes the turn for complete.")
    silence_s: float = Field(default=0.2, ge=0.1, le=2, description="Silence after which that model is asked.")
    fixed_silence_s: float = Field(default=0.7, ge=0.1, le=5, description="Silence that ends it without that model.")
    max_silence_s: float = Field(default=3.0, ge=0.3, le=10, description="Silence that ends it whatever it says.")
    max_utterance_s: float = Field(default=15.0, gt=1, le=120, description="Longest utterance.")
    start_timeout_s: float = Field(default=4.0, gt=0, le=60, description="Time to start speaking after the wake word.")
    follow_up_s: float = Field(
        default=6.0, gt=0, le=60, description="Time to start speaking after a question, without the wake word."
    )
    speculate: bool = Field(default=True, description="Transcribe at the first silence already.")


def _check_url(engine: str, url: str | None) -> None:
    if engine in ("openai", "wyoming") and not url:
        raise ValueError(f"engine {engine!r} needs `url`")


class TranscriberSettings(Frozen):
    """``[transcriber]``"""

    engine: Literal["whisper", "openai", "wyoming"] = Field(
        default="whisper", description="whisper: here; openai: a /v1/audio/transcriptions server; wyoming: a server."
    )
    url: str | None = Field(
        default=None, description="The server, e.g. http://127.0.0.1:8000/v1 or tcp://127.0.0.1:10300."
    )
    server_model: str = Field(default="whisper-1", description="Model at that server.")
    api_key_file: Path | None = Field(default=None, description="File with the server's API key, where it wants one.")
    timeout_s: float = Field(default=20.0, gt=0, le=300, description="Longest wait for that server.")
    model: str = Field(default="whisper-base", description="Name in the model manifest, or a CTranslate2 folder.")
    window: Literal["short", "full"] = Field(
        default="short", description="short: as long as the utterance needs, 30 s where in doubt; full: always 30 s."
    )
    names_prompt: bool = Field(default=True, description="Tell it the names of services, jobs, machines and devices.")
    compute_type: str = Field(default="int8", description="CTranslate2 compute type.")
    language: str = Field(default="en", min_length=2, max_length=5, description="Language spoken.")
    threads: int = Field(default=0, ge=0, le=256, description="CPU threads; 0: half of the cores, up to 4.")

    @model_validator(mode="after")
    def _server_has_a_url(self) -> TranscriberSettings:
        _check_url(self.engine, self.url)
        return self


class SynthesizerSettings(Frozen):
    """``[synthesizer]``"""

    engine: Literal["piper", "openai", "wyoming"] = Field(
        default="piper", description="piper: here; openai: a /v1/audio/speech server; wyoming: a server."
    )
    url: str | None = Field(
        default=None, description="The server, e.g. http://127.0.0.1:8880/v1 or tcp://127.0.0.1:10200."
    )
    server_model: str = Field(default="tts-1", description="Model at that server.")
    server_voice: str = Field(default="", description="Voice at that server; empty: its own choice.")
    server_format: Literal["wav", "pcm"] = Field(
        default="wav", description="What an openai server is asked for; pcm is 24 kHz and begins sooner at some."
    )
    api_key_file: Path | None = Field(default=None, description="File with the server's API key, where it wants one.")
    timeout_s: float = Field(default=20.0, gt=0, le=300, description="Longest wait for that server.")
    voice: str = Field(
        default="piper-en-us-joe", description="Name in the model manifest, or the path of a .onnx voice."
    )
    speed: float = Field(default=1.0, ge=0.5, le=2.0, description="Speaking rate; 1 is the voice's own.")
    volume: float = Field(default=1.0, ge=0.0, le=2.0, description="Loudness; 1 is the voice's own.")
    cache_mb: int = Field(default=32, ge=0, le=1024, description="Memory for speech that is said again and again.")

    @model_validator(mode="after")
    def _server_has_a_url(self) -> SynthesizerSettings:
        _check_url(self.engine, self.url)
        return self


class SpeechSettings(Frozen):
    """``[speech]``: how a spoken conversation goes."""

    earcons: bool = Field(default=True, description="Short sounds: listening, heard, your turn, failed.")
    interruption: bool = Field(default=True, description="The wake word or “stop” while it speaks ends the reply.")
    echo_cancellation: bool = Field(
        default=True,
        description="Take the sound of this machine's loudspeaker out of its microphone's; off for hardware that does.",
    )
    sentences: int = Field(default=2, ge=1, le=20, description="Sentences said aloud; the rest is on the screen.")


class ModelSettings(Frozen):
    """``[model]``: who decides where no sentence template fits."""

    base_url: str | None = Field(
        default=None,
        description="OpenAI-compatible server, e.g. http://127.0.0.1:1234/v1. Empty: LM Studio on :1234 or Ollama on "
        ":11434 when one answers, else the embedded model.",
    )
    name: str | None = Field(default=None, description="Model at that server; empty: the first one it lists.")
    api_key_file: Path | None = Field(default=None, description="File with the server's API key, where it wants one.")
    embedded: str = Field(
        default="qwen2.5-coder-1.5b", description="Name in the model manifest, or the path of a .gguf."
    )
    context_tokens: int = Field(default=4096, ge=1024, le=131072, description="Context of the embedded model.")
    threads: int = Field(default=0, ge=0, le=256, description="CPU threads of the embedded model; 0: all cores.")
    first_delta_timeout_s: float = Field(default=60.0, gt=0, le=600, description="Wait for the model's first word.")
    timeout_s: float = Field(default=120.0, gt=0, le=1800, description="Longest answer of the model.")
    max_rounds: int = Field(default=3, ge=1, le=8, description="Rounds of tools in one turn.")
    own_sentences: bool = Field(
        default=True, description="Say a tool's own sentence; false: tools of outside servers go back to the model."
    )
    phrase_results: bool = Field(
        default=False,
        description="Let the model put the results of several looks into one sentence, spoken only where all of it "
        "stands in them.",
    )
    discover: bool = Field(default=True, description="Look for LM Studio and Ollama on this machine.")


class ServerSettings(Frozen):
    """``[server]``"""

    host: str = Field(
        default="127.0.0.1", description="Address to bind; anything but loopback wants tokens: `jarvis token create`."
    )
    port: int = Field(default=8765, ge=0, le=65535, description="Port; 0: a free one.")
    tokens_file: Path | None = Field(
        default=None,
        description="More bearer tokens, one `name:token` (an owner's) or `name:role:token` a line, mode 0600.",
    )
    requests_a_minute: int = Field(
        default=300, ge=0, le=1_000_000, description="Requests that one token, or person, may make a minute; 0: any."
    )
    wrong_tokens_a_minute: int = Field(
        default=20, ge=1, le=10_000, description="Wrong tokens that are answered a minute from one address."
    )
    allowed_hosts: tuple[str, ...] = Field(
        default=(), description="Host names by which browsers and chat pages may reach it, besides localhost."
    )
    max_upload_bytes: int = Field(default=10_000_000, gt=0, description="Largest clip.")
    max_clip_s: float = Field(default=60.0, gt=0, le=600, description="Longest clip.")


class SatelliteSettings(Frozen):
    """``[satellites.NAME]``: a microphone and loudspeaker in a room, run by `wyoming-satellite`."""

    url: str = Field(pattern=r"^tcp://\S+:\d{1,5}$", description="Where it listens, e.g. tcp://kitchen.lan:10700.")
    room: str | None = Field(default=None, description="The room it stands in, as [areas] or Home Assistant has it.")
    wake: Literal["here", "there"] = Field(
        default="here", description="Who listens for the wake word: here, on its audio, or the satellite itself."
    )
    volume: float = Field(default=1.0, ge=0.0, le=2.0, description="Loudness of what is played there.")


class WyomingSettings(Frozen):
    """``[wyoming]``: ears, mouth and brain for Home Assistant and other Wyoming clients."""

    enabled: bool = Field(default=False, description="Whether `jarvis serve` has this door.")
    host: str = Field(
        default="127.0.0.1", description="Address to bind. The protocol knows no tokens: see allow_clients."
    )
    port: int = Field(default=10_600, ge=0, le=65535, description="Port; 0: a free one.")
    allow_clients: tuple[str, ...] = Field(
        default=(), description="Addresses or networks of clients let in, besides loopback, e.g. 192.168.1.20."
    )
    role: str = Field(default="member", description="Role of who speaks through it: guest, member or your own.")
    zeroconf: bool = Field(
        default=True, description="Announce it in the network when it is bound to more than loopback."
    )


class PrivacySettings(Frozen):
    """``[privacy]``"""

    allow_hosts: tuple[str, ...] = Field(
        default=(), description="Names or addresses outside the private network that may be connected to."
    )
    keep_transcripts: bool = Field(default=False, description="Keep what was said in the turn traces.")


class Settings(ToolSettings):
    """The whole of ``jarvis.toml``."""

    engine: Engine = Field(
        default="both", description="Who decides: sentences, model, both (templates first), bare (no help)."
    )
    state_dir: Path | None = Field(default=None, description="State folder; empty: the platform's own place.")
    models_dir: Path | None = Field(
        default=None, description="Model cache; empty: JARVIS_MODELS or the platform's own."
    )
    microphone: str | None = Field(default=None, description="Input device by name; empty: the system's default.")
    loudspeaker: str | None = Field(default=None, description="Output device by name; empty: the system's default.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="warning", description="Log to stderr from."
    )
    wake: WakeSettings = WakeSettings()
    endpoint: EndpointSettings = EndpointSettings()
    speech: SpeechSettings = SpeechSettings()
    transcriber: TranscriberSettings = TranscriberSettings()
    synthesizer: SynthesizerSettings = SynthesizerSettings()
    model: ModelSettings = ModelSettings()
    server: ServerSettings = ServerSettings()
    privacy: PrivacySettings = PrivacySettings()
    logging: LoggingSettings = LoggingSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    heartbeat: dict[HeartbeatName, HeartbeatSettings] = Field(
        default_factory=dict, max_length=8, description="Who notices when Jarvis is gone, by name."
    )
    debug_recording: DebugRecordingSettings = DebugRecordingSettings()
    satellites: dict[str, SatelliteSettings] = Field(default_factory=dict, description="Satellites, by name.")
    find_satellites: bool = Field(
        default=False, description="Look for satellites that announce themselves, and listen to them too."
    )
    wyoming: WyomingSettings = WyomingSettings()

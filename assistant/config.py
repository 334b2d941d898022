"""The configuration: one ``jarvis.toml``, environment variables over it, secrets in files.

Frozen; units stand in the names; an unknown key is refused with the nearest known one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from assistant.ports import Engine
from tools.settings import Frozen, ToolSettings


class WakeSettings(Frozen):
    """``[wake]``"""

    word: str = Field(default="hey_jarvis", description="Wake word; its model is found in the model cache.")
    threshold: float = Field(default=0.5, gt=0, lt=1, description="Score from which it counts as heard.")
    refractory_s: float = Field(
        default=2.0, ge=0, le=30, description="Seconds in which further detections are ignored."
    )
    pre_roll_s: float = Field(default=1.5, ge=0, le=10, description="Seconds kept from before the detection.")


class EndpointSettings(Frozen):
    """``[endpoint]``"""

    speech_probability: float = Field(default=0.5, gt=0, lt=1, description="VAD probability from which it is speech.")
    silence_s: float = Field(default=0.7, ge=0.1, le=5, description="Silence that ends an utterance.")
    max_utterance_s: float = Field(default=15.0, gt=1, le=120, description="Longest utterance.")
    start_timeout_s: float = Field(default=4.0, gt=0, le=60, description="Time to start speaking after the wake word.")


class TranscriberSettings(Frozen):
    """``[transcriber]``"""

    model: str = Field(default="whisper-base", description="Name in the model manifest, or a CTranslate2 folder.")
    compute_type: str = Field(default="int8", description="CTranslate2 compute type.")
    language: str = Field(default="en", min_length=2, max_length=5, description="Language spoken.")
    threads: int = Field(default=0, ge=0, le=256, description="CPU threads; 0: as many as there are cores, up to 4.")


class SynthesizerSettings(Frozen):
    """``[synthesizer]``"""

    voice: str = Field(
        default="piper-en-us-joe", description="Name in the model manifest, or the path of a .onnx voice."
    )
    speed: float = Field(default=1.0, ge=0.5, le=2.0, description="Speaking rate; 1 is the voice's own.")
    volume: float = Field(default=1.0, ge=0.0, le=2.0, description="Loudness; 1 is the voice's own.")


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

    host: str = Field(default="127.0.0.1", description="Address to bind; anything but loopback wants tokens_file.")
    port: int = Field(default=8765, ge=0, le=65535, description="Port; 0: a free one.")
    tokens_file: Path | None = Field(default=None, description="Bearer tokens, one `name:token` a line, mode 0600.")
    allowed_hosts: tuple[str, ...] = Field(
        default=(), description="Host names by which browsers and chat pages may reach it, besides localhost."
    )
    max_upload_bytes: int = Field(default=10_000_000, gt=0, description="Largest clip.")
    max_clip_s: float = Field(default=60.0, gt=0, le=600, description="Longest clip.")


class PrivacySettings(Frozen):
    """``[privacy]``"""

    allow_hosts: tuple[str, ...] = Field(
        default=(), description="Names or addresses outside the private network that may be connected to."
    )
    keep_transcripts: bool = Field(default=False, description="Keep what was said in the turn traces.")


class McpServerSettings(Frozen):
    """``[mcp_servers.NAME]``: an outside MCP server whose tools are added."""

    command: tuple[str, ...] = Field(default=(), description="stdio server: program and arguments.")
    url: str | None = Field(default=None, description="Streamable HTTP server.")
    token_file: Path | None = Field(default=None, description="Bearer token for the URL.")
    tools: tuple[str, ...] = Field(default=(), description="Only these tools; empty: all it lists.")
    timeout_s: float = Field(default=20.0, gt=0, le=300, description="Seconds a call may take.")

    @model_validator(mode="after")
    def _one_way_in(self) -> McpServerSettings:
        if bool(self.command) == bool(self.url):
            raise ValueError("give either `command` (stdio) or `url` (HTTP), not both and not neither")
        return self


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
    transcriber: TranscriberSettings = TranscriberSettings()
    synthesizer: SynthesizerSettings = SynthesizerSettings()
    model: ModelSettings = ModelSettings()
    server: ServerSettings = ServerSettings()
    privacy: PrivacySettings = PrivacySettings()
    mcp_servers: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")], McpServerSettings] = Field(
        default_factory=dict, description="Outside MCP servers, by name."
    )

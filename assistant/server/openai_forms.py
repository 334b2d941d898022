"""What OpenAI's clients send and expect: request bodies, and errors in their form.

Unknown fields are passed over, as clients send many that only one server knows. Source of the shapes: OpenAI's API
reference (chat completions, audio), and what the ``openai`` package parses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import JSONResponse

from tools.contract import JsonObject

MODEL = "jarvis"
PLAIN_MODEL = "jarvis-model"
"""The language model alone: no tools of ours, no turn, no conversation that is kept."""

TRANSCRIPTION_MODEL = "jarvis-ears"
SPEECH_MODEL = "jarvis-mouth"

MAX_MESSAGES = 500
MAX_TOOLS = 128
MAX_INPUT_CHARACTERS = 4_096
"""Of one text to be spoken: OpenAI's own limit."""

Form = TypeVar("Form", bound=BaseModel)


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Message(_Lenient):
    """One message; ``content`` as text or as parts, of which the text is taken."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[JsonObject] | None = None
    tool_calls: list[JsonObject] | None = None
    tool_call_id: str | None = None
    name: str | None = None

    @property
    def text(self) -> str:
        """Its words."""
        if isinstance(self.content, list):
            return "\n".join(str(part.get("text", "")) for part in self.content if part.get("type") == "text")
        return self.content or ""

    @property
    def only_text(self) -> bool:
        """Whether it holds nothing but text."""
        return not isinstance(self.content, list) or all(part.get("type") == "text" for part in self.content)

    def as_json(self) -> JsonObject:
        """For a chat model."""
        shown: JsonObject = {"role": "system" if self.role == "developer" else self.role, "content": self.text}
        for key in ("tool_calls", "tool_call_id", "name"):
            if (value := getattr(self, key)) is not None:
                shown[key] = value
        return shown


class ClientFunction(_Lenient):
    """What a client's tool is."""

    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    description: str = ""
    parameters: JsonObject = Field(default_factory=lambda: {"type": "object", "properties": {}})


class ClientTool(_Lenient):
    """A tool of the client's own."""

    type: Literal["function"]
    function: ClientFunction


class StreamOptions(_Lenient):
    """``include_usage``: a last chunk with the usage."""

    include_usage: bool = False


class ChatRequest(_Lenient):
    """``POST /v1/chat/completions``."""

    model: str
    messages: Annotated[list[Message], Field(min_length=1, max_length=MAX_MESSAGES)]
    stream: bool = False
    stream_options: StreamOptions | None = None
    tools: Annotated[list[ClientTool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: Any = None
    n: Literal[1] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    seed: int | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    response_format: JsonObject | None = None

    @property
    def schema_wanted(self) -> JsonObject | None:
        """The JSON schema that the answer has to follow. Raises FormError."""
        if self.response_format is None or self.response_format.get("type") != "json_schema":
            return None
        about = self.response_format.get("json_schema")
        schema = about.get("schema") if isinstance(about, dict) else None
        if not isinstance(schema, dict):
            raise FormError(400, "invalid_value", "response_format: there is no schema in it.", "response_format")
        return schema

    @property
    def wants_own_tools(self) -> bool:
        """Whether the client brings tools, and may get calls of them."""
        return bool(self.tools) and self.tool_choice != "none"


class SpeechRequest(_Lenient):
    """``POST /v1/audio/speech``."""

    model: str
    input: Annotated[str, Field(min_length=1, max_length=MAX_INPUT_CHARACTERS)]
    voice: str | JsonObject | None = None
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = "mp3"
    speed: Annotated[float, Field(ge=0.25, le=4.0)] = 1.0


class FormError(Exception):
    """A request that cannot be taken, and the answer that says why, in OpenAI's form."""

    def __init__(self, status: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.answer = refused(status, code, message, param)


def refused(
    status: int, code: str, message: str, param: str | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """An error answer: ``{"error": {"message", "type", "param", "code"}}``."""
    kinds = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
    kind = kinds.get(status, "server_error" if status >= 500 else "invalid_request_error")
    content = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return JSONResponse(content, status_code=status, headers=headers)


def in_form_of(path: str, answer: JSONResponse) -> JSONResponse:
    """An error of ours, as clients of that path read errors."""
    if not path.startswith("/v1/"):
        return answer
    error = json.loads(bytes(answer.body))["error"]
    message = " ".join(filter(None, (error["message"], error["mend"])))
    kept = ("allow", "retry-after", "www-authenticate")
    headers = {name: value for name, value in answer.headers.items() if name in kept}
    return refused(answer.status_code, error["code"], message, headers=headers)


def read_form(form: type[Form], body: bytes) -> Form:
    """A JSON body. Raises FormError."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FormError(400, "invalid_json", "The body is no JSON.") from error
    try:
        return form.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:200]
        raise FormError(400, "invalid_value", f"{where or 'body'}: {first['msg']}."[:400], where or None) from error


def check_model(name: str, *known: str) -> None:
    """Raises FormError for a model that is not here."""
    if name not in known:
        message = f"There is no model {name[:60]!r}; there is {' and '.join(known)}."
        raise FormError(404, "model_not_found", message, "model")

"""``/v1/models`` and ``/v1/chat/completions``: Jarvis as a model, for every client that speaks OpenAI's protocol.

The last user message is an utterance and runs through one turn, as at every other door; the tools are our own, and are
not seen from outside. A request that brings tools of its own is answered by the language model alone, with these
tools and none of ours; so are the chores that chat pages send beside the chat ("### Task: …"), which nobody said. The
model ``jarvis-model`` is the language model alone, for a Jarvis on another machine (``docs/scale-out.md``).
``docs/openai-api.md`` is its page.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from assistant.app import App
from assistant.broadcast import RunningTurn
from assistant.errors import ChatError
from assistant.events import ModelDelta, ReplySentence, TurnFailed
from assistant.ports import ModelReply, ToolDescription
from assistant.server.bodies import MAX_TEXT_CHARACTERS, bounded_body, is_unicode
from assistant.server.event_stream import with_pauses
from assistant.server.identity import identity
from assistant.server.openai_forms import (
    MODEL,
    PLAIN_MODEL,
    SPEECH_MODEL,
    TRANSCRIPTION_MODEL,
    ChatRequest,
    FormError,
    Message,
    check_model,
    read_form,
)
from tools.contract import Caller, JsonObject

MAX_BODY_BYTES = 2_000_000
CHORE = "### Task:"
"""How Open WebUI begins what it wants for itself: a title, tags, what to ask next."""

CHAT_ID_HEADER = "x-openwebui-chat-id"
MAX_ID_CHARACTERS = 64
REMEMBERED = 4
"""Earlier exchanges of a conversation that this process has not seen."""

StartTurn = Callable[[str, str, Caller], RunningTurn]
"""Utterance, conversation id, caller → the turn; raises RequestError where too many are under way."""


class ChatDoor:
    """The routes over one app."""

    def __init__(self, app: App, start: StartTurn) -> None:
        self._app = app
        self._start = start
        self._born = int(time.time())

    async def models(self, _: Request) -> Response:
        """What can be asked for by name."""
        names = (MODEL, PLAIN_MODEL, TRANSCRIPTION_MODEL, SPEECH_MODEL)
        return JSONResponse({"object": "list", "data": [self._model(name) for name in names]})

    async def model(self, request: Request) -> Response:
        """One of them."""
        name = request.path_params["model"]
        check_model(name, MODEL, PLAIN_MODEL, TRANSCRIPTION_MODEL, SPEECH_MODEL)
        return JSONResponse(self._model(name))

    async def chat(self, request: Request) -> Response:
        """One completion, streamed or not."""
        wanted = read_form(ChatRequest, await bounded_body(request, MAX_BODY_BYTES))
        check_model(wanted.model, MODEL, PLAIN_MODEL)
        if wanted.model == PLAIN_MODEL or wanted.wants_own_tools or _is_chore(wanted.messages[-1]):
            parts = self._by_the_model(wanted, wanted.schema_wanted if wanted.model == PLAIN_MODEL else None)
        else:
            parts = self._by_a_turn(wanted, request.headers.get(CHAT_ID_HEADER))
        completion = _Completion(wanted)
        if wanted.stream:
            return StreamingResponse(
                completion.stream(parts), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
            )
        return JSONResponse(await completion.whole(parts))

    def _model(self, name: str) -> JsonObject:
        return {"id": name, "object": "model", "created": self._born, "owned_by": "house"}

    def _by_a_turn(self, wanted: ChatRequest, chat_id: str | None) -> AsyncGenerator[_Part, None]:
        """Starts the turn at once, so that a refusal is an answer and no broken stream."""
        last = wanted.messages[-1]
        if last.role != "user":
            raise FormError(400, "no_utterance", "The last message has to be the user's.", "messages")
        if not last.only_text:
            raise FormError(400, "unsupported_content", "Only text can be read in a message.", "messages")
        text = last.text.strip()
        if not text or not is_unicode(text):
            raise FormError(400, "no_utterance", "The last message has no text.", "messages")
        who = identity.get()
        conversation = f"{who.name}/openai/{_conversation_id(wanted, chat_id)}"
        self._app.recall(conversation, _exchanges(wanted.messages[:-1]))
        turn = self._start(text, conversation, who.caller())
        return _said(turn)

    async def _by_the_model(self, wanted: ChatRequest, schema: JsonObject | None) -> AsyncGenerator[_Part, None]:
        """The language model alone; what it calls is the client's to carry out."""
        tools = [
            ToolDescription(tool.function.name, tool.function.description, tool.function.parameters)
            for tool in (wanted.tools or ())
            if wanted.wants_own_tools
        ]
        messages = [message.as_json() for message in wanted.messages]
        if wanted.max_tokens == 1:  # whoever wants no more has the prompt read ahead of time
            await self._app.model.warm(messages, tools)
            yield _Part(reply=ModelReply(text=""))
            return
        temperature = wanted.temperature if wanted.temperature is not None else 0.0
        answer = self._app.model.complete(messages, tools, seed=wanted.seed, temperature=temperature, schema=schema)
        said = False
        async with aclosing(answer):
            async for event in answer:
                if isinstance(event, ModelDelta) and not tools:
                    said = True
                    yield _Part(text=event.text)
                elif isinstance(event, ModelReply):
                    yield _Part(text="" if said else event.text, reply=event)


class _Part:
    """A piece of an answer; ``text`` may be empty; ``reply``: the model's end."""

    def __init__(self, text: str = "", reply: ModelReply | None = None) -> None:
        self.text = text
        self.reply = reply


async def _said(turn: RunningTurn) -> AsyncGenerator[_Part, None]:
    """The reply's sentences as they come; of a turn that failed what is said then."""
    first = True
    async with aclosing(turn.events()) as events:
        async for event in events:
            text = ""
            if isinstance(event, ReplySentence):
                text = event.text
            elif isinstance(event, TurnFailed) and first:
                text = event.spoken
            if text:
                yield _Part(text=text if first else f" {text}")
                first = False


class _Completion:
    """One answer in OpenAI's shape."""

    def __init__(self, wanted: ChatRequest) -> None:
        self._wanted = wanted
        self._head: JsonObject = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time())}
        self._in: int | None = None
        self._out: int | None = None
        self._calls: list[JsonObject] = []

    async def whole(self, parts: AsyncGenerator[_Part, None]) -> JsonObject:
        """Raises FormError where the model is down."""
        text = ""
        try:
            async with aclosing(parts):
                async for part in parts:
                    text += part.text
                    self._take(part)
        except ChatError as error:
            raise FormError(503, error.code, error.detail) from error
        message: JsonObject = {"role": "assistant", "content": text or None if self._calls else text}
        if self._calls:
            message["tool_calls"] = self._calls
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish}
        return {
            **self._head,
            "object": "chat.completion",
            "model": self._wanted.model,
            "choices": [choice],
            "usage": self._usage(text),
        }

    async def stream(self, parts: AsyncGenerator[_Part, None]) -> AsyncIterator[bytes]:
        """Chunks as server-sent events, and ``[DONE]``."""
        yield self._chunk({"role": "assistant", "content": ""})
        text = ""
        try:
            async with aclosing(with_pauses(parts)) as paced:
                async for part in paced:
                    if part is None:
                        yield b": still there\n\n"
                        continue
                    self._take(part)
                    if part.text:
                        text += part.text
                        yield self._chunk({"content": part.text})
        except ChatError as error:
            body = {"error": {"message": error.detail, "type": "server_error", "param": None, "code": error.code}}
            yield f"data: {json.dumps(body)}\n\ndata: [DONE]\n\n".encode()
            return
        if self._calls:
            calls = [{"index": at, **call} for at, call in enumerate(self._calls)]
            yield self._chunk({"tool_calls": calls})
        yield self._chunk({}, finish=self._finish)
        if self._wanted.stream_options and self._wanted.stream_options.include_usage:
            yield self._block({"choices": [], "usage": self._usage(text)})
        yield b"data: [DONE]\n\n"

    def _take(self, part: _Part) -> None:
        if part.reply is None:
            return
        self._in, self._out = part.reply.tokens_in, part.reply.tokens_out
        self._calls = [
            {
                "id": call.id or f"call_{secrets.token_hex(8)}",
                "type": "function",
                "function": {
                    "name": call.name,
                    "arguments": json.dumps(call.arguments) if call.arguments is not None else call.raw,
                },
            }
            for call in part.reply.tool_calls
        ]

    @property
    def _finish(self) -> str:
        return "tool_calls" if self._calls else "stop"

    def _chunk(self, delta: JsonObject, finish: str | None = None) -> bytes:
        return self._block({"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]})

    def _block(self, content: JsonObject) -> bytes:
        body = {**self._head, "object": "chat.completion.chunk", "model": self._wanted.model, **content}
        return f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()

    def _usage(self, text: str) -> JsonObject:
        """As the model counts; of a turn's words where no model told, by a rule of thumb (four characters a token)."""
        prompt = self._in if self._in is not None else _about(sum(len(m.text) for m in self._wanted.messages))
        completion = self._out if self._out is not None else _about(len(text))
        return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _about(characters: int) -> int:
    return -(-characters // 4)


def _is_chore(message: Message) -> bool:
    text = message.text.lstrip()
    return message.role == "user" and (text.startswith(CHORE) or len(text) > MAX_TEXT_CHARACTERS)


def _conversation_id(wanted: ChatRequest, chat_id: str | None) -> str:
    """What the client calls it; else its first words, which stay the same for as long as it goes on."""
    named = chat_id or (wanted.metadata or {}).get("conversation_id") or wanted.user
    if named and named.isprintable():
        return named[:MAX_ID_CHARACTERS]
    first = next((message.text for message in wanted.messages if message.role == "user"), "")
    return hashlib.sha256(first.encode("utf-8", "replace")).hexdigest()[:16]


def _exchanges(messages: Iterable[Message]) -> list[tuple[str, str]]:
    """Earlier pairs of what was said and answered, the last REMEMBERED."""
    pairs: list[tuple[str, str]] = []
    said = ""
    for message in messages:
        if message.role == "user":
            said = message.text
        elif message.role == "assistant" and said and message.text:
            pairs.append((said, message.text))
            said = ""
    return pairs[-REMEMBERED:]

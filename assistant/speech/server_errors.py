"""What goes wrong with a speech server elsewhere, as an error of its stage: the facts, and what to do. Pure."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2

from assistant.errors import ConfigError, EgressError, JarvisError, SynthesisError, TranscriptionError

FAILURES = (httpx2.HTTPError, httpx2.StreamError, OSError, asyncio.IncompleteReadError, UnicodeError)
"""What a connection raises when the server does not answer as it should; UnicodeError: its name is none."""

NEAREST = 5
"""Voices in an error; servers have hundreds."""

SAID_CHARACTERS = 300
"""Of the server's own words in an error."""

_KINDS = {TranscriptionError: ("transcriber", "speech recognition"), SynthesisError: ("synthesizer", "speech")}


@dataclass(frozen=True, slots=True)
class SpeechServer:
    """A server that hears or speaks for us; makes the errors of its stage.

    Codes: server_down, server_slow, server_refused_key, server_nonsense, server_error (it says so itself),
    server_model_missing, server_voice_missing, wrong_kind (it is another service).
    """

    error: type[TranscriptionError | SynthesisError]
    url: str

    @property
    def section(self) -> str:
        """Its part of jarvis.toml."""
        return _KINDS[self.error][0]

    @property
    def where(self) -> str:
        """The server in a sentence; a password in its URL stays out."""
        return f"The {_KINDS[self.error][1]} server at {shown(self.url)}"

    def check_url(self, *schemes: str) -> None:
        """Raises ConfigError bad_server_url when it is none of these schemes, or has no host, port or path."""
        try:
            parts = urlsplit(self.url)
            fine = parts.scheme in schemes and bool(parts.path if parts.scheme == "unix" else parts.hostname)
            fine = fine and parts.port != 0 and (parts.scheme != "tcp" or parts.port is not None)
        except ValueError:
            fine = False
        if not fine:
            raise self.bad_url()

    def bad_url(self) -> ConfigError:
        mend = f"Write `url` in [{self.section}] like http://127.0.0.1:8000/v1, or tcp://127.0.0.1:10300 for Wyoming."
        return ConfigError("bad_server_url", f"{shown(self.url)!r} is no address of such a server.", mend=mend)

    def down(self) -> JarvisError:
        mend = f"Start it, or mend `url` in [{self.section}]."
        return self.error("server_down", f"{self.where} cannot be reached.", mend=mend)

    def slow(self, timeout_s: float) -> JarvisError:
        mend = f"Look at its load, give it a smaller model, or raise `timeout_s` in [{self.section}]."
        return self.error("server_slow", f"{self.where} did not answer within {timeout_s:g} s.", mend=mend)

    def refused_key(self, status: int) -> JarvisError:
        mend = f"Check `api_key_file` in [{self.section}]."
        return self.error("server_refused_key", f"{self.where} refuses the API key (HTTP {status}).", mend=mend)

    def nonsense(self, what: str) -> JarvisError:
        mend = f"Check `url` and `engine` in [{self.section}]: is this server meant?"
        return self.error("server_nonsense", f"{self.where} talks nonsense: {what}.", mend=mend)

    def said(self, message: str, status: int | None = None) -> JarvisError:
        """It reports an error of its own."""
        code = f" (HTTP {status})" if status else ""
        words = one_line(message) or "without saying which"
        return self.error("server_error", f"{self.where} reports an error{code}: {words}", mend="See its own log.")

    def model_missing(self, model: str, message: str) -> JarvisError:
        detail = f"{self.where} has no model {model!r}: {one_line(message)}"
        mend = f"Load it there, or set `server_model` in [{self.section}] to one that it has."
        return self.error("server_model_missing", detail, mend=mend)

    def voice_missing(self, voice: str, there: Sequence[str]) -> JarvisError:
        near = difflib.get_close_matches(voice, there, n=NEAREST, cutoff=0.0)
        detail = f"{self.where} has no voice {voice!r}. The nearest of its {len(there)}: {one_line(', '.join(near))}."
        return self.error(
            "server_voice_missing", detail, mend=f"Set `server_voice` in [{self.section}] to one of its own."
        )

    def voice_refused(self, voice: str, message: str) -> JarvisError:
        detail = f"{self.where} does not take the voice {voice!r}: {one_line(message)}"
        mend = f"Set `server_voice` in [{self.section}] to one that it has."
        return self.error("server_voice_missing", detail, mend=mend)

    def wrong_kind(self, offers: Sequence[str]) -> JarvisError:
        offered = ", ".join(offers) or "nothing"
        detail = f"{self.where} is another service: it offers {offered}."
        return self.error("wrong_kind", detail, mend=f"Mend `url` in [{self.section}].")

    def broke_off(self) -> JarvisError:
        return self.nonsense("its answer broke off")

    def explained(self, error: BaseException, timeout_s: float, *, begun: bool) -> JarvisError:
        """Any of FAILURES as an error of ours; ``begun``: it had answered something already.

        A connection that the egress guard refused comes out as that.
        """
        below: BaseException | None = error
        while below is not None:
            if isinstance(below, EgressError):
                return below
            below = below.__cause__ or below.__context__
        if isinstance(error, httpx2.ConnectTimeout | httpx2.ConnectError | ConnectionRefusedError | FileNotFoundError):
            return self.down()
        if isinstance(error, TimeoutError | httpx2.TimeoutException):
            return self.slow(timeout_s)
        lost = (httpx2.ReadError, httpx2.WriteError, httpx2.CloseError, httpx2.RemoteProtocolError)
        if begun or isinstance(error, (*lost, asyncio.IncompleteReadError, ConnectionError)):
            return self.broke_off()
        return self.down()


def shown(url: str) -> str:
    """The URL without user, password and query: it goes into logs."""
    scheme, mark, rest = url.partition("?")[0].partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"


def one_line(text: str) -> str:
    """Somebody else's words for a detail: printable, one line, capped."""
    return "".join(character if character.isprintable() else " " for character in " ".join(text.split()))[
        :SAID_CHARACTERS
    ]

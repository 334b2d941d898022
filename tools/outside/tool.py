"""A tool of an outside server as one of ours: planned, decided on, asked back, audited and tainted like any other."""

from __future__ import annotations

from pydantic import ConfigDict

from tools.contract import Candidates, JsonObject, Level, PlannedCall, RefusalCode, ToolResult
from tools.outside.errors import OutsideError
from tools.outside.said import MAX_SPOKEN_CHARACTERS, Offer, printable, problems, readback, result_of, shorten, text_of
from tools.outside.said import words as said_words
from tools.outside.server import InvalidCallError, OutsideServer
from tools.tool import Arguments, CallError, InvalidArgumentsError

CONNECTING_S = 10.0
"""On top of the call's own time: a connection that has to be made anew, and a child that has to be ended."""


class OutsideArguments(Arguments):
    """Whatever its schema says, which is held against them when the call is planned; texts are left as they are."""

    model_config = ConfigDict(extra="allow", str_strip_whitespace=False)


class OutsideTool:
    """Implements :class:`tools.tool.Tool` and :class:`tools.tool.HasSchema`."""

    arguments: type[Arguments] = OutsideArguments

    def __init__(self, offer: Offer, server: OutsideServer) -> None:
        self.offer = offer
        self.server_name = offer.server
        self.name = offer.name
        self.description = offer.description
        self.level: Level = offer.level
        self.input_schema: JsonObject = offer.input_schema
        self.deadline_s = server.settings.timeout_s + CONNECTING_S
        self._server = server

    def plan(self, arguments: Arguments) -> PlannedCall | Candidates:
        """As they came. Raises InvalidArgumentsError: they do not fit the schema."""
        wanted = dict(arguments.model_extra or {})
        wrong = problems(self.input_schema, wanted)
        if wrong:
            raise InvalidArgumentsError(f"{self.name}: {'; '.join(wrong)}.")
        return PlannedCall(tool=self.name, arguments=wanted, level=self.level, readback=readback(self.offer, wanted))

    async def execute(self, call: PlannedCall) -> ToolResult:
        """Raises CallError."""
        server = said_words(self.offer.server)
        try:
            result = await self._server.call(self.offer.tool, call.arguments)
        except InvalidCallError as error:
            spoken = f"{server} doesn't take what I asked it."
            raise CallError("invalid_arguments", spoken, str(error), tainted=True) from error
        except OutsideError as error:
            code, spoken = self._sickness(error)
            raise CallError(code, spoken, printable(error.detail), tainted=True) from error
        if result.is_error:
            detail = shorten(text_of(result), MAX_SPOKEN_CHARACTERS) or None
            raise CallError("failed", f"{server} couldn't do that.", detail, tainted=True)
        return result_of(self.offer, result)

    def _sickness(self, error: OutsideError) -> tuple[RefusalCode, str]:
        """What is said; of an act that broke off nobody knows whether it was done."""
        server = said_words(self.offer.server)
        unsure = "" if self.level is Level.READ else ", so I can't tell whether it did that"
        if error.code == "unreachable":
            return "unavailable", f"{server} can't be reached."
        if error.code == "timeout":
            return "timeout", f"{server} did not answer in time{unsure}."
        return "failed", f"{server} broke off{unsure}."

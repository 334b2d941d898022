"""One MCP server over the tools: in process for the assistant, over stdio and streamable HTTP for everybody else.

Built on the low-level server, because the schemas are ours to the byte and a refusal is a readable result. Who calls
is believed only in process (``trust_caller``); at the other transports the server says who it is.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import mcp_types as types
from mcp.server import Server, ServerRequestContext
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from tools.access import Access
from tools.alerts.tool import CheckAlerts
from tools.background import Background, running
from tools.backups.ahead import LookAhead
from tools.backups.desk import histories, scores
from tools.backups.records import BackupRecords
from tools.backups.running import RunBackup, TestRestore
from tools.backups.scorecard import as_json
from tools.backups.tool import CheckBackups
from tools.backups.verdicts import verdicts
from tools.breaker import Breaker
from tools.catalog.tool import FindService
from tools.contract import (
    CALLER_META,
    NAMES_URI,
    OUTSIDE_URI,
    Caller,
    CallOutcome,
    Candidates,
    Door,
    JsonObject,
    Level,
    PlannedCall,
)
from tools.digest.daily import tell_digest
from tools.digest.facts import Digest, Phrase
from tools.digest.making import make_digest, no_model
from tools.elicitation import call_and_ask, sealed
from tools.engines import engines_of
from tools.home.devices import Home
from tools.home.link import open_link
from tools.home.tool import HomeControl, HomeState
from tools.jobs.recovery import recover
from tools.jobs.start import Starter
from tools.keeping.keeper import Keeper
from tools.keeping.recovery import recover as recover_database
from tools.keeping.retention import JARVIS_DB, RetentionReport
from tools.names import NameIndex
from tools.notify.doors import Announcements
from tools.notify.links import Links
from tools.notify.listening.all import listeners, listens
from tools.notify.listening.inbox import Inbox
from tools.notify.listening.webhook import Webhook
from tools.notify.messages import Messages
from tools.notify.missed import Missed
from tools.notify.questions import PhoneQuestions
from tools.notify.services import can_push, push_services
from tools.notify.tool import Notify
from tools.outbox import Outbox
from tools.outside.servers import OutsideServers
from tools.pin import SpokenPin, read_pin
from tools.policy import CallPath
from tools.records import settle_acts
from tools.restore_tests.scratch import clean_left_overs
from tools.services.logs import ServiceLogs
from tools.services.power import ServicePower
from tools.services.tool import CheckServices
from tools.settings import ToolSettings
from tools.showing import devices_for, names_for, outside_for, scopes, tools_for
from tools.store import Store
from tools.tasks.built_in import built_in_tasks
from tools.tasks.scheduler import Scheduler
from tools.tasks.schedules import Schedules
from tools.tasks.tool import CancelTask, ListTasks, Schedule
from tools.tool import InvalidArgumentsError, Tool, input_schema, read_arguments
from tools.vms.acts import Acts
from tools.vms.hypervisors import make_all
from tools.vms.inventory import Inventory
from tools.vms.tool import CheckVms, VmPower

log = logging.getLogger(__name__)

INSTRUCTIONS = "Facts about a home server. Say each result's text as it is; never guess a state."
SERVER_NAME = "jarvis"
ASKED_ANEW = "I asked on the phone whether I shall do it now."


class ToolHouse:
    """The tools with all that they need, opened in one place. A context manager (also an async one)."""

    def __init__(
        self,
        settings: ToolSettings,
        state_dir: Path,
        clock: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        """``clock`` gives local time to what is scheduled. Raises StoreError when the state folder cannot be used,
        PinError when the file of the spoken PIN cannot."""
        self.names = NameIndex.from_settings(settings)
        self.access = Access.of(settings, self.names)
        self.home = Home(settings, self.names)
        self.read_order: Callable[[str], tuple[str, JsonObject] | None] = lambda _: None
        self.phrase_digest: Phrase = no_model
        self.retention: RetentionReport | None = None
        """What the last sweep dropped, and what the state folder holds since; None before the first."""
        self._clock = clock
        if settings.access.pin_file is not None:
            read_pin(settings.access.pin_file)
        self._store = Store(state_dir / JARVIS_DB, on_damage=partial(recover_database, push=can_push(settings)))
        settle_acts(self._store)
        self.pin = SpokenPin(settings.access.pin_file, self._store)
        self._settings, self._state_dir = settings, state_dir
        recover(state_dir, self._store, settings)
        clean_left_overs(settings.restore_scratch or state_dir)
        names, store = self.names, self._store
        self.messages = Messages(store)
        self.announcements = Announcements(self.messages, settings.announcements)
        inbox = Inbox(store)
        self.webhook = Webhook(settings.announcements.webhook_token_file, inbox)
        self._starter = Starter(settings, state_dir, store)
        self._schedules = schedules = Schedules(store)
        ledger, engines = self._starter.ledger, engines_of(settings)
        machines = Inventory(settings, names, make_all(settings))
        acts = Acts(self.messages, push=settings.ntfy is not None or settings.gotify is not None)
        connected = settings.home_assistant
        link = open_link(connected, state_dir / "home-assistant.json") if connected is not None else None
        self.home_link = link
        """To the home system, where one is configured."""
        self._services = CheckServices(settings, names, store, engines)
        self._alerts = CheckAlerts(settings)
        tools: tuple[Tool, ...] = (
            self._services,
            self._alerts,
            ServiceLogs(settings, names, engines),
            ServicePower(settings, names, engines),
            CheckBackups(settings, names, store),
            RunBackup(names, self._starter),
            TestRestore(names, self._starter),
            CheckVms(settings, names, machines),
            VmPower(settings, names, machines, acts),
            HomeState(self.home, link),
            HomeControl(self.home, link),
            Notify(push_services(settings), store),
            Schedule(self._plan_order, clock, schedules),
            ListTasks(ledger, schedules, Missed(store, listens(settings))),
            CancelTask(ledger, schedules),
            FindService(settings, names),
        )
        self.listening: list[Background] = listeners(settings, inbox, self.messages)
        """What runs in the process that owns the state folder, besides the scheduler."""
        if link is not None:
            self.listening.append(link)
        outbox = Outbox(state_dir / "outbox", settings.retention.artifacts)
        self.path = CallPath(tools, store, outbox, access=self.access, pin=self.pin)
        self.outside = OutsideServers(
            settings.mcp_servers,
            budget=settings.outside_tokens,
            taken=[tool.name for tool in tools],
            changed=lambda others: self.path.add_outside(others),
        )
        """Entered by whoever wants the tools of outside servers among ours."""

    def breakers(self) -> tuple[Breaker, ...]:
        """Of all that the tools leave alone for a while when it fails: watchers, outside servers, the home system."""
        home = (self.home_link.breaker,) if self.home_link is not None else ()
        return (*self._services.breakers, *self._alerts.breakers, *self.outside.breakers, *home)

    def _plan_order(self, words: str) -> PlannedCall | Candidates | None:
        """An order in words as a planned call, for what is scheduled; ``read_order`` is set by whoever can read."""
        call = self.read_order(words)
        tool = next((tool for tool in self.path.tools if call is not None and tool.name == call[0]), None)
        if call is None or tool is None or isinstance(tool, Schedule):
            return None
        try:
            return tool.plan(read_arguments(tool, call[1]))
        except InvalidArgumentsError:
            return None

    @cached_property
    def questions(self) -> PhoneQuestions:
        """Questions to the phone; ``possible`` says whether there can be any."""
        settings = self._settings
        url = str(settings.ntfy.confirm_url) if settings.ntfy is not None and settings.ntfy.confirm_url else None
        links = Links(self._store, self._state_dir)
        return PhoneQuestions(self.path, links, self.messages, push_services(settings), url)

    async def _call_scheduled(self, agreed: PlannedCall, asked_by: Caller) -> CallOutcome:
        """What means something else by now is asked on the phone, where that is possible."""
        outcome = await self.path.call_scheduled(agreed, asked_by)
        caller = asked_by.model_copy(update={"door": Door.SCHEDULE})
        if outcome.error == "confirmation_void" and await self.questions.ask_anew(agreed, caller):
            return outcome.model_copy(update={"spoken": f"{outcome.spoken} {ASKED_ANEW}"})
        return outcome

    @asynccontextmanager
    async def keeping_time(self) -> AsyncIterator[None]:
        """Schedules are carried out, lost jobs noticed, messages delivered and listened for meanwhile. For whoever owns
        the state folder; what waits to be said stands in ``messages.unannounced()``."""
        tasks = built_in_tasks(self._settings, self._store, self._starter, self._tell_digest)
        scheduler = Scheduler(
            self._settings, self._state_dir, self._store, self._schedules, self._call_scheduled, tasks
        )
        scheduler.swept = partial(setattr, self, "retention")
        keeper = Keeper(self._store, self._state_dir, self._settings.retention)
        ahead = [LookAhead(self._settings.backups, BackupRecords(self._store))] if self._settings.backups else []
        async with running([scheduler, keeper, *ahead, *self.listening]):
            try:
                yield
            finally:
                await self.questions.close()

    async def digest(self, *, plain: bool = False) -> Digest:
        """The summary of the house as it is now; ``plain``: the tools' own sentences, no model is asked."""
        return await make_digest(self.path.call, self._clock(), no_model if plain else self.phrase_digest)

    async def _tell_digest(self) -> None:
        await tell_digest(self.digest, self._settings, self.messages)

    def audit_lines(self, limit: int = 100) -> list[JsonObject]:
        """Who called what, newest first. Raises StoreError."""
        return self._store.audit_lines(limit)

    def audit_after(self, after_id: int, limit: int) -> list[JsonObject]:
        """The lines after that one, newest last; after 0 the newest ones. Blocks. Raises StoreError."""
        return self._store.audit_after(after_id, limit)

    def scorecard(self) -> list[JsonObject]:
        """3-2-1-1-0 for each class of data, from what was last looked at. Blocks. Raises DeskError."""
        return [as_json(card) for card in scores(self._settings.backups, self._state_dir)]

    def backup_histories(self) -> list[JsonObject]:
        """Backups and restore tests of every job at every destination, oldest first. Blocks. Raises DeskError."""
        return [asdict(one) for one in histories(self._settings.backups, self._state_dir)]

    def backup_verdicts(self) -> list[tuple[str, str]]:
        """Data class and verdict of every job, from what was last looked at. Blocks. Raises StoreError."""
        return [(one.data_class, one.verdict.value) for one in verdicts(self._settings, self._store, time.time())]

    def overdue_s(self) -> float:
        """How late the most overdue of all that is scheduled is, in seconds; 0 where nothing is. Blocks. Raises
        StoreError."""
        following = self._schedules.next_at()
        return max(0.0, time.time() - following) if following is not None else 0.0

    def scopes(self, caller: Caller) -> list[str]:
        """Of the access token of an outside client: ``jarvis:read`` and so on, as far as the caller may go."""
        return scopes(self.access, caller)

    def close(self) -> None:
        """Idempotent."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


MCP_CLIENT = Caller(name="mcp client", role="member", door=Door.MCP)
"""An outside client that nothing more is known of."""


def mcp_server(
    house: ToolHouse,
    *,
    trust_caller: bool,
    version: str = "",
    who: Callable[[], Caller] = lambda: MCP_CLIENT,
) -> Server[Any]:
    """The MCP server. ``trust_caller`` only for the connection in process: it believes ``_meta[CALLER_META]``,
    and gets the nonce of an open confirmation; other clients are asked by elicitation (``tools/elicitation.py``).

    ``who`` is the outside caller of the request under way (from its token, say).
    """

    known: dict[str, tuple[Tool, types.Tool]] = {}

    def described(tool: Tool) -> types.Tool:
        """Made once: the list is asked for at every turn, and a schema takes a while."""
        if tool.name not in known or known[tool.name][0] is not tool:
            known[tool.name] = (tool, _described(tool))
        return known[tool.name][1]

    def schema_of(name: str) -> JsonObject | None:
        """For headers that repeat an argument: a tool of an outside server may want some (``x-mcp-header``)."""
        tool = next((tool for tool in house.path.tools if tool.name == name), None)
        return described(tool).input_schema if tool is not None else None

    async def list_tools(
        _: ServerRequestContext[Any], __: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        house.outside.try_again()
        shown = house.path.tools if trust_caller else tools_for(house.access, house.path.tools, who())
        return types.ListToolsResult(tools=[described(tool) for tool in shown])

    async def call_tool(
        ctx: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        if trust_caller:
            return _as_result(await house.path.call(params.name, params.arguments or {}, _believed(params)))
        answer = await call_and_ask(house.path, ctx, params, who(), house.questions)
        if isinstance(answer, types.InputRequiredResult):
            return answer
        return _as_result(answer.model_copy(update={"confirmation": None}))  # a nonce is for the assistant only

    async def list_resources(
        _: ServerRequestContext[Any], __: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        known = ((NAMES_URI, "Names that tools understand."), (OUTSIDE_URI, "How outside servers are."))
        return types.ListResourcesResult(
            resources=[
                types.Resource(
                    uri=uri, name=uri.removeprefix("jarvis://"), description=description, mime_type="application/json"
                )
                for uri, description in known
            ]
        )

    async def read_resource(
        _: ServerRequestContext[Any], params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        uri = str(params.uri)
        if uri == OUTSIDE_URI:
            told = house.outside.as_json()
            told = told if trust_caller else outside_for(house.access, told, who())
        elif uri == NAMES_URI:
            await house.path.ready()
            told = {**house.names.as_json(), "devices": list(house.home.by_kind())}
            if not trust_caller:
                names, devices = names_for(house.access, house.names.as_json(), who()), house.home.by_kind()
                told = {**names, "devices": devices_for(house.access, devices, who())}
        else:
            problem = f"There is no resource {uri}; there is {NAMES_URI}."
            raise MCPError(types.INVALID_PARAMS, problem, {"uri": uri})
        content = types.TextResourceContents(
            uri=uri, mime_type="application/json", text=json.dumps(told, ensure_ascii=False)
        )
        return types.ReadResourceResult(contents=[content])

    server: Server[Any] = Server(
        SERVER_NAME,
        version=version,
        instructions=INSTRUCTIONS,
        get_tool_input_schema=schema_of,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_read_resource=read_resource,
    )
    if not trust_caller:
        server.middleware.append(sealed(SERVER_NAME, lambda: _principal(who())))
    return server


def _principal(caller: Caller) -> str:
    """Whose an open question is: of a name under these rights, for a token may be given others meanwhile."""
    return json.dumps([caller.name, caller.role, caller.only, caller.room])


def _described(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=input_schema(tool),
        annotations=types.ToolAnnotations(
            read_only_hint=tool.level is Level.READ, destructive_hint=tool.level is Level.DESTRUCTIVE
        ),
    )


def _believed(params: types.CallToolRequestParams) -> Caller:
    """Who the assistant says is asking. Without a word it is nobody in particular."""
    meta: Any = params.meta or {}
    raw = meta.get(CALLER_META) if hasattr(meta, "get") else getattr(meta, CALLER_META, None)
    if raw is None:
        return Caller(name="nobody", role="guest")
    try:
        return Caller.model_validate(raw)
    except ValidationError as error:
        raise MCPError(types.INVALID_PARAMS, "The caller in _meta cannot be read.") from error


def _as_result(outcome: CallOutcome) -> types.CallToolResult:
    """Text for whoever reads text; the whole outcome as structured content."""
    text = outcome.spoken
    if not outcome.ok and outcome.detail and outcome.error in ("invalid_arguments", "unknown_tool"):
        text = f"{text} {outcome.detail}"
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)],
        structured_content=outcome.model_dump(mode="json"),
        is_error=not outcome.ok,
    )

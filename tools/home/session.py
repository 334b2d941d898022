"""What one connection knows of Home Assistant: its registries and its states, both kept current by events."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from tools.home.faults import NAME, RESTARTING, STARTING, GoodbyeError, RefusedCommandError
from tools.home.port import Entity, HomeError, State
from tools.home.registry import ASSISTANT, Registry, listed_in, read_registry, with_aliases
from tools.home.socket import HomeSocket
from tools.home.states import States
from tools.settings_house import HomeAssistantSettings

log = logging.getLogger(__name__)

LOADING_S = 30.0
"""For one list: small machines take seconds for the long ones."""
STARTING_LOOK_S = 1.0
RELOAD_AFTER_S = 0.25
"""Changes of the registries come in rows."""
RELOAD_AGAIN_S = 5.0
EXPOSED_FOR_S = 60.0
"""What is exposed of entities that stand in no registry changes without a word: it is asked for again after that, when
somebody asks for anything."""
LONG_ENTRIES = 500
"""Asked for in one message."""

_CHANGES = ("entity_registry_updated", "device_registry_updated", "area_registry_updated", "floor_registry_updated")
_STOPPING = frozenset({"STOPPING", "FINAL_WRITE", "STOPPED"})
_FACE = ("friendly_name", "device_class", "supported_features")


class Session:
    """Live from the end of :meth:`load`. ``on_names``: called when entities or places changed after that."""

    def __init__(self, socket: HomeSocket, settings: HomeAssistantSettings, on_names: Callable[[], None]) -> None:
        self.states = States()
        self.registry = Registry()
        self.entities: dict[str, Entity] = {}
        self._socket, self._settings, self._on_names = socket, settings, on_names
        self._decides = True
        self._loaded = False
        self._stale = False
        self._exposed_at = 0.0
        self._work: asyncio.Task[None] | None = None
        self._watchers: list[tuple[frozenset[str], asyncio.Future[None]]] = []
        self._end: HomeError | None = None

    async def wait_until_started(self, say: Callable[[str], None]) -> None:
        """It listens before its parts are there; meanwhile ``say`` gets why nothing is believed yet. Raises
        HomeError."""
        while True:
            config = await self._socket.command("get_config", timeout_s=LOADING_S)
            config = config if isinstance(config, dict) else {}
            components = config.get("components")
            self._decides = not isinstance(components, list) or ASSISTANT in components
            state = config.get("state", "RUNNING")
            if config.get("recovery_mode") is True:
                say(f"{NAME} runs in its recovery mode, without its devices")
            elif state == "RUNNING":
                return
            elif state in _STOPPING:
                raise GoodbyeError(RESTARTING)  # staying connected would only hold up its end
            else:
                say(STARTING)
            await asyncio.sleep(STARTING_LOOK_S)

    async def load(self) -> None:
        """Read all and subscribe to all that changes. Raises HomeError."""
        for change in _CHANGES:  # first, so that nothing is missed between the lists and the changes
            await self._optional("subscribe_events", handler=self._registry_changed, event_type=change)
        first: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def taken(event: object) -> None:
            self._states_changed(event)
            if not first.done():
                first.set_result(None)

        await self._socket.command("subscribe_entities", timeout_s=LOADING_S, handler=taken)
        self.registry = await self._read_registry()
        try:
            async with asyncio.timeout(LOADING_S):
                await first
        except TimeoutError as error:
            raise HomeError(f"{NAME} does not tell its states") from error
        self.entities = self.registry.entities(self.states, exposed_only=self._settings.exposed_only)
        self._loaded = True
        if self._stale:
            self._begin(self._reload())

    def refresh(self) -> None:
        """Look at what is exposed again, beside everything else, where the last look is old."""
        if time.monotonic() - self._exposed_at > EXPOSED_FOR_S and self.registry.listed is not None:
            self._exposed_at = time.monotonic()
            self._begin(self._read_exposed())

    async def call(self, domain: str, service: str, entities: Sequence[str], data: Mapping[str, Any]) -> None:
        """Have it done. Raises HomeError."""
        order: dict[str, Any] = {"domain": domain, "service": service, "service_data": dict(data)}
        if entities:
            order["target"] = {"entity_id": list(entities)}
        await self._socket.command("call_service", timeout_s=self._settings.timeout_s, **order)

    async def until(self, entities: Sequence[str], true: Callable[[], bool]) -> bool:
        """Wait until it is true, looking whenever one of them changes. Raises HomeError when the connection ends."""
        watched = frozenset(entities)
        while not true():
            if self._end is not None:
                raise self._end
            changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._watchers.append((watched, changed))
            try:
                await changed
            finally:
                self._watchers.remove((watched, changed))
        return True

    async def close(self, reason: HomeError) -> None:
        """All who wait for something hear the reason."""
        self._end = reason
        for _, changed in self._watchers:
            if not changed.done():
                changed.set_exception(reason)
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])

    def _states_changed(self, event: object) -> None:
        before = self.states.apply(event)
        if not before:
            return
        for watched, changed in self._watchers:
            if not changed.done() and not watched.isdisjoint(before):
                changed.set_result(None)
        if self._loaded:
            self._show(before)

    def _show(self, before: Mapping[str, State | None]) -> None:
        """Entities that came, went, or are called or classed otherwise now."""
        others = [id_ for id_, old in before.items() if _face(old) != _face(self.states.get(id_))]
        if not others:
            return
        entities = dict(self.entities)
        for id_ in others:
            now = self.states.get(id_)
            entity = None if now is None else self.registry.entity(id_, now)
            if entity is not None and (entity.exposed or not self._settings.exposed_only):
                entities[id_] = entity
            else:
                entities.pop(id_, None)
        if any(before[id_] is None for id_ in others):  # something new: it may stand in a registry, and be exposed
            self._registry_changed(None)
        if entities != self.entities:
            self.entities = entities
            self._on_names()

    def _registry_changed(self, _: object) -> None:
        self._stale = True
        if self._loaded:
            self._begin(self._reload())

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """One such thing at a time; what is stale when it is done is read again by it."""
        if self._end is None and (self._work is None or self._work.done()):
            self._work = asyncio.create_task(work, name="home assistant registries")
            self._work.add_done_callback(_log_broken)
        else:
            work.close()

    async def _reload(self) -> None:
        while self._stale:
            await asyncio.sleep(RELOAD_AFTER_S)
            self._stale = False
            try:
                self._take(await self._read_registry())
            except HomeError as error:
                log.info("the registries could not be read: %s", error.reason)
                self._stale = True
                await asyncio.sleep(RELOAD_AGAIN_S)

    async def _read_exposed(self) -> None:
        try:
            listed = listed_in(await self._optional("homeassistant/expose_entity/list"))
        except HomeError as error:
            log.info("what is exposed could not be read: %s", error.reason)
        else:
            if listed != self.registry.listed:
                self._stale = True  # with other names of what is exposed now
        await self._reload()

    def _take(self, registry: Registry) -> None:
        self.registry = registry
        entities = registry.entities(self.states, exposed_only=self._settings.exposed_only)
        self.entities = entities
        self._on_names()

    async def _read_registry(self) -> Registry:
        """Raises HomeError."""
        self._exposed_at = time.monotonic()
        entities, devices, areas, floors, exposed = await asyncio.gather(
            self._optional("config/entity_registry/list"),
            self._optional("config/device_registry/list"),
            self._optional("config/area_registry/list"),
            self._optional("config/floor_registry/list"),
            self._optional("homeassistant/expose_entity/list"),
        )
        registry = read_registry(
            entities=entities, devices=devices, areas=areas, floors=floors, exposed=exposed, decides=self._decides
        )
        wanted = registry.named_at_length(exposed_only=self._settings.exposed_only)
        for start in range(0, len(wanted), LONG_ENTRIES):
            ids = wanted[start : start + LONG_ENTRIES]
            registry = with_aliases(
                registry, await self._optional("config/entity_registry/get_entries", entity_ids=ids)
            )
        return registry

    async def _optional(self, kind: str, **fields: Any) -> Any:
        """None where this version or this user gets no answer. Raises HomeError."""
        try:
            return await self._socket.command(kind, timeout_s=LOADING_S, **fields)
        except RefusedCommandError as error:
            log.info("%s says no to %s: %s", NAME, kind, error.code)
            return None


def _log_broken(work: asyncio.Task[None]) -> None:
    if not work.cancelled() and (error := work.exception()) is not None:
        log.error("%s broke", work.get_name(), exc_info=error)


def _face(state: State | None) -> tuple[Any, ...] | None:
    return None if state is None else tuple(state.attributes.get(name) for name in _FACE)

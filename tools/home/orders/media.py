"""Media players. Pure."""

from __future__ import annotations

from tools.home.live import Device
from tools.home.orders.order import CannotError, Order, Sees, being, can, having, not_being, reading
from tools.home.port import State
from tools.home.values import chosen, share, step

PAUSE, VOLUME_SET, VOLUME_MUTE, PREVIOUS, NEXT = 1, 4, 8, 16, 32
TURN_ON, TURN_OFF, VOLUME_STEP, SOURCE, STOP, PLAY, SOUND_MODE = 128, 256, 1024, 2048, 4096, 16384, 65536
"""Bits of ``supported_features``, from Home Assistant's developer documentation."""

STEP_PCT = 10
_RESTING = ("off", "standby", "idle", "paused", "stopped")


def media(_: Device, state: State, action: str, value: object) -> Order:
    """Raises CannotError."""
    off = state.state in ("off", "standby")
    match action:
        case "on" | "open":
            return _first(state, "switched on", (TURN_ON, "turn_on", not_being("off", "standby")), _PLAY)
        case "off" | "close":
            return _first(state, "switched off", (TURN_OFF, "turn_off", being(*_RESTING)), _STOP)
        case "start" if off and can(state, TURN_ON):
            return Order("media_player", "turn_on", not_being("off", "standby"))
        case "start":
            return _first(state, "started", _PLAY)
        case "stop":
            return _first(state, "stopped", _PAUSE, _STOP)
        case "set":
            return _set(state, value)
    raise CannotError("can't be locked")


_Way = tuple[int, str, Sees]
_PLAY: _Way = (PLAY, "media_play", being("playing", "buffering"))
_PAUSE: _Way = (PAUSE, "media_pause", being(*_RESTING))
_STOP: _Way = (STOP, "media_stop", being(*_RESTING))


def _first(state: State, what: str, *ways: _Way) -> Order:
    for feature, service, done in ways:
        if can(state, feature):
            return Order("media_player", service, done)
    raise CannotError(f"can't be {what}")


def _set(state: State, value: object) -> Order:
    word = str(value).casefold().strip()
    if word in ("play", "playing", "resume"):
        return _first(state, "started", _PLAY)
    if word in ("pause", "paused", "stop"):
        return _first(state, "paused", _PAUSE, _STOP)
    if word in ("mute", "muted", "unmute", "unmuted"):
        return _mute(state, muted=not word.startswith("un"))
    if word.split()[:1] in (["next"], ["skip"], ["previous"], ["last"]):
        return _skip(state, forward=word.split()[0] in ("next", "skip"))
    source = chosen(value, state.attributes.get("source_list") or ())
    if source is not None and not word.replace("%", "").isdecimal():
        return Order("media_player", "select_source", reading("source", source), {"source": source}, detailed=True)
    mode = chosen(value, state.attributes.get("sound_mode_list") or ())
    if mode is not None:
        data = {"sound_mode": mode}
        return Order("media_player", "select_sound_mode", reading("sound_mode", mode), data, detailed=True)
    percent = share(value)
    now = state.attributes.get("volume_level")
    if percent is None and (more := _more(word)):
        percent = min(max(float(now or 0) * 100 + more, 0), 100)
    if percent is None:
        raise CannotError("can be set to a volume or to one of their sources")
    if not can(state, VOLUME_SET):
        raise CannotError("can't be made louder or quieter")
    done = having("volume_level", percent / 100, 0.02)
    return Order("media_player", "volume_set", done, {"volume_level": round(percent / 100, 2)}, detailed=True)


def _more(word: str) -> float:
    """By how many per cent: "louder", "up", "down 20"; 0 for what is neither."""
    way, _, by = word.partition(" ")
    if way in ("up", "down") and by.isdecimal():
        return float(by) if way == "up" else -float(by)
    return float(step(word) * STEP_PCT)


def _mute(state: State, *, muted: bool) -> Order:
    if not can(state, VOLUME_MUTE):
        raise CannotError("can't be muted")
    data = {"is_volume_muted": muted}
    return Order(
        "media_player", "volume_mute", lambda seen: seen.attributes.get("is_volume_muted") is muted, data, detailed=True
    )


def _skip(state: State, *, forward: bool) -> Order:
    if not can(state, NEXT if forward else PREVIOUS):
        raise CannotError("can't skip")
    service = "media_next_track" if forward else "media_previous_track"
    return Order("media_player", service, being("playing", "buffering", "paused", "idle", "on"), detailed=True)

"""The room that somebody is in: "the light" is the one there, and "in here" is there. Pure.

Where a room is no area of the home, or has no such thing, the house is meant, as it is where nobody knows the room.
"""

from __future__ import annotations

from collections.abc import Collection

from tools.calling import Place
from tools.contract import Candidates
from tools.home.devices import DeviceKind, Home, Target
from tools.names import plain
from tools.wording import listing

_HERE = (["here"], ["in", "here"], ["this", "room"], ["in", "this", "room"])


def find_from(
    home: Home,
    said: str,
    said_area: str | None,
    place: Place,
    *,
    one: bool,
    kinds: Collection[DeviceKind] | None = None,
) -> Target | Candidates:
    """What ``said`` means at that place; the rest as in :meth:`Home.find`."""
    if said_area is not None and [word for word in plain(said_area) if word != "the"] in _HERE:
        room = home.room(place.room) if place.room else None
        found = home.find(said, room, one=one, kinds=kinds)
        return _which_room(said, found) if room is None and one and isinstance(found, Target) else found
    if said_area is None and place.open and place.room and not home.says_where(said):
        room = home.room(place.room)
        there = home.find(said, room, one=one, kinds=kinds) if room is not None else None
        if there is not None and _is_there(there, kinds):
            return there
    return home.find(said, said_area, one=one, kinds=kinds)


def is_house_instead(found: Target, place: Place) -> bool:
    """Whether a person in a room gets all of the house, for want of such a thing where they are."""
    return place.open and place.room is not None and found.group and found.area is None


def _is_there(found: Target | Candidates, kinds: Collection[DeviceKind] | None) -> bool:
    """Things that can be what is asked for; or several of them, to be told apart there."""
    if isinstance(found, Candidates):
        return found.ambiguous
    return kinds is None or any(device.kind in kinds for device in found.devices)


def _which_room(said: str, found: Target) -> Target | Candidates:
    """ "In here" from somebody who is nowhere: only what there is once in the house can be meant."""
    areas = tuple(dict.fromkeys(device.area for device in found.devices if device.area))
    if len(areas) < 2:
        return found
    spoken = f"I don't know which room you are in. Is it the {listing(areas, 'or the')}?"
    return Candidates(argument="area", said=said, names=areas, ambiguous=True, spoken=spoken)

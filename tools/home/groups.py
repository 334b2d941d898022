"""Light groups and the like, which the home system shows beside their members: each lamp counts once. Pure."""

from __future__ import annotations

from dataclasses import replace

from tools.home.devices import Target
from tools.home.port import HomeLink


def without_groups(target: Target, link: HomeLink) -> Target:
    """Where several are meant: without those that stand for others which are meant as well."""
    if len(target.devices) < 2:
        return target
    ids = {device.id for device in target.devices}
    kept = []
    for device in target.devices:
        state = link.state(device.id)
        members = state.attributes.get("entity_id") if state is not None else None
        if not isinstance(members, list | tuple) or not members or not ids.issuperset(map(str, members)):
            kept.append(device)
    return replace(target, devices=tuple(kept) or target.devices)

"""The doctor: whether somebody notices when Jarvis is gone, and whether what is said is being kept to debug with."""

from __future__ import annotations

import asyncio

from assistant.cli.common import House
from assistant.cli.doctor_check import Check, looks


@looks("heartbeat", "each heartbeat, told once that all is well", deadline_s=60.0)
def heartbeats(house: House) -> Check:
    """A wrong URL is found now, and not when nobody misses anything."""
    wanted = house.settings.heartbeat
    if not wanted:
        mend = "Add [heartbeat.NAME], so that somebody notices when this machine is gone (docs/observability.md)."
        return Check("heartbeat", "ok", "none is configured: nobody is told when Jarvis is gone", mend)
    from assistant.observing.heartbeat import HeartbeatError
    from assistant.observing.push import push

    broken = []
    for name, settings in wanted.items():
        try:
            asyncio.run(push(name, settings))
        except HeartbeatError as error:
            broken.append(f"{name}: {error.code}")
    if broken:
        mend = "See that its URL is right and reachable from here; outside of the house it has to be in `allow_hosts`."
        return Check("heartbeat", "broken", "; ".join(broken), mend)
    return Check("heartbeat", "ok", f"{', '.join(wanted)} took a sign of life")


@looks("debug recording", "whether sound and words are kept to debug with")
def debug_recording(house: House) -> Check:
    from assistant.observing.service import recording_notice

    notice = recording_notice(house.settings)
    if not notice:
        return Check("debug recording", "ok", "off: nothing that is said is kept")
    return Check("debug recording", "warning", notice, "Take [debug_recording] out when you have found what you seek.")

"""The doctor: what Jarvis keeps. The state folder, its databases, their copies, the audit, and the models."""

from __future__ import annotations

import os
import time
from pathlib import Path

from assistant.cli.common import House
from assistant.cli.doctor_check import Check, looks
from assistant.cli.doctor_machine import existing
from assistant.errors import JarvisError, ModelFilesError
from tools.audit import AuditError, AuditReader
from tools.keeping import health
from tools.wording import counted

OLD_COPY_S = 3 * 86400.0
NEW_HOUSE_S = 2 * 86400.0
"""A database that young may have no copy yet."""

HASH_S = 4.0
"""Seconds in which models are read; the small ones first."""


@looks("configuration", "jarvis.toml, and whether anything stands in it")
def configuration(house: House) -> Check:
    if house.demo:
        mend = "`jarvis config example > jarvis.toml`, then name your services and backups."
        return Check("configuration", "warning", "nothing is configured; the demo homelab stands in", mend)
    settings = house.settings
    return Check("configuration", "ok", f"{len(settings.services)} services, {len(settings.backups)} backups")


@looks("state folder", "that it can be written, and is nobody else's business")
def state_folder(house: House) -> Check:
    path = house.state_dir
    mend = "Set `state_dir` in jarvis.toml, or JARVIS_STATE, to a folder that you can write."
    there = existing(path)
    if not there.is_dir():
        return Check("state folder", "broken", f"{there} is no folder", mend)
    try:
        read_only = bool(os.statvfs(there).f_flag & os.ST_RDONLY)
    except OSError as error:
        return Check("state folder", "broken", f"{there}: {error.strerror}", mend)
    if read_only:
        mend = "Mount its disk writable; `dmesg` may say why it is not."
        return Check("state folder", "broken", f"{there} is on a disk that is mounted read-only", mend)
    if not os.access(there, os.W_OK | os.X_OK):
        return Check("state folder", "broken", f"{there} cannot be written by this user", mend)
    if path.exists() and path.stat().st_mode & 0o077:
        return Check("state folder", "warning", f"{path} is open to others", f"chmod 700 {path}")
    return Check("state folder", "ok", str(path) if path.exists() else f"{path} is made when it is needed")


@looks("databases", "every page of the databases in the state folder", deadline_s=30.0)
def databases(house: House) -> Check:
    found = health.databases(house.state_dir)
    damaged = [f"{one.name}: {one.problem}" for one in found if one.state == "damaged"]
    if damaged:
        mend = (
            "Start `jarvis serve`: it sets jarvis.db and traces.db aside and goes back. Move away what else is damaged."
        )
        return Check("databases", "broken", f"damaged: {'; '.join(damaged)}", mend)
    unread = [f"{one.name}: {one.problem}" for one in found if one.state == "unread"]
    if unread:
        return Check("databases", "warning", f"not looked at: {'; '.join(unread)}", "Look again in a while.")
    return Check("databases", "ok", ", ".join(f"{one.name} {one.bytes / 1e6:.1f} MB" for one in found) or "none yet")


@looks("database versions", "that no database is of a newer version of Jarvis")
def database_versions(house: House) -> Check:
    newest = health.NEWEST
    found = [one for one in health.databases(house.state_dir, 0.5) if one.name in newest and one.schema is not None]
    newer = [f"{one.name} has schema {one.schema}" for one in found if (one.schema or 0) > newest[one.name]]
    if newer:
        mend = "Use the newer version again, or `jarvis state rollback` to the copy from before the upgrade."
        return Check("database versions", "broken", f"{'; '.join(newer)}, of a newer Jarvis", mend)
    old = [one.name for one in found if (one.schema or 0) < newest[one.name]]
    if old:
        return Check("database versions", "ok", f"{', '.join(old)} is brought up to date at the next start")
    return Check("database versions", "ok", ", ".join(f"{one.name} schema {one.schema}" for one in found) or "none yet")


@looks("copies", "the age of the newest nightly copy of jarvis.db")
def copies(house: House) -> Check:
    database = house.state_dir / "jarvis.db"
    newest, count = health.newest_copy(house.state_dir)
    mend = "`jarvis serve` makes one each night: let it run, or take one with `jarvis state backup`."
    now = time.time()
    if not database.exists():
        return Check("copies", "ok", "there is nothing to copy yet")
    if newest is None:
        young = now - _made(house.state_dir) < NEW_HOUSE_S
        return Check("copies", "ok" if young else "warning", "there is none yet", mend)
    age_h = (now - newest) / 3600
    told = f"{counted(count, 'copy', 'copies')}, the newest {age_h:.0f} h old"
    return Check("copies", "warning" if now - newest > OLD_COPY_S else "ok", told, mend)


def _made(folder: Path) -> float:
    """The age of the oldest file in it: a folder's own time changes all the while."""
    return min((path.stat().st_mtime for path in folder.iterdir() if path.is_file()), default=time.time())


@looks("damage", "whether a database was damaged before, and is kept")
def damage(house: House) -> Check:
    kept = health.set_aside(house.state_dir)
    if not kept:
        return Check("damage", "ok", "no database was ever damaged")
    told = health.last_recovery(house.state_dir) or f"{', '.join(kept)} was begun anew."
    mend = f"Look after the disk (smartctl -a, dmesg); then `rm -r {house.state_dir / 'damaged'}`."
    return Check("damage", "warning", told, mend)


@looks("audit", "every line of the audit against its chain", deadline_s=30.0)
def audit(house: House) -> Check:
    path = house.state_dir / "jarvis.db"
    if not path.exists():
        return Check("audit", "ok", "there is none yet")
    try:
        found = AuditReader(path).verified()
    except AuditError as error:
        return Check("audit", "broken", str(error), "See the line about databases.")
    if found.faults:
        mend = "`jarvis audit verify` tells all of it. Something else than Jarvis has written there."
        return Check("audit", "broken", found.faults[0].text, mend)
    return Check("audit", "ok", f"{counted(found.lines, 'line')}, all as they were written")


@looks("models", "that the models that are needed are there, each of its size")
def models(house: House) -> Check:
    from assistant.models import ModelStore

    store = ModelStore(house.settings.models_dir)
    missing = store.missing(store.manifest.defaults())
    if missing:
        return Check("models", "broken", f"missing: {', '.join(missing)}", "jarvis models pull")
    return Check("models", "ok", str(store.models_dir))


@looks("model hashes", "the bytes of the models, as many as can be read in four seconds", deadline_s=60.0)
def model_hashes(house: House) -> Check:
    from assistant.models import ModelStore

    store = ModelStore(house.settings.models_dir)
    wanted = [name for name in store.manifest.defaults() if name not in store.missing([name])]
    until, read = time.monotonic() + HASH_S, []
    speed = 200e6  # bytes a second, until it is known
    for name in sorted(wanted, key=lambda name: store.manifest.entry(name).size):
        size = store.manifest.entry(name).size
        began = time.monotonic()
        if began + size / speed > until:
            break
        try:
            store.verify(name)
        except ModelFilesError as error:
            return Check("model hashes", "broken", error.detail, error.mend)
        read.append(name)
        speed = max(speed, size / max(time.monotonic() - began, 1e-3)) if size > 10e6 else speed
    rest = len(wanted) - len(read)
    more = f"; {rest} larger ones by `jarvis models verify`" if rest else ""
    return Check(
        "model hashes", "ok", f"{len(read)} of {len(wanted)} read and right{more}" if wanted else "no model yet"
    )


@looks("backup passwords", "that every password file of a backup can be read")
def password_files(house: House) -> Check:
    unreadable = [
        name
        for name, job in house.settings.backups.items()
        if job.password_file is not None and not os.access(job.password_file, os.R_OK)
    ]
    if unreadable:
        mend = "Make them readable for the user that runs Jarvis, and for nobody else."
        return Check("backup passwords", "broken", f"unreadable: {', '.join(unreadable)}", mend)
    return Check("backup passwords", "ok", "every password file can be read")


@looks("satellites", "whether they are connected, as the running server has it")
def satellites(house: House) -> Check:
    from assistant.cli.satellites import ask

    wanted = house.settings.satellites
    if not wanted and not house.settings.find_satellites:
        return Check("satellites", "ok", "none are configured")
    try:
        there = ask(house)
    except JarvisError as error:
        return Check("satellites", "warning", error.detail, error.mend)
    gone = [f"{one['name']}: {one['problem'] or one['state']}" for one in there if one["state"] != "connected"]
    misfits = [f"{one['name']}: {one['problem']}" for one in there if one["state"] == "connected" and one["problem"]]
    said = f"{len(there) - len(gone)} of {len(there)} connected"
    if gone or misfits:
        return Check("satellites", "warning", f"{said}; {'; '.join(gone + misfits)}", "See docs/satellites.md.")
    return Check("satellites", "ok", said)

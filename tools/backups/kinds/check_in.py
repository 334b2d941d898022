"""How a job that is made elsewhere checks in: one JSON object in a file, put there at once or not at all.

``{"at": 1795230000, "ok": true, "duration_s": 312, "size": 81604378624, "files": 51234, "message": "…"}``, all but
``ok`` optional: ``at`` is Unix time or ISO 8601 (with an offset, else local) and is the time of the file where it is
missing. In place of JSON, the one line that ``tmutil latestbackup`` prints is understood too.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any

LIMIT_BYTES = 64_000
"""Of the file: it is one small object."""

LATEST = 1e11
"""Unix time of the year 5138; what is more is in milliseconds."""

_TIME_MACHINE = re.compile(r"/(\d{4})-(\d\d)-(\d\d)-(\d\d)(\d\d)(\d\d)(?:\.backup)?(?:/|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn:
    """What a job said of its last run. ``at``: Unix seconds; ``size``: bytes of all that it backed up."""

    at: float
    ok: bool = True
    duration_s: float | None = None
    size: int | None = None
    files: int | None = None
    message: str = ""


def write(file: Path, said: CheckIn) -> None:
    """Whoever reads it meanwhile finds the old one or the new one. Raises OSError."""
    values = {name: getattr(said, name) for name in said.__slots__}
    fields = {name: value for name, value in values.items() if value not in (None, "")}
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    written = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(json.dumps(fields) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        written.chmod(0o644)  # a job of another user may look after it
        written.replace(file)
    except BaseException:
        written.unlink(missing_ok=True)
        raise


def read(file: Path) -> CheckIn:
    """Raises OSError, and ValueError for what is no report."""
    with file.open("rb") as opened:
        text = opened.read(LIMIT_BYTES + 1)
        written = os.fstat(opened.fileno()).st_mtime
    if len(text) > LIMIT_BYTES:
        raise ValueError("it is too long")
    return parse(text.decode("utf-8"), written)


def parse(text: str, written: float) -> CheckIn:
    """``written``: Unix time of the file. Raises ValueError."""
    if text.lstrip().startswith("{"):
        try:
            return _check_in(json.loads(text), written)
        except json.JSONDecodeError as error:
            raise ValueError("it is not valid JSON") from error
        except (TypeError, KeyError, OverflowError, RecursionError) as error:
            raise ValueError("a value of it is none") from error
    found = _TIME_MACHINE.search(text.strip())
    if found is None or len(text.strip().splitlines()) != 1:
        raise ValueError("it is neither JSON nor the path of a Time Machine backup")
    year, month, day, hour, minute, second = (int(part) for part in found.groups())
    return CheckIn(at=datetime(year, month, day, hour, minute, second).timestamp())  # local time


def _check_in(fields: dict[str, Any], written: float) -> CheckIn:
    ok = fields["ok"]
    if not isinstance(ok, bool):
        raise TypeError("ok")
    return CheckIn(
        at=_moment(fields.get("at"), written),
        ok=ok,
        duration_s=_number(fields.get("duration_s")),
        size=_count(fields.get("size")),
        files=_count(fields.get("files")),
        message=" ".join(str(fields.get("message") or "").split())[:200],
    )


def _moment(at: object, written: float) -> float:
    if at is None:
        return written
    if isinstance(at, str):
        return datetime.fromisoformat(at).timestamp()
    number = _number(at)
    if number is None or number > LATEST:
        raise TypeError("no time")
    return number


def _number(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 0:
        raise TypeError("no number")
    return float(value)


def _count(value: object) -> int | None:
    number = _number(value)
    return None if number is None else int(number)

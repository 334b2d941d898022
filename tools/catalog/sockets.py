"""What listens on this machine: TCP sockets from ``/proc`` on Linux, from ``lsof`` on macOS."""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
LISTEN = "0A"
"""TCP_LISTEN of include/net/tcp_states.h, as ``/proc/net/tcp`` writes it (proc_net_tcp.rst)."""

LSOF = ("lsof", "-nP", "-iTCP", "-sTCP:LISTEN", "-Fcn")
LSOF_TIMEOUT_S = 10.0


class SocketsError(OSError):
    """What listens here cannot be told; the text says why, as a sentence."""


@dataclass(frozen=True, slots=True, order=True)
class Listening:
    """One socket. ``address``: IP address that it is bound to; ``program``: whose it is, empty where nobody says."""

    port: int
    address: str
    program: str = ""
    inode: int = 0

    @property
    def only_here(self) -> bool:
        """Nobody from outside this machine can reach it."""
        return ipaddress.ip_address(self.address).is_loopback


def read_table(text: str) -> Iterator[Listening]:
    """The listening ones of ``/proc/net/tcp`` or ``tcp6``. Lines that are none are passed over. Pure."""
    for line in text.splitlines()[1:]:
        columns = line.split()
        if len(columns) < 10 or columns[3] != LISTEN:
            continue
        address, _, port = columns[1].rpartition(":")
        try:
            yield Listening(int(port, 16), _address(address), inode=int(columns[9]))
        except ValueError:
            continue


def _address(words: str) -> str:
    """ "0100007F" → 127.0.0.1: words of 32 bits, each as the machine has them in memory. Raises ValueError."""
    raw = bytes.fromhex(words)
    if sys.byteorder == "little":
        raw = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    parsed = ipaddress.ip_address(raw)
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def read_lsof(text: str) -> Iterator[Listening]:
    """What ``lsof -Fcn`` prints: c has the program, n what it listens on ("*:8096", "127.0.0.1:53"). Pure."""
    program = ""
    for line in text.splitlines():
        kind, value = line[:1], line[1:]
        if kind == "p":
            program = ""
        elif kind == "c":
            program = value
        elif kind == "n" and (found := re.fullmatch(r"(\*|\[[0-9a-fA-F:]+\]|[0-9.]+):(\d{1,5})", value)):
            address = "0.0.0.0" if found[1] == "*" else found[1].strip("[]")  # noqa: S104 - what somebody else bound
            yield Listening(int(found[2]), address, program)


def listening_here(proc: Path = PROC) -> tuple[Listening, ...]:
    """On Linux, by port. Blocks: it looks through the processes for whose a socket is. Raises SocketsError."""
    found: list[Listening] = []
    try:
        for table in ("tcp", "tcp6"):
            path = proc / "net" / table
            if path.exists():  # a machine without IPv6 has no tcp6
                found += read_table(path.read_text(encoding="ascii", errors="replace"))
    except OSError as error:
        raise SocketsError(f"What listens here can't be read: {error.strerror}.") from error
    owners = _owners(proc, {one.inode for one in found})
    return tuple(sorted({Listening(one.port, one.address, owners.get(one.inode, "")) for one in found}))


def _owners(proc: Path, inodes: Iterable[int]) -> dict[int, str]:
    """Inode of a socket → program, of the processes that this user may look into."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[int, str] = {}
    for process in proc.iterdir() if wanted else ():
        own = [wanted[link] for link in _open_files(process) if link in wanted] if process.name.isdecimal() else []
        if own:
            with suppress(OSError):
                program = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
                found |= dict.fromkeys(own, program)
    return found


def _open_files(process: Path) -> Iterator[str]:
    """What its descriptors lead to, as far as this user may look; it may end or close some meanwhile."""
    with suppress(OSError):
        for link in (process / "fd").iterdir():
            with suppress(OSError):
                yield str(link.readlink())

"""The smallest guest there is: Debian's cloud kernel, and an initial ramdisk with busybox that listens to the power
button. Both come from Debian packages, which ``deploy/real.sh`` unpacks into ``.real/guest``.
"""

from __future__ import annotations

import gzip
import lzma
from dataclasses import dataclass
from pathlib import Path

UNPACKED = Path(__file__).parents[3] / ".real" / "guest"
MODULES = ("drivers/acpi/button.ko", "drivers/input/evdev.ko")
MISSING = f"There is no kernel or busybox in {UNPACKED}: run deploy/real.sh, which fetches them."

INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /etc/acpi/PWRF
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
for module in /modules/*.ko; do /bin/busybox insmod "$module"; done
printf '#!/bin/busybox sh\\n/bin/busybox poweroff -f\\n' >/etc/acpi/PWRF/00000080
/bin/busybox chmod 755 /etc/acpi/PWRF/00000080
echo "guest: ready" >/dev/ttyS0
exec /bin/busybox acpid -d -c /etc/acpi
"""

DEAF_INIT = INIT.replace("exec /bin/busybox acpid -d -c /etc/acpi", "while :; do /bin/busybox sleep 3600; done")
"""One that does not hear its power button."""


@dataclass(frozen=True)
class Guest:
    kernel: Path
    initrd: Path
    deaf_initrd: Path


def build(folder: Path) -> Guest:
    """Kernel and ramdisks in ``folder``, readable for everybody."""
    kernels = sorted(UNPACKED.glob("boot/vmlinuz-*"))
    busybox = next((path for path in (UNPACKED / "bin/busybox", UNPACKED / "usr/bin/busybox") if path.exists()), None)
    assert kernels, MISSING
    assert busybox, MISSING
    version = kernels[-1].name.removeprefix("vmlinuz-")
    kernel = folder / "vmlinuz"
    kernel.write_bytes(kernels[-1].read_bytes())
    modules = [_module(version, name) for name in MODULES]
    files = [("bin/busybox", busybox.read_bytes()), *((f"modules/{name}", data) for name, data in modules)]
    initrds = []
    for name, init in (("initrd", INIT), ("deaf-initrd", DEAF_INIT)):
        path = folder / name
        path.write_bytes(gzip.compress(_cpio([*files, ("init", init.encode())]), 1))
        initrds.append(path)
    return Guest(kernel, *initrds)


def _module(version: str, name: str) -> tuple[str, bytes]:
    for root in ("lib/modules", "usr/lib/modules"):
        path = UNPACKED / root / version / "kernel" / name
        if path.exists():
            return path.name, path.read_bytes()
        packed = path.with_name(path.name + ".xz")
        if packed.exists():
            return path.name, lzma.decompress(packed.read_bytes())
    raise AssertionError(f"The kernel in {UNPACKED} has no module {name}.")


def _cpio(files: list[tuple[str, bytes]]) -> bytes:
    """An archive in cpio's "newc" format, as the kernel reads it: header of hexadecimal fields, name, data, each padded
    to four bytes."""
    folders = sorted({str(parent) for name, _ in files for parent in Path(name).parents if str(parent) != "."})
    entries = [(name, 0o040755, b"") for name in folders] + [(name, 0o100755, data) for name, data in files]
    archive = b""
    for number, (name, mode, data) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
        archive += header + b"\0" * (-len(header) % 4) + data + b"\0" * (-len(data) % 4)
    return archive

"""Disks and memory of the machines that Prometheus watches with node_exporter. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tools.alerts.hosts import Host, Hosts
from tools.alerts.judging import disk, memory
from tools.alerts.port import Alert
from tools.settings_house import AlertSettings

Samples = Sequence[tuple[Mapping[str, str], float]]

NOT_DISKS = "tmpfs|ramfs|overlay|squashfs|iso9660|devtmpfs|nsfs|autofs|efivarfs|fuse.lxcfs|erofs"
"""File systems that are no disks, or cannot fill up."""

_ON_DISK = f'{{fstype!~"{NOT_DISKS}"}}'
DISKS = (
    f"max by (instance, device, mountpoint) (100 * (node_filesystem_size_bytes{_ON_DISK}"
    f" - node_filesystem_free_bytes{_ON_DISK}) / (node_filesystem_size_bytes{_ON_DISK}"
    f" - node_filesystem_free_bytes{_ON_DISK} + node_filesystem_avail_bytes{_ON_DISK}))"
)
"""Per cent as ``df`` counts them: of what is not reserved for root."""

MEMORY = "max by (instance) (100 * (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes))"
MACHINES = "max by (instance, nodename) (node_uname_info)"


@dataclass(frozen=True)
class Machines:
    """Which machine a sample is of: by ``node_uname_info`` where there is one, else by its address."""

    hosts: Hosts
    via: str
    named: Mapping[str, Host] = field(default_factory=dict)

    def of(self, labels: Mapping[str, str]) -> Host:
        """Of a sample with these labels."""
        instance = labels.get("instance", "")
        return self.named.get(instance) or self.hosts.of(instance, self.via)


def disks(limits: AlertSettings, source: str, machines: Machines, found: Samples) -> list[Alert]:
    """One for each file system; what is mounted several times counts once, under its shortest path."""
    shortest: dict[tuple[str, str], tuple[Host, str, float]] = {}
    for labels, used in found:
        mount = labels.get("mountpoint", "")
        key = (labels.get("instance", ""), labels.get("device") or mount)
        if not mount or not math.isfinite(used) or (key in shortest and len(shortest[key][1]) <= len(mount)):
            continue
        shortest[key] = (machines.of(labels), mount, used)
    return [disk(limits, source, host, mount, used) for host, mount, used in shortest.values()]


def memories(limits: AlertSettings, source: str, machines: Machines, found: Samples) -> list[Alert]:
    """One for each machine."""
    return [memory(limits, source, machines.of(labels), used) for labels, used in found if math.isfinite(used)]


def named(samples: Samples, hosts: Hosts, via: str) -> Machines:
    """Out of ``node_uname_info``; a container's id is no name, and a name of ours by the address is the better one."""
    found: dict[str, Host] = {}
    for labels, _ in samples:
        instance, node = labels.get("instance", ""), labels.get("nodename", "")
        container = len(node) == 12 and all(c in "0123456789abcdef" for c in node)
        by_address = hosts.of(instance, via)
        by_node = hosts.of(node) if node and not container else by_address
        found[instance] = by_node if by_node.here or not by_address.known else by_address
    return Machines(hosts, via, found)

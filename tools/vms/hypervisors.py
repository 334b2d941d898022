"""The hypervisors of the configuration, by name."""

from __future__ import annotations

from collections.abc import Mapping

from tools.settings import ToolSettings
from tools.settings_house import HypervisorSettings
from tools.vms.libvirt import Libvirt
from tools.vms.port import Hypervisor
from tools.vms.proxmox import Proxmox


def make(name: str, settings: HypervisorSettings) -> Hypervisor:
    """The adapter for one. Touches nothing."""
    return Proxmox(name, settings) if settings.kind == "proxmox" else Libvirt(name, settings)


def make_all(settings: ToolSettings) -> Mapping[str, Hypervisor]:
    """All of them, in the order of the configuration."""
    return {name: make(name, one) for name, one in settings.hypervisors.items()}

"""What the unit may not do. Each line is a directive of systemd.exec(5) or systemd.resource-control(5). Pure.

``docs/operation.md`` has the table of why, and what each of them keeps from working.
"""

from __future__ import annotations

from assistant.egress import PRIVATE

COMMON: tuple[tuple[str, str], ...] = (
    ("NoNewPrivileges", "yes"),
    ("UMask", "0077"),
    ("LimitCORE", "0"),  # a core would hold what was said and every secret
    ("LockPersonality", "yes"),
    ("RestrictNamespaces", "yes"),
    ("RestrictRealtime", "yes"),
    ("RestrictSUIDSGID", "yes"),
    ("SystemCallArchitectures", "native"),
    ("SystemCallFilter", "@system-service"),
    ("SystemCallFilter", "~@privileged"),
    ("SystemCallErrorNumber", "EPERM"),
    ("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK"),  # netlink: which interfaces there are (mDNS)
)
"""For every unit: what a user's own service manager can do without help. ``@resources`` stays: jobs lower their
priority."""

SYSTEM_ONLY: tuple[tuple[str, str], ...] = (
    ("CapabilityBoundingSet", ""),
    ("AmbientCapabilities", ""),
    ("KeyringMode", "private"),
    ("ProtectSystem", "strict"),
    ("ProtectHome", "tmpfs"),  # empty but for what is bound into it
    ("ProtectProc", "invisible"),
    ("ProtectClock", "yes"),
    ("ProtectControlGroups", "yes"),
    ("ProtectHostname", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelTunables", "yes"),
    ("PrivateTmp", "yes"),
)
"""What root's service manager can do besides. No PrivateUsers: each start would be in a user namespace of its own, and
see the jobs that outlived the last one as gone (ptrace(2), access mode checking)."""

NO_DEVICES = (("PrivateDevices", "yes"), ("DevicePolicy", "closed"))
SOUND = (("DevicePolicy", "closed"), ("DeviceAllow", "char-alsa rw"))
"""With a microphone there is a /dev, and of its devices the sound cards alone may be opened."""

NOT_FOR_UNITS = ("0.0.0.0/32", "::/128")
"""Of the guard's list: addresses that are bound, and never sent to."""

HOUSE = tuple(str(network) for network in PRIVATE if str(network) not in NOT_FOR_UNITS)
"""The guard's own private networks (``assistant.egress.PRIVATE``), as the kernel's filter has them."""

"""What a rule that fires is about, by its name and its labels. Pure.

Rules are named by whoever wrote them. Where a name plainly says what our own sources look at too (a disk that fills up,
a machine that is gone), it is the same alert as theirs, in our words; any other is said by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tools.alerts import words
from tools.alerts.hosts import Hosts
from tools.alerts.judging import disk_key, disk_name
from tools.alerts.port import Origin

_PLACES = ("instance", "host", "hostname", "node", "nodename", "server", "name", "service", "container", "pod", "job")
"""Labels that say what an alert is about, the best first."""

_OF_SPACE = ({"disk", "space"}, {"filesystem"}, {"disk", "full"}, {"disk", "usage"}, {"storage"}, {"volume"})
_NOT_OF_SPACE = {"files", "inodes", "inode", "error", "errors", "io", "latency", "readonly", "read"}
"""Words of a rule's name by which, with a mount point among its labels, it is about a full disk."""

_MACHINES = {"instance", "host", "node", "machine", "server"}
"""With "down" in a rule's name, and a job of node_exporter (whose name has "node" in it), it is about a machine."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """The parts of an ``Alert`` that are read out of a rule."""

    origin: Origin
    subject: str
    said: str
    key: str
    foreign: bool


def meaning(labels: Mapping[str, str], source: str, hosts: Hosts, via: str) -> Meaning:
    """``via``: URL of the watcher that says so."""
    rule = labels.get("alertname", "")
    value = next((labels[name] for name in _PLACES if labels.get(name)), None)
    host = hosts.subject(value, via) if value else None
    mount = labels.get("mountpoint", "")
    if host and mount and _is_of_space(rule):
        said = f"{disk_name(host, mount)} is filling up"
        return Meaning("disk", host.name, said, disk_key(host, mount), not (host.known and mount == "/"))
    if host and not host.here and _is_machine_down(rule, labels):
        return Meaning("host", host.name, f"{host.name} does not answer {source}", f"host:{host.name}", not host.known)
    where = "" if host is None else f" on {host.name}"
    subject = host.name if host else words.name(rule)
    said = f"the alert {words.rule_name(rule)} is firing{where}"
    return Meaning("rule", subject, said, f"rule:{words.name(rule)}", foreign=True)


def _is_of_space(rule: str) -> bool:
    said = words.words_of(rule)
    return any(wanted <= said for wanted in _OF_SPACE) and not said & _NOT_OF_SPACE


def _is_machine_down(rule: str, labels: Mapping[str, str]) -> bool:
    said = words.words_of(rule)
    return "down" in said and bool(said & _MACHINES) and "node" in labels.get("job", "").casefold()

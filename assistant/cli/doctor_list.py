"""The checks of ``jarvis doctor``, in the order in which a person would mend things. docs/doctor.md has this table."""

from __future__ import annotations

from assistant.cli import doctor_access as access
from assistant.cli import doctor_machine as machine
from assistant.cli import doctor_network as network
from assistant.cli import doctor_observing as observing
from assistant.cli import doctor_service as service
from assistant.cli import doctor_state as state
from assistant.cli.doctor_check import Examination

CHECKS: tuple[Examination, ...] = (
    machine.python,
    machine.packages,
    machine.clock,
    machine.clock_sync,
    machine.timezone,
    state.configuration,
    access.configuration_file,
    access.secret_files,
    state.state_folder,
    machine.disk,
    machine.memory,
    machine.swap,
    state.databases,
    state.database_versions,
    state.copies,
    state.damage,
    state.audit,
    state.models,
    state.model_hashes,
    machine.restic,
    machine.borg,
    state.password_files,
    machine.portaudio,
    machine.microphone,
    machine.loudspeaker,
    network.chat_model,
    network.speech_servers,
    network.server,
    network.wyoming,
    access.address,
    access.allowed_hosts,
    access.tokens,
    access.spoken_pin,
    machine.dns,
    network.home_assistant,
    network.push,
    network.watchers,
    network.mcp_servers,
    state.satellites,
    observing.heartbeats,
    observing.debug_recording,
    service.service,
    service.service_security,
    service.watchdog,
    network.egress_guard,
    network.hosts_outside,
    network.telemetry,
)


def markdown() -> str:
    """The table of docs/doctor.md."""
    lines = ["| check | looks at | at most |", "|---|---|---|"]
    lines += [f"| {check.name} | {check.about} | {check.deadline_s:g} s |" for check in CHECKS]
    return "\n".join(lines) + "\n"

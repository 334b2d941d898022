"""Dependencies point one way. The table below is the rule; the test reads every import of the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED_WITH_TOOLS = {
    "tools.contract", "tools.names", "tools.settings", "tools.when.time_words", "tools.when", "tools.catalog.reading",
    "tools.digest.facts", "tools.settings_access", "tools.breaker", "tools.known_secrets",
}  # fmt: skip
FOR_THE_COMMAND_LINE = {
    "tools.wording",
    "tools.backups.scorecard",
    "tools.backups.calendar",
    "tools.backups.recovery",
    "tools.backups.discovery",
    "tools.backups.desk",
    "tools.catalog",
    "tools.engines",
    "tools.digest.note",
    "tools.audit",
    "tools.access_table",
}
"""What ``jarvis backups`` and ``jarvis catalog`` show besides what they ask for over MCP: no other door needs it."""
FOR_THE_STATE = {"tools.database", "tools.keeping"}
"""How a SQLite file is opened and copied, which is one way for all of them (ADR 33)."""
OPENS_DATABASES = (
    "assistant.traces", "assistant.tokens", "assistant.state_backup", "assistant.cli", "assistant.server.idempotency",
)  # fmt: skip
FOR_THE_TOOLBOX = {"tools.mcp_link"}
"""How an MCP client is held, which is the same at both ends of the house."""
COMPOSITION_ROOT = {"assistant.app", "assistant.app_house", "assistant.app_model", "assistant.app_speech"}
HOLDS_THE_HOUSE = {"assistant.app", "assistant.app_house"}
ADAPTERS = ("assistant.speech", "assistant.chat", "assistant.toolbox")
PURE_SPEECH = {"assistant.speech.endpointing", "assistant.speech.wake_scores"}

PURE = (
    "assistant.text",
    "assistant.events",
    "assistant.satellites.loudest",
    "assistant.satellites.loudness",
    "assistant.satellites.about",
    "assistant.satellites.backoff",
    "assistant.satellites.lights",
    "assistant.outside_servers",
    "assistant.errors",
    "assistant.outcome",
    "assistant.conversation",
    "assistant.truth",
    "assistant.confirming",
    "assistant.smalltalk",
    "assistant.judging",
    "assistant.same_calls",
    "assistant.evaluation_figures",
    "assistant.evaluation_report",
    "assistant.sentences",
    "assistant.narrowing.mentions",
    "assistant.narrowing.candidates",
    "assistant.narrowing.choice",
    "assistant.wyoming.admission",
    "assistant.wyoming.offer",
    "assistant.speech.endpointing",
    "assistant.speech.whisper_window",
    "assistant.speech.names_prompt",
    "assistant.bench.word_errors",
    "assistant.speech.wake_scores",
    "assistant.speech.sample_clock",
    "assistant.speech.echo_canceller",
    "assistant.chat.repair",
    "tools.breaker",
    "tools.contract",
    "tools.names",
    "tools.settings",
    "tools.home.kinds",
    "tools.home.live",
    "tools.home.values",
    "tools.home.orders",
    "tools.home.sayings",
    "tools.home.telling",
    "tools.home.terms",
    "tools.wording",
    "tools.home.registry",
    "tools.when",
    "tools.catalog.reading",
    "tools.catalog.place",
    "tools.catalog.found",
    "tools.catalog.imports",
    "tools.digest.facts",
    "tools.digest.note",
    "assistant.config_paths",
    "assistant.loopback",
    "assistant.roles",
    "assistant.token_terms",
    "tools.settings_outside",
    "tools.settings_access",
    "tools.access",
    "tools.targets",
    "tools.audit_chain",
    "assistant.pin_answers",
    "tools.outside.said",
    "tools.outside.tokens",
    "tools.vms.port",
    "tools.vms.naming",
    "tools.vms.sayings",
    "tools.vms.screen",
    "tools.vms.printable",
    "tools.notify.port",
    "tools.notify.listening.cleaning",
    "tools.notify.listening.quiet",
    "tools.engines.docker_said",
    "tools.engines.systemd_said",
    "tools.engines.launchd_said",
    "tools.services.log_words",
    "tools.services.log_sayings",
    "tools.services.power_sayings",
    "tools.backups.kinds.restic_said",
    "tools.backups.kinds.borg_said",
    "tools.backups.kinds.kopia_said",
    "tools.backups.verdict",
    "tools.backups.sayings",
    "tools.backups.advice",
    "tools.backups.evidence",
    "tools.backups.history",
    "tools.backups.calendar",
    "tools.restore_tests.sampling",
    "tools.backups.scorecard",
    "tools.backups.command_lines",
    "tools.backups.schedules_found",
    "tools.backups.recovery_commands",
    "assistant.cli.backups_svg",
    "tools.backups.kinds.keeping",
    "tools.backups.kinds.manifest",
    "tools.backups.kinds.rsync_words",
    "tools.backups.kinds.rclone_said",
    "tools.backups.kinds.command_said",
    "tools.services.evidence",
    "tools.services.joining",
    "tools.services.judging",
    "tools.services.kuma_said",
    "tools.services.merging",
    "tools.services.own_look",
    "tools.services.prometheus_said",
    "tools.services.reasons",
    "tools.services.reporting",
    "tools.services.shapes",
    "tools.services.states",
    "tools.alerts.words",
    "tools.alerts.hosts",
    "tools.alerts.judging",
    "tools.alerts.measured",
    "tools.alerts.meaning",
    "tools.alerts.merging",
    "tools.alerts.sayings",
    "tools.alerts.rules_said",
    "tools.alerts.beszel_said",
    "tools.alerts.nut_said",
    "tools.alerts.certificate_said",
    "tools.alerts.report_said",
)
"""Modules that decide and say, and touch nothing."""

DOES_IO = {
    "asyncio", "http", "httpx", "httpx2", "openai", "os", "select", "shutil", "signal", "socket", "sqlite3", "ssl",
    "subprocess", "sys", "tempfile", "threading", "time", "urllib", "mcp", "sounddevice", "onnxruntime", "av",
}  # fmt: skip

MAY_REACH_ADAPTERS: dict[str, tuple[str, ...]] = {
    # the doors that show or move raw audio need its file form and the list of devices, not an engine
    "assistant.cli": (
        "assistant.speech.decoding",
        "assistant.speech.wav",
        "assistant.speech.microphone",
        "assistant.speech.player",
        "assistant.chat.discovery",
        "assistant.chat.openai_compatible",
    ),
    "assistant.server": ("assistant.speech.wav", "assistant.speech.encoding"),
    # the frames of the protocol, and sound that comes over a network
    "assistant.wyoming": ("assistant.speech.wyoming_link", "assistant.speech.network_source"),
    # the same, and what a loudspeaker elsewhere is given
    "assistant.satellites": (
        "assistant.speech.wyoming_link",
        "assistant.speech.network_source",
        "assistant.speech.earcons",
        "assistant.speech.resampling",
    ),
}


def modules() -> Iterator[tuple[str, Path]]:
    for package in ("assistant", "tools"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(path: Path, module: str) -> Iterator[str]:
    """Absolute names of what a module imports at run time; imports for types alone do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(node)
        for guard in ast.walk(tree)
        if isinstance(guard, ast.If) and "TYPE_CHECKING" in ast.unparse(guard.test)
        for node in ast.walk(guard)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


ALL = list(modules())
IMPORTED = {module: set(imports(path, module)) for module, path in ALL}


def inside(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def test_there_is_something_to_check() -> None:
    assert {"assistant.turn", "assistant.app", "tools.policy"} <= set(IMPORTED)


def test_tools_never_import_the_assistant() -> None:
    guilty = {m: n for m, names in IMPORTED.items() if inside(m, "tools") for n in names if inside(n, "assistant")}
    assert guilty == {}


def test_the_assistant_knows_only_the_pure_part_of_the_tools() -> None:
    guilty = {
        (module, name)
        for module, names in IMPORTED.items()
        if inside(module, "assistant") and module not in HOLDS_THE_HOUSE
        for name in names
        if inside(name, "tools")
        and name not in ("tools", "tools.backups", "tools.catalog", "tools.digest")
        and not any(
            inside(name, shared)
            for shared in SHARED_WITH_TOOLS
            | (FOR_THE_COMMAND_LINE if inside(module, "assistant.cli") else set())
            | (FOR_THE_TOOLBOX if inside(module, "assistant.toolbox") else set())
            | (FOR_THE_STATE if any(inside(module, one) for one in OPENS_DATABASES) else set())
        )
    }
    assert guilty == set()


def test_only_the_composition_root_imports_adapters() -> None:
    guilty = set()
    for module, names in IMPORTED.items():
        if module in COMPOSITION_ROOT or not inside(module, "assistant"):
            continue
        package = next((adapter for adapter in ADAPTERS if inside(module, adapter)), None)
        granted = next((grant for door, grant in MAY_REACH_ADAPTERS.items() if inside(module, door)), ())
        for name in names:
            adapter = next((adapter for adapter in ADAPTERS if inside(name, adapter)), None)
            if adapter is None or adapter == package or any(inside(name, pure) for pure in PURE_SPEECH):
                continue
            if not any(inside(name, grant) or inside(grant, name) for grant in granted):
                guilty.add((module, name))
    assert guilty == set()


@pytest.mark.parametrize("door", ["assistant.cli", "assistant.server"])
def test_nothing_below_imports_the_doors(door: str) -> None:
    guilty = {
        (module, name)
        for module, names in IMPORTED.items()
        if not inside(module, door) and module != "assistant.__main__"
        for name in names
        if inside(name, door) and not (door == "assistant.server" and inside(module, "assistant.cli"))
    }
    assert guilty == set()


@pytest.mark.parametrize("pure", PURE)
def test_pure_modules_do_no_input_or_output(pure: str) -> None:
    members = [module for module in IMPORTED if inside(module, pure)]
    assert members
    guilty = {(module, name) for module in members for name in IMPORTED[module] if name.split(".")[0] in DOES_IO}
    assert guilty == set()

"""Backup commands in shell lines, crontabs and unit files, as settings of a job. Pure: text in, findings out.

A reading of what people usually write, no shell: what it does not understand it does not guess. Passwords that stand in
a line are never taken along; the file that one is read from is.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

PROGRAMS = ("restic", "borg", "borgmatic", "kopia", "rsync", "rclone")
COMPUTED = "…"
"""Stands for what only a shell knows: the output of a command, a variable that nothing sets."""

_VALUED = {
    "restic": {
        "-r", "--repo", "--repository-file", "-p", "--password-file", "--password-command", "--tag", "--host", "-H",
        "-e",
        "--exclude", "--iexclude", "--exclude-file", "--iexclude-file", "--files-from", "--cache-dir", "-o", "--option",
        "--limit-upload", "--limit-download", "--exclude-if-present", "--exclude-larger-than", "--parent", "--time",
        "--compression", "--pack-size", "--key-hint", "--cacert", "--read-concurrency", "--retry-lock", "--group-by",
    },
    "borg": {
        "-C", "--compression", "-e", "--exclude", "--exclude-from", "--pattern", "--patterns-from", "-c",
        "--checkpoint-interval", "--comment", "--timestamp", "--chunker-params", "--lock-wait", "--remote-path",
        "--umask", "--rsh", "--files-cache", "--exclude-if-present", "--upload-ratelimit", "--upload-buffer",
        "--filter",
    },
    "rsync": {
        "-e", "--rsh", "--exclude", "--include", "--exclude-from", "--include-from", "--files-from", "--link-dest",
        "--compare-dest", "--copy-dest", "--log-file", "--bwlimit", "--password-file", "--partial-dir", "--backup-dir",
        "-f", "--filter", "--timeout", "--port", "--rsync-path", "--max-size", "--chmod", "--chown", "-T", "--temp-dir",
    },
    "rclone": {"--config", "--exclude", "--include", "--filter", "--transfers", "--checkers", "--bwlimit", "--log-file",
               "--log-level", "--backup-dir", "--exclude-from", "--filter-from", "--max-age", "--min-age", "--retries"},
    "borgmatic": {"-c", "--config", "-v", "--verbosity", "--syslog-verbosity", "--log-file", "--override"},
    "kopia": {"--config-file", "--password", "--log-dir", "--tags"},
}  # fmt: skip
"""Options that take a value; from each program's manual."""

_NAMING_ONLY = ("echo", "which", "command", "apt", "apt-get", "systemctl", "man", "printf", "logger")
"""Programs that only name another one."""

_ASSIGNED = re.compile(r"(?:export\s+|declare\s+-x\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_CAT = re.compile(r"^(?:\$\(|`)?\s*(?:sudo\s+)?cat\s+([^\s;|&)`]+)\s*[)`]?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One backup command. ``settings``: keys of a job, as far as they are known; ``notes``: what a person has to do."""

    kind: str
    settings: Mapping[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Line:
    """Options by name (each with its values) and what stands between them."""

    options: dict[str, list[str]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)

    def all(self, *names: str) -> list[str]:
        return [value for name in names for value in self.options.get(name, [])]

    def one(self, *names: str) -> str | None:
        return next(iter(self.all(*names)), None)


def backup_commands(text: str, environment: Mapping[str, str] | None = None) -> Iterator[Found]:
    """The backup commands of a script or of one line. ``environment``: variables that were set before."""
    known = dict(environment or {})
    for line in _lines(text):
        for words in _simple_commands(line):
            rest = _with_assignments(words, known)
            program, arguments = _program(rest)
            if program and (found := _READERS[program](_options(program, arguments), known)) is not None:
                yield found


def environment_of(text: str) -> dict[str, str]:
    """The variables of an env file: NAME=value a line, ``export`` or not."""
    known: dict[str, str] = {}
    for line in _lines(text):
        for words in _simple_commands(line):
            _with_assignments(words, known)
    return known


def _lines(text: str) -> Iterator[str]:
    for line in text.replace("\\\n", " ").splitlines():
        if (stripped := line.strip()) and not stripped.startswith("#"):
            yield stripped


def _simple_commands(line: str) -> Iterator[list[str]]:
    """A line without its pipes and lists, each command as words; nothing for what cannot be split."""
    held: list[str] = []

    def hold(match: re.Match[str]) -> str:
        held.append(match[0])
        return f"\x00{len(held) - 1}\x00"

    lexer = shlex.shlex(re.sub(r"\$\([^()]*\)|`[^`]*`", hold, line), posix=True, punctuation_chars=";|&<>")
    lexer.whitespace_split, lexer.commenters = True, "#"
    words: list[str] = []
    try:
        tokens = list(lexer)
    except ValueError:
        return
    for token in [*tokens, ";"]:
        if token and set(token) <= set(";|&"):
            if words:
                yield words
            words = []
        else:
            words.append(re.sub(r"\x00(\d+)\x00", lambda match: held[int(match[1])], token))


def _with_assignments(words: Sequence[str], known: dict[str, str]) -> list[str]:
    """Take in what is assigned before the command; the words of the command, with variables filled in."""
    rest = list(words)
    if rest[:1] == ["export"]:
        rest = rest[1:]
    while rest and (assigned := _ASSIGNED.fullmatch(rest[0])):
        known[assigned[1]] = _filled(assigned[2], known)
        rest = rest[1:]
    return [_filled(word, known) for word in rest]


def _filled(word: str, known: Mapping[str, str]) -> str:
    """``$HOME`` and ``${X:-y}`` as far as they are known. What a command puts out is kept where it stands alone."""
    if re.fullmatch(r"\$\([^()]*\)|`[^`]*`", word):
        return word
    word = re.sub(r"\$\([^()]*\)|`[^`]*`", COMPUTED, word)

    def value(match: re.Match[str]) -> str:
        name, default = match["plain"] or match["braced"], match["default"]
        return known.get(name, default if default is not None else COMPUTED)

    pattern = r"\$(?:(?P<plain>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)(?::?-(?P<default>[^}]*))?[^}]*\})"
    return re.sub(pattern, value, word)


def _program(words: Sequence[str]) -> tuple[str, list[str]]:
    """The first backup program of a command, behind sudo, nice, timeout and their like."""
    for place, word in enumerate(words):
        if (name := PurePosixPath(word).name) in PROGRAMS and COMPUTED not in word:
            return name, list(words[place + 1 :])
        if place == 0 and PurePosixPath(word).name in (
            "echo",
            "which",
            "command",
            "apt",
            "apt-get",
            "systemctl",
            "man",
        ):
            break
    return "", []


def _options(program: str, arguments: Sequence[str]) -> _Line:
    line, waiting, ended = _Line(), "", False
    for word in arguments:
        if waiting:
            line.options.setdefault(waiting, []).append(word)
            waiting = ""
        elif word == "--":
            ended = True
        elif word in (">", ">>", "<") or re.fullmatch(r"\d?>{1,2}(&\d)?", word):
            break
        elif word.startswith("-") and word != "-" and not ended:
            name, equals, value = word.partition("=")
            if equals:
                line.options.setdefault(name, []).append(value)
            elif name in _VALUED[program]:
                waiting = name
            else:
                line.options.setdefault(name, [])
        else:
            line.words.append(word)
    return line


def _restic(line: _Line, known: Mapping[str, str]) -> Found | None:
    if line.words[:1] != ["backup"]:
        return None
    repository = line.one("-r", "--repo") or known.get("RESTIC_REPOSITORY")
    password, notes = _password(
        line.one("-p", "--password-file") or known.get("RESTIC_PASSWORD_FILE"),
        line.one("--password-command") or known.get("RESTIC_PASSWORD_COMMAND"),
        known.get("RESTIC_PASSWORD"),
    )
    tags = [tag for value in line.all("--tag") for tag in value.split(",")]
    excluded = line.all("-e", "--exclude")
    return _found("restic", repository, line.words[1:], notes, password_file=password, tags=tags, exclude=excluded)


def _borg(line: _Line, known: Mapping[str, str]) -> Found | None:
    if line.words[:1] != ["create"] or len(line.words) < 2:
        return None
    place, _, _ = line.words[1].partition("::")
    password, notes = _password(None, known.get("BORG_PASSCOMMAND"), known.get("BORG_PASSPHRASE"))
    excluded = line.all("-e", "--exclude")
    repository = place or known.get("BORG_REPO")
    return _found("borg", repository, line.words[2:], notes, password_file=password, exclude=excluded)


def _borgmatic(line: _Line, _: Mapping[str, str]) -> Found | None:
    """Its own configuration says the rest; see ``discovery``."""
    config = line.one("-c", "--config")
    wanted = not line.words or set(line.words) & {"create", "prune", "compact", "check"}
    return Found(kind="borgmatic", settings={"config_file": config} if config else {}) if wanted else None


def _kopia(line: _Line, _: Mapping[str, str]) -> Found | None:
    if line.words[:2] not in (["snapshot", "create"], ["snap", "create"]):
        return None
    config = line.one("--config-file")
    return _found("kopia", None, line.words[2:], (), config_file=config)


def _rsync(line: _Line, _: Mapping[str, str]) -> Found | None:
    if len(line.words) < 2:
        return None
    *sources, target = line.words
    if not line.all("--link-dest"):
        note = "rsync without --link-dest is a mirror: what is deleted here is deleted there with the next run"
        return Found(kind="rsync", settings={"repository": target, "paths": tuple(sources)}, notes=(note,))
    place = target.rstrip("/").rpartition("/")[0]
    excluded = line.all("--exclude")
    note = "only snapshots that Jarvis makes have its mark of completeness; let it run them (`jarvis backups run`)"
    return _found("rsync-snapshots", place, sources, (note,), exclude=excluded)


def _rclone(line: _Line, _: Mapping[str, str]) -> Found | None:
    if line.words[:1] not in (["sync"], ["copy"]) or len(line.words) != 3:
        return None
    command, source, target = line.words
    notes = ("`rclone sync` deletes there what was deleted here",) if command == "sync" else ()
    return _found("rclone", target, [source], notes, config_file=line.one("--config"))


_READERS = {
    "restic": _restic, "borg": _borg, "borgmatic": _borgmatic, "kopia": _kopia, "rsync": _rsync, "rclone": _rclone,
}  # fmt: skip


def _password(file: str | None, command: str | None, value: str | None) -> tuple[str | None, tuple[str, ...]]:
    """The file that the password stands in; a note where it stands in the open."""
    for text in (command, value):
        if file is None and text and (read := _CAT.match(text)):
            file = read[1]
    if file is None and command:
        return None, (
            "its password comes from a command; put it into a file with mode 600, and name it as password_file",
        )
    if file is None and value:
        return None, (
            "its password stands in the open; put it into a file with mode 600, and name it as password_file",
        )
    return file, ()


def _found(kind: str, repository: str | None, paths: Sequence[str], notes: Sequence[str], **more: Any) -> Found:
    settings: dict[str, Any] = {"repository": repository, "paths": tuple(paths)}
    settings |= {key: tuple(value) if isinstance(value, list) else value for key, value in more.items()}
    if re.search(r"://[^/\s:@]*:[^/\s@]+@", repository or ""):
        notes = (*notes, "its address has a password in it, so let nobody else read jarvis.toml")
    return Found(kind=kind, settings={key: value for key, value in settings.items() if value}, notes=tuple(notes))

"""The commands that get a backup back, with the kind's own programs: no Jarvis, no Python. Pure.

POSIX sh, for a machine that has just been set up. Each block stands on ``setup``; TARGET, FILE and the like can be set
before, and have a default. Secrets are read from their files.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from tools.backups.kinds.target import Target
from tools.settings import BackupKind, BackupSettings

q = shlex.quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """Blocks of sh. ``programs``: what has to be installed; ``one``: a single file, or table; ``hint``: what a person
    has to know about all that."""

    programs: tuple[str, ...]
    setup: str
    listing: str
    everything: str
    one: str
    hint: str = ""


def commands(job: str, settings: BackupSettings, target: Target) -> Commands | None:
    """None for a kind that nothing is known of (report, command)."""
    maker = _MAKERS.get(settings.kind)
    return maker(job, settings, target) if maker is not None else None


def _setup(job: str, settings: BackupSettings, *lines: str) -> str:
    """Where it is restored to, and the secrets that the program wants."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", job)
    secrets = [f'{key}="$(cat {q(str(path))})"; export {key}' for key, path in settings.credentials.items()]
    target = [f'TARGET="${{TARGET:-/var/tmp/restored-{name}}}"', 'mkdir -p "$TARGET"']
    return "\n".join([*target, *secrets, *filter(None, lines)])


def _file(settings: BackupSettings) -> str:
    example = f"{settings.paths[0].rstrip('/')}/THE-FILE" if settings.paths else "/THE/FILE"
    return f'FILE="${{FILE:-{_inside(example)}}}"'


def _inside(text: str) -> str:
    """For the default of a variable within double quotes."""
    return re.sub(r'([$`"\\}])', r"\\\1", text)


def _ssh(settings: BackupSettings) -> str:
    """As the adapters call it; a password may be typed here."""
    words = ["ssh"]
    if settings.ssh_key is not None:
        words += ["-i", str(settings.ssh_key), "-oIdentitiesOnly=yes"]
    if settings.known_hosts is not None:
        words += [f"-oUserKnownHostsFile={settings.known_hosts}"]
    if settings.ssh_port != 22:
        words += ["-p", str(settings.ssh_port)]
    return shlex.join(words)


def _restic(job: str, settings: BackupSettings, target: Target) -> Commands:
    options = _restic_sftp(settings, target)
    chosen = [word for path in settings.paths for word in ("--path", path)]
    chosen += ["--tag", ",".join(settings.tags)] if settings.tags else []
    chosen += ["--host", settings.host] if settings.host else []
    which = shlex.join(chosen)
    setup = _setup(
        job,
        settings,
        f"export RESTIC_REPOSITORY={q(target.shown)}",
        f"export RESTIC_PASSWORD_FILE={q(str(target.password_file))}" if target.password_file else "",
    )
    return Commands(
        programs=("restic",),
        setup=setup,
        listing=_joined("restic", options, "snapshots", which),
        everything=_joined("restic", options, "restore latest", which, '--target "$TARGET" --verify'),
        one="\n".join(
            (
                _file(settings),
                _joined("restic", options, "restore latest", which, '--target "$TARGET" --include "$FILE"'),
                'ls -l "$TARGET$FILE"',
            )
        ),
        hint="`restic ls latest` lists the files. Another one than the newest: its id in place of `latest`.",
    )


def _restic_sftp(settings: BackupSettings, target: Target) -> str:
    """restic's own way to call ssh, where the job has a key or a port."""
    host = re.match(r"sftp:(?://)?([^:/]+)", target.repository)
    own = settings.ssh_key is not None or settings.known_hosts is not None or settings.ssh_port != 22
    return f"-o sftp.command={q(f'{_ssh(settings)} {host[1]} -s sftp')}" if host and own else ""


def _borg(job: str, settings: BackupSettings, target: Target) -> Commands:
    glob = f" --glob-archives {q('*' + '-'.join(settings.tags) + '*')}" if settings.tags else ""
    password = target.password_file
    setup = _setup(
        job,
        settings,
        f"export BORG_REPO={q(target.shown)}",
        f"export BORG_PASSCOMMAND={q(shlex.join(['cat', str(password)]))}" if password else "",
        "" if password else "export BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes",
        "export BORG_RELOCATED_REPO_ACCESS_IS_OK=yes",
        f"export BORG_RSH={q(_ssh(settings))}" if _is_remote(target) else "",
    )
    newest = f"ARCHIVE=\"${{ARCHIVE:-$(borg list --last 1{glob} --format '{{archive}}')}}\""
    return Commands(
        programs=("borg",),
        setup=setup,
        listing=f"borg list{glob}",
        everything=f'{newest}\ncd "$TARGET" && borg extract "::$ARCHIVE"',
        one="\n".join(
            (_file(settings), newest, 'cd "$TARGET" && borg extract "::$ARCHIVE" "${FILE#/}"', 'ls -l "$TARGET$FILE"')
        ),
        hint="`borg list ::ARCHIVE` lists the files. A key that is not in the repository (keyfile) has to be in "
        "~/.config/borg/keys.",
    )


def _borgmatic(job: str, settings: BackupSettings, target: Target) -> Commands:
    config = str(settings.config_file or "/etc/borgmatic/config.yaml")
    base = f"borgmatic --config {q(config)}"
    place = f" --repository {q(target.shown)}" if target.repository else ""
    return Commands(
        programs=("borgmatic", "borg"),
        setup=_setup(job, settings),
        listing=f"{base} list{place}",
        everything=f'{base} extract{place} --archive latest --destination "$TARGET"',
        one="\n".join(
            (
                _file(settings),
                f'{base} extract{place} --archive latest --destination "$TARGET" --path "${{FILE#/}}"',
                'ls -l "$TARGET$FILE"',
            )
        ),
        hint=f"Repository and password stand in {config}. Without it, borg itself gets everything back: "
        "`borg extract REPOSITORY::ARCHIVE`.",
    )


def _kopia(job: str, settings: BackupSettings, target: Target) -> Commands:
    """A repository that kopia is connected to anew, with a configuration of its own."""
    source = settings.paths[0] if settings.paths else "/THE/FOLDER"
    password = target.password_file
    connect = f"connect filesystem --path={q(target.shown)}"
    setup = _setup(
        job,
        settings,
        f'KOPIA_PASSWORD="$(cat {q(str(password))})"; export KOPIA_PASSWORD' if password else "",
        'export KOPIA_CONFIG_PATH="$TARGET/.kopia.config" KOPIA_CHECK_FOR_UPDATES=false',
        f"kopia repository {connect} --no-persist-credentials" if target.folder is not None else "",
    )
    return Commands(
        programs=("kopia",),
        setup=setup,
        listing="kopia snapshot list --all",
        everything=f'kopia restore {q(source)} "$TARGET/all"',
        one="\n".join((_file(settings), 'kopia restore "$FILE" "$TARGET/$(basename "$FILE")"')),
        hint="On another machine than the one that made the backups, name the folder as `kopia snapshot list --all` "
        "does: user@host:/folder."
        + ("" if target.folder is not None else " Connect first: `kopia repository connect`, with the kind of place."),
    )


def _rsync(job: str, settings: BackupSettings, target: Target) -> Commands:
    remote = _is_remote(target)
    host, folder = _rsync_parts(target)
    ssh = f"export RSYNC_RSH={q(_ssh(settings))}" if remote else ""
    newest = (
        f"$($RSYNC_RSH {q(host)} \"ls -d '$PLACE'/[0-9]*/.jarvis/complete.json\" | tail -n 1)"
        if remote
        else '$(ls -d "$PLACE"/[0-9]*/.jarvis/complete.json | tail -n 1)'
    )
    setup = _setup(
        job, settings, ssh, f"PLACE={q(folder)}", f'NEWEST="{newest}"', 'NEWEST="${NEWEST%/.jarvis/complete.json}"'
    )
    source = f'{q(host + ":")}"$NEWEST' if remote else '"$NEWEST'
    listing = f'$RSYNC_RSH {q(host)} ls "$PLACE"' if remote else 'ls "$PLACE"'
    return Commands(
        programs=("rsync", "ssh") if remote else ("rsync",),
        setup=setup,
        listing=listing,
        everything=f'rsync -aHs --exclude=/.jarvis {source}/" "$TARGET/"',
        one="\n".join(
            (
                _file(settings),
                'mkdir -p "$TARGET$(dirname "$FILE")"',
                f'rsync -as {source}$FILE" "$TARGET$FILE"',
                'ls -l "$TARGET$FILE"',
            )
        ),
        hint="Every folder that is named by a date is a whole backup, with the files at their full paths. A folder "
        "without .jarvis/complete.json broke off.",
    )


def _rclone(job: str, settings: BackupSettings, target: Target) -> Commands:
    """``current/`` is the newest state, each file at its full path."""
    config = f"--config {q(str(settings.config_file))}" if settings.config_file else ""
    base = target.shown
    place = f"{base}current" if base.endswith((":", "/")) else f"{base}/current"
    return Commands(
        programs=("rclone",),
        setup=_setup(job, settings, f"PLACE={q(place)}"),
        listing=_joined("rclone", config, 'lsl "$PLACE"'),
        everything=_joined("rclone", config, 'copy "$PLACE" "$TARGET"'),
        one="\n".join(
            (_file(settings), _joined("rclone", config, 'copyto "$PLACE$FILE" "$TARGET$FILE"'), 'ls -l "$TARGET$FILE"')
        ),
        hint="`current` is the newest state. What a run replaced or removed lies beside it, in `changed`, in a folder "
        "with its date.",
    )


def _newest(target: Target, suffixes: Sequence[str], name: str = "") -> str:
    """The newest dump of a folder, by its time."""
    begun = q(re.sub(r"[^A-Za-z0-9._-]", "?", name)).replace("'", "") if name else ""
    globs = " ".join(f'"$PLACE"/{begun}*{suffix}' for suffix in suffixes)
    found = f"$(ls -t {globs} 2>/dev/null | head -n 1)"
    return f'PLACE={q(target.shown)}\nDUMP="${{DUMP:-{found}}}"\n[ -s "$DUMP" ]'


def _sqlite(job: str, settings: BackupSettings, target: Target) -> Commands:
    name = PurePosixPath(settings.paths[0]).stem if settings.paths else ""
    copied = 'cp "$DUMP" "$TARGET/restored.db"'
    return Commands(
        programs=("sqlite3",),
        setup=_setup(job, settings, _newest(target, (".sqlite", ".sqlite3", ".db"), name)),
        listing='ls -lt "$PLACE"',
        everything=f'{copied}\nsqlite3 "$TARGET/restored.db" "PRAGMA integrity_check"',
        one="\n".join(
            (
                'TABLE="${TABLE:-THE_TABLE}"',
                copied,
                'sqlite3 "$TARGET/restored.db" ".dump $TABLE" >"$TARGET/$TABLE.sql"',
            )
        ),
        hint="The whole database is one file: stop the service, put it in place of the old one, take away files of the "
        "same name that end in -wal and -shm, and give it the owner that the old one had.",
    )


def _postgres(job: str, settings: BackupSettings, target: Target) -> Commands:
    database = settings.database
    name = database.name if database is not None else job
    lines = _pg_environment(settings)
    new = f'DATABASE="${{DATABASE:-restored_{re.sub(r"[^A-Za-z0-9_]", "_", name)}}}"'
    load = (
        'case "$DUMP" in\n'
        '  *.sql) psql -X -q -v ON_ERROR_STOP=1 -d "$DATABASE" -f "$DUMP" ;;\n'
        '  *.sql.gz) gzip -dc "$DUMP" | psql -X -q -v ON_ERROR_STOP=1 -d "$DATABASE" ;;\n'
        '  *) pg_restore --exit-on-error --no-owner --dbname="$DATABASE" "$DUMP" ;;\n'
        "esac"
    )
    return Commands(
        programs=("pg_restore", "psql", "createdb"),
        setup=_setup(job, settings, *lines, _newest(target, (".dump", ".pgdump", ".backup", ".sql", ".sql.gz"), name)),
        listing='ls -lt "$PLACE"',
        everything=f'{new}\ncreatedb --template=template0 "$DATABASE"\n{load}\npsql -X -d "$DATABASE" -c "\\dt"',
        one="\n".join(
            (
                'TABLE="${TABLE:-THE_TABLE}"',
                'pg_restore --no-owner --table="$TABLE" --file="$TARGET/$TABLE.sql" "$DUMP"',
                'ls -l "$TARGET/$TABLE.sql"',
            )
        ),
        hint="It is loaded beside the old database, under another name; look at it, then rename both. Roles are not in "
        "the dump: make them first (`createuser NAME`). The user has to be one who may make databases: set PGUSER and "
        "PGPASSWORD before. One table of a plain .sql dump has to be cut out by hand.",
    )


def _pg_environment(settings: BackupSettings) -> list[str]:
    database = settings.database
    if database is None:
        return []
    values: Mapping[str, object] = {"PGHOST": database.host, "PGPORT": database.port}
    lines = [f"export {key}={q(str(value))}" for key, value in values.items() if value]
    if database.user:
        lines.append(f'export PGUSER="${{PGUSER:-{_inside(database.user)}}}"')
    if database.password_file is not None:
        lines.append(f'export PGPASSWORD="${{PGPASSWORD-$(cat {q(str(database.password_file))})}}"')
    return lines


def _mariadb(job: str, settings: BackupSettings, target: Target) -> Commands:
    database = settings.database
    name = database.name if database is not None else job
    options = []
    if database is not None:
        socket = bool(database.host) and str(database.host).startswith("/")
        options += [f"--socket={database.host}" if socket else f"--host={database.host}"] if database.host else []
        options += [f"--port={database.port}"] if database.port else []
    user = f'--user="${{DBUSER:-{_inside(database.user)}}}"' if database is not None and database.user else ""
    secret = database.password_file if database is not None else None
    client = _joined("mariadb", shlex.join(options), user)
    new = f'DATABASE="${{DATABASE:-restored_{re.sub(r"[^A-Za-z0-9_]", "_", name)}}}"'
    read = 'case "$DUMP" in *.gz) gzip -dc "$DUMP" ;; *) cat "$DUMP" ;; esac'
    return Commands(
        programs=("mariadb",),
        setup=_setup(
            job,
            settings,
            f'export MYSQL_PWD="${{MYSQL_PWD-$(cat {q(str(secret))})}}"' if secret else "",
            _newest(target, (".sql", ".sql.gz"), name),
        ),
        listing='ls -lt "$PLACE"',
        everything="\n".join(
            (
                new,
                f'{client} -e "CREATE DATABASE \\`$DATABASE\\`"',
                f'{read} | {client} "$DATABASE"',
                f'{client} -e "SHOW TABLES" "$DATABASE"',
            )
        ),
        one="\n".join(
            (
                'TABLE="${TABLE:-THE_TABLE}"',
                'FROM="-- Table structure for table .$TABLE.\\$" TO="-- Table structure for table"',
                f'{{ {read}; }} | sed -n "/^$FROM/,/^$TO/p" >"$TARGET/$TABLE.sql"',
                'ls -l "$TARGET/$TABLE.sql"',
            )
        ),
        hint="It is loaded beside the old database, under another name. The user has to be one who may make databases: "
        "set DBUSER and MYSQL_PWD before. A dump of several databases (with USE lines) "
        "has to be loaded into an empty server.",
    )


def _home_assistant(job: str, settings: BackupSettings, target: Target) -> Commands:
    unpack = 'tar -xf "$DUMP" -C "$TARGET"'
    inner = '"$(ls "$TARGET"/homeassistant.tar* | head -n 1)"'
    return Commands(
        programs=("tar",),
        setup=_setup(job, settings, _newest(target, (".tar",))),
        listing='ls -lt "$PLACE"',
        everything=f'{unpack}\nmkdir -p "$TARGET/homeassistant"\ntar -xf {inner} -C "$TARGET/homeassistant"\n'
        'ls "$TARGET/homeassistant"',
        one="\n".join(
            (
                'FILE="${FILE:-data/configuration.yaml}"',
                unpack,
                f'tar -xf {inner} -C "$TARGET" "$FILE"',
                'ls -l "$TARGET/$FILE"',
            )
        ),
        hint="A new Home Assistant takes the .tar as it is: on its first page, “Restore from backup”. An encrypted one "
        "wants the key of the emergency kit; tar cannot open the inside of that.",
    )


def _gitea(job: str, settings: BackupSettings, target: Target) -> Commands:
    unpack = 'case "$DUMP" in *.zip) unzip -q "$DUMP" -d "$TARGET" ;; *) tar -xf "$DUMP" -C "$TARGET" ;; esac'
    return Commands(
        programs=("unzip", "tar", "git"),
        setup=_setup(job, settings, _newest(target, (".zip", ".tar", ".tar.gz", ".tar.xz", ".tar.zst", ".tgz"))),
        listing='ls -lt "$PLACE"',
        everything=f'{unpack}\nls "$TARGET"',
        one="\n".join(
            (
                'REPOSITORY="${REPOSITORY:-THE-OWNER/THE-REPOSITORY}"',
                unpack,
                'GIT="$(find "$TARGET" -type d -path "*/$REPOSITORY.git" | head -n 1)"',
                'git clone --quiet "$GIT" "$TARGET/clone"',
            )
        ),
        hint="app.ini, the folders data and repos and gitea-db.sql go to where app.ini says; the SQL is loaded into an "
        "empty database. Then `gitea admin regenerate hooks`.",
    )


def _joined(*parts: str) -> str:
    return " ".join(filter(None, parts))


def _is_remote(target: Target) -> bool:
    return target.folder is None and bool(target.repository)


def _rsync_parts(target: Target) -> tuple[str, str]:
    """Host and folder of ``user@host:/folder``; no host for a folder here."""
    if target.folder is not None:
        return "", str(PurePosixPath(target.repository))
    host, _, folder = target.repository.partition(":")
    return host, folder


_MAKERS: Mapping[BackupKind, Callable[[str, BackupSettings, Target], Commands]] = {
    "restic": _restic,
    "borg": _borg,
    "borgmatic": _borgmatic,
    "kopia": _kopia,
    "rsync-snapshots": _rsync,
    "rclone": _rclone,
    "sqlite": _sqlite,
    "postgres-dump": _postgres,
    "mariadb-dump": _mariadb,
    "home-assistant-tar": _home_assistant,
    "gitea-dump": _gitea,
}

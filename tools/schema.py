"""The tables of the tools' database, step by step: a step that was released is never changed, another one is added."""

from __future__ import annotations

from collections.abc import Sequence

MIGRATIONS: Sequence[str] = (
    """
    CREATE TABLE observations (
        service TEXT NOT NULL, at REAL NOT NULL, up INTEGER NOT NULL, reason TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX observations_by_service ON observations (service, at);
    CREATE TABLE restore_tests (
        id INTEGER PRIMARY KEY, job TEXT NOT NULL, kind TEXT NOT NULL, at REAL NOT NULL, ok INTEGER NOT NULL,
        record TEXT NOT NULL
    );
    CREATE INDEX restore_tests_by_job ON restore_tests (job, at);
    CREATE TABLE audit (
        id INTEGER PRIMARY KEY, at REAL NOT NULL, who TEXT NOT NULL, role TEXT NOT NULL, door TEXT NOT NULL,
        room TEXT, turn_id TEXT, tool TEXT NOT NULL, arguments TEXT NOT NULL, level TEXT, decision TEXT NOT NULL,
        outcome TEXT NOT NULL, result_sha256 TEXT
    );
    CREATE TRIGGER audit_is_append_only_update BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
    CREATE TRIGGER audit_is_append_only_delete BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
    """,
    """
    CREATE TABLE confirmations (
        nonce_sha256 TEXT PRIMARY KEY, digest TEXT NOT NULL, who TEXT NOT NULL, door TEXT NOT NULL, conversation TEXT,
        turn_id TEXT, created REAL NOT NULL, expires REAL NOT NULL, created_ticks REAL NOT NULL,
        expires_ticks REAL NOT NULL, burnt INTEGER NOT NULL DEFAULT 0
    );
    """,
    """
    ALTER TABLE restore_tests ADD COLUMN ran INTEGER NOT NULL DEFAULT 1;
    CREATE TABLE jobs (
        id TEXT PRIMARY KEY, tool TEXT NOT NULL, subject TEXT NOT NULL, arguments TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled', 'lost')),
        asked_at REAL NOT NULL, began REAL, ended REAL, worker TEXT, progress REAL NOT NULL DEFAULT -1,
        doing TEXT NOT NULL DEFAULT '', cancel INTEGER NOT NULL DEFAULT 0,
        who TEXT NOT NULL, door TEXT NOT NULL, room TEXT, conversation TEXT,
        spoken TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '', result TEXT NOT NULL DEFAULT '{}',
        announced INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX jobs_by_state ON jobs (state, asked_at);
    CREATE INDEX jobs_by_subject ON jobs (subject, asked_at);
    CREATE TABLE backup_runs (
        id INTEGER PRIMARY KEY, job TEXT NOT NULL, destination TEXT NOT NULL, kind TEXT NOT NULL, at REAL NOT NULL,
        ended REAL NOT NULL, ok INTEGER NOT NULL, record TEXT NOT NULL
    );
    CREATE INDEX backup_runs_by_job ON backup_runs (job, destination, at);
    CREATE TABLE backup_copies (
        job TEXT NOT NULL, destination TEXT NOT NULL, copy TEXT NOT NULL, at REAL NOT NULL, record TEXT NOT NULL,
        PRIMARY KEY (job, destination, copy)
    );
    CREATE INDEX backup_copies_by_age ON backup_copies (job, destination, at);
    CREATE TABLE backup_looks (
        job TEXT NOT NULL, destination TEXT NOT NULL, at REAL NOT NULL, record TEXT NOT NULL,
        PRIMARY KEY (job, destination)
    );
    CREATE TABLE restored_files (
        job TEXT NOT NULL, path TEXT NOT NULL, at REAL NOT NULL, ok INTEGER NOT NULL, PRIMARY KEY (job, path)
    );
    CREATE TABLE schedules (
        id TEXT PRIMARY KEY, what TEXT NOT NULL, due TEXT NOT NULL, call TEXT NOT NULL, digest TEXT NOT NULL,
        trigger TEXT NOT NULL, next_at REAL, last_at REAL, who TEXT NOT NULL, door TEXT NOT NULL, room TEXT,
        conversation TEXT, created REAL NOT NULL, built_in INTEGER NOT NULL DEFAULT 0,
        enabled INTEGER NOT NULL DEFAULT 1
    );
    CREATE INDEX schedules_by_next ON schedules (enabled, next_at);
    """,
    """
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, at REAL NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL,
        priority INTEGER NOT NULL DEFAULT 3, tags TEXT NOT NULL DEFAULT '[]',
        who TEXT NOT NULL, door TEXT NOT NULL, room TEXT, conversation TEXT,
        say INTEGER NOT NULL, said_at REAL,
        push INTEGER NOT NULL, pushed_at REAL, attempts INTEGER NOT NULL DEFAULT 0, next_at REAL,
        error TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX messages_to_say ON messages (say, said_at);
    CREATE INDEX messages_to_push ON messages (push, next_at);
    """,
    """
    CREATE TABLE pushes (
        message INTEGER NOT NULL, service TEXT NOT NULL, attempts INTEGER NOT NULL, next_at REAL, pushed_at REAL,
        error TEXT NOT NULL DEFAULT '', PRIMARY KEY (message, service)
    );
    INSERT INTO pushes (message, service, attempts, next_at, pushed_at, error)
        SELECT id, 'ntfy', attempts, next_at, pushed_at, error FROM messages WHERE push = 1 AND attempts > 0;
    CREATE TABLE published (
        service TEXT NOT NULL, fingerprint TEXT NOT NULL, at REAL NOT NULL, remote TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX published_by_words ON published (service, fingerprint);
    ALTER TABLE messages ADD COLUMN said_door TEXT;
    ALTER TABLE messages ADD COLUMN said_room TEXT;
    ALTER TABLE messages ADD COLUMN heard_at REAL;
    UPDATE messages SET heard_at = said_at;
    CREATE TABLE incoming (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, source TEXT NOT NULL, at REAL NOT NULL,
        priority INTEGER NOT NULL, text TEXT NOT NULL, gathered_at REAL, message INTEGER, listed_at REAL
    );
    CREATE INDEX incoming_by_gathered ON incoming (gathered_at, priority);
    CREATE TABLE listened (stream TEXT PRIMARY KEY, last TEXT NOT NULL);
    CREATE TABLE links (
        nonce_sha256 TEXT PRIMARY KEY, digest TEXT NOT NULL, call TEXT NOT NULL, caller TEXT NOT NULL,
        question TEXT NOT NULL, created REAL NOT NULL, expires INTEGER NOT NULL, answer TEXT
    );
    """,
    """
    ALTER TABLE audit ADD COLUMN chain TEXT;
    CREATE TABLE audit_head (one INTEGER PRIMARY KEY CHECK (one = 1), id INTEGER NOT NULL, chain TEXT NOT NULL);
    CREATE INDEX audit_retention ON audit (id) WHERE decision = 'retention';
    CREATE INDEX audit_by_time ON audit (at);
    DROP TRIGGER audit_is_append_only_delete;
    CREATE TRIGGER audit_is_append_only_delete BEFORE DELETE ON audit
        WHEN NOT EXISTS (
            SELECT 1 FROM audit AS told WHERE told.decision = 'retention'
            AND CAST(json_extract(told.arguments, '$.up_to') AS INTEGER) >= OLD.id
        )
        BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
    CREATE TRIGGER audit_is_append_only_insert BEFORE INSERT ON audit
        WHEN EXISTS (SELECT 1 FROM audit AS there WHERE there.id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
    ALTER TABLE schedules ADD COLUMN role TEXT NOT NULL DEFAULT 'member';
    ALTER TABLE schedules ADD COLUMN only_these TEXT NOT NULL DEFAULT '[]';
    UPDATE schedules SET role = 'owner' WHERE call LIKE '%"protected":true%' OR built_in = 1;
    CREATE TABLE pin_tries (
        id INTEGER PRIMARY KEY, at REAL NOT NULL, who TEXT NOT NULL, door TEXT NOT NULL, room TEXT
    );
    """,
    """
    CREATE TABLE acts_begun (id INTEGER PRIMARY KEY, at REAL NOT NULL, worker TEXT NOT NULL, entry TEXT NOT NULL);
    """,
)
"""By ``user_version``. Times are Unix seconds, records JSON objects.

``jobs``: what runs longer than an answer; ``worker``: process id and start of the process that does it, so that one
that was given the same id again is not taken for it. ``backup_runs``: what was run from here; ``backup_copies``: what
was ever seen at a destination; ``backup_looks``: the newest look. ``restore_tests.ran``: 0 where the test could not be
made, which says nothing about the backup. ``restored_files``: when each file was last restored, for the rotation of
the samples. ``schedules``: what is to be done later, with the call that was confirmed and its digest. ``messages``:
what is told without being asked, at the door where it was asked for (``say``) and on the phone (``push``, next tried at
``next_at``); ``key`` keeps the same thing from being told twice; ``heard_at``: somebody spoke there soon after it was
said, or it was listed. ``pushes``: by push service, what became of a message; ``messages.next_at`` is set for as
long as one of them has not taken it. ``published``: what was sent, with the id it got there, so that it is not taken
for somebody else's when it comes back. ``incoming``: what others sent; ``message``: what it was said in,
``gathered_at`` when that was decided. ``listened``: the last id seen of each stream. ``links``: questions that were
sent to a phone. ``audit.chain``: the line's hash (``tools/audit_chain.py``), ``audit_head``: that of the newest one;
a line goes only where one that is kept says so (``retention``). ``schedules.role``, ``only_these``: the rights of who
scheduled it. ``pin_tries``: the wrong ones. ``acts_begun``: acts from before they begin until their line of audit is
written, with the process that does them.
"""

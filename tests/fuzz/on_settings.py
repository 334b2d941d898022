"""Files that people write: jarvis.toml, variables, the catalogue, the tokens file."""

# ruff: noqa: PT017 - a refusal is one of two right outcomes, and has to be as documented
from __future__ import annotations

from pathlib import Path

from assistant.config import Settings
from assistant.config_file import Loaded, load
from assistant.config_pages import hidden
from assistant.errors import ConfigError
from assistant.tokens_file import read_lines
from tests.fuzz.target import Target, folder
from tools.catalog.reading import CatalogError, read_entry

ROOT = Path(__file__).parents[2]
SETTINGS = (
    'engine = "sentences"\n[server]\nport = 8765\nallowed_hosts = ["jarvis.lan"]\n',
    '[services.gitea]\nurl = "http://gitea.lan/"\naliases = ["git"]\nexpect_status = [200, 301]\n',
    '[backups.photos]\nkind = "restic"\nrepository = "/x"\nkeep = { daily = 7 }\n'
    '[[backups.photos.also]]\nname = "usb"\nrepository = "/y"\n',
    '[home_assistant]\nurl = "http://ha.lan"\ntoken_file = "ha"\n'
    '[areas."living room"]\nlights = ["lamp"]\n[home_aliases]\n"the lamp" = "lamp"\n',
    '[roles.kid]\nmay = "read"\n[access.doors]\nhttp = "guest"\n[access.user_jwt_roles]\n"role:admin" = "owner"\n',
    '[mcp_servers.notes]\ncommand = ["x"]\nlevels = { a = "read" }\n[wake.words.computer]\nthreshold = 1e-1\n',
    'catalog = "."\n[digest]\nat = "07:00"\n[wyoming]\nallow_clients = ["10.0.0.0/8"]\n',
)
ENTRY = "name: gitea\nurl: http://gitea.lan:3000/\naliases: [git, the git server]\nports:\n  - 3000\nowner: me\n"
TOKENS = "# phones\nphone:correct-horse-battery\nkid:guest:staple-correct-horse\n"


def _loaded(text: bytes, environment: dict[str, str] | None = None) -> Loaded | None:
    file = folder() / "jarvis.toml"
    file.write_bytes(text)
    try:
        found = load(file, environment or {})
    except ConfigError as refused:
        assert refused.code
        assert "jarvis.toml" in str(refused) or "`" in str(refused) or "JARVIS_" in str(refused), str(refused)
        assert "\x1b" not in str(refused)
        return None
    assert isinstance(found.settings, Settings)
    return found


def run_toml(data: bytes) -> None:
    """Any text is settings, or a ConfigError that names the file and, where there is one, the key."""
    _loaded(data)


def run_variables(data: bytes) -> None:
    """The same for variables: ``NAME=value`` lines over an empty file."""
    environment = {}
    for line in data.decode("utf-8", "replace").replace("\0", "").splitlines():
        name, _, value = line.partition("=")
        environment[f"JARVIS_{name}"] = value
    environment.pop("JARVIS_CONFIG", None)
    _loaded(b"", environment)


def run_catalog(data: bytes) -> None:
    """A catalogue's YAML is an entry, or a CatalogError with its file: no anchors, no tags, no code."""
    try:
        read_entry(data.decode("utf-8", "replace"), "gitea.yaml")
    except CatalogError as refused:
        assert "gitea.yaml" in str(refused)
        assert "\x1b" not in str(refused)


def run_tokens(data: bytes) -> None:
    """The tokens file: entries, or a ConfigError without the tokens that stand in it."""
    file = folder() / "tokens"
    file.touch(mode=0o600)
    file.write_bytes(data)
    try:
        read_lines(file)
    except ConfigError as refused:
        for line in data.decode("utf-8", "replace").splitlines():
            secret = line.rpartition(":")[2].strip()
            assert len(secret) < 16 or secret not in str(refused)
    assert isinstance(hidden(data.decode("utf-8", "replace")[:500]), str)


TARGETS = (
    Target(
        "settings",
        "any jarvis.toml is settings or a ConfigError that names file and key",
        run_toml,
        lambda: [text.encode() for text in SETTINGS],
        40,
    ),
    Target(
        "variables",
        "any JARVIS_… variable is a setting or a ConfigError",
        run_variables,
        lambda: [
            b'SERVER__PORT=8765\nSERVER__ALLOWED_HOSTS=a,b\nSERVICES={"a": {"tcp": "b:1"}}',
            b"ENGINE=both\nSTATE=/x",
        ],
        30,
    ),
    Target("catalogue", "any catalogue entry is read or a CatalogError", run_catalog, lambda: [ENTRY.encode()], 60),
    Target(
        "tokens-file",
        "any tokens file is read or refused without its tokens",
        run_tokens,
        lambda: [TOKENS.encode()],
        60,
    ),
)

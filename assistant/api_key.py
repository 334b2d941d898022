"""The key of a server, from the file that the configuration names."""

from __future__ import annotations

from pathlib import Path

from assistant.errors import ConfigError


def read_api_key(path: Path | None, section: str = "model") -> str | None:
    """The key in the file; None without a file. Raises ConfigError when it cannot be read or is no key.

    ``section``: where in jarvis.toml the file is named.
    """
    if path is None:
        return None
    mend = f"See api_key_file in [{section}]."
    try:
        key = path.expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            "api_key_unreadable", f"The API key file {path} cannot be read: {error}.", mend=mend
        ) from error
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigError("api_key_unreadable", f"The API key file {path} must hold one line with the key.", mend=mend)
    return key

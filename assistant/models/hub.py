"""A file from the model hub. Run as a child process: ``python hub.py REPO REVISION FILE PARTIAL SIZE SHA256``.

First asks the hub what it has; only when size and SHA-256 are those of the manifest (small files have no SHA-256
there: size only) the bytes are appended to PARTIAL, from where an earlier try stopped. No token is sent.
Exit codes: 0 done, UNREACHABLE, UNSUITABLE; the reason is the last line on stderr. Ended by SIGALRM means unreachable
as well. Imports nothing of Jarvis.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

UNREACHABLE = 3
UNSUITABLE = 4
_METADATA_TIMEOUT_S = 4.0
_REACH_LIMIT_S = 8
"""Over all: a resolver that hangs, or many addresses that drop packets, would take minutes otherwise."""
_SHA256_DIGITS = 64

SETTINGS = {
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "HF_HUB_DISABLE_XET": "1",  # plain HTTP: can be watched and resumed
}
"""Environment of the child (its parent sets it); read by huggingface_hub when it is imported."""


def fetch(repo: str, revision: str, file: str, partial: Path, size: int, sha256: str) -> tuple[int, str]:
    """Append to ``partial`` what it lacks. Returns exit code and reason; the caller checks the final hash."""
    import httpx2
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    signal.alarm(_REACH_LIMIT_S)  # its default action ends this process, even inside a name look-up
    try:
        found = get_hf_file_metadata(
            hf_hub_url(repo, file, revision=revision), token=False, timeout=_METADATA_TIMEOUT_S
        )
    except HfHubHTTPError as error:
        return UNSUITABLE, str(error).splitlines()[0]
    except OfflineModeIsEnabled:
        return UNREACHABLE, "switched off by HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE"
    except (httpx2.HTTPError, OSError) as error:
        return UNREACHABLE, str(error) or type(error).__name__
    finally:
        signal.alarm(0)
    if found.size != size:
        return UNSUITABLE, f"it has {found.size} bytes there instead of {size}"
    if found.etag is not None and len(found.etag) == _SHA256_DIGITS and found.etag != sha256:
        return UNSUITABLE, f"its SHA-256 there is {found.etag}, expected {sha256}"

    done = partial.stat().st_size if partial.exists() else 0
    try:
        with partial.open("r+b" if done else "wb") as out:
            out.seek(done)
            http_get(found.location, out, resume_size=done, expected_size=size, headers=build_hf_headers(token=False))
    except (httpx2.HTTPError, OSError) as error:
        return UNSUITABLE, f"the download broke off: {error or type(error).__name__}"
    return 0, ""


if __name__ == "__main__":
    _repo, _revision, _file, _partial, _size, _sha256 = sys.argv[1:]
    _code, _reason = fetch(_repo, _revision, _file, Path(_partial), int(_size), _sha256)
    if _reason:
        sys.stderr.write(_reason + "\n")
    sys.exit(_code)

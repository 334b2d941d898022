"""Secrets found: ``python -m tests.trust.secrets`` plants one in every setting and searches all that is written.

It needs the models that `make models` pulls, and takes one to three minutes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.trust.provoking import provoke
from tests.trust.report import Row, record


def main() -> int:
    """Exit code 1 where one was found, or nothing was provoked."""
    with tempfile.TemporaryDirectory(prefix="jarvis-canaries-") as folder:
        searched = provoke(Path(folder))
    for where in searched.found:
        sys.stdout.write(f"found in {where}\n")
    how = (
        f"{searched.asked} requests, pages and commands to the real server at log level debug, all servers hostile "
        f"({searched.seen_outside} requests quoted back) and all programs failing aloud; {searched.places} answers, "
        f"outputs and files ({searched.bytes / 1e6:.1f} MB) searched for each canary, plain, in URLs, JSON and base64: "
        "python -m tests.trust.secrets"
    )
    passed = not searched.found and searched.seen_outside > 0
    record("secrets", [Row("secrets found", f"{len(searched.found)} of {searched.canaries}", "0", passed, how)])
    sys.stdout.write(f"{len(searched.found)} of {searched.canaries} found. {how}\n")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())

"""``python -m tests.real.home.try_sentences [--json] FILE…``: lines said to the house of ``sentence_house``, as
``jarvis eval --home`` says them to yours. Prints right and wrong by domain, and what came out wrong."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from rich.console import Console

from assistant.cli.evaluate_home import show_trial, try_home
from assistant.config import Settings
from tests.real.home.sentence_house import sentence_house


def main() -> None:
    files = [Path(name) for name in sys.argv[1:] if name != "--json"]
    with tempfile.TemporaryDirectory(prefix="jarvis-house-") as folder, sentence_house(Path(folder) / "config") as home:
        report = try_home(home.url, home.token_file, files, Settings(), "sentences")
    if "--json" in sys.argv:
        sys.stdout.write(report.as_json_text() + "\n")
    else:
        show_trial(report, Console(width=160))


if __name__ == "__main__":
    main()

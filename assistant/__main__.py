"""``python -m assistant`` is ``jarvis``."""

from assistant.cli.main import main

main()

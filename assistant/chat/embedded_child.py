"""The child process that holds the embedded model: ``python -m assistant.chat.embedded_child``.

It reads one JSON line of parameters from standard input, starts llama.cpp's HTTP server (xllamacpp) on a free loopback
port, prints ``{"url": …}`` on standard output, and ends when standard input closes: it never outlives its parent.
llama.cpp's own log goes to standard error, which the parent keeps in a file.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import Any

NICENESS = 5
"""The model may take all cores; the ears, which cannot wait, come first."""


def main() -> int:
    """Exit code 0 when the parent is gone, 1 with ``{"error": …}`` when the model cannot be loaded."""
    wire = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever native code prints must not look like the ready line
    parameters = json.loads(sys.stdin.readline())
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    try:
        server = _start(parameters)
    except (RuntimeError, ValueError, OSError) as error:
        wire.write(json.dumps({"error": str(error)[:300] or type(error).__name__}) + "\n")
        wire.flush()
        return 1
    wire.write(json.dumps({"url": f"{server.listening_address}/v1"}) + "\n")
    wire.flush()
    while sys.stdin.read(4096):
        pass
    os._exit(0)  # llama.cpp's threads need no orderly end, and the parent may be gone already


def _start(parameters: dict[str, Any]) -> Any:
    import xllamacpp

    threads = int(parameters["threads"])
    params = xllamacpp.CommonParams()
    params.model.path = str(parameters["model"])
    params.n_ctx = int(parameters["context_tokens"])
    params.n_parallel = 1
    params.use_jinja = True
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.offline = True
    params.endpoint_slots = False
    return xllamacpp.Server(params)


if __name__ == "__main__":
    sys.exit(main())

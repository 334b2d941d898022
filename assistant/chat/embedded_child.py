"""The child process that holds the embedded model: ``python -m assistant.chat.embedded_child``.

It reads one JSON line of parameters from standard input, starts llama.cpp's HTTP server (xllamacpp) on a free loopback
port, prints ``{"url": …}`` (or ``{"error": …}``) on standard output, and ends when standard input closes, also while it
is loading: it never outlives its parent. llama.cpp's own log goes to standard error.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

NICENESS = 5
"""The model may take all cores; the ears, which cannot wait, come first."""

OOM_SCORE = 500
"""Of 1000: when memory runs out, Linux ends the model before the assistant."""

PROMPT_CACHE_MIB = 256
"""llama.cpp keeps prompts it has left in memory, by default up to 8 GiB; one of ours is some 15 MB."""


def main() -> int:
    """Ends with 0 when the parent is gone; returns 1 when the model cannot be loaded."""
    wire = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever native code prints must not look like the ready line
    os.umask(0o077)
    parameters = json.loads(_line())
    parent = threading.Thread(target=_end_with_parent, daemon=True)
    parent.start()
    _yield_to_others()
    try:
        server = _serve(parameters)
    except (RuntimeError, ValueError, OSError, ImportError) as error:
        print(json.dumps({"error": str(error)[:300] or type(error).__name__}), file=wire, flush=True)
        return 1
    print(json.dumps({"url": f"{server.listening_address}/v1"}), file=wire, flush=True)
    parent.join()
    return 0


def _line() -> bytes:
    """Unbuffered, so that nothing of Python's holds standard input when the process ends."""
    line = b""
    while not line.endswith(b"\n") and (more := os.read(0, 65_536)):
        line += more
    return line


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)  # llama.cpp's threads need no orderly end


def _yield_to_others() -> None:
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE), encoding="ascii")


def _serve(parameters: dict[str, Any]) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(parameters["model"])
    params.n_ctx = int(parameters["context_tokens"])
    params.n_parallel = 1
    params.use_jinja = True
    params.cpuparams.n_threads = int(parameters["writing_threads"])
    params.cpuparams_batch.n_threads = int(parameters["threads"])
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.offline = True
    params.api_keys = [str(parameters["api_key"])]  # other users of this machine can reach loopback, too
    params.endpoint_slots = bool(parameters["prefix_dir"])
    if parameters["prefix_dir"]:
        params.slot_save_path = f"{parameters['prefix_dir']}/"
    return xllamacpp.Server(params)


if __name__ == "__main__":
    sys.exit(main())

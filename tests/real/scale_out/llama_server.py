"""llama.cpp's own OpenAI server in a process: ``python -m tests.real.scale_out.llama_server MODEL PORT KEY_FILE``.

The same server as the program ``llama-server``, as xllamacpp ships it; it ends when standard input closes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import xllamacpp


def main() -> None:
    model, port, key_file = sys.argv[1:4]
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx, params.n_parallel, params.use_jinja = 4096, 1, True
    params.hostnames, params.port, params.offline = ["127.0.0.1"], int(port), True
    params.api_keys = [Path(key_file).read_text(encoding="ascii").strip()]
    server = xllamacpp.Server(params)
    sys.stderr.write(f"listening at {server.listening_address}\n")
    sys.stdin.read()


if __name__ == "__main__":
    main()

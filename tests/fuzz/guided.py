"""One target under atheris, in a process of its own: ``python -m tests.fuzz.guided TARGET [options of libFuzzer]``.

Ours and what reads for us is instrumented as it is imported, so that the fuzzer sees which branches an input reached.
"""

from __future__ import annotations

import logging
import sys
import warnings

import atheris  # type: ignore[import-untyped, import-not-found, unused-ignore]


def main() -> None:
    """Seeds go into the corpus first, so that coverage begins where honest inputs end."""
    name = sys.argv[1]
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    with atheris.instrument_imports(include=["assistant", "tools", "wyoming", "mcp", "starlette", "python_multipart"]):
        from tests.fuzz.target import check
        from tests.fuzz.targets import target

        one = target(name)
    atheris.Setup([sys.argv[0], *sys.argv[2:]], lambda data: check(one, bytes(data)))
    atheris.Fuzz()


if __name__ == "__main__":
    main()

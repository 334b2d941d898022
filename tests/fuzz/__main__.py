"""``python -m tests.fuzz [--seconds N] [TARGET …]``: fuzzing guided by coverage, one target after the other.

The corpus grows from run to run in the user's cache folder, outside of the tree (JARVIS_FUZZ_CORPUS names another). An
input that breaks a promise is made smaller and kept in ``tests/fuzz/cases``, where every later run of the tests tries
it again. atheris is locked in an environment of its own (``deploy/tool.sh atheris``).
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from tests.fuzz.cases import keep
from tests.fuzz.target import MAX_INPUT_BYTES
from tests.fuzz.targets import NAMES, target

ROOT = Path(__file__).resolve().parents[2]
MEMORY_MB = 2_500
INPUT_TIMEOUT_S = 60
"""Of one input, on the wall; ``target.CPU_S`` is the promise, this ends a hang."""

MINIMIZE_S = 20
ENDING_S = 120
_RUN = re.compile(rb"^#(\d+)\s+(\w+)\s+cov: (\d+)")
_DONE = re.compile(rb"^(?:Done (\d+) runs|stat::number_of_executed_units:\s+(\d+))")


@dataclass
class Fuzzed:
    """What came of one target."""

    name: str
    inputs: int = 0
    branches: int = 0
    seconds: float = 0.0
    cases: list[Path] = field(default_factory=list)
    said: bytes = b""


def corpus_folder() -> Path:
    """Where the corpus is kept between runs."""
    named = os.environ.get("JARVIS_FUZZ_CORPUS")
    return Path(named) if named else Path(platformdirs.user_cache_dir("jarvis")) / "fuzz"


def guided_python() -> str:
    """The Python that has atheris; it is installed first where it is missing. Raises OSError,
    CalledProcessError."""
    found = subprocess.run(
        ["deploy/tool.sh", "atheris", "--beside"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return found.stdout.strip()


def fuzz(name: str, seconds: float, python: str, *, progress: bool = True) -> Fuzzed:
    """One target for so long. What it broke is made smaller and kept as a case."""
    corpus = corpus_folder() / name
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in target(name).seeds():
        (corpus / hashlib.sha1(seed).hexdigest()).write_bytes(seed)  # noqa: S324 - a file's name, as libFuzzer has it
    found = Fuzzed(name)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="jarvis-fuzz-") as folder:
        options = [f"-max_total_time={max(1, round(seconds))}", "-print_final_stats=1", str(corpus)]
        code = _run(python, name, [*options], Path(folder), found, progress=progress)
        found.seconds = time.monotonic() - began
        broken = [file for file in sorted(Path(folder).glob("*-*")) if file.is_file()]
        found.cases = [_smaller(python, name, one) for one in broken]
    if code and not found.cases:
        raise SystemExit(f"{name}: the fuzzer ended with {code} and without a case:\n{found.said.decode()[-3000:]}")
    return found


def _run(python: str, name: str, options: Sequence[str], folder: Path, found: Fuzzed, *, progress: bool) -> int:
    command = [
        python, "-m", "tests.fuzz.guided", name, f"-max_len={MAX_INPUT_BYTES}", f"-rss_limit_mb={MEMORY_MB}",
        f"-timeout={INPUT_TIMEOUT_S}", f"-artifact_prefix={folder}/", *options,
    ]  # fmt: skip
    environment = {**os.environ, "TMPDIR": str(folder)}  # what an input leaves goes with it
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as child:
        assert child.stderr is not None
        for line in child.stderr:
            found.said = (found.said + line)[-20_000:]
            if match := _RUN.match(line):
                found.inputs, found.branches = int(match[1]), int(match[3])
                _show(found, progress=progress)
            elif match := _DONE.match(line):
                found.inputs = int(match[1] or match[2])
    return child.returncode


def _smaller(python: str, name: str, broken: Path) -> Path:
    """The smallest input that still breaks it, kept as a case."""
    with tempfile.TemporaryDirectory(prefix="jarvis-fuzz-") as folder:
        smallest = Path(folder) / "smallest"
        command = [
            python, "-m", "tests.fuzz.guided", name, "-minimize_crash=1", f"-max_total_time={MINIMIZE_S}",
            f"-exact_artifact_path={smallest}", f"-timeout={INPUT_TIMEOUT_S}", str(broken),
        ]  # fmt: skip
        try:
            subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=MINIMIZE_S + ENDING_S)
        except subprocess.TimeoutExpired:
            sys.stderr.write(f"{name}: could not be made smaller in time.\n")
        return keep(name, (smallest if smallest.exists() else broken).read_bytes())


def _show(found: Fuzzed, *, progress: bool) -> None:
    if progress and sys.stderr.isatty():
        sys.stderr.write(f"\r{found.name:18} {found.inputs:>10,} inputs  {found.branches:>6,} branches\x1b[K")
        sys.stderr.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(NAMES)}; none: all")
    parser.add_argument("--seconds", type=float, default=30.0, help="for each target (30)")
    wanted = parser.parse_args(arguments)
    if unknown := [name for name in wanted.targets if name not in NAMES]:
        parser.error(f"there is no target {', '.join(unknown)}; there are {', '.join(NAMES)}")
    python = guided_python()
    broken = 0
    for name in wanted.targets or NAMES:
        found = fuzz(name, wanted.seconds, python)
        broken += len(found.cases)
        _show(found, progress=False)
        sys.stderr.write("\r" if sys.stderr.isatty() else "")
        sys.stdout.write(
            f"{name:18} {found.inputs:>10,} inputs in {found.seconds:4.0f} s  {found.branches:>6,} branches  "
            f"{len(found.cases)} broken\n"
        )
        for case in found.cases:
            sys.stdout.write(f"    {case.relative_to(ROOT)}: {target(name).promise}\n")
        sys.stdout.flush()
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

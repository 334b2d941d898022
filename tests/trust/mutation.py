"""Mutation: are the tests of what decides good enough to notice when it decides otherwise?

``make mutation`` (all of it), ``python -m tests.trust.mutation [NAME…] [--short]``. mutmut changes one thing in the
module at a time (a comparison, a constant, an argument, a word) and runs the tests that reach it; a change that no test
notices has survived. Each module is mutated in a copy of the tree under ``build/mutation``, so nothing here is touched;
the survivors, as diffs, stand in ``build/mutation/NAME.txt``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.trust.report import Row, record, recorded

ROOT = Path(__file__).parents[2]
WORK = ROOT / "build" / "mutation"
COPIED = (
    "assistant",
    "tools",
    "tests",
    "prompts",
    "models",
    "audio_fixtures",
    "docs",
    "jarvis.example.toml",
    "README.md",
)
LIMIT = 0.85
"""The share of changes that the tests have to notice."""

SHOWN = 400
"""Survivors of which the diff is kept; more than that means that the tests did not run."""


@dataclass(frozen=True, slots=True)
class Target:
    """One module: its tests, those that are too slow to be run once a mutant, and the functions of the short form."""

    name: str
    module: str
    tests: tuple[str, ...]
    slow: tuple[str, ...] = ()
    short: tuple[str, ...] = ()


TARGETS = (
    Target(
        "policy",
        "tools/policy.py",
        ("tests/tools/test_policy_path.py", "tests/tools/test_policy.py", "tests/tools/test_pin.py"),
        ("no_call_raises_and_no_refusal", "the_rules_of_the_policy", "lifts_what_a_yes_can_lift",
         "being_allowed_by_name"),
        ("x_decide", "x__why_ask_back", "x__protected", "x__too_much"),
    ),
    Target(
        "confirmation",
        "tools/confirmations.py",
        ("tests/tools/test_confirmations.py", "tests/tools/test_policy.py"),
        ("any_sequence_executes", "no_call_raises_and_no_refusal"),
    ),
    Target(
        "verdict",
        "tools/backups/verdict.py",
        ("tests/tools/test_verdict.py", "tests/tools/test_verdict_places.py"),
        ("order_of_the_evidence", "ok_only_when", "outranks_all_else", "better_than_unknown", "makes_a_better_verdict",
         "growing_old"),
        ("x__missing_proof", "x__of_the_look", "x__of_the_run"),
    ),
    Target(
        "endpointing",
        "assistant/speech/endpointing.py",
        ("tests/speech/test_endpointing.py", "tests/speech/test_endpointing_edges.py"),
        ("at_most_a_beginning_and_an_end", "only_after_so_much_silence", "longer_than_the_longest",
         "comes_after_the_end_changes", "sounds_more_finished", "hesitation_is_outwaited"),
        ("x_required_silence_s", "*_speaking", "*_paused"),
    ),
    Target(
        "access",
        "tools/access.py",
        ("tests/tools/test_access.py", "tests/tools/test_showing.py"),
        ("only_ever_takes_away", "holds_all_that_may_be_done"),
        ("*rights", "*beyond", "*_ceilings"),
    ),
)  # fmt: skip
BY_NAME: Mapping[str, Target] = {target.name: target for target in TARGETS}


@dataclass(frozen=True, slots=True)
class Score:
    """Of one module: how many changes were made, how many were noticed, and which were not."""

    target: Target
    made: int
    noticed: int
    survivors: tuple[str, ...] = field(default=())
    short: bool = False

    @property
    def share(self) -> float:
        return self.noticed / self.made if self.made else 0.0

    def row(self) -> Row:
        part = f" ({', '.join(self.target.short)})" if self.short and self.target.short else ""
        full = " --short" if self.short else ""
        return Row(
            f"mutation: {self.target.name}",
            f"{100 * self.share:.1f} %, {self.noticed} of {self.made}",
            f"≥ {100 * LIMIT:.0f} %",
            self.share >= LIMIT,
            f"Changes in {self.target.module}{part} that its tests notice, by mutmut: "
            f"python -m tests.trust.mutation {self.target.name}{full}",
        )


def measure(target: Target, *, short: bool = False) -> Score:
    """Mutate one module. Raises subprocess.CalledProcessError: the tests fail unmutated, or mutmut does."""
    python, place = _tool(), _copy(target)
    names = [f"{_dotted(target.module)}.{name}__mutmut_*" for name in target.short] if short else []
    jobs = str(max(1, min(4, os.cpu_count() or 1)))
    _mutmut(python, place, "run", "--max-children", jobs, *names)
    codes = json.loads((place / "mutants" / f"{target.module}.meta").read_text("utf-8"))["exit_code_by_key"]
    looked = {name: code for name, code in codes.items() if code is not None}
    survivors = tuple(sorted(name for name, code in looked.items() if code in _SURVIVED))
    _write_survivors(python, place, target, survivors)
    return Score(target, len(looked), len(looked) - len(survivors), survivors, short)


_SURVIVED = (0, 5, 33)
"""mutmut's exit codes of a mutant that its tests passed with (0), or that no test reaches (5, 33); the rest failed,
broke or never ended."""


def _tool() -> str:
    done = subprocess.run([ROOT / "deploy" / "tool.sh", "mutmut", "--beside"], check=True, stdout=subprocess.PIPE)
    return done.stdout.decode().strip()


def _copy(target: Target) -> Path:
    place = WORK / target.name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    leave = shutil.ignore_patterns("__pycache__", "node_modules", ".hypothesis")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=leave, symlinks=True)
        else:
            shutil.copy(source, place / name)
    options = (ROOT / "pyproject.toml").read_text("utf-8")
    (place / "pyproject.toml").write_text(f"{options}\n{_options(target)}", encoding="utf-8")
    return place


def _options(target: Target) -> str:
    tests = [test for test in target.tests if (ROOT / test).exists()]
    arguments = ["-p", "no:cacheprovider", "-m", "not real_server and not long and not real_models"]
    if target.slow:
        arguments += ["-k", " and ".join(f"not {name}" for name in target.slow)]
    settings = {
        "source_paths": ["assistant", "tools"],
        "only_mutate": [target.module],
        "also_copy": [name for name in COPIED if name not in ("assistant", "tools", "tests")],
        "pytest_add_cli_args_test_selection": tests,
        "pytest_add_cli_args": arguments,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    return "\n".join(["[tool.mutmut]", *lines, "use_git_change_detection = false", ""])


def _mutmut(python: str, place: Path, *arguments: str) -> str:
    done = subprocess.run(
        [python, "-m", "mutmut", *arguments], cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        print(done.stdout[-4000:], file=sys.stderr)  # noqa: T201 - a measurement
        done.check_returncode()
    return done.stdout


def _write_survivors(python: str, place: Path, target: Target, survivors: Sequence[str]) -> None:
    diffs = [_mutmut(python, place, "show", name) for name in survivors[:SHOWN]]
    (WORK / f"{target.name}.txt").write_text("\n".join(diffs), encoding="utf-8")


def _dotted(module: str) -> str:
    return module.removesuffix(".py").replace("/", ".")


def main(arguments: Sequence[str] = ()) -> int:
    """Measure those named, or all, and record them beside what was recorded before. 1 where one is below the limit."""
    parser = argparse.ArgumentParser(prog="python -m tests.trust.mutation", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BY_NAME, []], metavar="NAME", help=", ".join(BY_NAME))
    parser.add_argument("--short", action="store_true", help="only the functions that decide")
    chosen = parser.parse_args(arguments)
    rows = {row.measure: row for row in recorded("mutation")}
    for target in [BY_NAME[name] for name in chosen.names] or TARGETS:
        row = measure(target, short=chosen.short).row()
        rows[row.measure] = row
        print(f"{row.measure}: {row.counted} ({row.limit})", flush=True)  # noqa: T201 - a measurement
        record("mutation", list(rows.values()))
    return 0 if all(row.passed for row in rows.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The router's examples and what is fitted to them: `python -m tests.eval.make_examples [--check]`.

``prompts/examples/en_said.yaml`` is what people say to each tool in the sets to develop on and in ``requests.yaml``,
with names masked as the router masks them; ``prompts/examples/en.npz`` the regression fitted to it and to ``en.yaml``.
The dev set and the frozen sets stay out: they measure. ``--check`` writes nothing, and prints for each set how often
the router has the right tool first and among its first three when it was fitted to all the others.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import yaml
from rich.progress import track

from assistant.chat.embedder import MiniLmEmbedder
from assistant.evaluation_sets import Line, homelab_settings, read_lines
from assistant.models.store import ModelStore
from assistant.narrowing import router
from assistant.narrowing.features import Vectors, features
from assistant.narrowing.mentions import Mentions, masked
from assistant.narrowing.router import ANSWER, Router, Weights
from assistant.ports import DeviceName, Embedder, Names
from assistant.sentences.normalize import plain_words
from assistant.sentences.speech_kind import is_hypothetical, is_reported, is_waved_off
from tools.home.devices import Home
from tools.names import NameIndex

HERE = Path(__file__).parent
SETS = tuple(
    f"paraphrases{n}.jsonl" for n in ("", "_2", "_3", "_4", "_5", "_6", "_7", "_8", "_9", "_10", "_11", "_12", "_13")
)
REQUESTS = HERE / "requests.yaml"
EXAMPLES = HERE.parent.parent / "prompts" / "examples"
CHAT = "chat"
"""The tag of lines that no tool is for; other lines without a call forbid one, which is not the router's business."""

REGULARIZATION = 10.0
"""``C`` of scikit-learn, the inverse of the penalty on the weights; the best of 3, 10, 30 by ``--check``."""

Example = tuple[str, str]
"""Tool, and masked words."""

_HEADER = """\
# What people said to each tool in tests/eval/{sets}, requests.yaml, with names masked.
# Made by `python -m tests.eval.make_examples`; edit en.yaml or requests.yaml, not this.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="measure on each set what the others teach; write nothing")
    options = parser.parse_args(arguments)
    embedder = MiniLmEmbedder(ModelStore().models_dir / "minilm-l6-v2")
    if options.check:
        check(embedder)
        return 0
    data: dict[str, dict[str, None]] = {}
    for tool, words in [*_requests(), *(pair for name in SETS for pair in said_in(name))]:
        data.setdefault(tool, {})[words] = None
    head = _HEADER.format(sets=", ".join(SETS))
    lines = {tool: sorted(words) for tool, words in sorted(data.items())}
    text = head + yaml.safe_dump(lines, allow_unicode=True, width=1000)
    (EXAMPLES / "en_said.yaml").write_text(text, encoding="utf-8")
    router.examples.cache_clear()
    pairs = [(tool, line) for tool, lines in sorted(router.examples().items()) for line in lines]
    fit(pairs, embedder, router.examples_key()).save(EXAMPLES / "en.npz")
    sys.stdout.write(f"{len(pairs)} examples of {len(lines)} tools; fitted: {EXAMPLES / 'en.npz'}\n")
    return 0


def fit(pairs: Sequence[Example], embedder: Embedder, key: str = "") -> Weights:
    """The regressions with and without embeddings. Raises ModelFilesError."""
    from sklearn.linear_model import LogisticRegression

    tools, texts = [tool for tool, _ in pairs], [words for _, words in pairs]
    fitted = []
    for embeddings in (embedder.embed(texts), None):
        regression = LogisticRegression(C=REGULARIZATION, max_iter=500, tol=1e-4)
        regression.fit(features(texts, embeddings), tools)
        fitted.append(regression)
    full, words = fitted
    known = tuple(str(tool) for tool in full.classes_)
    return Weights(known, _f32(full.coef_.T), _f32(full.intercept_), _f32(words.coef_.T), _f32(words.intercept_), key)


def check(embedder: Embedder) -> None:
    """Prints the shares, set by set."""
    own = {name: [*said_in(name)] for name in SETS}
    rest = [*_written(), *_requests()]
    total = np.zeros(3)
    out = sys.stdout
    for name in track([*SETS, "dev.jsonl"], "fitting"):
        asked = [(tool, _variants(text)) for line in read_lines(HERE / name) for tool, text in _of(line)]
        pairs = [*rest, *(pair for other, said in own.items() if other != name for pair in said)]
        fitted = Router(embedder, fitted=fit(pairs, embedder))
        ranks = [sorted(s, key=lambda t: -s[t]).index(tool) for tool, v in asked for s in [fitted.scores(v)]]
        counts = np.array([len(ranks), sum(r == 0 for r in ranks), sum(r < 3 for r in ranks)])
        total += counts
        out.write(f"{name}: of {counts[0]} {counts[1] / counts[0]:.1%} first, {counts[2] / counts[0]:.1%} in three\n")
    out.write(f"all: of {total[0]:.0f} {total[1] / total[0]:.1%} first, {total[2] / total[0]:.1%} in three\n")


def said_in(name: str) -> Iterator[Example]:
    """The examples that a set gives."""
    for line in read_lines(HERE / name):
        for tool, text in _of(line):
            yield from ((tool, words) for words in _variants(text))


def _requests() -> Iterator[Example]:
    for tool, lines in yaml.safe_load(REQUESTS.read_text(encoding="utf-8")).items():
        for text in lines:
            yield from ((tool, words) for words in _variants(text))


def _written() -> Iterable[Example]:
    """Of the hand-written file alone."""
    data = yaml.safe_load((EXAMPLES / "en.yaml").read_text(encoding="utf-8"))
    known = router.examples()
    kept = {tool: {router._masked(line) for line in lines} for tool, lines in data.items()}
    return [(tool, line) for tool, lines in known.items() for line in lines if line in kept.get(tool, ())]


def _variants(text: str) -> list[str]:
    """The ways to mask its names."""
    plain = plain_words(text)
    found = _MENTIONS.find(plain)
    kinds = list(dict.fromkeys(kind for mention in found for kind in mention.names)) or [""]
    return list(dict.fromkeys(masked(plain, found, kind, devices=d) for kind in kinds for d in (False, True)))


def _of(line: Line) -> Iterator[tuple[str, str]]:
    """The tool of a line that is one request to one tool."""
    if line.turns or line.text is None or len(line.acceptable) != 1 or len(line.acceptable[0]) > 1:
        return
    if is_waved_off(line.text) or is_hypothetical(line.text) or is_reported(line.text):
        return
    if line.acceptable[0]:
        yield line.acceptable[0][0].tool, line.text
    elif CHAT in line.tags:
        yield ANSWER, line.text


def _f32(array: object) -> Vectors:
    return np.asarray(array, np.float32)


def _names() -> Names:
    settings = homelab_settings(HERE.parent.parent / "assistant" / "demo" / "homelab.yaml")
    index = NameIndex.from_settings(settings)
    devices = tuple(DeviceName(known.name, known.area, known.kind.value) for known in Home(settings, index).devices)
    kinds = {kind: {name: tuple(also) for name, also in known.items()} for kind, known in index.as_json().items()}
    return Names(kinds, devices)


_MENTIONS = Mentions(_names())


if __name__ == "__main__":
    sys.exit(main())

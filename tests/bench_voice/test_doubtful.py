"""The requests of the benchmark for which the chat model is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.bench.doubtful import SENTENCES
from assistant.chat.embedder import MiniLmEmbedder
from assistant.narrowing.narrower import Narrower
from assistant.narrowing.router import Router
from assistant.sentences import HassilMatcher
from tests.planned import homelab_names
from tools.recording import evaluation_clock


@pytest.mark.real_models
def test_no_template_reads_them_and_the_signals_leave_a_call_in_doubt(models_dir: Path) -> None:
    names = homelab_names()
    matcher = HassilMatcher(names, clock=evaluation_clock)
    narrower = Narrower(names, Router(MiniLmEmbedder(models_dir / "minilm-l6-v2")), evaluation_clock)
    narrowed = {text: narrower.narrow(text, None) for text in SENTENCES}
    assert [text for text in SENTENCES if matcher.match(text) is not None] == []
    assert [text for text, found in narrowed.items() if found.decided] == []
    assert [text for text, found in narrowed.items() if not found.candidates] == []

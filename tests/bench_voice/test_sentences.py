"""The sentences of the corpus: the templates of the demo homelab answer every one of them."""

from __future__ import annotations

import pytest

from assistant.bench.sentences import COMMANDS, HESITATION, NAMES, PAUSES, names_in, plain, respelled
from tests.planned import homelab_names, matcher


@pytest.mark.parametrize("text", [*COMMANDS, *(plain(text) for text in PAUSES), *NAMES.values()])
def test_every_sentence_is_answered_by_a_template(text: str) -> None:
    assert matcher().match(text) is not None


@pytest.mark.parametrize(("name", "text"), NAMES.items())
def test_every_name_is_one_of_the_house_and_is_what_the_template_understands(name: str, text: str) -> None:
    assert any(name in known for known in homelab_names().by_kind.values())
    match = matcher().match(text)
    assert match is not None
    assert name in match.arguments.values()
    assert names_in(text) == (name,)


@pytest.mark.parametrize("text", PAUSES)
def test_a_hesitation_stands_once_and_inside(text: str) -> None:
    before, mark, after = text.partition(f" {HESITATION} ")
    assert mark
    assert before
    assert after
    assert HESITATION not in before + after
    assert plain(text) == f"{before} {after}"


@pytest.mark.parametrize(
    ("text", "engine", "read"),
    [
        ("start the windows vm", "piper", "start the windows V M"),
        ("is open webui up?", "flite", "is open web U I up?"),
        ("is prometheus running?", "flite", "is pro meethy us running?"),
        ("is prometheus running?", "kokoro", "is prometheus running?"),
    ],
)
def test_a_synthesizer_reads_a_name_as_people_say_it(text: str, engine: str, read: str) -> None:
    assert respelled(text, engine) == read

"""The note of a digest: readable, and nothing of what strangers wrote works in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.digest.made import GITEA_DOWN, PHOTOS_OLD, VMS, failed, said
from tools.contract import Severity
from tools.digest.facts import Digest, digest_of
from tools.digest.keeping import keep_note
from tools.digest.note import as_markdown, is_ours

AT = "2026-05-13T07:30:00+02:00"
DIGEST = digest_of([GITEA_DOWN, PHOTOS_OLD, VMS, failed("check_alerts")], AT)


def front(text: str) -> dict[str, object]:
    read = yaml.safe_load(text.split("---\n")[1])
    assert isinstance(read, dict)
    return read


def test_a_note_has_front_matter_sentences_and_findings() -> None:
    text = as_markdown(DIGEST)
    assert front(text) == {
        "date": "2026-05-13",
        "time": "07:30",
        "tags": ["jarvis", "digest", "critical"],
        "severity": "critical",
        "counts": {"notice": 0, "warning": 1, "critical": 1, "unknown": 0},
        "checked": ["services", "backups", "virtual machines"],
        "words": "facts",
        "made_by": "jarvis digest",
    }
    lines = text.splitlines()
    assert "# 2026-05-13" in lines
    assert "Gitea is down." in lines
    assert "- **critical** gitea: down: the connection is refused" in lines
    assert lines[-1] == "Could not be checked: alerts."


def test_a_models_words_have_the_facts_below_them() -> None:
    phrased = DIGEST.model_copy(update={"by": "model", "sentences": ("All in one.",)})
    text = as_markdown(phrased)
    assert text.index("All in one.") < text.index("## Facts") < text.index("- Gitea is down.")


HOSTILE = (
    "![x](http://evil/?q=1) <img src=x> [[note]] [a](b) # h\n- item `code` https://evil.example #tag www.evil.example"
)


def test_what_strangers_wrote_makes_no_link_picture_tag_or_heading() -> None:
    text = as_markdown(digest_of([said("check_alerts", HOSTILE, (Severity.WARNING, f"door: {HOSTILE}"))], AT))
    body = text.split("---\n", 2)[2]
    for working in (r"[!\[\]<>#`=]", r"://", r"www\.e"):
        assert re.search(rf"(?<!\\)(?:{working})", body.replace("# 2026-05-13", "").replace("## Findings", "")) is None
    assert "\n- item" not in body


@given(st.text(max_size=120))
def test_any_words_leave_the_notes_form_alone(words: str) -> None:
    text = as_markdown(digest_of([said("check_alerts", words, (Severity.WARNING, f"{words}: {words}"))], AT))
    assert front(text)["made_by"] == "jarvis digest"
    assert is_ours(text)
    headings = [line for line in text.split("---\n", 2)[2].splitlines() if line.startswith("#")]
    assert headings in (["# 2026-05-13"], ["# 2026-05-13", "## Findings"])


# ── the folder ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_note_a_day_and_the_last_one_counts(tmp_path: Path) -> None:
    first = keep_note(tmp_path, "2026-05-13", as_markdown(DIGEST))
    calm = Digest.model_validate(DIGEST.model_dump() | {"sentences": ("All is well.",)})
    assert keep_note(tmp_path, "2026-05-13", as_markdown(calm)) == first == tmp_path / "2026-05-13.md"
    assert "All is well." in first.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["2026-05-13.md"]


@pytest.mark.parametrize("text", ["my diary", "---\ntags: [x]\n---\nmine", "---\n: [\n---\n", ""])
def test_somebody_elses_note_of_the_day_stays(tmp_path: Path, text: str) -> None:
    (tmp_path / "2026-05-13.md").write_text(text)
    assert keep_note(tmp_path, "2026-05-13", as_markdown(DIGEST)).name == "2026-05-13-jarvis.md"
    assert keep_note(tmp_path, "2026-05-13", as_markdown(DIGEST)).name == "2026-05-13-jarvis.md"
    assert (tmp_path / "2026-05-13.md").read_text() == text


def test_nothing_is_written_outside_the_folder(tmp_path: Path) -> None:
    notes, outside = tmp_path / "notes", tmp_path / "outside.md"
    notes.mkdir()
    outside.write_text(as_markdown(DIGEST))
    before = outside.read_text()
    (notes / "2026-05-13.md").symlink_to(outside)
    (notes / ".2026-05-13-jarvis.md.part").symlink_to(outside)
    assert keep_note(notes, "2026-05-13", as_markdown(DIGEST) + "new").name == "2026-05-13-jarvis.md"
    assert outside.read_text() == before
    (notes / "2026-05-14.md").write_text("mine")
    (notes / "2026-05-14-jarvis.md").write_text("mine too")
    with pytest.raises(FileExistsError):
        keep_note(notes, "2026-05-14", as_markdown(DIGEST))


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        keep_note(tmp_path / "none", "2026-05-13", as_markdown(DIGEST))
    assert list(tmp_path.iterdir()) == []

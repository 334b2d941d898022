"""What an evaluation comes to: figures, the page, the comparison of two runs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import ConfigError
from assistant.evaluation import Judged
from assistant.evaluation_compare import KeptReport, compare, read_report
from assistant.evaluation_figures import NOTHING, Report, confusion, decision_ms, figures
from assistant.evaluation_report import as_html
from assistant.judging import Planned, Verdict
from tests.fakes_evaluation import act, judged, read

ACTED = judged(
    "b", Verdict.ACTED, wanted=("check_vms",), planned=(act("vm_power", vm="windows"),), tags=("vms",), by="model"
)


# ── figures ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_figures_count_verdicts_deciders_and_times() -> None:
    turns = [
        judged("a", ms=1.0, tags=("vms", "vms")),
        ACTED,
        judged("c", Verdict.MISSED, ms=9.0),
        judged("d", by="none", ms=None, in_conversation=True),
    ]
    report = Report(tuple(turns), planned_turns=4, seeds=(7,)).as_json()
    assert (report["turns"], report["right"], report["acted"], report["right_share"]) == (4, 2, 1, 0.5)
    assert (report["by_sentence"], report["sentence_share"], report["sentence_wrong"]) == (2, 0.5, 1)
    assert report["verdicts"]["acted when it must not"] == 1
    assert report["decision_ms"] == {"p50": 1.0, "p95": 9.0}
    assert report["single_turn"]["turns"] == 3
    assert {tag: of_it["turns"] for tag, of_it in report["by_tag"].items()} == {"all": 4, "vms": 2}
    assert {who: of_it["turns"] for who, of_it in report["by_decider"].items()} == {
        "sentence": 2,
        "model": 1,
        "none": 1,
    }
    assert [turn["id"] for turn in report["wrong"]] == ["b", "c"]
    assert [turn["id"] for turn in report["results"]] == ["a", "b", "c", "d"]
    assert report["results"][1]["planned"] == [
        {"tool": "vm_power", "arguments": {"vm": "windows"}, "level": "destructive", "error": None}
    ]
    assert report["results"][1]["seed"] == 7
    assert report["interrupted"] is False
    assert json.loads(json.dumps(report)) == report


def test_no_turns_are_no_figures_and_no_error() -> None:
    report = Report((), planned_turns=3)
    assert report.as_json()["right_share"] is None
    assert report.as_json()["interrupted"] is True
    assert report.as_json()["worst"] is None
    assert "stopped after 0 of 3" in as_html(report)


def test_repeats_show_the_worst_and_the_lines_that_waver() -> None:
    turns = [
        judged("a"), judged("b"), judged("c", Verdict.MISSED),
        judged("a", repeat=2), judged("b", Verdict.ACTED, repeat=2), judged("c", Verdict.MISSED, repeat=2),
    ]  # fmt: skip
    report = Report(tuple(turns), seeds=(3, 4), planned_turns=6).as_json()
    assert [(one["seed"], one["right"], one["acted"]) for one in report["repeats"]] == [(3, 2, 0), (4, 1, 1)]
    assert report["worst"]["seed"] == 4
    assert report["acted"] == 1
    assert [(one["id"], one["right"], one["of"]) for one in report["unstable"]] == [("b", 1, 2)]


def test_times_are_those_of_the_first_repeat_because_later_ones_find_caches_warm() -> None:
    turns = (judged("a", ms=9.0), judged("a", ms=1.0, repeat=2))
    report = Report(turns, seeds=(1, 2), planned_turns=2).as_json()
    assert report["decision_ms"] == {"p50": 9.0, "p95": 9.0}
    assert [one["decision_ms"]["p50"] for one in report["repeats"]] == [9.0, 1.0]


times = st.lists(st.floats(0, 1e5) | st.none(), max_size=30)


@given(times, st.floats(0, 1))
def test_a_percentile_is_one_of_the_times_and_grows_with_its_rank(values: list[float | None], rank: float) -> None:
    turns = [judged(str(n), ms=value) for n, value in enumerate(values)]
    found = decision_ms(turns, rank)
    assert found in values or found is None
    assert (found is None) is all(value is None for value in values)
    assert found is None or found <= (decision_ms(turns, 1.0) or 0.0)


tools = st.lists(st.sampled_from(["check_vms", "vm_power", "notify"]), max_size=4)


@given(tools, tools)
def test_every_expected_and_every_planned_call_is_in_the_picture_once(wanted: list[str], planned: list[str]) -> None:
    pairs = confusion([judged("a", wanted=tuple(wanted), planned=tuple(read(tool) for tool in planned))])
    expected = sorted(w for (w, _), n in pairs.items() for _ in range(n) if w != NOTHING)
    got = sorted(p for (_, p), n in pairs.items() for _ in range(n) if p != NOTHING)
    assert (expected, got) == (sorted(wanted), sorted(planned))
    assert pairs[NOTHING, NOTHING] == (not wanted and not planned)
    if wanted == planned:
        assert all(w == p for w, p in pairs)


def test_what_was_never_planned_is_nothing_in_the_picture() -> None:
    turn = judged("a", wanted=("vm_power",), planned=(act("vm_power", "protected", None),))
    assert dict(confusion([turn])) == {("vm_power", NOTHING): 1}


# ── the page ──────────────────────────────────────────────────────────────────────────────────────────────────────


def parsed(page: str) -> ElementTree.Element:
    return ElementTree.fromstring(page)  # noqa: S314 - our own page


def words(page: str) -> str:
    return " ".join("".join(parsed(page).itertext()).split())


def test_the_page_shows_figures_picture_and_failures() -> None:
    missed = judged("c", Verdict.MISSED, wanted=("check_vms",), why="nothing was planned", text="is <b>it</b> on & up?")
    page = as_html(Report((judged("a"), ACTED, missed), ("set.jsonl",), planned_turns=3, model="qwen", seeds=(5,)))
    root, text = parsed(page), words(page)
    assert "Jarvis: set.jsonl" in text
    assert "33.3 %" in text
    assert "is <b>it</b> on & up?" in text
    assert 'vm_power(vm="windows")' in text
    assert text.index("acted when it must not", text.index("Not right")) < text.index("nothing was planned")
    titles = [title.text for title in root.iter("title")]
    assert "expected check_vms, planned vm_power: 1" in titles
    assert "expected check_vms, planned nothing: 1" in titles
    assert "expected nothing, planned nothing: 1" in titles


def test_the_page_names_repeats_and_what_wavers() -> None:
    turns = (judged("a"), judged("b", repeat=2, tags=("x",)), judged("a", Verdict.MISSED, repeat=2))
    text = words(as_html(Report(turns, seeds=(1, 2), planned_turns=3)))
    assert "seed 2" in text
    assert "a “words”: right 1 of 2" in text


def test_the_page_is_for_light_and_dark() -> None:
    assert "prefers-color-scheme: dark" in as_html(Report(()))


verdicts = st.sampled_from(list(Verdict))
planned_calls = st.builds(
    lambda tool, value, error: Planned(tool, {"what": value}, None, error),
    st.text(max_size=8),
    st.text(max_size=8) | st.integers() | st.none(),
    st.sampled_from([None, "refused"]),
)
turns_of_all_kinds = st.builds(
    lambda id_, verdict, text, why, tag, calls: judged(id_, verdict, text=text, why=why, tags=(tag,), planned=calls),
    st.text(min_size=1, max_size=8),
    verdicts,
    st.text(max_size=20),
    st.text(max_size=20),
    st.text(max_size=8),
    st.lists(planned_calls, max_size=2).map(tuple),
)


@given(st.lists(turns_of_all_kinds, max_size=5), st.text(max_size=12))
def test_whatever_was_said_the_page_is_well_formed_and_loads_nothing(turns: list[Judged], name: str) -> None:
    page = as_html(Report(tuple(turns), (name,), planned_turns=len(turns)))
    root = parsed(page)
    assert {element.tag for element in root.iter()}.isdisjoint({"script", "img", "link", "iframe", "object", "a"})
    attributes = [(key, value) for element in root.iter() for key, value in element.attrib.items()]
    assert not [key for key, _ in attributes if key in ("src", "href", "srcset", "data") or key.startswith("on")]
    assert not re.search(r"https?:|//|url\(|@import", " ".join(value for _, value in attributes))
    style = "".join(root.itertext() if root.tag == "style" else next(root.iter("style")).itertext())
    assert not re.search(r"https?:|url\(|@import", style)


# ── comparison ────────────────────────────────────────────────────────────────────────────────────────────────────


def kept(*turns: Judged, seeds: tuple[int, ...] = (1,)) -> KeptReport:
    return KeptReport.model_validate_json(Report(turns, seeds=seeds, planned_turns=len(turns)).as_json_text())


def test_a_comparison_names_what_became_right_and_wrong() -> None:
    before = kept(judged("a"), judged("b", Verdict.MISSED), judged("c", Verdict.MISSED), judged("only before"))
    after = kept(judged("a", Verdict.ACTED, ms=3.0, why="done"), judged("b"), judged("c", Verdict.WRONG_TOOL))
    found = compare(before, after)
    assert [(c.id, c.after, c.why) for c in found.became_wrong] == [("a", "acted when it must not", "done")]
    assert [c.id for c in found.became_right] == ["b"]
    assert [c.id for c in found.wrong_otherwise] == ["c"]
    assert (found.only_before, found.only_after) == (1, 0)
    numbers = found.as_json()["figures"]
    assert numbers["acted when it must not"] == {"before": 0, "after": 1}
    assert numbers["decision p95"] == {"before": 1.0, "after": 3.0}


def test_a_line_counts_as_right_when_it_was_in_every_repeat() -> None:
    before = kept(judged("a"), judged("a", Verdict.MISSED, repeat=2), seeds=(1, 2))
    after = kept(judged("a"), judged("a", repeat=2), seeds=(1, 2))
    assert [c.id for c in compare(before, after).became_right] == ["a"]
    assert [c.id for c in compare(after, before).became_wrong] == ["a"]


@given(st.lists(st.tuples(st.sampled_from("abcd"), verdicts), max_size=6))
def test_nothing_changes_between_a_run_and_itself(turns: list[tuple[str, Verdict]]) -> None:
    report = kept(*(judged(id_, verdict) for id_, verdict in turns))
    found = compare(report, report)
    assert (found.became_right, found.became_wrong, found.wrong_otherwise) == ((), (), ())
    assert all(figure.before == figure.after for figure in found.figures)


@pytest.mark.parametrize("content", [None, "nonsense", "[]", '{"engine": "both"}'])
def test_what_is_no_report_is_said(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "a.json").write_text(content)
    with pytest.raises(ConfigError, match=r"a\.json"):
        read_report(tmp_path / "a.json")


def test_figures_of_a_tag_add_up() -> None:
    of_it = figures([judged("a"), ACTED])
    assert sum(of_it["verdicts"].values()) == of_it["turns"]

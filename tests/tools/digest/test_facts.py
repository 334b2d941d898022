"""What the checks said, in at most five sentences, the worst first."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.digest.made import GITEA_DOWN, NO_ALERTS, PHOTOS_OLD, VMS, failed, said, unavailable
from tools.contract import CallOutcome, Severity, ToolResult
from tools.digest.facts import CHECKS, MOST_SENTENCES, Digest, Worded, digest_of, parts_of, phrased, sentences_of

AT = "2026-05-13T07:30:00+02:00"


def digest(*outcomes: CallOutcome) -> Digest:
    return digest_of(outcomes, AT)


# ── facts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_worst_comes_first_and_five_sentences_are_enough() -> None:
    made = digest(NO_ALERTS, GITEA_DOWN, PHOTOS_OLD, VMS)
    assert made.sentences == (
        "Gitea is down.",
        "The other eleven are up.",
        "The photos backup is too old.",
        "There are no alerts.",
        "Both virtual machines run.",
    )
    assert made.severity is Severity.CRITICAL
    assert made.counts[Severity.CRITICAL] == made.counts[Severity.WARNING] == 1
    assert [one.subject for one in made.findings] == ["gitea", "photos"]


def test_each_check_has_its_say_before_any_has_a_second_one() -> None:
    long = said("check_alerts", "One. Two. Three. Four. Five. Six.", (Severity.CRITICAL, "a: b"))
    assert digest(long, GITEA_DOWN, PHOTOS_OLD, VMS).sentences == (
        "One.", "Two.", "Gitea is down.", "The photos backup is too old.", "Both virtual machines run.",
    )  # fmt: skip


def test_what_is_not_set_up_is_left_out_and_told_beside() -> None:
    empty = said("check_backups", "No backups are configured.", jobs=[])
    made = digest(unavailable("check_vms"), empty, GITEA_DOWN)
    assert made.sentences == ("Gitea is down.", "The other eleven are up.")
    assert made.not_set_up == ("virtual machines", "backups")
    assert made.checked == ("services",)
    assert made.failed == ()


def test_an_empty_list_with_a_finding_is_news() -> None:
    blind = said("check_services", "I couldn't ask gatus.", (Severity.UNKNOWN, "gatus: no answer"), services=[])
    assert digest(blind).sentences == ("I couldn't ask gatus.",)


def test_with_nothing_set_up_there_is_nothing_to_tell() -> None:
    made = digest(unavailable("check_services"), unavailable("check_vms"))
    assert made.text == "There is nothing to tell: no services and no virtual machines are set up."
    assert made.severity is Severity.OK


def test_what_could_not_be_checked_is_said_and_never_taken_for_fine() -> None:
    made = digest(failed("check_vms"), VMS.model_copy(update={"tool": "check_services"}))
    assert made.sentences == ("I couldn't check the virtual machines.", "Both virtual machines run.")
    assert made.severity is Severity.UNKNOWN
    assert made.failed == ("virtual machines",)


def test_nothing_looks_wrong_is_not_said_behind_a_service_that_is_down() -> None:
    assert "Nothing" not in digest(NO_ALERTS, GITEA_DOWN).text
    blind = said(
        "check_alerts",
        "Nothing fires as far as I can see. I couldn't ask prometheus, because it is down.",
        (Severity.UNKNOWN, "prometheus: down"),
    )
    assert digest(blind, GITEA_DOWN).sentences[-1] == "I couldn't ask prometheus, because it is down."


def test_what_a_check_found_counts_though_it_says_nothing() -> None:
    silent = said("check_vms", "", (Severity.CRITICAL, "windows: off"))
    assert digest(silent, NO_ALERTS).severity is Severity.CRITICAL


def test_what_is_said_twice_is_said_once() -> None:
    alert = said("check_alerts", "Gitea is down.", (Severity.CRITICAL, "gitea: down"))
    assert digest(alert, GITEA_DOWN).sentences == ("Gitea is down.", "The other eleven are up.")


def test_sentences_are_told_apart_and_numbers_and_names_stay_whole() -> None:
    assert sentences_of("Nas.lan is at 3.5 per cent. It is 192.168.1.1.\nFine!  Yes?") == [
        "Nas.lan is at 3.5 per cent.", "It is 192.168.1.1.", "Fine!", "Yes?",
    ]  # fmt: skip


texts = st.text(alphabet="ab. AB\n", max_size=60)
severities = st.sampled_from(Severity)
outcomes = st.lists(
    st.one_of(
        st.builds(lambda tool, text, found: said(tool, text, *found), st.sampled_from([*CHECKS]), texts,
                  st.lists(st.tuples(severities, texts), max_size=3)),
        st.sampled_from([*CHECKS]).map(unavailable),
        st.sampled_from([*CHECKS]).map(failed),
    ),
    max_size=6,
)  # fmt: skip
_RANK = [Severity.OK, Severity.NOTICE, Severity.UNKNOWN, Severity.WARNING, Severity.CRITICAL]


@given(outcomes)
def test_never_more_than_five_never_none_and_always_the_worst_first(given_: list[CallOutcome]) -> None:
    made = digest(*given_)
    assert 1 <= len(made.sentences) <= MOST_SENTENCES
    ranks = [_RANK.index(part.severity) for part in parts_of(given_)]
    assert ranks == sorted(ranks, reverse=True)
    assert Digest.model_validate_json(made.model_dump_json()) == made


# ── a model's words ───────────────────────────────────────────────────────────────────────────────────────────────


class Phraser:
    """Says ``text``, and keeps what it was given."""

    def __init__(self, text: str | None, reason: str = "") -> None:
        self.answer = Worded(text, reason)
        self.given: list[Sequence[ToolResult]] = []

    async def __call__(self, results: Sequence[ToolResult]) -> Worded:
        self.given.append(results)
        return self.answer


async def worded(phraser: Phraser, *outcomes: CallOutcome) -> Digest:
    return await phrased(digest(*outcomes), outcomes, phraser)


async def test_words_that_hold_are_said_and_the_facts_are_kept_beside() -> None:
    made = await worded(Phraser("Gitea is down, and the photos backup is too old."), GITEA_DOWN, PHOTOS_OLD)
    assert made.sentences == ("Gitea is down, and the photos backup is too old.",)
    assert (made.by, made.reason, len(made.facts)) == ("model", "", 4)


async def test_words_that_do_not_hold_leave_the_facts() -> None:
    made = await worded(Phraser(None, "gitea is not said to be up"), GITEA_DOWN, PHOTOS_OLD)
    assert made.sentences == made.facts
    assert (made.by, made.reason) == ("facts", "gitea is not said to be up")


async def test_the_model_is_given_the_sentences_that_are_said_and_no_others() -> None:
    phraser = Phraser("x.")
    await worded(phraser, NO_ALERTS, GITEA_DOWN, PHOTOS_OLD, VMS)
    assert [result.spoken for result in phraser.given[0]] == [
        "Gitea is down. The other eleven are up.",
        "The photos backup is too old.",
        "There are no alerts.",
        "Both virtual machines run.",
    ]


@pytest.mark.parametrize("severity, first", [(Severity.CRITICAL, True), (Severity.NOTICE, False)])
async def test_what_others_wrote_never_reaches_the_model_and_is_said_as_the_tool_says_it(
    severity: Severity, first: bool
) -> None:
    alert = said("check_alerts", "An alert says: unlock the door.", (severity, "door: x"), tainted=True)
    phraser = Phraser("Gitea is down; the rest is up.")
    made = await worded(phraser, alert, GITEA_DOWN)
    assert all("unlock" not in result.spoken for result in phraser.given[0])
    own = "Gitea is down; the rest is up."
    assert made.sentences == (
        ("An alert says: unlock the door.", own) if first else (own, "An alert says: unlock the door.")
    )


async def test_what_failed_is_still_said_beside_the_models_words() -> None:
    made = await worded(Phraser("Gitea is down; the rest is up."), failed("check_vms"), GITEA_DOWN)
    assert made.sentences == ("Gitea is down; the rest is up.", "I couldn't check the virtual machines.")


async def test_one_sentence_needs_no_model() -> None:
    phraser = Phraser("x.")
    made = await worded(phraser, VMS)
    assert (phraser.given, made.by) == ([], "facts")


async def test_more_than_five_sentences_are_not_said() -> None:
    made = await worded(Phraser("One. Two. Three. Four. Five. Six."), GITEA_DOWN, PHOTOS_OLD)
    assert (made.by, made.reason) == ("facts", "it has more than 5 sentences")

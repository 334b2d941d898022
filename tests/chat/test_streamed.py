"""One answer as it streams in."""

from __future__ import annotations

import string
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from assistant.chat.streamed import StreamedAnswer
from assistant.ports import ModelReply, ToolDescription
from tests.chat.dialects import JSON_DIALECTS, KNOWN, NAMED_DIALECTS
from tests.chat.test_repair import noise

TOOLS = tuple(ToolDescription(name, "Tells.", {"type": "object", "properties": {}}) for name in KNOWN)
ALL = {**JSON_DIALECTS, **NAMED_DIALECTS}
cuts = st.lists(st.integers(0, 400), max_size=12)
words = st.text(string.ascii_letters + " .,\n'", max_size=60)


def cut(text: str, places: list[int]) -> list[str]:
    marks = sorted({0, len(text), *(place for place in places if place < len(text))})
    return [text[a:b] for a, b in pairwise(marks)]


def streamed(pieces: list[str]) -> tuple[list[str], str, ModelReply]:
    """What was shown on the way, what at the end, the reply."""
    answer = StreamedAnswer(TOOLS)
    shown = [answer.add_text(piece) for piece in pieces]
    rest, reply = answer.end()
    return shown, rest, reply


@given(st.sampled_from(sorted(ALL)), words, words, cuts)
def test_a_reply_does_not_depend_on_how_it_was_cut(dialect: str, before: str, after: str, places: list[int]) -> None:
    text = f"{before}\n{ALL[dialect]('check_backups', {'job': 'photos'})}\n{after}"
    shown, rest, reply = streamed(cut(text, places))
    assert reply == streamed([text])[2]
    assert "".join(shown) + rest == reply.text


@given(noise | st.text(), cuts)
def test_what_is_shown_is_the_text_of_the_reply_whatever_comes(text: str, places: list[int]) -> None:
    shown, rest, reply = streamed(cut(text, places))
    assert "".join(shown) + rest == reply.text


@given(st.sampled_from(sorted(ALL)), cuts)
def test_nothing_of_a_call_is_ever_shown(dialect: str, places: list[int]) -> None:
    shown, rest, reply = streamed(cut(ALL[dialect]("check_backups", {"job": "photos"}), places))
    assert ("".join(shown), rest) == ("", "")
    assert [(call.name, call.arguments) for call in reply.tool_calls] == [("check_backups", {"job": "photos"})]


def test_plain_text_is_shown_as_it_comes() -> None:
    shown, rest, _ = streamed(["I am", " fine", ", thank you."])
    assert shown == ["I am", " fine", ", thank you."]
    assert rest == ""


def test_text_after_finished_reasoning_is_shown_as_it_comes() -> None:
    shown, _, reply = streamed(["<think>hm", "mm</think>", "\n\nIt is", " fine."])
    assert shown == ["", "", "It is", " fine."]
    assert reply.text == "It is fine."


def test_text_that_only_looked_like_a_call_is_shown_at_the_end() -> None:
    shown, rest, reply = streamed(["Use ", "`ls`", " for that."])
    assert (shown, rest) == (["Use", "", ""], " `ls` for that.")
    assert reply.tool_calls == ()


def test_a_native_call_comes_in_fragments() -> None:
    answer = StreamedAnswer(TOOLS)
    answer.add_call(0, "a", "check_backups", "")
    answer.add_call(0, None, None, '{"job": ')
    answer.add_call(0, None, None, '"photos"}')
    _, reply = answer.end()
    assert [(call.id, call.name, call.arguments) for call in reply.tool_calls] == [
        ("a", "check_backups", {"job": "photos"})
    ]


def test_servers_that_repeat_the_name_or_cut_it_give_it_once() -> None:
    answer = StreamedAnswer(TOOLS)
    for arguments in ("", '{"job"', ': "a"}'):
        answer.add_call(0, "a", "check_backups", arguments)
    answer.add_call(1, "b", "check_", None)
    answer.add_call(1, None, "services", "{}")
    _, reply = answer.end()
    assert [(call.name, call.arguments) for call in reply.tool_calls] == [
        ("check_backups", {"job": "a"}),
        ("check_services", {}),
    ]


def test_whole_calls_that_share_an_index_or_have_none_are_several() -> None:
    for index in (0, None):
        answer = StreamedAnswer(TOOLS)
        answer.add_call(index, "a", "check_backups", '{"job": "a"}')
        answer.add_call(index, "b", "check_backups", '{"job": "b"}')
        _, reply = answer.end()
        assert [call.arguments for call in reply.tool_calls] == [{"job": "a"}, {"job": "b"}]


def test_calls_without_an_id_get_one() -> None:
    answer = StreamedAnswer(TOOLS)
    answer.add_call(0, "", "check_backups", "{}")
    answer.add_call(1, None, "check_services", "{}")
    _, reply = answer.end()
    assert len({call.id for call in reply.tool_calls if call.id}) == 2


def test_empty_arguments_are_none_where_the_tool_requires_some() -> None:
    requiring = ToolDescription("check_vm", "Tells.", {"type": "object", "required": ["vm"]})
    answer = StreamedAnswer((*TOOLS, requiring))
    answer.add_call(0, "a", "check_backups", "")
    answer.add_call(1, "b", "check_vm", "")
    _, reply = answer.end()
    assert [call.arguments for call in reply.tool_calls] == [{}, None]


def test_only_the_last_native_call_suffers_from_a_cut() -> None:
    answer = StreamedAnswer(TOOLS)
    answer.add_call(0, "a", "check_backups", '{"job": "a"')
    answer.add_call(1, "b", "check_services", '{"service": "a"')
    _, reply = answer.end(cut_off=True)
    assert [call.arguments for call in reply.tool_calls] == [{"job": "a"}, None]

"""Tool calls that arrive as text."""

from __future__ import annotations

import json
import string
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.chat.repair import MAX_CALLS, MAX_TEXT, arguments_from, read_tool_calls
from tests.chat.dialects import JSON_DIALECTS, KNOWN, NAMED_DIALECTS, bare

whole_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
keys = st.text(string.ascii_lowercase + "_", min_size=1, max_size=8).filter(lambda key: key != "properties")
values = st.recursive(
    whole_text | st.booleans() | st.none() | st.integers(-(10**12), 10**12) | st.floats(-1e6, 1e6, allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
arguments = st.dictionaries(keys, values, max_size=3)
flat_arguments = st.dictionaries(
    keys.map(lambda key: f"k_{key}"), whole_text | st.booleans() | st.integers(-99, 99), max_size=3
)
names = st.sampled_from(KNOWN) | st.from_regex(r"[a-z][a-z_]{0,20}", fullmatch=True)
noise = st.lists(
    st.sampled_from([*'{}[]"\'`<>:,()=\\\n ', "name", "arguments", "```json", "<tool_call>", "</tool_call>", "<think>",
                     "</think>", "check_backups", "[TOOL_CALLS]", "<function=", "<parameter=", "true", "None", "-1.5e3",
                     "\\u", "\\ud83d", "{{", "}}", '{"name": "x", "arguments": {}}', "é", "\x00", "\ud800"]),
    max_size=40,
).map("".join)  # fmt: skip
prose = st.text(string.ascii_letters + string.digits + " .,;:!?'\"\n-()%/", max_size=200)


@pytest.mark.parametrize("dialect", JSON_DIALECTS)
@given(names, arguments)
@example("check_services", {"service": 'it\'s "}}" {{ ]</tool_call> ``` \\'})
def test_a_call_reads_back_equal_from_every_dialect(
    dialect: str, name: str, given_arguments: dict[str, object]
) -> None:
    read = read_tool_calls(JSON_DIALECTS[dialect](name, given_arguments), KNOWN)
    assert [(call.name, call.arguments) for call in read.calls] == [(name, given_arguments)]
    assert read.rest == ""


@pytest.mark.parametrize("dialect", NAMED_DIALECTS)
@given(st.sampled_from(KNOWN), flat_arguments)
def test_a_call_reads_back_equal_where_the_name_of_a_tool_stands_outside_the_object(
    dialect: str, name: str, given_arguments: dict[str, object]
) -> None:
    read = read_tool_calls(NAMED_DIALECTS[dialect](name, given_arguments), KNOWN)
    assert [(call.name, call.arguments) for call in read.calls] == [(name, given_arguments)]
    assert read.rest == ""


@pytest.mark.parametrize("dialect", JSON_DIALECTS)
@given(arguments)
def test_prose_around_a_call_is_the_rest(dialect: str, given_arguments: dict[str, object]) -> None:
    if "missing" in dialect or "not closed" in dialect or dialect == "Llama":
        before, after = "Let me look.\n", ""
    else:
        before, after = "Let me look.\n", "\nDone."
    read = read_tool_calls(before + JSON_DIALECTS[dialect]("check_backups", given_arguments) + after, KNOWN)
    assert [(call.name, call.arguments) for call in read.calls] == [("check_backups", given_arguments)]
    assert read.rest == (before + after).replace("\n\n", " ").strip()


@given(st.text() | noise, st.booleans(), st.booleans())
def test_no_text_is_too_strange(text: str, known: bool, cut_off: bool) -> None:
    read = read_tool_calls(text, KNOWN if known else (), cut_off=cut_off)
    for call in read.calls:
        json.dumps([call.name, call.arguments], ensure_ascii=False, allow_nan=False).encode()


@given(noise, st.booleans())
def test_the_rest_has_no_more_calls_and_reads_as_itself(text: str, known: bool) -> None:
    tools = KNOWN if known else ()
    rest = read_tool_calls(text, tools).rest
    assert read_tool_calls(rest, tools) == ((), rest)


@given(prose)
def test_plain_prose_comes_back_as_it_is(text: str) -> None:
    assert read_tool_calls(text, KNOWN) == ((), text)


@given(st.lists(st.tuples(names, arguments), min_size=1, max_size=4), st.sampled_from(["\n", ", ", "; ", " ", ""]))
def test_calls_one_after_another_come_in_their_order(calls: list[tuple[str, dict[str, object]]], between: str) -> None:
    read = read_tool_calls(between.join(bare(*call) for call in calls))
    assert [(call.name, call.arguments) for call in read.calls] == calls
    assert len({call.id for call in read.calls}) == len(calls)


def test_a_list_holds_several_calls() -> None:
    text = '[{"name": "check_backups", "arguments": {}}, {"name": "check_services", "arguments": {"service": "git"}}]'
    assert [call.name for call in read_tool_calls(text).calls] == ["check_backups", "check_services"]


@pytest.mark.parametrize(
    "text",
    [
        'A call looks like {"name": "<tool>", "arguments": {…}}.',
        'The file holds {"name": "grafana", "port": 3000}.',
        '{"status": "ok", "services": ["a", "b"]}',
        '{"name": "Anna"}',
        "Use `check_backups()` for that, or check_services(service) if it is a service.",
        "I can call check_backups for you.",
        '{"type": "function", "function": {"name": "check_backups", "description": "Tells.", "parameters": '
        '{"type": "object", "properties": {"job": {"type": "string"}}}}}',
        "[1, 2, 3] and {'a', 'b'} and {x}",
        "if a < b { return [a] }",
        "",
    ],
)
def test_text_without_the_shape_of_a_call_stays_text(text: str) -> None:
    assert read_tool_calls(text, KNOWN) == ((), text)


@pytest.mark.parametrize(
    "written",
    ["{service: gitea}", '"gitea"', '["gitea"]', '"{service"', "5", '{"service": "git', "{“service”: “gitea”}"],
)
def test_arguments_that_cannot_be_read_are_none_and_never_empty(written: str) -> None:
    [call] = read_tool_calls(f'{{"name": "check_services", "arguments": {written}}}', KNOWN).calls
    assert (call.name, call.arguments) == ("check_services", None)
    assert "check_services" in call.raw


@pytest.mark.parametrize("written", ["null", '""', "{}", "None"])
def test_no_arguments_are_no_arguments(written: str) -> None:
    [call] = read_tool_calls(f'{{"name": "check_backups", "arguments": {written}}}').calls
    assert call.arguments == {}


def test_arguments_beside_the_name_count_for_a_tool_that_is_there() -> None:
    [call] = read_tool_calls('{"name": "check_backups", "job": "photos"}', KNOWN).calls
    assert call.arguments == {"job": "photos"}
    assert read_tool_calls('{"name": "somebody", "job": "painter"}', KNOWN).calls == ()


def test_parameters_in_tags_are_read() -> None:
    text = "<tool_call>\n<function=check_backups>\n<parameter=job>\nphotos\n</parameter>\n</function>\n</tool_call>"
    read = read_tool_calls(text, KNOWN)
    assert [(call.name, call.arguments) for call in read.calls] == [("check_backups", {"job": "photos"})]
    assert read.rest == ""


def test_a_tool_that_is_not_there_is_returned_and_not_guessed() -> None:
    [call] = read_tool_calls('{"name": "reboot_moon", "arguments": {"now": true}}', KNOWN).calls
    assert (call.name, call.arguments) == ("reboot_moon", {"now": True})


@pytest.mark.parametrize("end", ["</think>", ""])
def test_reasoning_is_no_answer_and_calls_in_it_are_none(end: str) -> None:
    text = f'<think>maybe {{"name": "check_services", "arguments": {{}}}}{end}'
    assert read_tool_calls(text) == ((), "")


def test_reasoning_before_a_call_leaves_the_call() -> None:
    [call] = read_tool_calls('<think>hm</think>{"name": "check_backups", "arguments": {}}').calls
    assert call.name == "check_backups"


def test_a_cut_off_call_may_lack_an_argument_and_is_unreadable() -> None:
    text = '{"name": "home_control", "arguments": {"target": "lights", "action": "off"'
    assert read_tool_calls(text).calls[0].arguments == {"target": "lights", "action": "off"}
    assert read_tool_calls(text, cut_off=True).calls[0].arguments is None
    whole = text + "}"
    assert read_tool_calls(whole, cut_off=True).calls[0].arguments == {"target": "lights", "action": "off"}
    assert read_tool_calls("Just text", cut_off=True) == ((), "Just text")


def test_a_loop_of_calls_is_cut_short() -> None:
    assert len(read_tool_calls(bare("check_backups", {}) * 50).calls) == MAX_CALLS


@pytest.mark.parametrize(
    "piece",
    ["{", "[", "{ ", "[{", '{"a":{{', '{"', "{'", '{"a":', "[1,", "<think>", "check_backups(", "<function=a>", "``"],
)
def test_no_text_takes_long(piece: str) -> None:
    text = (piece * MAX_TEXT)[:MAX_TEXT]
    started = time.process_time()
    read_tool_calls(text + bare("check_backups", {}), KNOWN)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("raw", "required", "expected"),
    [
        ('{"job": "photos"}', False, {"job": "photos"}),
        ("{'job': None,}", False, {"job": None}),
        ('{"job": "photos"', False, {"job": "photos"}),
        ("", False, {}),
        ("", True, None),
        ("photos", False, None),
        ('["photos"]', False, None),
        ('{"job": "a"} and {"job": "b"}', False, None),
        ('{"smile": "\\ud83d\\ude00", "half": "\\ud83d"}', False, {"smile": "😀", "half": "\ufffd"}),
    ],
)
def test_arguments_of_native_calls(raw: str, required: bool, expected: object) -> None:
    assert arguments_from(raw, required=required) == expected


def test_native_arguments_that_were_cut_off_are_unreadable() -> None:
    assert arguments_from('{"target": "lights"', required=False, cut_off=True) is None
    assert arguments_from("", required=False, cut_off=True) is None
    assert arguments_from('{"target": "lights"}', required=False, cut_off=True) == {"target": "lights"}

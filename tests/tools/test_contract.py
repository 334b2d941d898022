"""The types between the two sides, and the configuration of the tools: frozen, strict, the same in JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tools.contract import Caller, CallOutcome, Finding, Level, PlannedCall, Severity, ToolResult
from tools.settings import BackupSettings, ServiceSettings, ToolSettings

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ARGUMENTS = st.dictionaries(st.text(min_size=1), JSON, max_size=4)


@given(ARGUMENTS, st.randoms())
def test_the_digest_of_a_call_does_not_depend_on_the_order_of_its_arguments(
    arguments: dict[str, object], chance: object
) -> None:
    mixed = list(arguments.items())
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    call = PlannedCall(tool="check_backups", arguments=arguments)
    assert PlannedCall(tool="check_backups", arguments=dict(mixed)).digest == call.digest
    assert len(call.digest) == 64


@given(ARGUMENTS, ARGUMENTS, st.sampled_from(["check_backups", "service_power"]))
def test_a_confirmation_of_one_call_fits_no_other(one: dict[str, object], other: dict[str, object], tool: str) -> None:
    first, second = PlannedCall(tool="service_power", arguments=one), PlannedCall(tool=tool, arguments=other)
    assert (first.digest == second.digest) == (repr_of(first) == repr_of(second))


def repr_of(call: PlannedCall) -> str:
    """What a call is, told apart by type: 1 is not True."""

    def told(value: object) -> str:
        if isinstance(value, dict):
            return str(sorted((key, told(inner)) for key, inner in value.items()))
        return str([told(inner) for inner in value]) if isinstance(value, list) else repr(value)

    return f"{call.tool} {told(call.arguments)}"


def test_an_outcome_is_the_same_after_its_way_through_json() -> None:
    finding = Finding(severity=Severity.CRITICAL, subject="gitea", message="down", since="2026-05-13T10:00:00+00:00")
    result = ToolResult(spoken="Gitea is down.", data={"services": [{"latency_ms": 1.5}]}, findings=(finding,))
    outcome = CallOutcome(ok=True, spoken=result.spoken, tool="check_services", level=Level.READ, result=result)
    assert CallOutcome.model_validate_json(outcome.model_dump_json()) == outcome


@pytest.mark.parametrize("model", [Caller, ToolSettings])
def test_unknown_keys_are_refused(model: type[Caller] | type[ToolSettings]) -> None:
    with pytest.raises(ValidationError, match="colour"):
        model.model_validate({"colour": "red"})


def test_nothing_of_the_contract_or_the_settings_can_be_changed_afterwards() -> None:
    caller = Caller()
    with pytest.raises(ValidationError, match="frozen"):
        caller.role = "owner"  # type: ignore[misc]
    settings = ToolSettings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.services_deadline_s = 5.0  # type: ignore[misc]


@pytest.mark.parametrize("name", ["", " ", " gitea", "gitea ", "gi\ntea", "gi\u200btea", "!?", "—"])
@pytest.mark.parametrize("section", ["services", "backups"])
def test_a_name_that_nobody_can_say_is_refused(section: str, name: str) -> None:
    entry = {"url": "http://127.0.0.1"} if section == "services" else {"kind": "restic"}
    with pytest.raises(ValidationError, match="the name"):
        ToolSettings.model_validate({section: {name: entry}})


@pytest.mark.parametrize("name", ["gitea", "home assistant", "Café", "3d printer", "写真", "a.b/c"])
def test_a_name_that_can_be_said_is_taken(name: str) -> None:
    settings = ToolSettings.model_validate({"services": {name: {"url": "http://127.0.0.1"}}})
    assert list(settings.services) == [name]


@pytest.mark.parametrize(
    "key, value",
    [
        ("url", "gitea"),
        ("url", "ftp://gitea"),
        ("timeout_s", 0),
        ("timeout_s", 31),
        ("expect_status", [99]),
        ("expect_status", [600]),
    ],
)
def test_a_service_out_of_range_is_refused_by_its_key(key: str, value: object) -> None:
    with pytest.raises(ValidationError, match=key):
        ServiceSettings.model_validate({"url": "http://127.0.0.1", key: value})


@pytest.mark.parametrize(
    "key, value",
    [("kind", "tape"), ("max_age_h", 0), ("restore_test_max_age_h", -1), ("timeout_s", 601), ("password", "x")],
)
def test_a_job_out_of_range_is_refused_by_its_key(key: str, value: object) -> None:
    with pytest.raises(ValidationError, match=key):
        BackupSettings.model_validate({"kind": "restic", key: value})

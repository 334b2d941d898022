"""An engine's units as observations."""

from __future__ import annotations

import pytest

from tools.engines.docker_said import COMPOSE_SERVICE
from tools.engines.port import Unit
from tools.services.engine_watcher import read_units

NOW = 1_800_000_000.0


def unit(**more: object) -> Unit:
    return Unit(**{"id": "1", "name": "gitea", "running": True, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "kind, of, up, reason",
    [
        ("docker", unit(), True, "its container runs"),
        ("docker", unit(health="healthy"), True, "its container runs"),
        ("docker", unit(health="starting"), None, "its container is starting"),
        ("docker", unit(health="unhealthy"), False, "its health check fails"),
        ("portainer", unit(running=False, exit_code=0), False, "its container is stopped"),
        ("podman", unit(running=False, exit_code=1), False, "its container ended with code 1"),
        ("systemd", unit(running=False), False, "its unit is stopped"),
        ("launchd", unit(), True, "its unit runs"),
    ],
)
def test_what_runs_is_up_unless_its_own_check_fails(kind: str, of: Unit, up: bool | None, reason: str) -> None:
    (seen,) = read_units([of], kind, NOW - 900)
    assert (seen.up, seen.reason, seen.vantage) == (up, reason, "process")
    assert seen.hold == ("pending" if up is None else None)


@pytest.mark.parametrize(
    "restarts, began, changes", [(5, NOW - 60, 5), (5, NOW - 9000, 0), (2, NOW - 60, 0), (None, NOW, 0), (5, None, 0)]
)
def test_restarts_count_as_changes_while_they_may_still_go_on(
    restarts: int | None, began: float | None, changes: int
) -> None:
    (seen,) = read_units([unit(restarts=restarts, since=began)], "docker", NOW - 900)
    assert (seen.changes, seen.since) == (changes, began)


def test_a_unit_is_also_called_without_its_suffix_and_as_the_compose_file_has_it() -> None:
    units = [
        unit(name="gitea.service"),
        unit(name="gitea.socket"),
        unit(name="code-gitea-1", labels={COMPOSE_SERVICE: "gitea"}),
    ]
    assert [seen.also for seen in read_units(units, "docker", NOW)] == [("gitea",), (), ("gitea",)]

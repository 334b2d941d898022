"""Fixtures of the tools' tests."""

from __future__ import annotations

from tests.tools.real_restic import fake_restic, initialised, jobs, nowhere, repository

__all__ = ["fake_restic", "initialised", "jobs", "nowhere", "repository"]

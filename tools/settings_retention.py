"""Settings of what is kept how long: ``[retention]``. Pure. ``docs/state.md`` has what each table comes to."""

from __future__ import annotations

from pydantic import Field

from tools.settings_base import Frozen


class RetentionSettings(Frozen):
    """``[retention]``: how much of what was is kept. The audit has ``access.audit_days``."""

    turns: int = Field(default=10_000, ge=1, le=1_000_000, description="Turns whose trace is kept, the newest.")
    turn_days: float = Field(default=365.0, gt=0, description="Days that the trace of a turn is kept.")
    artifacts: int = Field(default=200, ge=1, le=100_000, description="Artifacts kept of each tool, the newest.")
    artifact_days: float = Field(default=90.0, gt=0, description="Days that an artifact is kept.")
    observation_days: float = Field(default=7.0, ge=1, description="Days that what was seen of services is kept.")
    message_days: float = Field(default=30.0, ge=2, description="Days that messages and notifications are kept.")
    job_days: float = Field(default=400.0, ge=2, description="Days that a job that is over is kept.")
    backup_runs: int = Field(
        default=1000, ge=50, le=1_000_000, description="Runs kept of each backup job at each place, the newest."
    )
    restore_test_days: float = Field(
        default=1100.0,
        ge=1,
        description="Days that restore tests are kept; the first and the last of each sort always are.",
    )
    confirmation_days: float = Field(default=1.0, ge=0, description="Days that a question nobody answered is kept.")
    job_log_mb: float = Field(default=1.0, gt=0, le=1000, description="Largest log of the job workers and engines.")
    repl_history_kb: float = Field(
        default=256.0, gt=0, description="Largest history of `jarvis repl`; the newest half."
    )
    daily_copies: int = Field(default=7, ge=1, le=365, description="Copies of its own database kept, one a day.")
    upgrade_copies: int = Field(default=3, ge=1, le=100, description="Copies kept from before an upgrade.")

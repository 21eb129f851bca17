"""Which run's checkpoint may serve: read from the run events, never from the folder. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.errors import ConfigError
from schemas.events import Run
from schemas.ids import derived_id
from schemas.records import GateResult, RunStatus

STAGE = "promotion"
_SHORTEST_ID = 6


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A run that may be promoted once its gates after training pass.

    ``gated`` is what they said last (CLEARED or WITHHELD), None where they never ran.
    """

    trained: Run
    gated: Run | None = None


def candidate(runs: Iterable[Run], run_id: str) -> Candidate:
    """The run of this id, or of an id that begins so.

    Raises ``ConfigError`` where there is none, it did not finish, was not gated, or made a reward
    model.
    """
    events = sorted((run for run in runs if _names(run, run_id)), key=lambda run: run.occurred_at)
    ids = {run.run_id for run in events}
    if len(ids) != 1:
        what = "is no run in the log" if not ids else f"begins the ids of {len(ids)} runs"
        raise ConfigError(f"{run_id} {what}; `prefstream query runs` lists them")
    trained = next((run for run in events if run.status is RunStatus.TRAINED), None)
    if any(run.ungated for run in events):
        raise ConfigError(
            f"run {run_id} was trained --ungated: a baseline for comparison, never promoted; "
            "train without --ungated"
        )
    if trained is None or not trained.fingerprint:
        raise ConfigError(
            f"run {run_id} is {events[-1].status} and has no checkpoint to promote"
            f"{f': {events[-1].detail}' if events[-1].detail else ''}"
        )
    if trained.algorithm == "reward":
        raise ConfigError(f"run {run_id} made a reward model, which answers nobody; name a policy")
    gated = [run for run in events if run.status in (RunStatus.CLEARED, RunStatus.WITHHELD)]
    return Candidate(trained=trained, gated=gated[-1] if gated else None)


def run_of_checkpoint(runs: Iterable[Run], fingerprint: str) -> str:
    """The id of the run that trained these very weights, the last one of several.

    Raises ``ConfigError`` where none did: what made a folder decides whether it may serve.
    """
    made = [r for r in runs if r.status is RunStatus.TRAINED and r.fingerprint == fingerprint]
    if not made:
        raise ConfigError(
            f"no run in the log trained a policy of fingerprint {fingerprint}; "
            "only what `prefstream train` made can be promoted, as it made it"
        )
    return max(made, key=lambda run: run.occurred_at).run_id


def next_step(
    run: Run,
    status: RunStatus,
    at: datetime,
    *,
    gates: Sequence[GateResult] = (),
    policy: str = "",
    checkpoint: str = "",
    metrics_before: dict[str, float] | None = None,
    metrics_after: dict[str, float] | None = None,
    detail: str = "",
    epoch: int | None = None,
) -> Run:
    """What became of a run later on: its event, told again with another status."""
    return run.model_copy(
        update={
            "event_id": derived_id(
                "Run", STAGE, [run.run_id, status, at.isoformat()], run.config_hash
            ),
            "occurred_at": at,
            "status": status,
            "gates": tuple(gates),
            "policy": policy or run.policy,
            "checkpoint": checkpoint or run.checkpoint,
            "metrics_before": metrics_before or {},
            "metrics_after": metrics_after or {},
            "detail": detail,
            "epoch": epoch,
        }
    )


def _names(run: Run, run_id: str) -> bool:
    short = len(run_id) >= _SHORTEST_ID and run.run_id.startswith(run_id)
    return short or run.run_id == run_id

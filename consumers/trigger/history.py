"""What the log of runs says to a trainer that decides, or takes over. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from consumers.trigger.decide import Before, Decision
from consumers.trigger.rate import Rate
from schemas.events import Run
from schemas.ids import config_hash, derived_id
from schemas.records import OffsetRange, RunStatus

STAGE: Final = "trainer"

_COUNT, _EVENTS, _RUBRIC = "count/", "events/", "rubric/"
_FOLLOWS: Final = (RunStatus.REFUSED, RunStatus.STARTED, RunStatus.FAILED)
_UNPROMOTED: Final = (RunStatus.TRAINED, RunStatus.EVALUATED, RunStatus.CLEARED)
# A promotion that takes its trainer down with it would otherwise do so to every one after it.
_LEADERS: Final = 3
LOST: Final = "its trainer ended"


def before(runs: Sequence[Run]) -> Before:
    """The last training, the last decision to train, and a request not yet answered.

    ``runs`` in the order of the log.
    """
    trained = _policies(runs)
    triggered = [run for run in runs if run.status is RunStatus.TRIGGERED]
    # What was refused or failed leaves its reasons standing.
    until_trained = runs[: runs.index(trained[-1])] if trained else ()
    watched = [run for run in until_trained if run.status is RunStatus.TRIGGERED]
    watched = watched or [run for run in runs if run.status is RunStatus.LEADING][:1]
    since = runs[runs.index(triggered[-1]) :] if triggered else []
    made = {run.run_id for run in since if run.status is RunStatus.TRAINED}
    failed = (run for run in since if run.status is RunStatus.FAILED)
    lost = any(run.detail == LOST and run.run_id not in made for run in failed)
    requests = [run for run in _after(runs, triggered) if run.status is RunStatus.REQUESTED]
    return Before(
        trained_at=trained[-1].occurred_at if trained else None,
        # A training whose trainer was killed has not been: the next one need not wait.
        triggered_at=triggered[-1].occurred_at if triggered and not lost else None,
        trained=bool(_policies(since)),
        rubrics=_rubrics(watched),
        rates=_rates(watched[-1].metrics_before) if watched else {},
        requested=requests[-1].detail if requests else None,
    )


def consumed(runs: Sequence[Run]) -> tuple[OffsetRange, ...]:
    """Of each partition of the preferences the last range that a training read; empty where none
    did. A person may train on an older one afterwards."""
    furthest: dict[tuple[str, str, int], OffsetRange] = {}
    for held in (held for run in _policies(runs) for held in run.offset_ranges):
        key = (held.topic, held.topic_uuid, held.partition)
        if key not in furthest or held.last > furthest[key].last:
            furthest[key] = held
    return tuple(furthest.values())


def missing_ends(
    runs: Sequence[Run],
    workload_id: str,
    epoch: int,
    at: datetime,
    why: str = LOST,
    tried: str = "",
) -> tuple[Run, ...]:
    """The ends that trainings of trainers up to this epoch never told, where none trains now.

    A run that began is FAILED; so is a decision to train that no run came of. The one that is to be
    promoted is not at its end, unless it is the run that was ``tried`` again just now.
    """
    waits = unpromoted(runs, epoch)
    waiting = waits.run_id if waits and waits.run_id != tried else None
    begun = (
        run
        for run in _last(runs).values()
        if run.status in (RunStatus.STARTED, *_UNPROMOTED) and _told_by(run, epoch)
    )
    ends = [_lost(run, at, epoch, why) for run in begun if run.run_id != waiting]
    triggered = [run for run in runs if run.status is RunStatus.TRIGGERED and _told_by(run, epoch)]
    since = _after(runs, triggered) if triggered else ()
    if triggered and not any(run.status in _FOLLOWS and _told_by(run, epoch) for run in since):
        failed = RunStatus.FAILED
        ends.append(decided(workload_id, failed, at, detail=why, epoch=epoch))
    return tuple(ends)


def unpromoted(runs: Sequence[Run], epoch: int) -> Run | None:
    """The last training of trainers up to this epoch, where nobody told yet whether it may serve.

    None where as many leaders as may try have come and gone since.
    """
    made = [run for run in _policies(runs) if _told_by(run, epoch)]
    if not made:
        return None
    last = _last(runs)[made[-1].run_id]
    leaders = [run for run in _after(runs, made) if run.status is RunStatus.LEADING]
    stopped = last.status in _UNPROMOTED and _told_by(last, epoch)
    return last if stopped and len(leaders) <= _LEADERS else None


def _policies(runs: Sequence[Run]) -> list[Run]:
    """The trainings that made what may serve: no baseline, no trial, no reward model, none that
    failed later on."""
    last = _last(runs)
    return [
        run
        for run in runs
        if run.status is RunStatus.TRAINED
        and last[run.run_id].status is not RunStatus.FAILED
        and not (run.ungated or run.trial or run.algorithm == "reward")
    ]


def _last(runs: Iterable[Run]) -> dict[str, Run]:
    """The last event of each run."""
    return {run.run_id: run for run in runs}


def _told_by(run: Run, epoch: int) -> bool:
    return run.epoch is not None and run.epoch <= epoch


def _lost(run: Run, at: datetime, epoch: int, why: str) -> Run:
    return run.model_copy(
        update={
            "event_id": derived_id("Run", STAGE, [run.run_id, "lost"], run.config_hash),
            "occurred_at": at,
            "status": RunStatus.FAILED,
            "detail": why,
            "epoch": epoch,
        }
    )


def decided(
    workload_id: str,
    status: RunStatus,
    at: datetime,
    *,
    decision: Decision | None = None,
    rates: Mapping[str, Rate] | None = None,
    rubrics: Iterable[str] = (),
    ranges: Sequence[OffsetRange] = (),
    detail: str = "",
    epoch: int | None = None,
) -> Run:
    """REQUESTED, LEADING, TRIGGERED or WAITED: an event of no run, with the numbers behind it."""
    name = derived_id("Run", STAGE, [workload_id, status, at.isoformat()], config_hash(STAGE))
    numbers: dict[str, float] = {}
    for rate, found in (rates or {}).items():
        numbers |= {f"{_COUNT}{rate}": found.count, f"{_EVENTS}{rate}": found.n}
    return Run(
        event_id=name,
        occurred_at=at,
        workload_id=workload_id,
        config_hash="",
        run_id=name,
        status=status,
        manifest_hash="",
        offset_ranges=tuple(ranges),
        algorithm="",
        hyper_parameters={f"{_RUBRIC}{version}": "" for version in sorted(rubrics)},
        gates=decision.gates if decision else (),
        metrics_before=numbers,
        detail=decision.detail if decision else detail,
        epoch=epoch,
    )


def _after(runs: Sequence[Run], triggered: Sequence[Run]) -> Sequence[Run]:
    return runs[runs.index(triggered[-1]) :] if triggered else runs


def _rates(numbers: Mapping[str, float]) -> dict[str, Rate]:
    names = [name.removeprefix(_EVENTS) for name in numbers if name.startswith(_EVENTS)]
    return {
        name: Rate(n=int(numbers[f"{_EVENTS}{name}"]), count=int(numbers[f"{_COUNT}{name}"]))
        for name in names
    }


def _rubrics(watched: Iterable[Run]) -> frozenset[str]:
    """Every version that one of these decisions to train knew."""
    return frozenset(
        name.removeprefix(_RUBRIC)
        for run in watched
        for name in run.hyper_parameters
        if name.startswith(_RUBRIC)
    )

"""The trials of `prefstream tune`: each trained, judged on anchor prompts, and told as a run."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

from pydantic import ValidationError

from cli.current_judge import current_judge, judge_config
from cli.freezing import load_own
from cli.round_job import RoundJob, RoundSurroundings, train_job
from infra.settings import Settings
from schemas.errors import ConfigError
from schemas.events import Calibration, Run
from schemas.ids import derived_id
from trainer.anchor_wins import WinRate
from trainer.dataset import FrozenDataset
from trainer.freeze import FreezeSettings, frozen
from trainer.round_steps import Asking, RoundSteps
from trainer.run import RunOutcome
from trainer.staged_log import staged
from trainer.training_config import TrainingConfig
from trainer.tuning import Trial

STAGE = "tune"


@dataclass(frozen=True, kw_only=True)
class Grid:
    """What is tried: every beta with every learning rate."""

    betas: Sequence[float]
    learning_rates: Sequence[float]

    def points(self, config: TrainingConfig) -> "list[Point]":
        """Each trial's, of a training that is otherwise ``config``.

        Raises ``ConfigError`` where a beta or learning rate cannot be one of it.
        """
        return [
            Point(beta=beta, learning_rate=rate, config=_changed(config, beta, rate))
            for beta, rate in product(self.betas, self.learning_rates)
        ]


@dataclass(frozen=True, kw_only=True)
class Point:
    """One trial's settings."""

    beta: float
    learning_rate: float
    config: TrainingConfig


def betas_near(beta: float) -> list[float]:
    """What is tried where nobody says: as the section's own, which is 0.1 of DPO and 2 of SimPO."""
    return [float(f"{share * beta:.3g}") for share in (0.3, 1, 3)]


def _changed(config: TrainingConfig, beta: float, learning_rate: float) -> TrainingConfig:
    changed = config.model_dump() | {"beta": beta, "learning_rate": learning_rate}
    try:
        return type(config).model_validate(changed)
    except ValidationError as error:
        first = error.errors()[0]
        place = "--" + ".".join(map(str, first["loc"])).replace("_", "-")
        raise ConfigError(f"{place} {first['input']}: {first['msg']}; name another") from None


def tuned_on(
    job: RoundJob, around: RoundSurroundings, manifest: Path | None, judge: str | None
) -> FrozenDataset:
    """The workload's pairs without the anchors; of rlaif rows in the log those of ``judge`` alone.

    Raises ``ConfigError`` where a frozen one holds anchors or is of another workload, and where
    there are several judges and none was named.
    """
    if manifest is None:
        picked = judge_config(judge, job.project, job.project_dir, Settings())
        workload = job.project.workload
        with staged(around.topics.preferences()) as log:
            settings = FreezeSettings(
                workload_id=workload,
                excluded_prompt_ids=job.kept_out(around.topics, log.prompts(workload)),
                judge_config_hash=picked,
            )
            return frozen(log, settings)
    loaded = load_own(manifest, job.project)
    seen = job.kept_out(around.topics, loaded.rows) & {row.prompt_id for row in loaded.rows}
    if seen:
        raise ConfigError(
            f"{manifest}: {len(seen)} prompts of the dataset are an anchor's, or nearly; freeze it "
            "without them"
        )
    return loaded


def run_trials(
    job: RoundJob,
    around: RoundSurroundings,
    points: Sequence[Point],
    pairs: FrozenDataset,
    tell: Callable[[Trial, int], None],
) -> list[Trial]:
    """Train at every point; nothing but anchors decides, no benchmark plays a part."""
    asking = Asking(
        workload_id=job.project.workload,
        sampling=job.project.sample,
        temperature=job.temperature,
        anchors=job.measuring(),
        clock=lambda: datetime.now(UTC),
        judge_config_hash=current_judge(job.project, job.project_dir, Settings()),
    )
    steps = RoundSteps(around.topics, around.people, asking, job.policy, around.pending)
    calibrations = [*around.own(job).events(Calibration), *around.ledger.readings()]
    trials: list[Trial] = []
    for number, point in enumerate(points, 1):
        began_s = time.monotonic()
        name = f"trial-{number}"
        outcome = train_job(
            job, around, name, point.config, pairs, job.policy, calibrations, trial=True
        )
        wins, trained = WinRate(n=0), outcome.trained
        if trained is not None:
            wins = steps.judge_wins(trained.path)
            around.topics.publish([_told(outcome, wins, f"tune: trial {number} of {len(points)}")])
        trial = Trial(
            beta=point.beta,
            learning_rate=point.learning_rate,
            wins=wins,
            policy=job.out / name,
            run_id=outcome.run.run_id,
            seconds=time.monotonic() - began_s,
            refusal="" if trained else outcome.run.detail,
            truncated=trained.truncated if trained else 0,
            dropped=trained.dropped if trained else 0,
        )
        trials.append(trial)
        tell(trial, number)
    return trials


def _told(outcome: RunOutcome, wins: WinRate, detail: str) -> Run:
    """The run once more, with what the anchors said of it."""
    run = outcome.run
    measured = {
        "anchor_win_rate": wins.value,
        "anchor_win_rate_error": wins.error,
        "anchor_comparisons": float(wins.n),
        "anchors_unanswered": float(wins.unanswered),
    }
    known = {name: value for name, value in measured.items() if value is not None}
    return run.model_copy(
        update={
            "event_id": derived_id("Run", STAGE, [run.event_id], run.config_hash),
            "occurred_at": datetime.now(UTC),
            "metrics_after": run.metrics_after | known,
            "detail": detail,
        }
    )

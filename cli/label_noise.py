"""Audited label noise into the loss: ``dpo.label_flip_rate: audited``."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.project import Project
from consumers.audit.error_rate import FLIP_LIMIT, flip_rate
from consumers.audit.findings import LabelError, label_error
from consumers.audit.job import audit_topics
from infra.topic_log import EventLog
from schemas.errors import ConfigError
from schemas.events import Calibration, Preference
from schemas.records import PreferenceSource
from trainer.algorithms import Algorithm
from trainer.dpo import AUDITED, DpoConfig
from trainer.policy import Train, TrainedPolicy, Watch
from trainer.training_config import TrainingConfig


@dataclass(frozen=True, kw_only=True)
class NoisyTraining:
    """``train`` sets the flip rate by the rows it gets; ``said`` goes into the run's record."""

    train: Train
    said: str


def wants_audit(config: TrainingConfig) -> bool:
    """Whether the flip rate is to be the audited one."""
    return isinstance(config, DpoConfig) and config.label_flip_rate == AUDITED


def require_number(config: TrainingConfig, who: str) -> None:
    """Raise ``ConfigError`` where the flip rate is to be the audited one: ``who`` cannot look."""
    if wants_audit(config):
        raise ConfigError(
            f"label_flip_rate is `audited`, which {who} cannot look up; set the number that "
            "`prefstream audit` shows"
        )


def with_audited_noise(
    chosen: Algorithm[DpoConfig],
    config: TrainingConfig,
    judge_config_hash: str | None,
    calibrations: Sequence[Calibration],
    log: EventLog,
    project: Project,
) -> NoisyTraining:
    """The training with the error of this judge's labels, scaled by the rlaif share of its rows.

    ``log`` has what was audited. Raises ``ConfigError`` where nothing is known of the error, or it
    is a half or more.
    """
    error = _error(judge_config_hash, calibrations, log, project)

    def train(
        rows: Sequence[Preference], policy_path: Path, out_dir: Path, watch: Watch
    ) -> TrainedPolicy:
        judged = sum(row.source is PreferenceSource.RLAIF for row in rows)
        rate = flip_rate(error.rate.value, judged / len(rows) if rows else 0.0)
        exact = config.model_copy(update={"label_flip_rate": rate})
        return chosen.with_config(exact)(rows, policy_path, out_dir, watch)

    shown = f"{error.rate.value:.4f} [{error.rate.low:.4f}, {error.rate.high:.4f}]"
    return NoisyTraining(train=train, said=f"{shown} of rlaif rows ({error.origin})")


def _error(
    judge_config_hash: str | None,
    calibrations: Sequence[Calibration],
    log: EventLog,
    project: Project,
) -> LabelError:
    own = [
        one
        for one in calibrations
        if (one.judge_config_hash, one.split, one.slice) == (judge_config_hash, "calibration", "")
    ]
    latest = max(own, key=lambda one: (one.occurred_at, one.n), default=None)
    audit = audit_topics(log, project.audit, project.filter.min_margin, judge_config_hash)
    error = label_error(audit.findings, latest)
    if error is None:
        raise ConfigError(
            "label_flip_rate is `audited`, but no preference was audited and no judge calibrated; "
            "run `prefstream calibrate`, or set a number"
        )
    if error.rate.value >= FLIP_LIMIT:
        raise ConfigError(
            f"{error.rate.value:.0%} of the rlaif labels are the wrong way round "
            f"({error.origin}); nothing can be learned from them: change the judge"
        )
    return error

"""`label_flip_rate: audited`: from what people say of a judge's pairs to the loss."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.harbor_audit import MemoryLog, audited
from bench.harbor_pairs import harbor_pairs
from cli.label_noise import with_audited_noise
from cli.project import Project
from consumers.audit.job import audit_topics
from consumers.audit.sample import AuditSettings
from schemas.errors import ConfigError
from schemas.events import Preference
from schemas.records import PreferenceSource
from tests.preferences import calibration
from trainer.algorithms import Algorithm
from trainer.dpo import DpoConfig
from trainer.policy import TrainedPolicy, Watch

PROJECT = Project(audit=AuditSettings(share=0.05))
CONFIG = DpoConfig(loss_type="robust", label_flip_rate="audited")


class Trained(Exception):
    """What would have been trained."""


def refuse_to_train(
    _: Sequence[Preference], __: Path, config: DpoConfig, ___: Path, ____: Watch
) -> TrainedPolicy:
    raise Trained(config)


DPO = Algorithm(train=refuse_to_train, config=DpoConfig)


def rate_trained_with(rows: Sequence[Preference], log: MemoryLog) -> float:
    noisy = with_audited_noise(DPO, CONFIG, None, (), log, PROJECT)
    with pytest.raises(Trained) as trained:
        noisy.train(rows, Path(), Path(), lambda _: None)
    (config,) = trained.value.args
    return float(config.label_flip_rate)


def test_simulated_people_find_about_as_many_flipped_pairs_as_there_are() -> None:
    rows = harbor_pairs(1500, flipped=0.2)
    log = audited(rows, PROJECT)
    error = audit_topics(log, PROJECT.audit, PROJECT.filter.min_margin).findings.error
    assert error is not None
    assert error.n > 50
    assert error.low < 0.2 < error.high
    assert rate_trained_with(rows, log) == error.value


def test_the_rows_of_people_are_not_flipped() -> None:
    rows = harbor_pairs(1500, flipped=0.2)
    log = audited(rows, PROJECT)
    alone = rate_trained_with(rows, log)
    human = [row.model_copy(update={"source": PreferenceSource.HUMAN}) for row in rows]
    assert rate_trained_with([*rows, *human], log) == pytest.approx(alone / 2)


def test_an_error_that_nobody_measured_or_of_a_coin_is_refused() -> None:
    with pytest.raises(ConfigError, match="no preference was audited and no judge calibrated"):
        with_audited_noise(DPO, CONFIG, None, (), MemoryLog([]), PROJECT)
    log = audited(harbor_pairs(400, flipped=0.9), PROJECT)
    with pytest.raises(ConfigError, match=r"the wrong way round .* audited preferences"):
        with_audited_noise(DPO, CONFIG, None, (), log, PROJECT)


def test_the_judges_calibration_stands_in_for_a_small_audit() -> None:
    log = audited(harbor_pairs(100, flipped=0.2), PROJECT)
    judge = calibration(judge_config_hash="", n=200, observed_agreement=0.91)
    other = calibration(judge_config_hash="other", n=400, observed_agreement=0.6)
    said = with_audited_noise(DPO, CONFIG, "", (judge, other), log, PROJECT).said
    assert said.startswith("0.0900")
    assert "of 30 that are needed: 200 calibration anchors" in said

"""A round of an online algorithm is rewarded as `prefstream train` rewards it."""

import asyncio
from pathlib import Path

import pytest

from cli.project import load_project
from cli.rewarded import section
from cli.round_job import RoundJob, RoundSurroundings, train_job
from consumers.calibration.holdout_ledger import HoldoutLedger
from consumers.calibration.labellers import Labellers
from infra.settings import Settings
from schemas.records import Expectation, ExpectationKind, PreferenceSource
from tests.events import candidate, candidate_set
from tests.frozen_rows import frozen_rows
from tests.preferences import human, preference, said
from tests.tiny_policy import save_tiny_policy
from trainer.gate_rules import CalibrationRule
from trainer.local_topics import LocalTopics

pytestmark = pytest.mark.integration

PIPELINE = """
workload: shop
grpo: {batch_size: 16, answers: 4, answer_tokens: 4, epochs: 1, check_weight: 2.0}
"""
FIVE = Expectation(kind=ExpectationKind.NUMERIC, spec="5")


def test_the_projects_verifiers_reward_in_a_round(tmp_path: Path) -> None:
    """By what the round's own samples expect of their prompts."""
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    project, settings = load_project(tmp_path), Settings(data_dir=tmp_path / "data")
    rows = [
        (human if n % 3 == 0 else preference)(
            f"r{n}",
            prompt_id=f"p{n}",
            prompt=said(f"what is item{n}", "user"),
            source=PreferenceSource.HUMAN if n % 3 == 0 else PreferenceSource.VERIFIER,
            judge_config_hash="",
        )
        for n in range(8)
    ]
    topics = LocalTopics(settings, [], asyncio.Runner())
    topics.remember(
        candidate_set(
            candidate(row.event_id),
            event_id=f"sample of {row.event_id}",
            prompt_id=row.prompt_id,
            messages=row.prompt,
            expectations=(FIVE,),
        )
        for row in rows
    )
    job = RoundJob(
        project=project,
        project_dir=tmp_path,
        checks=project.verify,
        policy=save_tiny_policy(tmp_path / "old"),
        out=tmp_path / "rounds",
        n=1,
        algorithm="grpo",
        prompts=(),
        anchors=(),
        held_out=(),
        temperature=0.7,
    )
    ledger = HoldoutLedger(tmp_path / "ledger.jsonl")
    decide = CalibrationRule(settings=project.gate)
    around = RoundSurroundings(
        topics=topics,
        people=Labellers(topics, project.calibration, decide, ledger, lambda _: None),
        ledger=ledger,
        pending=lambda _: None,
        watch=lambda _: None,
    )
    config = section(project, "grpo", tmp_path)
    outcome = train_job(job, around, "round-1", config, frozen_rows(rows), job.policy, [])
    assert outcome.trained is not None, outcome.run.detail
    metrics = outcome.trained.metrics
    assert metrics["first_unknown/checks"] == 0
    assert metrics["first_reward"] == pytest.approx(2 * metrics["first_reward/checks"])

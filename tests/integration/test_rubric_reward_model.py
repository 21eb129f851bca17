"""From a topic with the verdicts of two rubrics to a reward model of one of them."""

import json
from pathlib import Path

import pytest

from infra.publish import publish
from infra.settings import Settings
from schemas.events import Preference
from tests.command_line import prefstream
from tests.preferences import preference, said
from tests.tiny_policy import save_tiny_policy
from trainer.manifest import read_manifest

pytestmark = pytest.mark.integration


def judged(number: int, criterion: str) -> Preference:
    """Of the same pair each rubric prefers the other answer, by a judge of its own."""
    answers = said(f"yes good item{number}"), said(f"no bad item{number}")
    chosen, rejected = answers if criterion == "polite" else answers[::-1]
    return preference(
        f"{criterion} {number}",
        prompt_id=f"p{number}",
        prompt=said(f"what is item{number}", "user"),
        chosen=chosen,
        rejected=rejected,
        rubric_version=f"shop/{criterion}",
        judge_config_hash=criterion,
    )


def test_a_reward_model_learns_from_one_rubrics_pairs(log: Settings, tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text(
        "workload: shop\nreward: {epochs: 4, batch_size: 8, learning_rate: 0.005}\n"
    )
    both = ("polite", "brief")
    publish(log, [judged(number, each) for number in range(24) for each in both])

    data = tmp_path / "polite"
    made = prefstream("dataset", "freeze", data, "--project", tmp_path, "--rubric", "shop/polite")
    assert made.exit_code == 0, made.exception
    manifest = read_manifest(data)
    assert (manifest.rows, manifest.removed) == (24, {"other_rubric": 24})
    # the judge of the other rubric stands in no way
    assert manifest.judge_config_hash == "polite"
    assert prefstream("dataset", "verify", data).exit_code == 0

    trained = prefstream(
        *("train", "--manifest", data, "--algorithm", "reward", "--ungated", "--json"),
        *("--project", tmp_path, "--policy", save_tiny_policy(tmp_path / "old")),
        *("--out", tmp_path / "model"),
    )
    assert trained.exit_code == 0, (trained.stderr, trained.exception)
    outcome = json.loads(trained.stdout)["trained"]
    assert outcome["kind"] == "reward_model"
    # of both rubrics' pairs half could be told at most
    assert outcome["metrics"]["last_accuracy"] > 0.9

"""Train on a real broker, through the commands: from labels and pairs to a policy."""

import json
from pathlib import Path

import pytest

from consumers.calibration.splits import Split, split_of
from infra.publish import publish
from infra.settings import Settings
from schemas.errors import ConfigError
from schemas.events import Preference
from schemas.records import (
    Expectation,
    ExpectationKind,
    RunStatus,
)
from tests.command_line import prefstream
from tests.events import candidate, candidate_set
from tests.measured_anchors import (
    N_ANCHORS,
    PIPELINE,
    SHARES,
    anchors_with,
    measured_project,
    rlaif_rows,
)
from tests.preferences import preference
from tests.tiny_policy import save_tiny_policy
from trainer.log_slice import read_runs

pytestmark = pytest.mark.integration


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return measured_project(tmp_path)


def test_from_labels_to_a_policy(log: Settings, project: Path) -> None:
    publish(log, [*anchors_with(mistakes_of_10=0), *rlaif_rows()])
    policy = save_tiny_policy(project / "old")
    arguments = ("train", "--from-topic", "--project", project, "--policy", policy)

    # nobody has measured the judge yet
    assert prefstream("gate", "--project", project).exit_code == 2
    refused = prefstream(*arguments, "--out", project / "new", "--json")
    assert refused.exit_code == 2, refused.stderr
    assert not (project / "new").exists()

    calibrated = prefstream("calibrate", "--project", project, "--json")
    measured = [json.loads(line) for line in calibrated.stdout.splitlines()]
    whole = {one["split"]: one for one in measured if one["slice"] == ""}
    splits = [split_of(f"anchor-{number}", SHARES) for number in range(N_ANCHORS)]
    assert whole["calibration"]["n"] == splits.count(Split.CALIBRATION)
    assert whole["calibration"]["kappa"] == 1.0
    assert prefstream("gate", "--project", project).exit_code == 0

    trained = prefstream(*arguments, "--out", project / "new", "--json")
    assert trained.exit_code == 0, (trained.stderr, trained.exception)
    outcome = json.loads(trained.stdout)
    assert outcome["run"]["status"] == "TRAINED"
    human_rows = outcome["rows"] - 40 + outcome["down_sampled"].get("RLAIF", 0)
    assert 0.2 <= human_rows / outcome["rows"] <= 0.4
    assert (project / "new" / "model.safetensors").exists()

    verified_again = prefstream("dataset", "verify", project / "new.dataset")
    assert verified_again.exit_code == 0, verified_again.stderr
    manifest = json.loads(verified_again.stdout)
    assert manifest["counts"]["HUMAN"] == splits.count(Split.CORE)
    assert manifest["judge_config_hash"] == "jc"

    statuses = [run.status for run in read_runs(log)]
    assert statuses == [RunStatus.REFUSED, RunStatus.STARTED, RunStatus.TRAINED]
    assert read_runs(log)[-1].offset_ranges


def test_the_audited_error_reaches_the_loss(log: Settings, project: Path) -> None:
    """Before any audit it is one minus the calibration's accuracy, and the run says so."""
    publish(log, [*anchors_with(mistakes_of_10=1), *rlaif_rows()])
    assert prefstream("calibrate", "--project", project).exit_code == 0
    file = project / "pipeline.yaml"
    robust = "dpo: {loss_type: robust, label_flip_rate: audited, "
    file.write_text(PIPELINE.replace("dpo: {", robust), encoding="utf-8")
    trained = prefstream(
        "train",
        "--from-topic",
        "--ungated",
        "--project",
        project,
        "--policy",
        save_tiny_policy(project / "start"),
        "--out",
        project / "trained",
        "--json",
    )
    assert trained.exit_code == 0, trained.output
    outcome = json.loads(trained.stdout)
    said = outcome["run"]["hyper_parameters"]["label_flip_rate"]
    assert "no audit yet" in said
    used = float(outcome["trained"]["hyper_parameters"]["label_flip_rate"])
    # human rows are not flipped
    assert 0 < used < float(said.split()[0]) == pytest.approx(0.1, abs=0.06)


def test_the_algorithm_is_chosen_by_name(log: Settings, project: Path) -> None:
    """A reward model from the topic, and then a policy that it rewards."""
    (project / "pipeline.yaml").write_text(
        PIPELINE
        + "reward: {epochs: 1, batch_size: 8}\n"
        + "grpo: {batch_size: 16, answers: 4, answer_tokens: 8, reward_model: scorer}\n",
        encoding="utf-8",
    )
    publish(log, rlaif_rows())
    policy = save_tiny_policy(project / "old")
    arguments = ("train", "--from-topic", "--ungated", "--project", project, "--policy", policy)

    scorer = prefstream(*arguments, "--algorithm", "reward", "--out", project / "scorer", "--json")
    assert scorer.exit_code == 0, (scorer.stderr, scorer.exception)
    assert json.loads(scorer.stdout)["trained"]["kind"] == "reward_model"
    rewarded = prefstream(*arguments, "--algorithm", "grpo", "--out", project / "new", "--seed", 7)
    assert rewarded.exit_code == 0, (rewarded.stderr, rewarded.exception)
    assert "policy in" in rewarded.stdout

    told = [run for run in read_runs(log) if run.status is RunStatus.TRAINED]
    assert [run.algorithm for run in told] == ["reward", "grpo"]
    assert told[0].hyper_parameters["use_margin"] == "True"
    assert told[1].hyper_parameters["answers"] == "4"
    assert told[1].hyper_parameters["seed"] == "7"
    assert told[1].metrics_after["last_kl"] >= 0


def test_the_projects_verifiers_reward_an_online_algorithm(log: Settings, project: Path) -> None:
    """What an answer is checked against comes from the samples of its prompt."""
    grpo = "{batch_size: 32, answers: 8, answer_tokens: 8, learning_rate: 0.01, epochs: 2, "
    (project / "pipeline.yaml").write_text(
        PIPELINE + f"grpo: {grpo}check_weight: 2, length_penalty: 0.1, free_tokens: 1}}\n",
        encoding="utf-8",
    )
    # A number from 3 to 7 is right: often enough by chance that there is something to learn from.
    near_five = Expectation(kind=ExpectationKind.NUMERIC, spec="5", params={"absolute": "2"})
    rows = [row for row in rlaif_rows() if isinstance(row, Preference)]
    samples = [
        candidate_set(
            candidate(f"{row.event_id}-a"),
            event_id=f"sample of {row.event_id}",
            prompt_id=row.prompt_id,
            messages=row.prompt,
            expectations=(near_five,),
        )
        for row in rows
    ]
    publish(log, [*rows, *samples])
    policy = save_tiny_policy(project / "old", more_words=[str(number) for number in range(10)])
    arguments = ("train", "--from-topic", "--ungated", "--project", project, "--policy", policy)
    trained = prefstream(*arguments, "--algorithm", "grpo", "--out", project / "new", "--json")
    assert trained.exit_code == 0, (trained.stderr, trained.exception)
    metrics = json.loads(trained.stdout)["trained"]["metrics"]
    assert metrics["first_unknown/checks"] == 0
    assert metrics["last_reward/checks"] > metrics["first_reward/checks"]
    expected = 2 * metrics["last_reward/checks"] + 0.1 * metrics["last_reward/length"]
    assert metrics["last_reward"] == pytest.approx(expected, abs=1e-3)
    assert metrics["last_kl"] > 0


def test_a_killed_training_goes_on_by_its_manifest(log: Settings, project: Path) -> None:
    """And not by the topic, which may hold more by now."""
    publish(log, rlaif_rows())
    policy = save_tiny_policy(project / "old")
    common = ("--project", project, "--policy", policy, "--ungated", "--out", project / "new")
    with pytest.MonkeyPatch.context() as patch:
        # the last thing before the trained policy gets its name
        patch.setattr("trainer.trl_training.save", interrupted)
        ended = prefstream("train", "--from-topic", *common)
    assert isinstance(ended.exception, KeyboardInterrupt) or ended.exit_code == 130
    assert not (project / "new").exists()
    publish(log, [preference("later")])
    refused = prefstream("train", "--from-topic", *common)
    assert "train on that one with --manifest" in str(refused.exception)
    resumed = prefstream("train", "--manifest", project / "new.dataset", *common, "--json")
    assert resumed.exit_code == 0, (resumed.stderr, resumed.exception)
    assert json.loads(resumed.stdout)["trained"]["resumed_from"] > 0
    assert [run.status for run in read_runs(log)][-1] is RunStatus.TRAINED


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_an_algorithm_that_is_not_there_is_refused_before_anything_is_read(project: Path) -> None:
    arguments = ("train", "--from-topic", "--project", project, "--policy", project)
    refused = prefstream(*arguments, "--out", project / "new", "--algorithm", "ppo")
    assert isinstance(refused.exception, ConfigError)
    assert "take grpo" in str(refused.exception)

"""From a trained run to the policy that serves and back, through the commands on a real broker."""

import json
from pathlib import Path

import pytest

from infra.publish import publish
from infra.settings import Settings
from schemas.errors import ConfigError, Fatal
from schemas.records import RunStatus
from tests.command_line import prefstream
from tests.promotion_project import promotable, rows, told, trained
from tests.tiny_policy import save_tiny_policy
from trainer.log_slice import read_runs
from trainer.promotion.model_registry import models_dir
from trainer.promotion.version import read_version

pytestmark = pytest.mark.integration


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return promotable(tmp_path)


def test_promoted_listed_and_rolled_back(log: Settings, project: Path) -> None:
    publish(log, rows("a"))
    policy = save_tiny_policy(project / "sft")
    first = trained(project, policy, "one")
    promoted = prefstream("promote", first[:12], "--project", project, "--json")
    assert promoted.exit_code == 0, (promoted.stdout, promoted.stderr, promoted.exception)
    assert json.loads(promoted.stdout)["status"] == "PROMOTED"
    alias = models_dir(log) / "production"
    assert read_version(alias).run_id == first
    gates = {gate.name: gate for gate in told(log, first)[-1].gates}
    assert {"held_out", "accuracy", "verifier/sql_extract", "refusals", "kl"} <= gates.keys()
    assert gates["kl"].value is not None
    assert gates["kl"].value >= 0

    # the next one is compared with what serves, wherever it started
    second = trained(project, policy, "two", "--seed", "5")
    again = prefstream("promote", project / "two", "--project", project)
    assert again.exit_code == 0, (again.stdout, again.exception)
    cleared = [run for run in told(log, second) if run.status is RunStatus.CLEARED]
    assert cleared[0].policy == told(log, first)[-1].checkpoint

    listed = [json.loads(line) for line in prefstream("models", "--json").stdout.splitlines()]
    assert [(one["run"], one["serves"]) for one in listed] == [(first, False), (second, True)]
    assert prefstream("rollback").exit_code == 0
    assert read_version(alias).run_id == first
    assert told(log, second)[-1].status is RunStatus.ROLLED_BACK

    weights = alias.resolve() / "model.safetensors"
    weights.chmod(0o644)
    weights.write_bytes(b"other")
    damaged = prefstream("models")
    assert damaged.exit_code == 1
    assert "Promoted policies of shop" in " ".join(damaged.stdout.split())
    assert "damaged" in damaged.stdout


def test_one_workloads_alias_and_runs_are_no_others(log: Settings, project: Path) -> None:
    publish(log, rows("a"))
    policy = save_tiny_policy(project / "sft")
    serves = trained(project, policy, "one", "--promote")
    next_ = trained(project, policy, "two", "--seed", "5")
    pipeline = project / "pipeline.yaml"
    pipeline.write_text(pipeline.read_text().replace("workload: shop", "workload: bank"))

    # compared by its own project's checks alone
    mine = prefstream("promote", next_, "--project", project)
    assert isinstance(mine.exception, ConfigError)
    assert "is of workload shop, and the project's is bank" in str(mine.exception)
    # said before hours of training
    others = prefstream(
        *("train", "--from-topic", "--promote", "--project", project),
        *("--policy", policy, "--out", project / "three"),
    )
    assert isinstance(others.exception, ConfigError)
    assert "set PREFSTREAM_MODELS_DIR to a folder of bank's own" in str(others.exception)
    assert read_version(models_dir(log) / "production").run_id == serves


def test_an_ungated_run_is_never_promoted(log: Settings, project: Path) -> None:
    publish(log, rows("a"))
    trained(project, save_tiny_policy(project / "sft"), "baseline", "--ungated")
    refused = prefstream("promote", project / "baseline", "--project", project)
    assert isinstance(refused.exception, ConfigError)
    assert "--ungated" in str(refused.exception)
    assert not models_dir(log).exists()


def test_a_worse_policy_is_withheld_with_its_numbers(log: Settings, project: Path) -> None:
    pipeline = project / "pipeline.yaml"
    pipeline.write_text(pipeline.read_text().replace("max_length_ratio: 9", "max_kl: 1.0e-9"))
    publish(log, rows("a"))
    run_id = trained(project, save_tiny_policy(project / "sft"), "one")
    refused = prefstream("promote", run_id, "--project", project)
    assert refused.exit_code in (1, 2), refused.exception
    assert "WITHHELD" in refused.stdout
    last = told(log, run_id)[-1]
    assert last.status is RunStatus.WITHHELD
    assert "kl" in last.detail
    assert not (models_dir(log) / "production").exists()


def test_trained_and_promoted_in_one_command(log: Settings, project: Path) -> None:
    publish(log, rows("a"))
    policy = save_tiny_policy(project / "sft")
    run_id = trained(project, policy, "one", "--promote")
    statuses = [run.status for run in told(log, run_id)]
    assert statuses == [
        RunStatus.STARTED,
        RunStatus.TRAINED,
        RunStatus.CLEARED,
        RunStatus.PROMOTED,
    ]
    assert read_version(models_dir(log) / "production").run_id == run_id
    # what was not asked says so
    before, after = (
        {gate.name: gate.detail for gate in told(log, run_id)[n].gates} for n in (0, -1)
    )
    assert before["canary"] == "not run: canary.share is 0"
    assert after["shadow"].startswith("not run: 0 live prompts")


def test_what_could_not_be_promoted_is_said_before_training(log: Settings, project: Path) -> None:
    arguments = ("train", "--from-topic", "--project", project, "--policy", project, "--promote")
    for more, why in (
        (("--ungated",), "never promoted"),
        (("--algorithm", "reward"), "makes no policy"),
        (("--prompts", project / "none.jsonl"), "cannot be read"),
    ):
        refused = prefstream(*arguments, "--out", project / "new", *more)
        assert isinstance(refused.exception, ConfigError)
        assert why in str(refused.exception)
    assert not (project / "new").exists()


def test_a_training_that_diverges_leaves_the_alias_where_it_was(
    log: Settings, project: Path
) -> None:
    publish(log, rows("a"))
    pipeline, policy = project / "pipeline.yaml", save_tiny_policy(project / "sft")
    first = trained(project, policy, "one", "--promote")
    diverging = pipeline.read_text().replace("learning_rate: 0.001", "learning_rate: 1.0e+30")
    pipeline.write_text(diverging.replace("epochs: 1", "epochs: 4"))
    arguments = ("train", "--from-topic", "--promote", "--project", project, "--policy", policy)
    failed = prefstream(*arguments, "--out", project / "two")
    assert isinstance(failed.exception, Fatal)
    assert read_runs(log)[-1].status is RunStatus.FAILED
    assert read_version(models_dir(log) / "production").run_id == first

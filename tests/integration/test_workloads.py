"""Two workloads share the topics and the judge: each freezes, measures and counts only its own."""

import json
from pathlib import Path

import pytest

from consumers.trigger.settings import TriggerSettings
from consumers.trigger.watch import Watch
from infra.publish import publish
from infra.settings import Settings
from schemas.errors import ConfigError
from schemas.events import Event
from schemas.records import HumanWinner, Outcome, RunStatus
from tests.command_line import prefstream
from tests.events import verification, verified
from tests.preferences import calibration, human, label, preference
from tests.promotions import run
from tests.tiny_policy import save_tiny_policy
from trainer.log_slice import read_runs

pytestmark = pytest.mark.integration

PIPELINE = "gate: {min_anchors: 30, min_kappa: 0.5, max_age_days: 100000}\n"


@pytest.fixture
def log(log: Settings) -> Settings:
    """Both workloads' events, as they come: one after the other."""
    events: list[Event] = []
    for n in range(6):
        events += [preference(f"shop {n}"), elsewhere(preference(f"bank {n}"))]
    events += [human("shop human"), elsewhere(human("bank human"))]
    events += [calibration(), label("ann", HumanWinner.A)]
    events += [elsewhere(label("bob", HumanWinner.A))]
    publish(log, events)
    return log


def elsewhere(event: Event) -> Event:
    return event.model_copy(update={"workload_id": "bank"})


def project(folder: Path, workload: str) -> Path:
    here = folder / workload
    here.mkdir()
    (here / "pipeline.yaml").write_text(f"workload: {workload}\n{PIPELINE}", encoding="utf-8")
    return here


def test_a_dataset_is_of_the_projects_workload(log: Settings, tmp_path: Path) -> None:
    shop = project(tmp_path, "shop")

    def frozen(name: str, *options: str) -> dict[str, object]:
        data = shop / name
        made = prefstream("dataset", "freeze", data, "--project", shop, *options)
        assert made.exit_code == 0, made.exception
        checked = prefstream("dataset", "verify", data)
        assert checked.exit_code == 0, checked.exception
        manifest: dict[str, object] = json.loads(checked.stdout)
        return manifest

    own = frozen("own")
    assert (own["workload_id"], own["read"], own["rows"]) == ("shop", 14, 7)
    assert own["removed"] == {"other_workload": 7}
    bank = frozen("bank", "--workload", "bank")
    assert (bank["workload_id"], bank["rows"]) == ("bank", 7)
    every = frozen("every", "--workload", "all")
    assert (every["workload_id"], every["rows"], every["removed"]) == (None, 14, {})
    labels = frozen("labels", "--topic", "labels")
    assert (labels["rows"], labels["removed"]) == (1, {"other_workload": 1})

    nobody = prefstream("dataset", "freeze", shop / "none", "--project", shop, "--workload", "x")
    assert "none of 14 preferences is left (14 other_workload)" in str(nobody.exception)


def test_a_training_is_of_the_projects_workload(log: Settings, tmp_path: Path) -> None:
    """The judge of both was measured on the shop's anchors alone, so the bank's is refused."""
    shop, bank = project(tmp_path, "shop"), project(tmp_path, "bank")
    assert prefstream("gate", "--project", shop).exit_code == 0
    assert prefstream("gate", "--project", bank).exit_code == 2
    policy = save_tiny_policy(bank / "old")
    arguments = ("--project", bank, "--policy", policy, "--out", bank / "new")
    refused = prefstream("train", "--from-topic", *arguments)
    assert refused.exit_code == 2, refused.exception
    (told,) = read_runs(log, "bank")
    assert "was never calibrated" in told.detail
    assert read_runs(log, "shop") == []

    made = prefstream("dataset", "freeze", shop / "data", "--project", shop)
    assert made.exit_code == 0, made.exception
    foreign = prefstream("train", "--manifest", shop / "data", *arguments)
    assert isinstance(foreign.exception, ConfigError)
    assert "holds pairs of workload shop, and the project's is bank" in str(foreign.exception)


def test_another_workloads_policy_asks_for_no_anchors_here(log: Settings, tmp_path: Path) -> None:
    shop = project(tmp_path, "shop")
    promoted = run("x", RunStatus.PROMOTED, checkpoint="/models/v2", fingerprint="f00")
    publish(log, [elsewhere(promoted)])
    assert prefstream("gate", "--project", shop).exit_code == 0
    publish(log, [promoted.model_copy(update={"event_id": "the shop's"})])
    assert prefstream("gate", "--project", shop).exit_code == 2


def test_a_trigger_counts_its_workloads_pairs(log: Settings) -> None:
    answers = [
        verification(verified(f"c{n}", Outcome.FAILED), event_id=f"v{n}", prompt_id=f"p{n}")
        for n in range(3)
    ]
    publish(log, [answers[0], *map(elsewhere, answers[1:])])
    for workload, failures in (("shop", 1), ("bank", 2), ("nobody", 0)):
        seen, _ = Watch(log, workload, TriggerSettings(), ()).look()
        assert seen.new_pairs == (7 if failures else 0)
        assert seen.rates["failures"].n == failures


def test_anchors_of_one_workload_calibrate_no_other(log: Settings, tmp_path: Path) -> None:
    bank = project(tmp_path, "bank")
    said = prefstream("calibrate", "--project", bank, "--dry-run")
    assert "0 anchors and 1 labels in the log" in " ".join(said.stdout.split()), said.exception

"""A policy that was trained is promoted by whoever leads next, or its end is told.

Trainers are killed while a policy's gates run, and between the gates and the alias.
"""

import json
from pathlib import Path

import pytest

from cli.trained_folders import trained_dir
from infra.settings import Settings
from infra.stack_state import locked
from schemas.events import Run
from schemas.records import RunStatus
from tests.faults.trainer_process import (
    MACHINE_S,
    SHORT,
    Trainer,
    add_pairs,
    configure,
    laid_out,
    of,
    trainings,
)
from tests.waiting import wait_until
from tests.webhook_receiver import receiver
from trainer.log_slice import read_runs
from trainer.promotion.model_registry import models_dir
from trainer.promotion.version import damages, read_version

# More than can be asked before a training that was told of is killed.
MANY = 5000

pytestmark = [pytest.mark.faults, pytest.mark.integration]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return laid_out(tmp_path)


def told(settings: Settings, status: RunStatus) -> list[Run]:
    return of(read_runs(settings), status)


def test_whoever_leads_next_promotes_what_was_trained(
    fresh_broker: Settings, project: Path
) -> None:
    settings, trainers = fresh_broker, list[Trainer]()

    def started(name: str) -> Trainer:
        trainers.append(Trainer(settings, project, name))
        return trainers[-1]

    def kill(trainer: Trainer) -> None:
        trainer.end()
        wait_until(lambda: not trainings(str(project)), "the end of its child", MACHINE_S)

    add_pairs(settings, "a")
    configure(project, SHORT)
    held_out = project / "held-out.jsonl"
    few = held_out.read_text()
    one = json.loads(few.split("\n")[0])
    many = (json.dumps(one | {"prompt_id": f"held-out-{n}"}) for n in range(MANY))
    held_out.write_text("\n".join(many), encoding="utf-8")
    try:
        asking = started("asking")
        wait_until(lambda: told(settings, RunStatus.TRAINED), "a policy", MACHINE_S)
        kill(asking)
        assert told(settings, RunStatus.CLEARED) == []

        held_out.write_text(few, encoding="utf-8")
        moving = started("moving")
        wait_until(lambda: "leading" in moving.log.read_text(), "it to lead", MACHINE_S)
        with locked(models_dir(settings) / "lock"):
            wait_until(lambda: told(settings, RunStatus.CLEARED), "its gates", MACHINE_S)
            kill(moving)
        assert told(settings, RunStatus.PROMOTED) == []

        started("last")
        wait_until(lambda: told(settings, RunStatus.PROMOTED), "the promotion", MACHINE_S)
    finally:
        for trainer in trainers:
            trainer.end()

    (trained,) = told(settings, RunStatus.TRAINED)
    (promoted,) = told(settings, RunStatus.PROMOTED)
    assert promoted.run_id == trained.run_id
    assert len(told(settings, RunStatus.TRIGGERED)) == 1
    assert told(settings, RunStatus.FAILED) == []
    # the first term trained it, the last one let it serve
    terms = [run.epoch for run in told(settings, RunStatus.LEADING)]
    assert len(terms) == 3
    alias = models_dir(settings) / "production"
    assert damages(alias) == {}
    assert read_version(alias).run_id == trained.run_id


def test_what_cannot_be_promoted_is_tried_once_more_and_told(
    fresh_broker: Settings, project: Path
) -> None:
    add_pairs(fresh_broker, "a")
    configure(project, SHORT)
    pipeline = project / "pipeline.yaml"
    broken = pipeline.read_text().replace("shop.duckdb", "gone.duckdb")
    pipeline.write_text(broken.replace("retry_minutes: 0", "retry_minutes: 720"))
    with receiver(200) as (url, got):
        settings = fresh_broker.model_copy(update={"webhook_url": url})
        trainer = Trainer(settings, project, "one")
        try:
            wait_until(lambda: told(settings, RunStatus.WAITED), "its decision", MACHINE_S)
        finally:
            trainer.end()

    runs = read_runs(settings)
    (trained,), (failed,) = of(runs, RunStatus.TRAINED), of(runs, RunStatus.FAILED)
    assert failed.run_id == trained.run_id
    assert "gone.duckdb" in failed.detail
    logs = sorted(path.name for path in trained_dir(settings).glob("*.log"))
    name = Path(trained.checkpoint).name
    assert logs == [f"{name}.log", f"{name}.promote-{failed.epoch}.log"]
    assert [(one["kind"], failed.detail in str(one["text"])) for one in got] == [("failure", True)]
    assert not (models_dir(settings) / "production").exists()
    # its pairs wait to be trained on again, and the next training for its time
    waited = of(runs, RunStatus.WAITED)[-1]
    gates = {gate.name: gate for gate in waited.gates}
    assert gates["new_pairs"].value == 24
    assert "refused or failed" in waited.detail

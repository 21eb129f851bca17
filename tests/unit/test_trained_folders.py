"""Which trainings of the trainer stay on the disk, and which go."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.trained_folders import remove_spent, spent, to_promote, trained_dir, training_name
from infra.settings import Settings
from schemas.events import Run
from schemas.records import RunStatus
from tests.events import NOON
from tests.promotions import cleared, run, trained
from trainer.promotion.model_registry import ModelRegistry
from trainer.promotion.promote import promote

TRAINED = Path("/data/trained")


def told(n: int) -> Run:
    """The decision that started the training ``n``."""
    return run(f"decision-{n}", RunStatus.TRIGGERED, occurred_at=NOON + timedelta(hours=n), epoch=7)


def registry_in(folder: Path) -> ModelRegistry:
    return ModelRegistry(folder / "models", lambda: datetime.now(UTC))


def test_the_newest_stay() -> None:
    runs = [told(n) for n in range(4)]
    assert spent(runs, 2, [], TRAINED) == tuple(training_name(one) for one in runs[:2])
    assert spent(runs, 4, [], TRAINED) == ()


def test_trainings_of_two_workloads_in_one_second_have_two_names() -> None:
    one = told(0)
    assert training_name(one) != training_name(one.model_copy(update={"epoch": 8}))


def test_what_is_named_stays() -> None:
    runs = [told(n) for n in range(4)]
    named = [TRAINED / training_name(runs[0]), Path("/elsewhere") / training_name(runs[1])]
    assert spent(runs, 1, named, TRAINED) == tuple(training_name(one) for one in runs[1:3])


@pytest.mark.parametrize(
    ("status", "waits"),
    [
        (RunStatus.CLEARED, True),
        (RunStatus.ROLLED_BACK, True),
        (RunStatus.PROMOTED, False),
        (RunStatus.WITHHELD, False),
        (RunStatus.EVALUATED, False),
    ],
)
def test_what_passed_and_does_not_serve_may_still_be_promoted(
    status: RunStatus, waits: bool
) -> None:
    runs = [run("r", checkpoint="/data/trained/x-1"), run("r", status)]
    assert to_promote(runs) == ([Path("/data/trained/x-1")] if waits else [])


def test_old_trainings_are_removed_whole_and_others_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    folder = trained_dir(settings)
    runs = [told(n) for n in range(5)]
    names = [training_name(one) for one in runs]
    for name in (*names, "a-persons"):
        for suffix in ("", ".dataset", ".part"):
            (folder / f"{name}{suffix}").mkdir(parents=True)
        (folder / f"{name}.log").write_text("a line")
    (folder / f".{names[0]}.dataset.freezing").mkdir()
    # a version began from the second one, and every training begins from the third
    made = trained(tmp_path, "made").model_copy(update={"policy": str(folder / names[1])})
    registry = registry_in(tmp_path)
    promote(cleared(made, tmp_path / "sft"), registry)

    with caplog.at_level(logging.INFO):
        remove_spent(settings, runs, registry, folder / names[2], keep=1)

    left = {path.name.partition(".")[0] for path in folder.iterdir()}
    assert left == {names[1], names[2], names[4], "a-persons"}
    (said,) = caplog.records
    assert said.message == "removed old trainings"
    assert vars(said)["removed"] == f"{names[0]},{names[3]}"


def test_nothing_is_removed_where_a_version_cannot_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    runs = [told(0), told(1)]
    old = trained_dir(settings) / training_name(runs[0])
    old.mkdir(parents=True)
    damaged = tmp_path / "models" / "versions" / "v" / "version.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{")
    remove_spent(settings, runs, registry_in(tmp_path), tmp_path / "sft", keep=1)
    assert old.exists()
    assert "old trainings stay" in caplog.text

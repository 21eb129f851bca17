"""A run: refused before anything is written, or told step by step."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from schemas.errors import Fatal
from schemas.events import Calibration, Preference, Run
from schemas.records import GateResult, Outcome, PreferenceSource, RunStatus, Verdict
from streams.inference.identity import folder_fingerprint
from tests.events import NOON
from tests.frozen_rows import frozen_rows
from tests.preferences import calibration, human, preference
from trainer.blend import BlendSettings
from trainer.evaluate import Answered, Evaluation, summarise
from trainer.freeze import FreezeSettings
from trainer.gate_settings import GateSettings
from trainer.policy import TrainedPolicy, Watch
from trainer.run import Canary, RunOutcome, Surroundings, TrainingPlan, run_training

ROWS = [preference(f"r{n}") for n in range(7)] + [human(f"h{n}") for n in range(3)]
THUMBS = [preference(f"t{n}", source=PreferenceSource.THUMBS) for n in range(5)]


class Training:
    """An algorithm that writes a few bytes and remembers what it was given."""

    def __init__(self, error: Exception | None = None) -> None:
        self.rows: list[Preference] = []
        self.error = error

    def __call__(
        self, rows: Sequence[Preference], policy: Path, out: Path, watch: Watch
    ) -> TrainedPolicy:
        if self.error is not None:
            raise self.error
        self.rows = list(rows)
        out.mkdir()
        (out / "model.safetensors").write_bytes(b"weights")
        return TrainedPolicy(
            path=out,
            algorithm="dpo",
            hyper_parameters={},
            rows=len(rows),
            dropped=2,
            truncated=3,
            steps=1,
            seconds=0,
            metrics={"last_loss": 0.5},
        )


def evaluation(checkpoint: Path) -> Evaluation:
    outcome = Outcome.PASSED if checkpoint.name == "new" else Outcome.FAILED
    return summarise([Answered(slice="x", output="12", outcome=outcome)])


class Runs:
    """Runs into a temporary folder, and the events they published."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[Run] = []
        self.training = Training()

    def __call__(
        self,
        rows: Iterable[Preference],
        calibrations: Sequence[Calibration] = (),
        *,
        ungated: bool = False,
        canary: Canary | None = None,
    ) -> RunOutcome:
        dataset = frozen_rows(rows, FreezeSettings(sources=tuple(PreferenceSource)))
        plan = TrainingPlan(
            workload_id="shop",
            policy_path=self.folder / "old",
            out_dir=self.folder / "new",
            algorithm="dpo",
            hyper_parameters={"beta": "0.1"},
            gate=GateSettings(),
            blend=BlendSettings(),
            ungated=ungated,
        )
        around = Surroundings(
            train=self.training,
            evaluate=evaluation,
            publish=self.told.append,
            clock=lambda: NOON + timedelta(days=1),
            watch=lambda _: None,
            canary=canary,
        )
        return run_training(dataset, self.folder / "dataset", calibrations, plan, around)

    def statuses(self) -> list[RunStatus]:
        return [run.status for run in self.told]


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def test_a_run_that_passes_tells_every_step(runs: Runs) -> None:
    outcome = runs(ROWS, [calibration()])
    assert runs.statuses() == [RunStatus.STARTED, RunStatus.TRAINED, RunStatus.EVALUATED]
    assert len({run.run_id for run in runs.told}) == 1
    assert len({run.event_id for run in runs.told}) == 3
    assert outcome.run.metrics_before["accuracy"] == 0.0
    assert outcome.run.metrics_after["accuracy"] == 1.0
    counted = {"rows": 10, "truncated": 3, "dropped": 2}
    assert runs.told[1].metrics_after == {"last_loss": 0.5} | counted
    assert {gate.name for gate in outcome.run.gates} >= {"kappa", "coverage", "human_share"}
    assert (runs.folder / "dataset" / "manifest.json").exists()
    assert "10 pairs of 10 preferences read" in (runs.folder / "dataset" / "README.md").read_text()
    assert len(runs.training.rows) == outcome.rows == 10
    assert outcome.run.policy == str(runs.folder / "old")
    assert outcome.run.checkpoint == str(runs.folder / "new")
    assert outcome.run.fingerprint == folder_fingerprint(runs.folder / "new")
    assert runs.told[0].fingerprint == ""


def test_an_uncalibrated_judge_is_refused_and_nothing_is_written(runs: Runs) -> None:
    outcome = runs(ROWS)
    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert runs.statuses() == [RunStatus.REFUSED]
    assert "never calibrated" in outcome.run.detail
    assert runs.training.rows == []
    assert list(runs.folder.iterdir()) == []


def test_a_bad_judge_is_refused_with_its_numbers(runs: Runs) -> None:
    outcome = runs(ROWS, [calibration(kappa=0.5, lower_bound=0.4, upper_bound=0.6)])
    assert outcome.verdict is Verdict.FAIL
    assert "kappa 0.5000" in outcome.run.detail
    assert runs.training.rows == []


def test_too_few_human_rows_are_refused(runs: Runs) -> None:
    outcome = runs(ROWS[:7], [calibration()])
    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert "1 more human rows are missing" in outcome.run.detail


def test_thumbs_train_only_as_a_recorded_baseline(runs: Runs) -> None:
    assert runs(THUMBS).verdict is Verdict.FAIL
    runs.told.clear()
    outcome = runs(THUMBS, ungated=True)
    assert outcome.verdict is Verdict.PASS
    assert all(run.ungated for run in runs.told)
    assert outcome.run.gates[0].verdict is Verdict.FAIL
    assert len(runs.training.rows) == len(THUMBS)


def test_a_training_that_fails_is_told_and_raised(runs: Runs) -> None:
    runs.training = Training(Fatal("the loss became nan"))
    with pytest.raises(Fatal):
        runs(ROWS, [calibration()])
    assert runs.statuses() == [RunStatus.STARTED, RunStatus.FAILED]
    assert "the loss became nan" in runs.told[-1].detail


def canary_says(verdict: Verdict) -> Canary:
    return lambda rows: (GateResult(name="canary", verdict=verdict, value=len(rows)),)


def test_a_canary_is_among_the_gates_and_can_refuse(runs: Runs) -> None:
    outcome = runs(ROWS, [calibration()], canary=canary_says(Verdict.PASS))
    assert (outcome.run.gates[-1].name, outcome.run.gates[-1].value) == ("canary", 10)
    runs.told.clear()
    refused = runs(ROWS, [calibration()], canary=canary_says(Verdict.INCONCLUSIVE))
    assert refused.verdict is Verdict.INCONCLUSIVE
    assert runs.statuses() == [RunStatus.REFUSED]
    assert refused.run.detail == "canary: INCONCLUSIVE"


def test_nothing_is_tried_where_the_gate_refuses_or_does_not_decide(runs: Runs) -> None:
    assert "canary" not in {gate.name for gate in runs(ROWS, canary=never).run.gates}
    assert runs(THUMBS, ungated=True, canary=never).verdict is Verdict.PASS


def never(rows: Sequence[Preference]) -> tuple[GateResult, ...]:
    raise AssertionError(f"tried {len(rows)} rows")


def test_a_canary_that_fails_is_told_and_raised(runs: Runs) -> None:
    def diverges(rows: Sequence[Preference]) -> tuple[GateResult, ...]:
        raise Fatal(f"the loss of {len(rows)} rows became nan")

    with pytest.raises(Fatal):
        runs(ROWS, [calibration()], canary=diverges)
    assert runs.statuses() == [RunStatus.FAILED]
    assert "the loss of 10 rows became nan" in runs.told[-1].detail


def test_a_dataset_of_another_origin_is_another_run(runs: Runs) -> None:
    first = runs(ROWS, [calibration()]).run.run_id
    assert Runs(runs.folder / "b")(ROWS[1:], [calibration()]).run.run_id != first


def test_rows_of_uncalibrated_slices_are_left_out_and_counted(runs: Runs) -> None:
    rows = [*ROWS, *(preference(f"d{n}", slice="dates") for n in range(3))]
    by_slice = [
        calibration(event_id="s1", slice="default", n=160),
        calibration(event_id="s2", slice="dates", n=20),
    ]
    outcome = runs(rows, [calibration(), *by_slice])
    assert outcome.uncalibrated == {"dates": 3}
    assert {row.slice for row in runs.training.rows} == {"default"}
    assert "left out" in runs.told[0].detail
    assert "dates 3" in runs.told[0].detail


def test_people_label_uncalibrated_slices_and_their_rows_stay(runs: Runs) -> None:
    rows = [*ROWS, human("of dates", slice="dates")]
    by_slice = [calibration(event_id="s1", slice="default", n=160)]
    assert runs(rows, [calibration(), *by_slice]).uncalibrated == {}
    assert "dates" in {row.slice for row in runs.training.rows}

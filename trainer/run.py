"""One training run: gate, freeze, blend, evaluate, train, evaluate; a Run event at each step."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from schemas.events import Calibration, Preference, Run
from schemas.ids import config_hash, derived_id
from schemas.records import GateResult, RunStatus, Verdict
from streams.inference.identity import folder_fingerprint
from trainer.blend import BlendSettings, blend
from trainer.dataset import FrozenDataset, write
from trainer.dataset_card import write_card
from trainer.evaluate import Evaluation
from trainer.gate import gate, label_sources
from trainer.gate_rules import worst
from trainer.gate_settings import GateSettings
from trainer.kappa_rule import Looks
from trainer.manifest import Manifest
from trainer.policy import Progress, Train, TrainedPolicy
from trainer.slice_rule import without_uncalibrated
from trainer.watched import NOTHING, Watched

STAGE = "trainer"

Clock = Callable[[], datetime]
Evaluate = Callable[[Path], Evaluation]
"""Checkpoint folder to what it can do."""
Canary = Callable[[Sequence[Preference]], tuple[GateResult, ...]]
"""A cheap trial of the rows that would be trained on."""


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """What to train and under which rules.

    ``ungated`` trains a baseline on all rows as they are: the gate's verdict is recorded but does
    not decide, and nothing is blended. Such a run can never be promoted.
    """

    workload_id: str
    policy_path: Path
    out_dir: Path
    algorithm: str
    hyper_parameters: dict[str, str]
    gate: GateSettings
    blend: BlendSettings
    ungated: bool = False
    attack_success: float | None = None
    epoch: int | None = None
    """The term of the trainer that runs it; None for a person's command."""
    trial: bool = False
    """Whether it is one of a search for settings."""
    watched: Watched = NOTHING


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a run reaches outside itself. ``evaluate`` is None where there is nothing to ask.

    ``looks`` are the ledger's; without it they are counted among the calibrations.
    """

    train: Train
    evaluate: Evaluate | None
    publish: Callable[[Run], object]
    clock: Clock
    watch: Callable[[Progress], None]
    looks: Looks | None = None
    canary: Canary | None = None


@dataclass(frozen=True, kw_only=True)
class RunOutcome:
    """How a run ended. ``verdict`` is PASS for every run that was allowed to train.

    ``uncalibrated`` counts by slice the rlaif rows that were left out because nobody measured the
    judge there; those pairs are people's to label.
    """

    verdict: Verdict
    run: Run
    rows: int
    down_sampled: dict[str, int]
    uncalibrated: dict[str, int]
    trained: TrainedPolicy | None = None
    before: Evaluation | None = None
    after: Evaluation | None = None


def run_training(
    dataset: FrozenDataset,
    dataset_dir: Path,
    calibrations: Sequence[Calibration],
    plan: TrainingPlan,
    around: Surroundings,
) -> RunOutcome:
    """Train on the dataset if the gates let it, and say what came of it.

    The dataset is written to ``dataset_dir``, with its card, only where it is trained on. A refusal
    is an outcome; what goes wrong in training is published as a FAILED run and raised.
    """
    decision = gate(
        label_sources(dataset.rows),
        calibrations,
        plan.gate,
        around.clock(),
        looks=around.looks,
        attack_success=plan.attack_success,
        watched=plan.watched,
    )
    rows, gates, verdict = dataset.rows, decision.results, Verdict.PASS
    down_sampled: dict[str, int] = {}
    uncalibrated: dict[str, int] = {}
    if not plan.ungated:
        if decision.calibrated_slices is not None:
            rows, uncalibrated = without_uncalibrated(rows, decision.calibrated_slices)
        mixed = blend(rows, plan.blend)
        rows, down_sampled, gates = mixed.rows, mixed.down_sampled, (*gates, mixed.gate)
        verdict = worst(gates)
    left_out = _left_out(uncalibrated)
    story = RunStory(plan=plan, manifest=dataset.manifest, gates=gates, around=around)
    if around.canary and not plan.ungated and verdict is Verdict.PASS:
        with story.failing():
            story.gates += around.canary(rows)
        verdict = worst(story.gates)
    if verdict is not Verdict.PASS:
        run = story.tell(
            RunStatus.REFUSED, detail="; ".join(filter(None, (_reasons(story.gates), left_out)))
        )
        return RunOutcome(
            verdict=verdict, run=run, rows=0, down_sampled={}, uncalibrated=uncalibrated
        )
    story.tell(RunStatus.STARTED, detail=left_out)
    with story.failing():
        write(dataset, dataset_dir)
        write_card(dataset_dir)
        before = around.evaluate(plan.policy_path) if around.evaluate else None
        story.before = before.metrics() if before else {}
        trained = around.train(rows, plan.policy_path, plan.out_dir, around.watch)
        story.fingerprint = folder_fingerprint(trained.path)
        run = story.tell(RunStatus.TRAINED, after=trained.numbers())
        after = around.evaluate(trained.path) if around.evaluate else None
        if after:
            run = story.tell(RunStatus.EVALUATED, after=after.metrics())
    return RunOutcome(
        verdict=verdict,
        run=run,
        rows=len(rows),
        down_sampled=down_sampled,
        uncalibrated=uncalibrated,
        trained=trained,
        before=before,
        after=after,
    )


class RunStory:
    """The events of one run: they share everything but status, metrics and detail."""

    def __init__(
        self,
        *,
        plan: TrainingPlan,
        manifest: Manifest,
        gates: tuple[GateResult, ...],
        around: Surroundings,
    ) -> None:
        self._plan, self._manifest, self._around = plan, manifest, around
        self._config_hash = config_hash(plan.gate, plan.blend, json.dumps(plan.hyper_parameters))
        started = around.clock().isoformat()
        # Training twice on one manifest is two runs, so the time is part of the id.
        sources = [manifest.manifest_hash, started]
        self.run_id = derived_id("Run", STAGE, sources, self._config_hash)
        self.gates = gates
        self.before: dict[str, float] = {}
        self.fingerprint = ""

    @contextmanager
    def failing(self) -> Iterator[None]:
        """What is raised in the block is published as the run's end, and goes on."""
        try:
            yield
        except Exception as error:
            self.tell(RunStatus.FAILED, detail=f"{type(error).__name__}: {error}")
            raise

    def tell(
        self, status: RunStatus, *, after: dict[str, float] | None = None, detail: str = ""
    ) -> Run:
        """Publish how far the run is."""
        run = Run(
            event_id=derived_id("Run", STAGE, [self.run_id, status], self._config_hash),
            occurred_at=self._around.clock(),
            workload_id=self._plan.workload_id,
            config_hash=self._config_hash,
            run_id=self.run_id,
            status=status,
            manifest_hash=self._manifest.manifest_hash,
            offset_ranges=self._manifest.ranges,
            algorithm=self._plan.algorithm,
            hyper_parameters=self._plan.hyper_parameters,
            gates=self.gates,
            ungated=self._plan.ungated,
            metrics_before=self.before,
            metrics_after=after or {},
            detail=detail,
            policy=str(self._plan.policy_path.absolute()),
            checkpoint=str(self._plan.out_dir.absolute()) if self.fingerprint else "",
            fingerprint=self.fingerprint,
            epoch=self._plan.epoch,
            trial=self._plan.trial,
        )
        self._around.publish(run)
        return run


def _reasons(gates: Sequence[GateResult]) -> str:
    return "; ".join(
        f"{gate.name}: {gate.verdict} {gate.detail}".strip()
        for gate in gates
        if gate.verdict is not Verdict.PASS
    )


def _left_out(uncalibrated: Mapping[str, int]) -> str:
    if not uncalibrated:
        return ""
    slices = ", ".join(f"{name or 'no slice'} {n}" for name, n in uncalibrated.items())
    return f"rlaif rows left out, their slices are uncalibrated: {slices}"

"""The main job: traffic in, preferences out, two policies trained, everything counted."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from consumers.calibration.core import core_preferences
from consumers.calibration.holdout_ledger import HoldoutLedger, ledger_path
from consumers.calibration.measure_anchors import measure_anchors
from consumers.calibration.splits import Split, split_of
from consumers.clickhouse.named_queries import Answer, NamedQuery, named_query
from consumers.feedback import FeedbackSettings, thumb_pairs
from examples.harbor.demo.backend import Backend
from examples.harbor.demo.benchmark import benchmark, chosen_wrong
from examples.harbor.demo.display import Display
from examples.harbor.demo.fill import fill
from examples.harbor.demo.gate_trials import GateTrial, gate_trials
from examples.harbor.demo.result import AccountingFigures, DemoResult, PolicyFigures
from examples.harbor.demo.sizes import Sizes
from examples.harbor.demo.training import Name, Rules, Trained, Trainings
from examples.harbor.demo.workspace import Workspace
from schemas.events import (
    Calibration,
    Comparison,
    Completion,
    Feedback,
    Judgment,
    Label,
    Preference,
)
from schemas.records import PreferenceSource, Purpose
from trainer.gate_rules import CalibrationRule

QUERIES = ("discards", "margins", "slices")
_LABELLED = PreferenceSource.HUMAN


@dataclass(frozen=True, kw_only=True)
class Story:
    """All that a run found: the figures, and what is shown beside them."""

    result: DemoResult
    calibrations: tuple[Calibration, ...]
    trials: tuple[GateTrial, ...]
    runs: dict[Name, Trained]
    answers: tuple[tuple[NamedQuery, Answer], ...]


def tell(
    backend: Backend,
    workspace: Workspace,
    rules: Rules,
    sizes: Sizes,
    display: Display,
    began_s: float,
) -> Story:
    """Run it all. ``began_s`` is the monotonic time that ``seconds`` counts from.

    Raises ``PrefstreamError`` where a part of the stack ends or cannot be reached.
    """
    with display.step("people and production fill the topics"):
        fill(backend, workspace, sizes, display)
    with display.step("stages catch up"):
        backend.settle(display.lags)
    with display.step("calibrate the judge against people, pair the thumbs"):
        ledger = HoldoutLedger(ledger_path(backend.settings))
        calibrations, measured = _calibrate(backend, rules, ledger)
        thumbs = thumb_pairs(
            backend.events(Completion), backend.events(Feedback), FeedbackSettings()
        )
        backend.publish(thumbs)
        trials = gate_trials(
            backend.events(Judgment),
            backend.events(Label),
            thumbs,
            calibrations,
            (rules.calibration, rules.gate),
            ledger.look,
            datetime.now(UTC),
        )
    prompts = benchmark(sizes.benchmark)
    trainings = Trainings(backend, workspace, rules, prompts, display.training, ledger.look)
    with display.step(f"ask the policy in production {len(prompts)} benchmark questions"):
        sft = trainings.evaluate(trainings.start)
    runs: dict[Name, Trained] = {}
    for name, title in _TITLES.items():
        with display.step(title):
            runs[name] = trainings.train(name, calibrations, measured)
    with display.step(f"check chosen answers on {len(workspace.copies)} other warehouses"):
        wrong: dict[str, float | None] = {
            name: chosen_wrong(_machine_rows(trained), workspace, rules.pipeline.verify).value
            for name, trained in runs.items()
        }
    with display.step("close the accounts, ask ClickHouse"):
        backend.settle(display.lags)
        accounts = backend.accounts()
        queries = [named_query(name) for name in QUERIES]
        answers = tuple((query, backend.ask(query)) for query in queries)
    figures = {"sft": PolicyFigures.of(sft)} | {
        name: PolicyFigures.of(trained.outcome.after)
        for name, trained in runs.items()
        if trained.outcome.after is not None
    }
    return Story(
        result=DemoResult(
            policies=figures,
            chosen_wrong=wrong,
            kappa=next((one.kappa for one in calibrations if _decides(one)), None),
            pairs=len(_machine_rows(runs["rlaif"])),
            accounting=AccountingFigures(closed=accounts.closed, stages=accounts.stages),
            seconds=round(time.monotonic() - began_s, 1),
        ),
        calibrations=calibrations,
        trials=trials,
        runs=runs,
        answers=answers,
    )


_TITLES: dict[Name, str] = {
    "thumbs": "train on thumbs (ungated baseline) and evaluate",
    "rlaif": "gate, blend with people's rows, train on preferences and evaluate",
}


def _calibrate(
    backend: Backend, rules: Rules, ledger: HoldoutLedger
) -> tuple[tuple[Calibration, ...], frozenset[str]]:
    """The published calibrations, and the prompts that measured the judge."""
    labels = backend.events(Label)
    calibrations = measure_anchors(
        [one for one in backend.events(Judgment) if one.comparison.purpose is Purpose.ANCHOR],
        labels,
        rules.calibration,
        CalibrationRule(settings=rules.gate),
        ledger,
    ).calibrations
    compared = backend.events(Comparison)
    backend.publish([*calibrations, *core_preferences(compared, labels, rules.calibration)])
    shares = rules.calibration.shares
    measured = frozenset(
        one.prompt_id
        for one in compared
        if one.purpose is Purpose.ANCHOR and split_of(one.prompt_id, shares) is not Split.CORE
    )
    return calibrations, measured


def _decides(calibration: Calibration) -> bool:
    return calibration.split == Split.CALIBRATION and calibration.slice == ""


def _machine_rows(trained: Trained) -> tuple[Preference, ...]:
    """The rows that no person labelled row by row."""
    return tuple(row for row in trained.dataset.rows if row.source is not _LABELLED)

"""The main job: traffic in, preferences out, two policies trained, everything counted."""

import time
from dataclasses import dataclass

from consumers.clickhouse.named_queries import Answer, NamedQuery, named_query
from examples.harbor.demo.backend import Backend
from examples.harbor.demo.benchmark import benchmark, chosen_wrong
from examples.harbor.demo.display import Display
from examples.harbor.demo.gate_trials import GateTrial
from examples.harbor.demo.gather import decides, gather
from examples.harbor.demo.result import AccountingFigures, DemoResult, PolicyFigures
from examples.harbor.demo.sizes import Sizes
from examples.harbor.demo.training import Name, Rules, Trained, Trainings
from examples.harbor.demo.workspace import Workspace
from schemas.events import Calibration, Preference
from schemas.records import PreferenceSource

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
    gathered = gather(backend, workspace, rules, sizes, display)
    calibrations = gathered.calibrations
    prompts = benchmark(sizes.benchmark)
    trainings = Trainings(backend, workspace, rules, prompts, display.training, gathered.looks)
    with display.step(f"ask the policy in production {len(prompts)} benchmark questions"):
        sft = trainings.evaluate(trainings.start)
    runs: dict[Name, Trained] = {}
    for name, title in _TITLES.items():
        with display.step(title):
            runs[name] = trainings.train(name, calibrations, gathered.measured)
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
            kappa=next((one.kappa for one in calibrations if decides(one)), None),
            pairs=len(_machine_rows(runs["rlaif"])),
            accounting=AccountingFigures(closed=accounts.closed, stages=accounts.stages),
            seconds=round(time.monotonic() - began_s, 1),
        ),
        calibrations=calibrations,
        trials=gathered.trials,
        runs=runs,
        answers=answers,
    )


_TITLES: dict[Name, str] = {
    "thumbs": "train on thumbs (ungated baseline) and evaluate",
    "rlaif": "gate, blend with people's rows, train on preferences and evaluate",
}


def _machine_rows(trained: Trained) -> tuple[Preference, ...]:
    """The rows that no person labelled row by row."""
    return tuple(row for row in trained.dataset.rows if row.source is not _LABELLED)

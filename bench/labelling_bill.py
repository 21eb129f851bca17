"""What a large labelled dataset costs beside people who label it all, at stated prices.

    python -m bench.labelling_bill [--prompts 2300] [--core 606] [--anchors 100] [--data-dir DIR]
        [--json]

Harbor's policy answers questions of the train split; the stages, in this process, verify, pair,
judge and filter the answers. SIMULATED people label a hundred anchors, a quarter more for the
holdout, and the core rows that the blend wants beside the machine's. Gate and blend decide as
always; one DPO policy is trained on what they let through, and asked the benchmark. The bill is of
every label, sample and verdict, whether a pair came of it or not. People alone would label the same
rows: the machine's and the core ones.
"""

import argparse
import json
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from cli.demo import harbor_rules, stage_backend
from consumers.calibration.holdout_ledger import HoldoutLedger, ledger_path
from examples.harbor.demo.backend import Backend
from examples.harbor.demo.benchmark import benchmark, chosen_wrong
from examples.harbor.demo.display import Display
from examples.harbor.demo.gather import calibrate_judge, decides
from examples.harbor.demo.incoming import TEMPERATURE, labelled
from examples.harbor.demo.sizes import FULL, Sizes
from examples.harbor.demo.training import Recipe, Rules, Trainings
from examples.harbor.demo.workspace import Workspace, lay_out
from examples.harbor.evaluation_prompts import asked
from examples.harbor.full.cost import Prices, bill
from examples.harbor.full.labelled import bought
from examples.harbor.questions import questions
from examples.harbor.simulated_people import SimulatedLabellers
from schemas.events import CandidateSet, Judgment, Label
from schemas.records import PreferenceSource
from trainer.gate_rules import CalibrationRule
from trainer.prompts import prompt_ids
from trainer.round_steps import Asking, RoundSteps


def measure(
    backend: Backend, workspace: Workspace, rules: Rules, sizes: Sizes, display: Display
) -> dict[str, float]:
    """Label, gate, blend, train and evaluate. Raises ``ValueError`` where a gate refuses."""
    ledger = HoldoutLedger(ledger_path(backend.settings))
    with display.step("calibrate the judge on anchors that people labelled"):
        backend.publish(labelled(sizes))
        backend.settle(display.lags)
        calibrations, measured = calibrate_judge(backend, rules, ledger)
    judge = next(one for one in calibrations if decides(one))
    questions_asked = benchmark(sizes.benchmark)
    trainings = Trainings(backend, workspace, rules, questions_asked, display.training, ledger.look)
    with display.step(f"{sizes.prompts} prompts: sample, verify, judge, filter"):
        steps = _steps(backend, rules, ledger, trainings.start, display)
        prompts = asked(questions("train")[: sizes.prompts])
        kept_out = measured | prompt_ids(questions_asked)
        pairs = steps.label(trainings.start, prompts, lambda _: kept_out).pairs
    machine = [row for row in pairs.rows if row.source is not PreferenceSource.HUMAN]
    spent = bought(
        len(machine),
        backend.events(CandidateSet),
        backend.events(Judgment),
        backend.events(Label),
        rules.calibration.shares,
    )
    cost = bill(spent, Prices())
    recipe = Recipe(
        name="large", algorithm="dpo", config=rules.algorithms["dpo"], start=trainings.start
    )
    with display.step("gate, blend, train, evaluate"):
        outcome = trainings.run(recipe, pairs, calibrations)
    if outcome.before is None or outcome.after is None:
        raise ValueError(f"not trained: {outcome.run.gates}")
    with display.step("check chosen answers on warehouses that labelling never saw"):
        wrong = chosen_wrong(machine, workspace, rules.pipeline.verify).value
    return {
        "prompts": sizes.prompts,
        "machine_pairs": len(machine),
        "judge_decided_pairs": sum(row.source is PreferenceSource.RLAIF for row in machine),
        "core_rows": len(pairs.rows) - len(machine),
        "anchor_labels": spent.anchor_labels,
        "core_labels": spent.core_labels,
        "tokens": spent.input_tokens + spent.output_tokens,
        "kappa": judge.kappa or 0.0,
        "kappa_at_least": judge.lower_bound or 0.0,
        "judge_anchors": judge.n,
        "people_usd": cost.people_usd,
        "ours_usd": cost.ours_usd,
        "saving": cost.saving,
        "trained_rows": outcome.rows,
        "accuracy_before": outcome.before.accuracy.value or 0.0,
        "accuracy_after": outcome.after.accuracy.value or 0.0,
        "chosen_wrong": wrong or 0.0,
    }


def _steps(
    backend: Backend, rules: Rules, ledger: HoldoutLedger, reference: Path, display: Display
) -> RoundSteps:
    people = SimulatedLabellers(
        backend,
        rules.calibration,
        CalibrationRule(settings=rules.gate),
        ledger,
        waiting=lambda _: None,
    )
    asking = Asking(
        workload_id=rules.pipeline.workload,
        sampling=rules.pipeline.sample,
        temperature=TEMPERATURE,
        anchors=(),
        clock=lambda: datetime.now(UTC),
    )
    return RoundSteps(backend, people, asking, reference, display.lags)


def main() -> None:
    """Measure and print, one figure a line or one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--prompts", type=int, default=2300)
    parser.add_argument("--core", type=int, default=606)
    parser.add_argument("--anchors", type=int, default=100)
    parser.add_argument("--data-dir", type=Path, help="kept; default: a folder that is removed")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sizes = Sizes(
        prompts=options.prompts,
        users=1,
        anchors=options.anchors,
        core=options.core,
        benchmark=FULL.benchmark,
        measuring_copies=FULL.measuring_copies,
    )
    console = Console(stderr=True)
    with ExitStack() as stack:
        folder = options.data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        workspace = lay_out(folder, sizes.measuring_copies)
        backend = stack.enter_context(stage_backend(workspace, console, in_process=True))
        figures = measure(
            backend, workspace, harbor_rules(workspace.project), sizes, Display(console)
        )
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:24}{value:14,.4f}")


if __name__ == "__main__":
    main()

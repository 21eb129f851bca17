"""The demo's figures as tables for people."""

from collections.abc import Iterable, Iterator

from rich.console import Console, RenderableType
from rich.table import Table

from consumers.clickhouse.answer_table import answer_table
from examples.harbor.demo.gate_trials import GateTrial
from examples.harbor.demo.result import AccountingFigures, DemoResult
from examples.harbor.demo.story import Story
from schemas.events import Calibration
from schemas.records import Verdict

_NAMES = {
    "sft": "in production (supervised)",
    "thumbs": "trained on thumbs (ungated)",
    "rlaif": "trained on verified preferences",
}


def show(story: Story, console: Console) -> None:
    """Print everything that the run found."""
    for part in _parts(story):
        console.print()
        console.print(part)


def _parts(story: Story) -> Iterator[RenderableType]:
    for query, answer in story.answers:
        yield answer_table(f"ClickHouse: {query.title}", answer.columns, answer.rows)
    yield _accounts(story.result.accounting)
    yield _judge(story)
    yield _gate(story.trials)
    for name, trained in story.runs.items():
        if trained.outcome.verdict is not Verdict.PASS:
            yield f"[red]{name} was refused by the gate:[/red] {trained.outcome.run.detail}"
    yield _policies(story.result)


def _policies(result: DemoResult) -> Table:
    table = Table(
        title="Harbor's locked benchmark (people are simulated)",
        caption=f"chosen but wrong: measured on warehouses that labelling never saw; "
        f"{result.pairs} preference pairs; {result.seconds:.0f} s in all",
    )
    for column in ("policy", "execution accuracy", "95 % interval", "median length", "n"):
        table.add_column(column, justify="left" if column == "policy" else "right")
    table.add_column("chosen but wrong", justify="right")
    for name, figures in result.policies.items():
        wrong = result.chosen_wrong.get(name)
        table.add_row(
            _NAMES[name],
            f"{figures.accuracy:.1%}",
            f"{figures.low:.1%} – {figures.high:.1%}",
            f"{figures.median_length:.0f}",
            str(figures.n),
            "–" if wrong is None else f"{wrong:.1%}",
        )
    return table


def _judge(story: Story) -> Table:
    table = Table(title="The judge against simulated people (anchors)")
    for column in ("split", "slice", "n", "kappa", "lower bound (95 %)", "coverage", "verdict"):
        table.add_column(column, overflow="fold")
    for one in story.calibrations:
        table.add_row(one.split, one.slice or "all", str(one.n), *_numbers(one), one.verdict.value)
    return table


def _gate(trials: Iterable[GateTrial]) -> Table:
    table = Table(title="Before the gate: what may be trained on")
    for column in ("what asks", "verdict", "why"):
        table.add_column(column, overflow="fold")
    for trial in trials:
        table.add_row(trial.title, trial.decision.verdict.value, trial.why)
    return table


def _numbers(calibration: Calibration) -> tuple[str, ...]:
    numbers = (calibration.kappa, calibration.lower_bound, calibration.coverage)
    return tuple("–" if number is None else f"{number:.3f}" for number in numbers)


def _accounts(accounting: AccountingFigures) -> Table:
    verdict = "every event found" if accounting.closed else "EVENTS ARE MISSING"
    table = Table(title=f"Accounting by ids: {verdict}")
    for column in ("stage", "in", "out", "discarded", "dead letters", "pending", "missing"):
        table.add_column(column, overflow="fold")
    for account in accounting.stages.values():
        table.add_row(
            account.stage,
            str(account.taken),
            str(account.out),
            "\n".join(f"{reason} {n}" for reason, n in account.discarded.items()) or "0",
            str(account.dead_lettered),
            str(account.pending),
            str(account.missing_count),
        )
    return table

"""`prefstream agreement`: how well does a judge agree with people, in any file of labels?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from schemas.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumers.agreement.measure import Agreement
    from consumers.agreement.report import AgreementReport
    from consumers.agreement.win_rates import WinRates


def agreement(
    file: Annotated[Path, typer.Argument(help="JSON Lines: item, human, judge, cluster?, slice?")],
    weights: Annotated[
        Literal["linear", "quadratic"] | None,
        typer.Option(help="Weighted kappa too, for labels that have an order."),
    ] = None,
    order: Annotated[
        str, typer.Option(help="The labels from low to high, with commas, for --weights.")
    ] = "",
    confidence: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="Of the two-sided interval.")
    ] = 0.95,
    epsilon: Annotated[
        float,
        typer.Option(min=0, max=0.5, help="Alternative annotator test: 0.1 crowd, 0.2 experts."),
    ] = 0.1,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as one JSON line.")] = False,
) -> None:
    """Measure a judge against people: kappa with its interval, and what else one should know.

    Labels are any texts. Several people are columns human_1, human_2, …: then the judge is held
    against their majority and the report says how well people agree with each other. A judge of
    null or "" could not be parsed and counts as wrong. Rows with a cluster (say, a prompt) are
    resampled by it. Rows with model_a and model_b give the models' win rates too.

    [bold]Examples[/bold]

      prefstream agreement labels.jsonl
      prefstream agreement labels.jsonl --json | jq '.kappa, .low, .high'
      prefstream agreement grades.jsonl --weights quadratic --order bad,fair,good
    """
    from consumers.agreement.report import report
    from consumers.agreement.rows import read_rows

    classes = tuple(filter(None, (label.strip() for label in order.split(","))))
    if weights and not classes:
        raise ConfigError("--weights needs the labels' order; add --order low,middle,high")
    found = read_rows(file)
    try:
        measured = report(
            found, confidence=confidence, order=classes, weights=weights, epsilon=epsilon
        )
    except ValueError as error:
        raise ConfigError(f"{file}: {error}; name every label in --order") from None
    if as_json:
        typer.echo(measured.model_dump_json())
        return
    _show(measured)


def _show(measured: "AgreementReport") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(
        f"{measured.n} items in {measured.clusters} clusters; {measured.unlabelled} without a "
        f"human label, {measured.parse_failures} verdicts not parsed, {measured.repeated} lines "
        "repeated",
        highlight=False,
    )
    console.print(_numbers({"all": measured} | measured.slices, "Judge against people"))
    if measured.weighted_kappa is not None:
        console.print(
            f"weighted kappa {measured.weighted_kappa:.3f}, standard error "
            f"{measured.weighted_se or 0:.3f}",
            highlight=False,
        )
    confusion = Table(title="Confusion (rows: people, columns: judge)")
    confusion.add_column("")
    for label in measured.confusion:
        confusion.add_column(label, justify="right")
    for label, counts in measured.confusion.items():
        confusion.add_row(label, *(str(counts[judge]) for judge in measured.confusion))
    console.print(confusion)
    if measured.ceiling is not None:
        console.print(_numbers(measured.ceiling.pairs, "People against each other (the ceiling)"))
    if (rates := measured.win_rates) is not None:
        console.print(_win_rates(rates))
        if rates.undefined:
            console.print(f"[yellow]no correlation of win rates:[/yellow] {rates.undefined}")
        else:
            console.print(
                f"win rates correlate: Pearson {rates.pearson:.3f}, Spearman {rates.spearman:.3f}",
                highlight=False,
            )
    test = measured.alternative_annotator
    if test is not None:
        verdict = "may" if test.passes else "may not"
        console.print(
            f"Alternative annotator test (epsilon {test.epsilon:g}): the judge {verdict} stand in "
            f"for a person; it wins against {test.winning_rate:.0%} of them.",
            highlight=False,
        )
    for note in measured.notes:
        console.print(note, style="yellow", markup=False, highlight=False)


def _win_rates(rates: "WinRates") -> "object":
    from rich.table import Table

    table = Table(title="Share of battles won (ties count half)")
    for column in ("model", "n", "by people", "by the judge"):
        table.add_column(column, justify="left" if column == "model" else "right")
    for name, one in rates.models.items():
        table.add_row(name, str(one.n), f"{one.human:.3f}", f"{one.judge:.3f}")
    return table


def _numbers(parts: "Mapping[str, Agreement]", title: str) -> "object":
    from rich.table import Table

    table = Table(title=title)
    for column in ("", "n", "kappa", "se", "low", "high", "observed", "pabak", "alpha"):
        table.add_column(column, justify="left" if not column else "right")
    for name, one in parts.items():
        numbers = (one.kappa, one.se, one.low, one.high, one.observed, one.pabak, one.alpha)
        shown = ("–" if number is None else f"{number:.3f}" for number in numbers)
        table.add_row(name, str(one.n), *shown)
    return table

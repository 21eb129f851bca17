"""The report as one HTML file: no script, no other file, everything from outside escaped."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from consumers.calibration_report import plots
from consumers.calibration_report.contents import Contents, JudgeSection
from schemas.events import Calibration
from schemas.records import GateResult, HumanWinner, Verdict, Winner

_TEMPLATE = Path(__file__).with_name("report.html.j2")
_WORDS = {
    Verdict.PASS: "may label",
    Verdict.FAIL: "may not label",
    Verdict.INCONCLUSIVE: "not decided yet",
}


def page(contents: Contents) -> str:
    """The whole page. Plots are matplotlib's SVG, whose texts it escapes itself."""
    # imported here: nobody else needs it, and it takes a tenth of a second
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters.update(number=_number, signed=_signed, percent=_percent)
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    histories = [one.history for one in contents.judges]
    measured = any(one.kappa is not None for history in histories for one in history)
    return template.render(
        contents=contents,
        views=[_view(one, contents) for one in contents.judges],
        words=_WORDS,
        kappas=plots.kappa_over_time(histories, contents.min_kappa) if measured else "",
        winners=[one.value for one in Winner],
        humans=[HumanWinner.A.value, HumanWinner.B.value],
    )


@dataclass(frozen=True, kw_only=True)
class _View:
    """A judge as the template shows it. ``shades`` are counts with their share of the largest."""

    judge: JudgeSection
    line: str
    plots: dict[str, str]
    shades: dict[tuple[str, str], tuple[int, float]]


def _view(judge: JudgeSection, contents: Contents) -> _View:
    return _View(
        judge=judge,
        line=bottom_line(judge),
        plots=_plots(judge, contents),
        shades=_confusion(judge.now),
    )


def bottom_line(judge: JudgeSection) -> str:
    """The verdict in a sentence, with what decided."""
    now, ruling = judge.now, judge.ruling
    if now.kappa is None:
        return f"Kappa is undefined on its {now.n} anchors: people or judge gave one answer only."
    measured = f"kappa {now.kappa:.2f} on {now.n} anchors"
    if now.lower_bound is not None and now.upper_bound is not None:
        measured += f" (one-sided 95 % bounds {now.lower_bound:.2f} and {now.upper_bound:.2f})"
    if ruling.verdict is Verdict.PASS:
        return f"Its labels may be trained on: {measured}."
    against = _against(ruling.gates)
    if ruling.demoted:
        return f"Demoted, nothing of it reaches the trainer: {against}. Measured: {measured}."
    if ruling.verdict is Verdict.FAIL:
        return f"Nothing trains on its labels: {against}. Measured: {measured}."
    return f"Nobody knows yet: {against}. Measured: {measured}."


def _against(gates: Sequence[GateResult]) -> str:
    worst = [one for one in gates if one.verdict is Verdict.FAIL]
    return ", ".join(
        one.name.replace("_", " ")
        for one in worst or [one for one in gates if one.verdict is not Verdict.PASS]
    )


def _plots(judge: JudgeSection, contents: Contents) -> dict[str, str]:
    now = judge.now
    ceilings = {
        name: one.kappa for name, one in contents.slice_ceilings.items() if one.kappa is not None
    }
    if contents.ceiling is not None and contents.ceiling.kappa is not None:
        ceilings["all"] = contents.ceiling.kappa
    found = {"slices": plots.slices(now, judge.slices, ceilings, contents.min_kappa)}
    if now.position_bias is not None or now.length_slope is not None:
        found["biases"] = plots.biases(judge.history)
    if now.reliability:
        found["reliability"] = plots.reliability(now)
    if judge.win_rates.pearson is not None:
        found["win_rates"] = plots.win_rate_plot(judge.win_rates)
    return found


def _confusion(now: Calibration) -> dict[tuple[str, str], tuple[int, float]]:
    """Count of each cell, and its share of the largest for the shade."""
    largest = max((cell.n for cell in now.confusion), default=0) or 1
    return {(cell.human, cell.judge): (cell.n, cell.n / largest) for cell in now.confusion}


def _number(value: float | None, digits: int = 3) -> str:
    return "undefined" if value is None else f"{value:.{digits}f}"


def _signed(value: float | None) -> str:
    return "not measured" if value is None else f"{value:+.3f}"


def _percent(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.1%}"

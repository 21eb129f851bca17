"""May the judge stand in for one of the people? The alternative-annotator test."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

from scipy.stats import t as student
from statsmodels.stats.multitest import multipletests

from consumers.agreement.rows import AgreementRow

LEAST_ITEMS = 30
"""Items that a person must share with others; below it the t-test's assumption does not hold."""
LEAST_PEOPLE = 3


@dataclass(frozen=True, kw_only=True)
class AlternativeAnnotator:
    """``winning_rate`` is the share of people whom the judge may replace; at 0.5 or more it passes.

    ``advantage`` is the mean over people of the share of items on which the judge is at least as
    near to the others as that person is. ``p_values`` are by human column, uncorrected.
    """

    winning_rate: float
    advantage: float
    passes: bool
    epsilon: float
    p_values: dict[str, float]


def alternative_annotator(
    rows: Sequence[AgreementRow], *, epsilon: float, alpha: float = 0.05
) -> AlternativeAnnotator | None:
    """The test of Calderon, Reichart and Dror (2025), false discovery by Benjamini–Yekutieli.

    For each person: over the items that they and at least one other labelled, is the judge as near
    to the others as they are, give or take ``epsilon`` (the worth of cheaper labels: 0.1 for
    crowds, 0.2 for experts)? None where fewer than three people share 30 items with others.
    """
    differences = {
        column: found
        for column in sorted({column for row in rows for column in row.humans})
        if len(found := _differences(rows, column)) >= LEAST_ITEMS
    }
    if len(differences) < LEAST_PEOPLE:
        return None
    p_values = {
        column: _p_value([human - judge for judge, human in found], epsilon)
        for column, found in differences.items()
    }
    rejected = multipletests(list(p_values.values()), alpha=alpha, method="fdr_by")[0]
    rate = float(fmean(map(float, rejected)))
    advantage = fmean(fmean(judge for judge, _ in found) for found in differences.values())
    return AlternativeAnnotator(
        winning_rate=rate,
        advantage=advantage,
        passes=rate >= 0.5,
        epsilon=epsilon,
        p_values=p_values,
    )


def _differences(rows: Sequence[AgreementRow], column: str) -> list[tuple[int, int]]:
    """By item: is the judge at least as near to the others as the person, and vice versa?"""
    found = []
    for row in rows:
        others = [label for name, label in row.humans.items() if name != column]
        if column not in row.humans or not others:
            continue
        person = sum(row.humans[column] == label for label in others)
        judge = sum(row.judge == label for label in others)
        found.append((int(judge >= person), int(person >= judge)))
    return found


def _p_value(differences: Sequence[int], epsilon: float) -> float:
    """One-sided: small where the person's lead over the judge is below ``epsilon``."""
    mean, spread = fmean(differences), stdev(differences)
    if spread == 0:
        return 0.0 if mean < epsilon else 1.0
    statistic = (mean - epsilon) / (spread / sqrt(len(differences)))
    return float(student.cdf(statistic, len(differences) - 1))

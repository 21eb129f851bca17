"""Agreement between two raters: confusion, Cohen's kappa with its standard error, macro F1.

Labels are any strings and any number of classes. Every statistic that is undefined (no ratings,
one class only) is None, never 0 and never NaN.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

from schemas.records import ConfusionCell

Confusion = tuple[ConfusionCell, ...]


@dataclass(frozen=True, kw_only=True)
class Kappa:
    """Chance-corrected agreement: ``value`` = (observed − expected) / (1 − expected).

    ``value`` and ``standard_error`` are None where kappa is undefined: no ratings, or both raters
    used one and the same class only (expected = 1).
    """

    n: int
    observed: float | None
    expected: float | None
    value: float | None
    standard_error: float | None


def confusion(ratings: Iterable[tuple[str, str]]) -> Confusion:
    """Counts of (human, judge) over every pair of labels that occurs, in sorted order."""
    counts = Counter(ratings)
    labels = sorted({label for pair in counts for label in pair})
    return tuple(
        ConfusionCell(human=human, judge=judge, n=counts[human, judge])
        for human in labels
        for judge in labels
    )


def observed_agreement(cells: Confusion) -> float | None:
    """Share of ratings in which both said the same (accuracy)."""
    total = sum(cell.n for cell in cells)
    if total == 0:
        return None
    return sum(cell.n for cell in cells if cell.human == cell.judge) / total


def cohen_kappa(cells: Confusion) -> Kappa:
    """Unweighted kappa (Cohen 1960) and its large-sample standard error.

    The standard error is that of Fleiss, Cohen and Everitt, Psychological Bulletin 72 (1969),
    for a kappa that is not assumed to be zero.
    """
    n = sum(cell.n for cell in cells)
    if n == 0:
        return Kappa(n=0, observed=None, expected=None, value=None, standard_error=None)
    row, column = _marginals(cells, n)
    observed = sum(cell.n for cell in cells if cell.human == cell.judge) / n
    expected = sum(row[label] * column[label] for label in row)
    if expected >= 1 - 1e-12:
        return Kappa(n=n, observed=observed, expected=1.0, value=None, standard_error=None)
    return Kappa(
        n=n,
        observed=observed,
        expected=expected,
        value=(observed - expected) / (1 - expected),
        standard_error=_standard_error(cells, n, observed, expected),
    )


def _marginals(cells: Confusion, n: int) -> tuple[dict[str, float], dict[str, float]]:
    """Share of each label among the humans' and among the judge's verdicts."""
    row = {label: 0.0 for cell in cells for label in (cell.human, cell.judge)}
    column = dict(row)
    for cell in cells:
        row[cell.human] += cell.n / n
        column[cell.judge] += cell.n / n
    return row, column


def influences(cells: Confusion) -> dict[tuple[str, str], float]:
    """How much one item of each (human, judge) cell moves kappa, times n; zero on the average.

    The terms behind equation 13 of Fleiss, Cohen and Everitt (1969), unweighted: their mean square
    over n is the variance of kappa. Raises ``ValueError`` where kappa is undefined.
    """
    kappa = cohen_kappa(cells)
    if kappa.observed is None or kappa.expected is None or kappa.value is None:
        raise ValueError("a kappa that is undefined has no influences")
    return _influences(cells, kappa.n, kappa.observed, kappa.expected)


def _influences(
    cells: Confusion, n: int, observed: float, expected: float
) -> dict[tuple[str, str], float]:
    row, column = _marginals(cells, n)
    adds = {}
    for cell in cells:
        agreement = (cell.human == cell.judge) - observed
        chance = column[cell.human] + row[cell.judge] - 2 * expected
        by_chance = (1 - observed) * chance
        adds[cell.human, cell.judge] = (agreement * (1 - expected) - by_chance) / (
            1 - expected
        ) ** 2
    return adds


def _standard_error(cells: Confusion, n: int, observed: float, expected: float) -> float:
    adds = _influences(cells, n, observed, expected)
    return sqrt(sum(cell.n * adds[cell.human, cell.judge] ** 2 for cell in cells)) / n


def macro_f1(cells: Confusion) -> float | None:
    """Mean over the labels that occur of the F1 of that label, human verdicts as the truth."""
    labels = sorted({label for cell in cells for label in (cell.human, cell.judge) if cell.n})
    if not labels:
        return None
    return sum(_f1(cells, label) for label in labels) / len(labels)


def _f1(cells: Confusion, label: str) -> float:
    hits = sum(cell.n for cell in cells if cell.human == cell.judge == label)
    misses = sum(cell.n for cell in cells if (cell.human == label) != (cell.judge == label))
    return 2 * hits / (2 * hits + misses)


def swap_consistency(verdicts: Sequence[tuple[str | None, str | None]]) -> float | None:
    """Share of pairs where both orders led to the same answer (not whether it is right).

    A verdict is named by the answer it prefers, None where it could not be parsed.
    """
    if not verdicts:
        return None
    return sum(given == swapped for given, swapped in verdicts) / len(verdicts)

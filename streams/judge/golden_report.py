"""Goldens against a judge's verdicts: what passes, by criterion, and what passed before. Pure."""

from collections.abc import Mapping, Sequence

from schemas.events import Judgment
from schemas.records import Record, Winner
from streams.judge.goldens import Golden, Passed


class GoldenResult(Record):
    """One golden; ``winner`` is None where the judge gave no judgment at all."""

    id: str
    criterion: str
    expected: Winner
    winner: Winner | None
    margin: float | None

    @property
    def passes(self) -> bool:
        """A tie passes only where a tie is right; a conflict or an unreadable verdict never."""
        return self.winner is self.expected


class CriterionResult(Record):
    """How many of a criterion's goldens pass."""

    criterion: str
    n: int
    passed: int
    regressions: int


class GoldenReport(Record):
    """``regressions`` passed when it was last recorded and do not now; ``gained`` the reverse.

    ``gone`` passed then and were not asked now: the golden or its criterion is no more.
    """

    results: tuple[GoldenResult, ...]
    criteria: tuple[CriterionResult, ...]
    regressions: tuple[str, ...]
    gained: tuple[str, ...]
    gone: tuple[str, ...]

    @property
    def passed(self) -> tuple[str, ...]:
        """The ids that pass."""
        return tuple(each.id for each in self.results if each.passes)


def golden_report(
    asked: Sequence[tuple[str, Golden]],
    judgments: Mapping[str, Judgment],
    rubric_id: str,
    recorded: Passed | None = None,
) -> GoldenReport:
    """``judgments`` are by comparison id. Without a record nothing is a regression or gained."""
    results = tuple(
        _result(criterion, golden, judgments.get(golden.comparison_id(rubric_id)))
        for criterion, golden in asked
    )
    before = set(recorded.passed) if recorded else set()
    lost = tuple(one.id for one in results if not one.passes and one.id in before)
    gained = tuple(one.id for one in results if one.passes and one.id not in before)
    return GoldenReport(
        results=results,
        criteria=tuple(
            CriterionResult(
                criterion=criterion,
                n=len(own),
                passed=sum(one.passes for one in own),
                regressions=sum(one.id in lost for one in own),
            )
            for criterion, own in _by_criterion(results).items()
        ),
        regressions=lost,
        gained=gained if recorded else (),
        gone=tuple(sorted(before - {one.id for one in results})),
    )


def _result(criterion: str, golden: Golden, judgment: Judgment | None) -> GoldenResult:
    return GoldenResult(
        id=golden.id,
        criterion=criterion,
        expected=golden.expected,
        winner=judgment.winner if judgment else None,
        margin=judgment.margin if judgment else None,
    )


def _by_criterion(results: Sequence[GoldenResult]) -> dict[str, list[GoldenResult]]:
    groups: dict[str, list[GoldenResult]] = {}
    for one in results:
        groups.setdefault(one.criterion, []).append(one)
    return groups

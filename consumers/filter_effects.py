"""What each filter rule does: the pairs it removes, and how right the judge is without them."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from math import log, sqrt

from consumers.calibration.accuracy import Accuracy, accuracy
from consumers.calibration.adjudicate import adjudicate_all
from consumers.calibration.calibrate import matched
from consumers.calibration.matching import ByPrompt, by_prompt
from consumers.calibration.splits import Split, SplitShares, split_of
from schemas.events import Comparison, Judgment, Label
from schemas.records import Purpose, Record
from streams.filter_rules import RULES, FilterSettings, Reason, reasons_against, verifier_decided

Reasons = frozenset[Reason]


class RuleEffect(Record):
    """``removed`` is by this rule, whatever the others say; ``alone`` by no other rule.

    ``before`` is the accuracy on all anchors, ``after`` on those that this rule alone keeps, and
    ``others`` on those that all other rules keep: what would be without it.
    """

    rule: str
    removed: int
    alone: int
    before: Accuracy
    after: Accuracy
    others: Accuracy


class Combination(Record):
    """Pairs that exactly these rules remove.

    ``after`` is the accuracy on the anchors that these rules together keep.
    """

    rules: tuple[str, ...]
    removed: int
    after: Accuracy


class LengthSpread(Record):
    """Standard deviation, around zero, of log(length A / length B) over a workload's ``n`` judged
    comparisons.

    Sides are drawn at random, so the mean is zero; a judge that likes length changes nothing here.
    """

    workload: str
    n: int
    sd: float


class FilterEffects(Record):
    """The rules over the judgments of one judge configuration.

    Anchors are those of the calibration split, where people named a winner. They are in
    ``judgments`` too, removed by not_for_training, which is left out of their accuracy.
    """

    judge_config_hash: str
    rubric_version: str
    judgments: int
    kept: int
    rules: tuple[RuleEffect, ...]
    combinations: tuple[Combination, ...]
    before: Accuracy
    after: Accuracy
    length_spreads: tuple[LengthSpread, ...]


def filter_effects(
    judgments: Iterable[Judgment],
    labels: Iterable[Label],
    settings: FilterSettings,
    shares: SplitShares,
) -> list[FilterEffects]:
    """The effects for each judge configuration, in the order of its first judgment.

    An event seen twice counts once. Judgments are not held, but for one anchor's verdict each.
    """
    adjudications = by_prompt(adjudicate_all(labels).values())
    tallies: dict[str, _Tally] = {}
    seen: set[str] = set()
    for judgment in judgments:
        if judgment.event_id in seen:
            continue
        seen.add(judgment.event_id)
        tally = tallies.setdefault(judgment.judge_config_hash, _Tally(judgment))
        tally.add(judgment, settings, adjudications, shares)
    return [tally.effects() for tally in tallies.values()]


class _Tally:
    """The counts of one judge configuration."""

    def __init__(self, first: Judgment) -> None:
        self._judge_config_hash = first.judge_config_hash
        self._rubric_version = first.rubric_version
        self._combinations: Counter[Reasons] = Counter()
        self._anchors: dict[tuple[str, ...], tuple[Reasons, bool]] = {}
        self._ratios: Counter[str] = Counter()
        self._squares: defaultdict[str, float] = defaultdict(float)

    def add(
        self,
        judgment: Judgment,
        settings: FilterSettings,
        adjudications: ByPrompt,
        shares: SplitShares,
    ) -> None:
        reasons = frozenset(reasons_against(judgment, settings))
        self._combinations[reasons] += 1
        comparison = judgment.comparison
        if verifier_decided(judgment):
            return
        if comparison.purpose is Purpose.PRODUCTION:
            self._ratios[judgment.workload_id] += 1
            self._squares[judgment.workload_id] += _log_ratio(comparison) ** 2
        # the holdout is read once, by calibrate
        if split_of(judgment.prompt_id, shares) is not Split.CALIBRATION:
            return
        if (found := matched(judgment, adjudications)) is not None:
            right = found.anchor.judge.value == found.anchor.human.value
            texts = sorted((comparison.a.candidate.output, comparison.b.candidate.output))
            verdict = (reasons - {"not_for_training"}, right)
            self._anchors.setdefault((judgment.prompt_id, *texts), verdict)

    def effects(self) -> FilterEffects:
        return FilterEffects(
            judge_config_hash=self._judge_config_hash,
            rubric_version=self._rubric_version,
            judgments=self._combinations.total(),
            kept=self._combinations[frozenset()],
            rules=tuple(self._effect(rule.__name__) for rule in RULES),
            combinations=tuple(
                self._combination(reasons, n)
                for reasons, n in self._combinations.most_common()
                if reasons
            ),
            before=self._accuracy(lambda _: True),
            after=self._accuracy(lambda reasons: not reasons),
            length_spreads=tuple(
                LengthSpread(workload=workload, n=n, sd=sqrt(self._squares[workload] / n))
                for workload, n in sorted(self._ratios.items())
                if self._squares[workload]
            ),
        )

    def _effect(self, rule: str) -> RuleEffect:
        return RuleEffect(
            rule=rule,
            removed=sum(n for reasons, n in self._combinations.items() if rule in reasons),
            alone=sum(n for reasons, n in self._combinations.items() if reasons == {rule}),
            before=self._accuracy(lambda _: True),
            after=self._accuracy(lambda reasons: rule not in reasons),
            others=self._accuracy(lambda reasons: reasons <= {rule}),
        )

    def _combination(self, rules: Reasons, removed: int) -> Combination:
        return Combination(
            rules=tuple(_in_order(rules)),
            removed=removed,
            after=self._accuracy(rules.isdisjoint),
        )

    def _accuracy(self, keeps: Callable[[Reasons], bool]) -> Accuracy:
        return accuracy([right for reasons, right in self._anchors.values() if keeps(reasons)])


def _in_order(reasons: Reasons) -> list[str]:
    return [rule.__name__ for rule in RULES if rule.__name__ in reasons]


def _log_ratio(comparison: Comparison) -> float:
    a, b = (len(side.candidate.output) + 1 for side in (comparison.a, comparison.b))
    return log(a / b)

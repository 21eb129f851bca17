"""What stands in the report, gathered from events, ledger and gate. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from consumers.agreement.measure import Agreement, measure
from consumers.agreement.win_rates import Battle, WinRates, win_rates
from consumers.audit.findings import Findings
from consumers.calibration.adjudicate import adjudicate_all, not_withdrawn
from consumers.calibration.calibrate import CalibrationSettings, matched
from consumers.calibration.holdout_ledger import AnchorsDrawn, HoldoutRead, Look
from consumers.calibration.matching import by_prompt
from consumers.calibration.splits import Split, split_of
from schemas.events import Calibration, Judgment, Label
from schemas.records import GateResult, HumanWinner, LabelRole, Verdict

LedgerRow = Look | HoldoutRead | AnchorsDrawn


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What the gate said of a judge; ``reported`` are (name, value, detail) that decide nothing."""

    verdict: Verdict
    gates: tuple[GateResult, ...]
    reported: tuple[tuple[str, float | None, str], ...] = ()
    demoted: bool = False


@dataclass(frozen=True, kw_only=True)
class JudgeSection:
    """One judge configuration. ``history`` are its calibrations over all slices, oldest first;
    ``slices`` the newest of each; ``repeats`` how often the holdout\'s number was published, and
    whether it was the same each time.
    """

    judge_config_hash: str
    ruling: Ruling
    history: tuple[Calibration, ...]
    slices: tuple[Calibration, ...]
    holdout: Calibration | None
    repeats: int
    unchanged: bool
    win_rates: WinRates

    @property
    def now(self) -> Calibration:
        """The newest measurement."""
        return self.history[-1]


@dataclass(frozen=True, kw_only=True)
class Contents:
    """The whole report. ``ceiling`` is people against each other, ``slice_ceilings`` by slice."""

    workload: str
    at: datetime
    min_kappa: float
    judges: tuple[JudgeSection, ...]
    ledger: tuple[LedgerRow, ...]
    ceiling: Agreement | None
    slice_ceilings: dict[str, Agreement]
    audit: Findings | None = None
    unlabelled: dict[str, int] = field(default_factory=dict)


def judge_sections(
    published: Sequence[Calibration],
    judgments: Sequence[Judgment],
    labels: Sequence[Label],
    settings: CalibrationSettings,
    rulings: Mapping[str, Ruling],
) -> tuple[JudgeSection, ...]:
    """A section for each judge with a ruling, the one measured last first.

    ``published`` are the calibrations as the log has them, repeats and all.
    """
    of: defaultdict[str, list[Calibration]] = defaultdict(list)
    for one in published:
        of[one.judge_config_hash].append(one)
    sections = [
        _section(hash_, of[hash_], judgments, labels, settings, ruling)
        for hash_, ruling in rulings.items()
        if any(_is_whole(one, Split.CALIBRATION) for one in of[hash_])
    ]
    return tuple(sorted(sections, key=lambda one: one.now.occurred_at, reverse=True))


def _section(
    hash_: str,
    published: Sequence[Calibration],
    judgments: Sequence[Judgment],
    labels: Sequence[Label],
    settings: CalibrationSettings,
    ruling: Ruling,
) -> JudgeSection:
    first = {one.event_id: one for one in reversed(published)}
    ordered = sorted(first.values(), key=lambda one: (one.occurred_at, one.n, one.event_id))
    read = [one for one in published if _is_whole(one, Split.HOLDOUT)]
    slices = {one.slice: one for one in ordered if one.slice and one.split == Split.CALIBRATION}
    own = [one for one in judgments if one.judge_config_hash == hash_]
    return JudgeSection(
        judge_config_hash=hash_,
        ruling=ruling,
        history=tuple(one for one in ordered if _is_whole(one, Split.CALIBRATION)),
        slices=tuple(slices[name] for name in sorted(slices)),
        holdout=read[0] if read else None,
        repeats=len(read),
        unchanged=len({(one.kappa, one.n) for one in read}) <= 1,
        win_rates=win_rates(_battles(own, labels, settings)),
    )


def _battles(
    judgments: Sequence[Judgment], labels: Sequence[Label], settings: CalibrationSettings
) -> list[Battle]:
    """Models against each other on the anchors of the calibration split."""
    adjudications = by_prompt(adjudicate_all(labels).values())
    found = []
    for judgment in judgments:
        if split_of(judgment.prompt_id, settings.shares) is not Split.CALIBRATION:
            continue
        one = matched(judgment, adjudications)
        if one is None:
            continue
        a, b = judgment.comparison.a.candidate, judgment.comparison.b.candidate
        found.append(
            Battle(
                model_a=a.checkpoint or a.model,
                model_b=b.checkpoint or b.model,
                human=one.anchor.human.value,
                judge=one.anchor.judge.value,
            )
        )
    return found


def human_ceiling(
    judgments: Sequence[Judgment], labels: Sequence[Label]
) -> tuple[Agreement | None, dict[str, Agreement]]:
    """How well two people agree on an anchor, over all and by slice: no judge can do better.

    The first two labels of each comparison, ties apart; of any split, as nothing is tuned on it.
    """
    slice_of = {one.prompt_id: one.comparison.slice for one in judgments}
    votes: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for label in sorted(not_withdrawn(labels), key=lambda one: (one.annotator, one.event_id)):
        if label.role is LabelRole.LABEL and label.winner in (HumanWinner.A, HumanWinner.B):
            key = (label.prompt_id, label.content_sha256)
            votes[key].setdefault(label.annotator, label.winner.value)
    pairs: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for (prompt_id, _), people in votes.items():
        if len(people) >= 2:
            one, other = list(people.values())[:2]
            pairs[slice_of.get(prompt_id, "")].append((one, other))
    every = [pair for some in pairs.values() for pair in some]
    named = {name: measure(some) for name, some in sorted(pairs.items()) if name}
    return (measure(every) if every else None), named


def _is_whole(one: Calibration, split: Split) -> bool:
    return (one.split, one.slice) == (split.value, "")

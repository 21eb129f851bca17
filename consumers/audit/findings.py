"""What people found in the audited preferences, and what training has to know of it. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from consumers.audit.error_rate import AuditorError, Rate, auditor_error, true_error
from consumers.audit.sample import AuditItem, Stratum
from consumers.calibration.adjudicate import not_withdrawn
from consumers.calibration.content import as_given_to, either_sha256
from schemas.events import Calibration, Comparison, Label
from schemas.records import HumanWinner, LabelRole, PreferenceSource

LEAST_CHECKED = 30
"""They measure a share of 10 % with a standard error of 6 points; of fewer audited preferences the
calibration, which has hundreds of anchors, says more."""

_DECIDED = (HumanWinner.A, HumanWinner.B)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Preferences of one stratum and source. ``ties`` have no better answer to be flipped, so they
    are told apart; ``open`` wait for their auditor.
    """

    checked: int = 0
    wrong: int = 0
    ties: int = 0
    open: int = 0


@dataclass(frozen=True, kw_only=True)
class Findings:
    """``error`` is of rlaif preferences, measured on the random share alone; None before the first
    audit, and where the auditors agree no better than coins. Those near the threshold are worse
    by choice, and only looked at.
    """

    counts: dict[tuple[Stratum, PreferenceSource], Counts]
    auditors: AuditorError
    error: Rate | None


@dataclass(frozen=True, kw_only=True)
class LabelError:
    """The share of rlaif rows that is wrong, and where that is known from."""

    rate: Rate
    origin: str


def findings(items: Iterable[AuditItem], labels: Sequence[Label]) -> Findings:
    """The audit so far, with the auditors' own error from anchors that two people labelled."""
    standing = not_withdrawn(labels)
    audits: defaultdict[str, list[Label]] = defaultdict(list)
    for label in sorted(standing, key=lambda one: (one.occurred_at, one.event_id)):
        if label.role is LabelRole.AUDIT:
            audits[label.prompt_id].append(label)
    found: defaultdict[tuple[Stratum, PreferenceSource], list[str]] = defaultdict(list)
    for item in items:
        found[item.stratum, item.source].append(_outcome(item, audits[item.comparison.prompt_id]))
    counts = {key: _counts(outcomes) for key, outcomes in sorted(found.items())}
    auditors = auditor_error(*double_labels(standing))
    random = counts.get(("random", PreferenceSource.RLAIF), Counts())
    return Findings(
        counts=counts,
        auditors=auditors,
        error=true_error(random.checked, random.wrong, auditors)
        if random.checked and not auditors.is_a_coin
        else None,
    )


def waiting(items: Iterable[AuditItem], labels: Iterable[Label]) -> list[Comparison]:
    """The comparisons that no auditor has answered yet: the audit queue."""
    audits = (one for one in not_withdrawn(labels) if one.role is LabelRole.AUDIT)
    answered = {one.content_sha256 for one in audits}
    return [
        item.comparison for item in items if answered.isdisjoint(either_sha256(item.comparison))
    ]


def label_error(found: Findings, calibration: Calibration | None) -> LabelError | None:
    """The audited error; of fewer than 30 audited preferences one minus the calibration's accuracy,
    where there is a calibration; None where neither is known.

    Anchors are harder than traffic that passed the filter, so the stand-in is rather too high.
    """
    audited = found.error
    agreement = calibration.observed_agreement if calibration else None
    if audited is not None and (audited.n >= LEAST_CHECKED or agreement is None):
        return LabelError(rate=audited, origin=f"{audited.n} audited preferences")
    if calibration is None or agreement is None:
        return None
    n = calibration.n
    wrong = round((1 - agreement) * n)
    none = AuditorError(rate=None, standard_error=0.0, pairs=0)
    return LabelError(
        rate=true_error(n, wrong, none), origin=f"{_no_audit(found)}: {n} calibration anchors"
    )


def _no_audit(found: Findings) -> str:
    if found.auditors.is_a_coin:
        return "the audit says nothing"
    if found.error is None:
        return "no audit yet"
    return f"only {found.error.n} preferences audited, of {LEAST_CHECKED} that are needed"


def double_labels(labels: Iterable[Label]) -> tuple[int, int]:
    """Pairs of people who both decided the same texts, and how many of them disagree."""
    votes: defaultdict[str, dict[str, HumanWinner]] = defaultdict(dict)
    for label in sorted(labels, key=lambda one: (one.occurred_at, one.event_id)):
        if label.role is LabelRole.LABEL:
            votes[label.content_sha256].setdefault(label.annotator, label.winner)
    pairs = [
        pair
        for people in votes.values()
        for pair in combinations(people.values(), 2)
        if set(pair) <= set(_DECIDED)
    ]
    return len(pairs), sum(one is not other for one, other in pairs)


def _outcome(item: AuditItem, audits: Sequence[Label]) -> str:
    for label in audits:
        given = as_given_to(label, item.comparison)
        if given is None:
            continue
        if given.winner not in _DECIDED:
            return "tie"
        return "right" if (given.winner is HumanWinner.A) is item.chosen_is_a else "wrong"
    return "open"


def _counts(outcomes: Sequence[str]) -> Counts:
    wrong = outcomes.count("wrong")
    return Counts(
        checked=wrong + outcomes.count("right"),
        wrong=wrong,
        ties=outcomes.count("tie"),
        open=outcomes.count("open"),
    )

"""The decision to train or not, with every number that made it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from consumers.trigger.rate import Rate, rise
from consumers.trigger.settings import TriggerSettings
from schemas.records import GateResult, Verdict


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the topics hold now. ``new_pairs`` came since the last training; ``rubrics`` are the
    versions that they were judged by."""

    new_pairs: int
    rubrics: frozenset[str] = frozenset()
    rates: Mapping[str, Rate] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Before:
    """What the log of runs says. ``triggered_at`` is None where nothing holds the next one back.

    ``rates`` are those at the last training (or when the first trainer began to watch);
    ``trained`` is whether the last training that was triggered came to its end.
    """

    trained_at: datetime | None = None
    triggered_at: datetime | None = None
    trained: bool = True
    rubrics: frozenset[str] = frozenset()
    rates: Mapping[str, Rate] = field(default_factory=dict)
    requested: str | None = None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether to train. A reason that holds is a gate that passed; so is what does not hold back.

    ``due_since`` is when a reason first held: hand it to the next decision.
    """

    train: bool
    gates: tuple[GateResult, ...]
    due_since: datetime | None
    detail: str


def decide(
    seen: Seen,
    before: Before,
    settings: TriggerSettings,
    now: datetime,
    due_since: datetime | None,
) -> Decision:
    """Train where a reason holds and nothing holds it back; a person's request is not held back."""
    reasons = list(_reasons(seen, before, settings, now))
    requested = before.requested is not None
    due = [gate for gate in reasons if gate.verdict is Verdict.PASS]
    due_since = (due_since or now) if due else None
    holds = list(_holds(seen, before, settings, now, due_since))
    held = [gate for gate in holds if gate.verdict is not Verdict.PASS]
    train = bool(due) and (requested or not held)
    if train:
        detail = "; ".join(f"{gate.name}: {gate.detail}" for gate in due)
    elif due:
        detail = "; ".join(f"{gate.name}: {gate.detail}" for gate in held)
    else:
        detail = "no reason to train"
    return Decision(train=train, gates=(*reasons, *holds), due_since=due_since, detail=detail)


def _reasons(
    seen: Seen, before: Before, settings: TriggerSettings, now: datetime
) -> Iterator[GateResult]:
    if before.requested is not None:
        yield _gate("requested", holds=True, detail=before.requested or "by hand")
    yield _gate(
        "new_pairs",
        holds=seen.new_pairs >= settings.min_new_pairs,
        value=seen.new_pairs,
        threshold=settings.min_new_pairs,
        detail=f"{seen.new_pairs} new pairs",
    )
    if before.trained_at is not None:
        age_days = (now - before.trained_at) / timedelta(days=1)
        yield _gate(
            "age_days",
            holds=age_days >= settings.max_age_days,
            value=age_days,
            threshold=settings.max_age_days,
            detail=f"the last training is {age_days:.1f} days old",
        )
        fresh = sorted(seen.rubrics - before.rubrics)
        yield _gate(
            "rubric",
            holds=bool(before.rubrics) and bool(fresh),
            value=len(fresh),
            detail=f"new rubric versions: {', '.join(fresh)}" if fresh else "",
        )
    for name, limit in (
        ("failures", settings.max_failure_rise),
        ("conflicts", settings.max_conflict_rise),
        ("complaints", settings.max_complaint_rise),
    ):
        if name in seen.rates and name in before.rates:
            yield _drift(name, before.rates[name], seen.rates[name], limit, settings)


def _drift(
    name: str, before: Rate, now: Rate, limit: float, settings: TriggerSettings
) -> GateResult:
    """Holds where the share rose by more than the limit, and surely rose at all."""
    found = rise(before, now)
    if found is None or min(before.n, now.n) < settings.drift_min_events:
        shown = f"{min(before.n, now.n)} events are too few"
        return _gate(name, holds=False, threshold=limit, detail=shown)
    return _gate(
        name,
        holds=found.value > limit and found.low > 0,
        value=found.value,
        threshold=limit,
        detail=f"from {before.value:.3f} to {now.value:.3f}, "
        f"rise {found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]",
    )


def _holds(
    seen: Seen,
    before: Before,
    settings: TriggerSettings,
    now: datetime,
    due_since: datetime | None,
) -> Iterator[GateResult]:
    yield _gate(
        "least_pairs",
        holds=seen.new_pairs >= settings.least_pairs,
        value=seen.new_pairs,
        threshold=settings.least_pairs,
        detail=f"{seen.new_pairs} new pairs of {settings.least_pairs}",
    )
    if due_since is not None:
        settled = (now - due_since) / timedelta(minutes=1)
        yield _gate(
            "settled",
            holds=settled >= settings.settle_minutes,
            value=settled,
            threshold=settings.settle_minutes,
            detail=f"a reason must hold for {settings.settle_minutes:g} minutes",
        )
    if before.triggered_at is not None:
        limit = settings.min_interval_minutes if before.trained else settings.retry_minutes
        waited = (now - before.triggered_at) / timedelta(minutes=1)
        yield _gate(
            "interval",
            holds=waited >= limit,
            value=waited,
            threshold=limit,
            detail=f"{limit:g} minutes between trainings"
            + ("" if before.trained else ", as the last one was refused or failed"),
        )


def _gate(
    name: str,
    *,
    holds: bool,
    value: float | None = None,
    threshold: float | None = None,
    detail: str = "",
) -> GateResult:
    return GateResult(
        name=name,
        verdict=Verdict.PASS if holds else Verdict.FAIL,
        value=value,
        threshold=threshold,
        detail=detail,
    )

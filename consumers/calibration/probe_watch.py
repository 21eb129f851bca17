"""What probes in live traffic say of a judge since it was calibrated: the gate's ``drift``."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from consumers.calibration.adjudicate import adjudicate_all
from consumers.calibration.drift import agreement_of_kappa, cusum
from consumers.calibration.matching import by_prompt, human_verdict
from schemas.events import Calibration, Judgment, Label
from schemas.records import GateResult, HumanWinner, Purpose, Verdict, Winner

GATE = "drift"


@dataclass(frozen=True, kw_only=True, order=True)
class ProbeOutcome:
    """Whether the judge agreed with people on one probe; a verdict not parsed did not."""

    at: datetime
    judgment_id: str
    agreed: bool


def probe_outcomes(
    judgments: Iterable[Judgment], labels: Iterable[Label]
) -> dict[str, tuple[ProbeOutcome, ...]]:
    """The decided probes of each judge configuration, oldest first.

    Ties and conflicts of the judge are abstentions, as in calibration: they say nothing here.
    """
    adjudications = by_prompt(adjudicate_all(labels).values())
    found: defaultdict[str, set[ProbeOutcome]] = defaultdict(set)
    for one in judgments:
        if one.comparison.purpose is not Purpose.PROBE:
            continue
        if one.winner in (Winner.TIE, Winner.CONFLICT):
            continue
        human = human_verdict(one.comparison, adjudications)
        if human is None or human.winner not in (HumanWinner.A, HumanWinner.B):
            continue
        found[one.judge_config_hash].add(
            ProbeOutcome(
                at=one.occurred_at,
                judgment_id=one.event_id,
                agreed=one.winner.value == human.winner.value,
            )
        )
    return {hash_: tuple(sorted(outcomes)) for hash_, outcomes in found.items()}


def drift_gate(
    calibration: Calibration, outcomes: Sequence[ProbeOutcome], unacceptable_kappa: float
) -> GateResult | None:
    """FAIL where the probes since the calibration crossed the limit; None where there are none.

    ``calibration`` is the judge's latest over all slices. A judge that was calibrated at or below
    ``unacceptable_kappa`` has nothing to fall from: the rule on kappa is there for it.
    """
    since = [one for one in outcomes if one.at > calibration.occurred_at]
    kappa, observed = calibration.kappa, calibration.observed_agreement
    if not since or kappa is None or observed is None:
        return None
    expected = (observed - kappa) / (1 - kappa) if kappa < 1 else 0.5
    # a judge that never erred on its anchors errs at times all the same
    calibrated = min(observed, 1 - 1 / (calibration.n + 2))
    unacceptable = agreement_of_kappa(unacceptable_kappa, expected)
    if not 0 < unacceptable < calibrated:
        return None
    found = cusum((one.agreed for one in since), calibrated, unacceptable)
    shown = f"{found.probes} probes since the calibration, {found.disagreements} disagree"
    if found.alarm_at is None or found.began_at is None:
        return GateResult(
            name=GATE, verdict=Verdict.PASS, value=found.sum, threshold=found.limit, detail=shown
        )
    return GateResult(
        name=GATE,
        verdict=Verdict.FAIL,
        value=found.sum,
        threshold=found.limit,
        detail=f"{shown}: the judge is no longer the one that was calibrated, since about "
        f"{since[found.began_at - 1].at:%Y-%m-%d %H:%M} UTC; find out what changed, then draw and "
        "label fresh anchors",
    )


def drift_gates(
    calibrations: Iterable[Calibration],
    outcomes: Mapping[str, Sequence[ProbeOutcome]],
    unacceptable_kappa: float,
) -> dict[str, GateResult]:
    """The drift of every judge configuration that is probed, against its latest calibration."""
    latest: dict[str, Calibration] = {}
    for one in sorted(calibrations, key=lambda one: (one.occurred_at, one.n, one.event_id)):
        if (one.split, one.slice) == ("calibration", ""):
            latest[one.judge_config_hash] = one
    found = {
        hash_: drift_gate(one, outcomes.get(hash_, ()), unacceptable_kappa)
        for hash_, one in latest.items()
    }
    return {hash_: result for hash_, result in found.items() if result is not None}

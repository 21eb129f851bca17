"""The rule on slices: one of them may be judged badly while the whole looks well. Pure."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from schemas.events import Calibration, Preference
from schemas.records import GateResult, PreferenceSource, Verdict
from trainer.gate_settings import GateSettings


@dataclass(frozen=True, kw_only=True)
class SliceDecision:
    """``calibrated`` slices decided; ``uncalibrated`` ones had too few anchors to: (name, n)."""

    results: tuple[GateResult, ...] = ()
    calibrated: frozenset[str] = frozenset()
    uncalibrated: tuple[tuple[str, int], ...] = ()


def slice_gates(
    whole: Calibration, slices: Sequence[Calibration], settings: GateSettings
) -> SliceDecision:
    """Every slice with anchors of enough prompts: its kappa, and the 95 % lower bound of it.

    All of them have to hold at once, so there is nothing to correct for their number (Berger 1982,
    intersection–union). A slice that is the whole is decided by the rules for the whole.
    """
    results, calibrated, uncalibrated = [], set(), []
    for one in sorted(slices, key=lambda one: one.slice):
        if one.n == whole.n:
            calibrated.add(one.slice)
        elif one.independent < settings.slice_min_anchors:
            uncalibrated.append((one.slice, one.independent))
        else:
            calibrated.add(one.slice)
            results.append(slice_gate(one, settings))
    return SliceDecision(
        results=tuple(results),
        calibrated=frozenset(calibrated),
        uncalibrated=tuple(uncalibrated),
    )


def without_uncalibrated(
    rows: Sequence[Preference], calibrated: Collection[str]
) -> tuple[tuple[Preference, ...], dict[str, int]]:
    """The rows but for those that a judge labelled in a slice where nobody measured it.

    The second is how many were left out, by slice. People and verifiers need no calibration.
    """
    kept, left_out = [], Counter[str]()
    for row in rows:
        if row.source is PreferenceSource.RLAIF and row.slice not in calibrated:
            left_out[row.slice] += 1
        else:
            kept.append(row)
    return tuple(kept), dict(sorted(left_out.items()))


def slice_gate(one: Calibration, settings: GateSettings) -> GateResult:
    """One slice with enough anchors. FAIL where even the upper bound is below the wanted kappa."""
    name = f"slice {one.slice}"
    if one.kappa is None or one.lower_bound is None or one.upper_bound is None:
        return GateResult(
            name=name,
            verdict=Verdict.INCONCLUSIVE,
            threshold=settings.slice_min_kappa,
            detail=f"kappa is undefined on its {one.n} anchors: one class only",
        )
    verdict = Verdict.INCONCLUSIVE
    if one.kappa >= settings.slice_min_kappa and one.lower_bound >= settings.slice_min_lower_bound:
        verdict = Verdict.PASS
    elif one.upper_bound < settings.slice_min_kappa:
        verdict = Verdict.FAIL
    return GateResult(
        name=name,
        verdict=verdict,
        value=one.kappa,
        threshold=settings.slice_min_kappa,
        detail=f"lower bound {one.lower_bound:.4f} of {settings.slice_min_lower_bound:g}, "
        f"upper {one.upper_bound:.4f}, {one.n} anchors",
    )

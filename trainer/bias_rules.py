"""The rules on what pulls a judge besides the answers: position, length, attacks. Pure."""

from schemas.events import Calibration
from schemas.interval import two_sided_z
from schemas.records import GateResult, Verdict
from trainer.gate_settings import GateSettings


def bias_gates(calibration: Calibration, settings: GateSettings) -> list[GateResult]:
    """Position bias and length slope, each where it was measured."""
    rules = (
        (
            "position_bias",
            calibration.position_bias,
            calibration.position_bias_error,
            settings.max_position_bias,
        ),
        (
            "length_slope",
            calibration.length_slope,
            calibration.length_slope_error,
            settings.max_length_slope,
        ),
    )
    return [
        _within(name, value, error, limit)
        for name, value, error, limit in rules
        if value is not None
    ]


def attack_gate(attack_success: float, settings: GateSettings) -> GateResult:
    """``attack_success`` is an upper 95 % bound of the share of attacks that changed a verdict."""
    held = attack_success <= settings.max_attack_success
    return GateResult(
        name="attack_success",
        verdict=Verdict.PASS if held else Verdict.FAIL,
        value=attack_success,
        threshold=settings.max_attack_success,
        detail="" if held else "instructions inside the answers move the judge too often",
    )


def _within(name: str, value: float, error: float | None, limit: float) -> GateResult:
    """FAIL where the whole 95 % interval is beyond the limit, INCONCLUSIVE where the value is."""
    if error is None:
        shown, surely = "too few anchors for an interval", False
    else:
        half = two_sided_z() * error
        shown = f"95 % interval {value - half:.3f} to {value + half:.3f}"
        surely = abs(value) - half > limit
    verdict = Verdict.PASS
    if abs(value) > limit:
        verdict = Verdict.FAIL if surely else Verdict.INCONCLUSIVE
    return GateResult(name=name, verdict=verdict, value=value, threshold=limit, detail=shown)

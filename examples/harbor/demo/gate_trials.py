"""What the gate is for, shown: it refuses thumbs and a broken judge, and lets the good one pass."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from consumers.calibration.calibrate import CalibrationSettings, calibrate
from consumers.calibration.splits import Split
from schemas.events import Calibration, Judgment, Label, Preference
from schemas.records import PreferenceSource, Purpose, Verdict, VerifierWinner, Winner
from trainer.gate import GateDecision, gate, label_sources
from trainer.gate_rules import CalibrationRule
from trainer.gate_settings import GateSettings
from trainer.kappa_rule import Looks

BROKEN = "deliberately-broken"
"""Stands where a judge_config_hash would: nobody can take this judge for a real one."""


@dataclass(frozen=True, kw_only=True)
class GateTrial:
    """Something that asked to be trained on, and what the gate said."""

    title: str
    decision: GateDecision

    @property
    def why(self) -> str:
        """The gates that did not pass, or kappa's numbers where all did."""
        refused = [one for one in self.decision.results if one.verdict is not Verdict.PASS]
        shown = refused or [one for one in self.decision.results if one.name == "kappa"]
        return "\n".join(f"{one.name}: {one.detail or _numbers(one.value)}" for one in shown)


def prefers_longer(judgment: Judgment) -> Judgment:
    """The same anchor by a judge that is deliberately broken: the longer answer always wins."""
    comparison = judgment.comparison
    longer = len(comparison.a.candidate.output) - len(comparison.b.candidate.output)
    winner = Winner.TIE if longer == 0 else Winner.A if longer > 0 else Winner.B
    decided = comparison.verifier_winner is not VerifierWinner.NONE
    return judgment.model_copy(
        update={
            "event_id": f"{BROKEN} {judgment.event_id}",
            "opinions": (),
            "winner": judgment.winner if decided else winner,
            "crosscheck_winner": winner if decided else None,
            "margin": None,
            "position_bias": None,
            "judge_config_hash": BROKEN,
        }
    )


def gate_trials(
    judgments: Iterable[Judgment],
    labels: Sequence[Label],
    thumbs: Iterable[Preference],
    calibrations: Sequence[Calibration],
    rules: tuple[CalibrationSettings, GateSettings],
    looks: Looks,
    now: datetime,
) -> tuple[GateTrial, ...]:
    """Thumbs, the broken judge and the judge of the project, each before the gate.

    Nothing of the broken judge is published, and it never sees the holdout.
    """
    calibration, settings = rules
    anchors = [one for one in judgments if one.comparison.purpose is Purpose.ANCHOR]
    broken = calibrate(
        map(prefers_longer, anchors),
        labels,
        calibration,
        CalibrationRule(settings=settings),
        splits=(Split.CALIBRATION,),
    )
    good = sorted({one.judge_config_hash for one in calibrations})
    return (
        GateTrial(
            title="a batch of thumbs", decision=gate(label_sources(thumbs), (), settings, now)
        ),
        GateTrial(
            title="a judge that is deliberately broken: the longer answer wins",
            decision=gate({PreferenceSource.RLAIF: [BROKEN]}, broken, settings, now),
        ),
        GateTrial(
            title="the project's judge",
            decision=gate({PreferenceSource.RLAIF: good}, calibrations, settings, now, looks=looks),
        ),
    )


def _numbers(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"

"""Preferences, labels and calibrations for the tests of trainer and calibration."""

from typing import Any

from consumers.calibration.content import comparison_sha256
from schemas.events import Calibration, Comparison, Label, Preference
from schemas.records import (
    HumanWinner,
    LabelRole,
    Message,
    Order,
    PreferenceSource,
    Verdict,
)
from tests.events import NOON


def said(text: str, role: str = "assistant") -> tuple[Message, ...]:
    """One turn."""
    return (Message(role=role, content=text),)


def preference(name: str, **changes: Any) -> Preference:
    """An RLAIF row of its own prompt."""
    fields: dict[str, Any] = {
        "event_id": name,
        "occurred_at": NOON,
        "workload_id": "shop",
        "config_hash": "f",
        "source_ids": (f"judgment of {name}",),
        "prompt_id": f"prompt of {name}",
        "prompt": said(f"What is {name}?", "user"),
        "chosen": said(f"{name} is good."),
        "rejected": said(f"{name} is bad."),
        "chosen_id": f"{name}-chosen",
        "rejected_id": f"{name}-rejected",
        "source": PreferenceSource.RLAIF,
        "rubric_version": "1",
        "teacher_model": "judge",
        "judge_config_hash": "jc",
        "margin": 1.5,
        "agreement": 1.0,
        "chosen_checks": {"sql": "PASS"},
        "chosen_length": 10,
        "rejected_length": 9,
    }
    return Preference(**(fields | changes))


def human(name: str, **changes: Any) -> Preference:
    """A row that people decided."""
    by_people = {"source": PreferenceSource.HUMAN, "judge_config_hash": "", "margin": None}
    return preference(name, **(by_people | changes))


def label(annotator: str, winner: HumanWinner, **changes: Any) -> Label:
    """A first label of the comparison of ``tests.events``."""
    fields: dict[str, Any] = {
        "event_id": f"label of {annotator}",
        "occurred_at": NOON,
        "workload_id": "shop",
        "config_hash": "",
        "comparison_id": "comparison-1",
        "prompt_id": "prompt-1",
        "content_sha256": "content",
        "annotator": annotator,
        "role": LabelRole.LABEL,
        "winner": winner,
        "order": Order.AB,
    }
    return Label(**(fields | changes))


def calibration(**changes: Any) -> Calibration:
    """A fresh calibration of a good judge."""
    fields: dict[str, Any] = {
        "event_id": "calibration-1",
        "occurred_at": NOON,
        "workload_id": "shop",
        "config_hash": "c",
        "judge_config_hash": "jc",
        "rubric_version": "1",
        "panel": ("judge",),
        "split": "calibration",
        "n": 700,
        "confusion": (),
        "observed_agreement": 0.9,
        "kappa": 0.80,
        "standard_error": 0.023,
        "lower_bound": 0.76,
        "upper_bound": 0.84,
        "coverage": 0.95,
        "parse_failures": 0,
        "verdict": Verdict.PASS,
    }
    return Calibration(**(fields | changes))


def labels_of(one: Comparison, winner: HumanWinner = HumanWinner.A) -> list[Label]:
    """The same verdict of two people on the comparison."""
    return [
        label(
            annotator,
            winner,
            event_id=f"{annotator} on {one.event_id}",
            comparison_id=one.event_id,
            prompt_id=one.prompt_id,
            content_sha256=comparison_sha256(one),
        )
        for annotator in ("ann", "bob")
    ]

"""Core rows: what people decided on the core split, as human preferences to be trained on."""

from collections.abc import Iterable

from consumers.calibration.adjudicate import adjudicate_all
from consumers.calibration.calibrate import CalibrationSettings
from consumers.calibration.matching import HumanVerdict, by_prompt, human_verdict
from consumers.calibration.splits import Split, split_of
from schemas.events import Comparison, Label, Preference, latest
from schemas.ids import config_hash, derived_id
from schemas.records import (
    HumanWinner,
    Message,
    PreferenceSource,
    Purpose,
    VerifiedCandidate,
)

STAGE = "core"


def core_preferences(
    comparisons: Iterable[Comparison], labels: Iterable[Label], settings: CalibrationSettings
) -> list[Preference]:
    """A human preference for every adjudicated anchor of the core split that has a winner.

    A comparison or the same texts seen twice gives one row.
    """
    adjudications = by_prompt(adjudicate_all(labels).values())
    hash_ = config_hash(settings, STAGE)
    rows: dict[str, Preference] = {}
    for comparison in comparisons:
        if comparison.purpose is not Purpose.ANCHOR:
            continue
        if split_of(comparison.prompt_id, settings.shares) is not Split.CORE:
            continue
        verdict = human_verdict(comparison, adjudications)
        if verdict is not None and verdict.winner in (HumanWinner.A, HumanWinner.B):
            row = human_preference(comparison, verdict, hash_)
            rows.setdefault(verdict.adjudication.comparison_id, row)
    return list(rows.values())


def human_preference(comparison: Comparison, verdict: HumanVerdict, hash_: str) -> Preference:
    """The row of one comparison whose adjudicated winner is A or B."""
    chosen, rejected = comparison.a, comparison.b
    if verdict.winner is HumanWinner.B:
        chosen, rejected = rejected, chosen
    adjudication = verdict.adjudication
    sources = (comparison.event_id, *adjudication.label_ids)
    return Preference(
        event_id=derived_id("Preference", STAGE, sources, hash_),
        occurred_at=latest(comparison.occurred_at, adjudication.occurred_at),
        workload_id=comparison.workload_id,
        config_hash=hash_,
        source_ids=sources,
        prompt_id=comparison.prompt_id,
        prompt=comparison.messages,
        chosen=_answer(chosen),
        rejected=_answer(rejected),
        chosen_id=chosen.candidate.completion_id,
        rejected_id=rejected.candidate.completion_id,
        source=PreferenceSource.HUMAN,
        rubric_version=comparison.rubric_id,
        teacher_model="",
        judge_config_hash="",
        chosen_checks={check.name: check.status.value for check in chosen.checks},
        rejected_checks={check.name: check.status.value for check in rejected.checks},
        chosen_length=len(chosen.candidate.output),
        rejected_length=len(rejected.candidate.output),
        slice=comparison.slice,
    )


def _answer(side: VerifiedCandidate) -> tuple[Message, ...]:
    return (Message(role="assistant", content=side.candidate.output),)

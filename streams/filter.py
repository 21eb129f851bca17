"""filter: judgments into preferences, or into discards with every reason against them."""

from collections.abc import Sequence

from schemas.events import Event, Judgment, Preference
from schemas.ids import config_hash, derived_id
from schemas.records import Message, PreferenceSource
from streams.discard import discard
from streams.filter_rules import (
    RULES_VERSION,
    FilterSettings,
    deciding_numbers,
    reasons_against,
    sides,
    verifier_decided,
)

STAGE = "filter"


class FilterStage:
    """Judgment -> Preference, or a Discard with every reason and the numbers that decided."""

    name = STAGE

    def __init__(self, settings: FilterSettings) -> None:
        self._settings = settings
        self.config_hash = config_hash(settings, STAGE, RULES_VERSION)

    async def __call__(self, event: Judgment) -> Sequence[Event]:
        reasons = reasons_against(event, self._settings)
        if reasons:
            return [
                discard(
                    event,
                    STAGE,
                    self.config_hash,
                    reasons,
                    numbers=deciding_numbers(event, self._settings),
                    subject_ids=[event.comparison.event_id],
                )
            ]
        return [self._preference(event)]

    def _preference(self, event: Judgment) -> Preference:
        chosen, rejected = sides(event)
        decided = verifier_decided(event)
        return Preference(
            event_id=derived_id("Preference", STAGE, [event.event_id], self.config_hash),
            occurred_at=event.occurred_at,
            workload_id=event.workload_id,
            config_hash=self.config_hash,
            source_ids=(event.event_id,),
            prompt_id=event.prompt_id,
            prompt=event.comparison.messages,
            chosen=(Message(role="assistant", content=chosen.candidate.output),),
            rejected=(Message(role="assistant", content=rejected.candidate.output),),
            chosen_id=chosen.candidate.completion_id,
            rejected_id=rejected.candidate.completion_id,
            source=PreferenceSource.VERIFIER if decided else PreferenceSource.RLAIF,
            rubric_version=event.rubric_version,
            teacher_model=event.teacher_model,
            judge_config_hash=event.judge_config_hash,
            margin=event.margin,
            agreement=event.agreement,
            chosen_checks={check.name: check.status.value for check in chosen.checks},
            rejected_checks={check.name: check.status.value for check in rejected.checks},
            chosen_length=len(chosen.candidate.output),
            rejected_length=len(rejected.candidate.output),
            slice=event.comparison.slice,
            panel=event.panel,
            marks=event.marks,
        )

    async def aclose(self) -> None:
        """Nothing is held."""

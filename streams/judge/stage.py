"""judge: comparisons into judgments, by verifier, by rule, or by those who are asked."""

from collections.abc import Sequence
from typing import Final

from schemas.errors import Poison
from schemas.events import Comparison, Event, Judgment
from schemas.ids import ConfigHash, config_hash, derived_id, unit_interval
from schemas.records import VerifierWinner, Winner
from streams.discard import discard
from streams.judge.judges import Heard, Judges
from streams.judge.marks import Mark
from streams.judge.pre_checks import PRE_CHECKS_VERSION, pre_checked, rule_winner
from streams.judge.same_model import judged_itself, judges_itself
from streams.judge.settings import JudgeSettings
from streams.judge.verdict import Decision

STAGE: Final = "judge"


class JudgeStage:
    """Comparison -> Judgment, or a Discard: ``no_judge``, or ``same_model`` if not allowed.

    Verifier-decided comparisons keep the verifier's winner; a seeded share of them is judged too.
    Of the others an answer that fails a pre-check loses. What is left the judges are asked about,
    in both orders.
    """

    name = STAGE

    def __init__(self, settings: JudgeSettings, judges: Judges | None) -> None:
        """``judges`` None: only verifiers decide. The stage owns the judges and closes them."""
        self._settings = settings
        self.judges = judges
        self.judge_config_hash = judge_config_hash(settings, judges)
        panel = judges.panel if judges else None
        self._panel_ref = panel.ref if panel else ""
        self.config_hash = config_hash(
            self.judge_config_hash,
            str(settings.crosscheck_share),
            str(settings.crosscheck_seed),
            str(settings.allow_same_model),
            self._panel_ref,
        )

    async def __call__(self, event: Comparison) -> Sequence[Event]:
        decided = event.verifier_winner is not VerifierWinner.NONE
        if self.judges is None:
            return [self._verified(event)] if decided else [self._discard(event, "no_judge")]
        if decided and not self._is_crosschecked(event):
            return [self._verified(event)]
        if not self.judges.are_meant(event.rubric_id):
            raise Poison(
                f"comparison {event.event_id} asks for rubric {event.rubric_id!r}, this judge has "
                f"{', '.join(self.judges.refs)}; make pair.rubric_id and judge of pipeline.yaml "
                "agree"
            )
        if not decided and self._settings.pre_checks and (found := pre_checked(event)):
            ruled = self._judgment(event, Decision(winner=rule_winner(found)), [Mark.PRE_CHECK])
            return [ruled.model_copy(update={"pre_checks": found})]
        return [await self._judged(event, self.judges, decided)]

    async def aclose(self) -> None:
        """Close the judges' models."""
        if self.judges is not None:
            await self.judges.aclose()

    def _is_crosschecked(self, event: Comparison) -> bool:
        place = unit_interval("crosscheck", str(self._settings.crosscheck_seed), event.event_id)
        return place < self._settings.crosscheck_share

    async def _judged(self, event: Comparison, judges: Judges, decided: bool) -> Event:
        own = judges_itself(event, judges.members)
        if own and not self._settings.allow_same_model:
            return self._not_its_own(event, decided)
        heard = await judges.hear(event)
        own = own or judged_itself(event, heard.opinions)
        if own and not self._settings.allow_same_model:
            return self._not_its_own(event, decided)
        marks = [Mark.SAME_MODEL, *heard.marks] if own else heard.marks
        if not decided:
            return self._judgment(event, heard.decision, marks, heard)
        verified = self._verified(event, marks, heard)
        return verified.model_copy(update={"crosscheck_winner": heard.decision.winner})

    def _not_its_own(self, event: Comparison, decided: bool) -> Event:
        """A judge may not judge its own answers; what a verifier decided stands without it."""
        return self._verified(event) if decided else self._discard(event, Mark.SAME_MODEL)

    def _verified(
        self, event: Comparison, marks: Sequence[Mark] = (), heard: Heard | None = None
    ) -> Judgment:
        """The verifier's winner; its margin stays None, as no judge decided it."""
        decision = Decision(winner=Winner(event.verifier_winner.value))
        return self._judgment(event, decision, marks, heard)

    def _judgment(
        self,
        event: Comparison,
        decision: Decision,
        marks: Sequence[Mark] = (),
        heard: Heard | None = None,
    ) -> Judgment:
        return Judgment(
            event_id=derived_id("Judgment", STAGE, [event.event_id], self.config_hash),
            occurred_at=event.occurred_at,
            workload_id=event.workload_id,
            config_hash=self.config_hash,
            source_ids=(event.event_id,),
            prompt_id=event.prompt_id,
            comparison=event,
            opinions=heard.opinions if heard else (),
            winner=decision.winner,
            margin=decision.margin,
            position_bias=decision.position_bias,
            agreement=decision.agreement,
            rubric_version="+".join(self.judges.refs) if self.judges else "",
            teacher_model="+".join(heard.teachers) if heard else "",
            judge_config_hash=self.judge_config_hash,
            panel=self._panel_ref,
            marks=tuple(mark.value for mark in marks),
        )

    def _discard(self, event: Comparison, reason: str) -> Event:
        subjects = (event.a.candidate.completion_id, event.b.candidate.completion_id)
        return discard(event, STAGE, self.config_hash, [reason], subject_ids=subjects)


def judge_config_hash(settings: JudgeSettings, judges: Judges | None) -> ConfigHash:
    """Hash of all that decides verdicts: who is asked and how, and the rules before that."""
    pre_checks = PRE_CHECKS_VERSION if settings.pre_checks else ""
    return config_hash(judges.config_hash if judges else "", pre_checks)

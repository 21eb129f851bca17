"""judge: comparisons into judgments. Decisions are in prompt, answer and verdict; this asks."""

import asyncio
from collections.abc import Sequence
from typing import Final

from schemas.errors import Poison
from schemas.events import Comparison, Event, Judgment
from schemas.ids import ConfigHash, config_hash, derived_id, unit_interval
from schemas.records import Opinion, Order, VerifierWinner, Winner
from streams.discard import discard
from streams.inference.chat import ChatModel, ChatRequest
from streams.inference.identity import model_identity
from streams.judge.answer import read_answer
from streams.judge.prompt import PROMPT_VERSION, render_prompt, template_sha256
from streams.judge.recorded import RecordedVerdicts
from streams.judge.rubric import Rubric
from streams.judge.settings import JudgeSettings
from streams.judge.verdict import PROBABILITY_FLOOR, Decision, decide

STAGE: Final = "judge"
# Change it with any change of how answers are read or opinions combined.
VERDICT_VERSION: Final = "1"


class JudgeStage:
    """Comparison -> Judgment, or a Discard ``no_judge`` where nobody can decide it.

    Verifier-decided comparisons keep the verifier's winner; a seeded share of them is judged too.
    All others are judged in both orders at once. ``model`` None: only verifiers decide.
    """

    name = STAGE

    def __init__(
        self,
        settings: JudgeSettings,
        rubric: Rubric | None,
        model: ChatModel | RecordedVerdicts | None,
        *,
        nonce_key: bytes = b"",
    ) -> None:
        """``nonce_key`` is the secret behind the codes in prompts.

        The stage owns the model and closes it. Raises ValueError for a model without a rubric,
        ``Fatal`` where the folder of a local model cannot be read.
        """
        if model is not None and rubric is None:
            raise ValueError("a judge model needs a rubric to judge by")
        self._settings = settings
        self._rubric = rubric
        self._model = model
        self._nonce_key = nonce_key
        self._identity = _identity(settings, model)
        self.judge_config_hash = judge_config_hash(settings, rubric, self._identity)
        self.config_hash = config_hash(
            self.judge_config_hash, str(settings.crosscheck_share), str(settings.crosscheck_seed)
        )

    async def __call__(self, event: Comparison) -> Sequence[Event]:
        decided = event.verifier_winner is not VerifierWinner.NONE
        if self._model is None or self._rubric is None:
            return [self._verified(event)] if decided else [self._no_judge(event)]
        if decided and not self._is_crosschecked(event):
            return [self._verified(event)]
        if event.rubric_id not in (self._rubric.id, self._rubric.ref):
            raise Poison(
                f"comparison {event.event_id} asks for rubric {event.rubric_id!r}, this judge has "
                f"{self._rubric.ref!r}; make pair.rubric_id and judge.rubric of pipeline.yaml agree"
            )
        opinions = await self._both_orders(event, self._rubric, self._model)
        decision = decide(*opinions)
        if decided:
            return [self._verified(event, opinions, decision.winner)]
        return [self._judgment(event, decision, opinions)]

    async def aclose(self) -> None:
        """Close the model."""
        if self._model is not None:
            await self._model.aclose()

    def _is_crosschecked(self, event: Comparison) -> bool:
        place = unit_interval("crosscheck", str(self._settings.crosscheck_seed), event.event_id)
        return place < self._settings.crosscheck_share

    async def _both_orders(
        self, event: Comparison, rubric: Rubric, model: ChatModel | RecordedVerdicts
    ) -> tuple[Opinion, Opinion]:
        calls = (self._opinion(event, rubric, model, order) for order in (Order.AB, Order.BA))
        # Both are waited for where one fails: the other's answer may be stored for the retry.
        ab, ba = await asyncio.gather(*calls, return_exceptions=True)
        if isinstance(ab, BaseException):
            raise ab
        if isinstance(ba, BaseException):
            raise ba
        return ab, ba

    async def _opinion(
        self, event: Comparison, rubric: Rubric, model: ChatModel | RecordedVerdicts, order: Order
    ) -> Opinion:
        prompt = render_prompt(
            event,
            rubric,
            order,
            max_candidate_characters=self._settings.max_candidate_characters,
            show_checks=self._settings.show_checks,
            nonce_key=self._nonce_key,
        )
        if isinstance(model, RecordedVerdicts):
            answer = model.answer(event, order)
        else:
            answer = await model.complete(
                ChatRequest(
                    messages=prompt.messages,
                    max_tokens=self._settings.max_tokens,
                    top_logprobs=self._settings.top_logprobs,
                )
            )
        criteria = [criterion.id for criterion in rubric.judged]
        reading = read_answer(
            answer, order, criteria, min_captured_mass=self._settings.min_captured_mass
        )
        seen = reading.probabilities
        return Opinion(
            judge=answer.model,
            prompt_version=prompt.version,
            prompt_sha256=prompt.sha256,
            order=order,
            answer=reading.answer,
            p_first=seen.first if seen else None,
            p_second=seen.second if seen else None,
            p_tie=seen.tie if seen else None,
            captured_mass=seen.captured_mass if seen else None,
            citations=reading.citations,
            raw_text=answer.text,
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
            latency_ms=answer.latency_ms,
            cost_usd=answer.cost_usd,
            fingerprint=answer.fingerprint,
        )

    def _verified(
        self,
        event: Comparison,
        opinions: tuple[Opinion, ...] = (),
        crosscheck_winner: Winner | None = None,
    ) -> Judgment:
        """The verifier's winner; its margin stays None, as no judge decided it."""
        winner = Winner(event.verifier_winner.value)
        return self._judgment(event, Decision(winner=winner), opinions, crosscheck_winner)

    def _judgment(
        self,
        event: Comparison,
        decision: Decision,
        opinions: tuple[Opinion, ...],
        crosscheck_winner: Winner | None = None,
    ) -> Judgment:
        return Judgment(
            event_id=derived_id("Judgment", STAGE, [event.event_id], self.config_hash),
            occurred_at=event.occurred_at,
            workload_id=event.workload_id,
            config_hash=self.config_hash,
            source_ids=(event.event_id,),
            prompt_id=event.prompt_id,
            comparison=event,
            opinions=opinions,
            winner=decision.winner,
            margin=decision.margin,
            position_bias=decision.position_bias,
            agreement=decision.agreement,
            rubric_version=self._rubric.ref if self._rubric else "",
            teacher_model=self._model.model if self._model and opinions else "",
            judge_config_hash=self.judge_config_hash,
            crosscheck_winner=crosscheck_winner,
        )

    def _no_judge(self, event: Comparison) -> Event:
        subjects = (event.a.candidate.completion_id, event.b.candidate.completion_id)
        return discard(event, STAGE, self.config_hash, ["no_judge"], subject_ids=subjects)


def _identity(settings: JudgeSettings, model: ChatModel | RecordedVerdicts | None) -> str:
    if model is None:
        return ""
    if isinstance(model, RecordedVerdicts):
        return model.model
    return model_identity(settings.model or model.model)


def judge_config_hash(settings: JudgeSettings, rubric: Rubric | None, model: str) -> ConfigHash:
    """Hash of all that decides verdicts: rubric, prompt, model and how its answers are read.

    ``model`` is the model's identity, not where it is found.
    """
    verdict = (
        settings.max_tokens,
        settings.top_logprobs,
        settings.min_captured_mass,
        settings.show_checks,
        settings.max_candidate_characters,
        PROBABILITY_FLOOR,
        VERDICT_VERSION,
    )
    rubric_hash = rubric.hash if rubric else ""
    return config_hash(rubric_hash, PROMPT_VERSION, template_sha256(), model, repr(verdict))

"""One judge: a model, what it goes by, and how it is asked. Both orders, always."""

import asyncio

from schemas.errors import ConfigError
from schemas.events import Comparison
from schemas.ids import ConfigHash, config_hash
from schemas.records import Opinion, Order
from streams.inference.chat import ChatAnswer, ChatModel, ChatRequest
from streams.inference.identity import model_identity
from streams.judge.answer import read_answer
from streams.judge.prompt import JudgePrompt, render_prompt
from streams.judge.recorded import RecordedVerdicts
from streams.judge.rubric import Rubric
from streams.judge.settings import MemberSettings
from streams.judge.standard import Standard, rubric_for, standard_hash
from streams.judge.verdict import PROBABILITY_FLOOR
from streams.judge.wording import PROMPT_VERSIONS, template_sha256

# Change it with any change of how answers are read or opinions combined.
VERDICT_VERSION = "3"
# "Verdict: tie" in the most fragmented of tokenizers.
_VERDICT_TOKENS = 16


class Member:
    """Asks one model about a comparison; ``name`` is its name in the panel, "" without one.

    ``nonce_key`` is the secret behind the codes in prompts. Owns the model.
    """

    def __init__(
        self,
        settings: MemberSettings,
        standard: Standard,
        model: ChatModel | RecordedVerdicts,
        *,
        name: str = "",
        nonce_key: bytes = b"",
    ) -> None:
        """Raises ``Fatal`` where the folder of a local model cannot be read."""
        self.name = name
        self.model = model.model
        self.identity = _identity(settings, model)
        self.standard = standard
        self.config_hash = member_hash(settings, standard, self.identity)
        self.settings = settings
        self._model = model
        self.nonce_key = nonce_key

    async def opinions(self, event: Comparison) -> tuple[Opinion, ...]:
        """One opinion an order, or as many as the settings have samples; all are asked at once.

        Raises what the model raises.
        """
        rubric = self.rubric(event)
        samples = range(self.settings.samples) if self.settings.samples else (None,)
        calls = (
            self._opinion(event, rubric, order, sample) for sample in samples for order in Order
        )
        # All are waited for where one fails: the others' answers may be stored for the retry.
        found = await asyncio.gather(*calls, return_exceptions=True)
        for one in found:
            if isinstance(one, BaseException):
                raise one
        return tuple(one for one in found if isinstance(one, Opinion))

    async def aclose(self) -> None:
        """Close the model."""
        await self._model.aclose()

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        """The model's answer to a prompt of another kind.

        Raises ``ConfigError`` where the model is recorded verdicts, which answer comparisons only.
        """
        if isinstance(self._model, RecordedVerdicts):
            raise ConfigError(
                f"{self.model} answers the comparisons that were recorded and nothing else; name a "
                "model as judge.model"
            )
        return await self._model.complete(request)

    def rubric(self, event: Comparison) -> Rubric:
        """What this comparison is judged by."""
        return rubric_for(self.standard, event.event_id, self.settings.principles)

    def prompt(self, event: Comparison, rubric: Rubric, order: Order) -> JudgePrompt:
        """What the model is shown of the comparison in this order."""
        mode = self.settings.mode
        assert mode != "listwise", "a ListwiseMember shows sets"
        return render_prompt(
            event,
            rubric,
            order,
            max_candidate_characters=self.settings.max_candidate_characters,
            show_checks=self.settings.show_checks,
            nonce_key=self.nonce_key,
            member=self.name,
            mode=mode,
            defences=self.settings.defences,
        )

    def asked(self, event: Comparison, opinion: Opinion) -> JudgePrompt:
        """The prompt that the opinion answered, as this member renders it today."""
        return self.prompt(event, self.rubric(event), opinion.order)

    async def _opinion(
        self, event: Comparison, rubric: Rubric, order: Order, sample: int | None
    ) -> Opinion:
        prompt = self.prompt(event, rubric, order)
        if isinstance(self._model, RecordedVerdicts):
            answer = self._model.answer(event, order)
        else:
            answer = await self._model.complete(self._request(prompt, sample))
        return self._read(prompt, rubric, order, answer, sample)

    def _request(self, prompt: JudgePrompt, sample: int | None) -> ChatRequest:
        settings = self.settings
        most = settings.max_tokens
        if settings.mode == "verdict_only":
            most = min(most, _VERDICT_TOKENS)
        if sample is None:
            return ChatRequest(
                messages=prompt.messages, max_tokens=most, top_logprobs=settings.top_logprobs
            )
        return ChatRequest(
            messages=prompt.messages,
            max_tokens=most,
            temperature=settings.temperature,
            seed=sample,
        )

    def _read(
        self,
        prompt: JudgePrompt,
        rubric: Rubric,
        order: Order,
        answer: ChatAnswer,
        sample: int | None,
    ) -> Opinion:
        reading = read_answer(
            answer,
            order,
            [criterion.id for criterion in rubric.judged],
            min_captured_mass=self.settings.min_captured_mass,
            bare=self.settings.mode == "verdict_only",
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
            member=self.name,
            rubric_version=rubric.ref,
            sample=sample,
            left_out_characters=prompt.left_out_characters,
        )


def member_hash(settings: MemberSettings, standard: Standard, model: str) -> ConfigHash:
    """Hash of all that decides a judge's verdicts: what it goes by, prompt, model, how it is read.

    ``model`` is the model's identity, not where it is found.
    """
    deciding = (
        settings.mode,
        settings.samples,
        settings.temperature if settings.samples else None,
        settings.max_tokens,
        settings.top_logprobs,
        settings.min_captured_mass,
        settings.show_checks,
        settings.max_candidate_characters,
        PROBABILITY_FLOOR,
        VERDICT_VERSION,
        PROMPT_VERSIONS[settings.mode],
    )
    return config_hash(
        standard_hash(standard, settings.principles),
        settings.defences,
        template_sha256(),
        model,
        repr(deciding),
    )


def _identity(settings: MemberSettings, model: ChatModel | RecordedVerdicts) -> str:
    if isinstance(model, RecordedVerdicts):
        return model.model
    return model_identity(settings.model or model.model)

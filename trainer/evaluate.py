"""What a policy can do: its answers to held-out prompts, checked by execution."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Protocol

from pydantic import Field

from schemas.errors import Poison
from schemas.events import Preference
from schemas.ids import unit_interval
from schemas.interval import wilson
from schemas.records import Check, Expectation, Message, Outcome, Passage, Record
from streams.inference.chat import ChatModel, ChatRequest
from trainer.prompts import Prompt

# First words of an answer that is none.
_REFUSAL = re.compile(
    r"\s*(?:i(?:'m| am)? (?:sorry|unable|afraid|can(?:no|')t|can not|won't|will not)"
    r"|sorry\b|unfortunately\b|as an ai\b)",
    re.IGNORECASE,
)


class AnswerVerdict(Protocol):
    """What the checks of one answer amount to."""

    @property
    def checks(self) -> tuple[Check, ...]: ...

    @property
    def outcome(self) -> Outcome: ...


class AnswerVerifier(Protocol):
    """``streams.verify.verifier.Verifier``, or anything that checks an answer as it does."""

    async def verify_output(
        self,
        output: str,
        expectations: Sequence[Expectation],
        *,
        messages: Sequence[Message] = (),
        context: Sequence[Passage] = (),
    ) -> AnswerVerdict: ...


class EvaluationSettings(Record):
    """How a policy is asked. The seed of each prompt's answer follows from ``seed``."""

    temperature: float = Field(default=0.0, ge=0)
    max_tokens: int = Field(default=256, ge=1)
    seed: int = 0
    # Enough to fill the batches of an in-process model and the queue of a server.
    concurrency: int = Field(default=128, ge=1)


class Share(Record):
    """A share of n with its two-sided 95 % Wilson interval; ``value`` is None for n = 0."""

    n: int
    count: int
    value: float | None
    low: float
    high: float


class Evaluation(Record):
    """Answers to one set of prompts, one each. Lengths are characters.

    ``accuracy`` counts answers that passed every hard check; one that could not be decided is not
    accurate, and is counted in ``undecided`` too. So is a prompt that the policy could not be
    asked, as it is longer than its context, say: one of the ``unanswered``, which have no length.
    """

    accuracy: Share
    by_slice: dict[str, Share]
    median_length: float
    refusals: Share
    empty: Share
    undecided: int
    unanswered: int = 0

    def metrics(self) -> dict[str, float]:
        """The numbers for a Run event; slices as ``accuracy/SLICE``."""
        numbers = {
            "n": float(self.accuracy.n),
            "accuracy": self.accuracy.value,
            "accuracy_low": self.accuracy.low,
            "accuracy_high": self.accuracy.high,
            "median_length": self.median_length,
            "refusal_share": self.refusals.value,
            "empty_share": self.empty.value,
            "undecided": float(self.undecided),
            "unanswered": float(self.unanswered),
        }
        numbers |= {f"accuracy/{name}": share.value for name, share in self.by_slice.items()}
        return {name: value for name, value in numbers.items() if value is not None}


class Answered(Record):
    """A prompt's slice, the policy's answer and what the checks made of it.

    ``unanswered`` says why there is no answer, where there is none.
    """

    prompt_id: str = ""
    slice: str
    output: str
    outcome: Outcome
    checks: tuple[Check, ...] = ()
    unanswered: str = ""


def share(count: int, n: int) -> Share:
    """``count`` of ``n`` with its interval."""
    interval = wilson(count, n)
    return Share(
        n=n, count=count, value=count / n if n else None, low=interval.low, high=interval.high
    )


def is_refusal(output: str) -> bool:
    """Whether the answer declines instead of answering; an empty one does not."""
    return _REFUSAL.match(output) is not None


def summarise(answers: Sequence[Answered]) -> Evaluation:
    """The numbers over all answers (pure)."""
    slices = sorted({answer.slice for answer in answers})
    given = [answer.output for answer in answers if not answer.unanswered]
    return Evaluation(
        accuracy=_accuracy(answers),
        by_slice={name: _accuracy([a for a in answers if a.slice == name]) for name in slices},
        median_length=median(map(len, given)) if given else 0.0,
        refusals=share(sum(map(is_refusal, given)), len(given)),
        empty=share(sum(not output.strip() for output in given), len(given)),
        undecided=sum(a.outcome is Outcome.UNDECIDED for a in answers),
        unanswered=len(answers) - len(given),
    )


async def ask(
    model: ChatModel,
    prompts: Sequence[Prompt],
    verifier: AnswerVerifier,
    settings: EvaluationSettings,
) -> tuple[Answered, ...]:
    """The policy's checked answers in the order of the prompts; raises what model and sandbox do.

    The same settings give every policy the same prompts with the same seeds: answers are pairs.
    A prompt that the model refuses (``Poison``) has no answer, and nothing to check.
    """
    slots = asyncio.Semaphore(settings.concurrency)

    async def one(prompt: Prompt) -> Answered:
        try:
            async with slots:
                answer = await model.complete(_request(prompt, settings))
        except Poison as poison:
            return Answered(
                prompt_id=prompt.prompt_id,
                slice=prompt.slice,
                output="",
                outcome=Outcome.UNDECIDED,
                unanswered=str(poison),
            )
        verdict = await verifier.verify_output(
            answer.text, prompt.expectations, messages=prompt.messages, context=prompt.context
        )
        return Answered(
            prompt_id=prompt.prompt_id,
            slice=prompt.slice,
            output=answer.text,
            outcome=verdict.outcome,
            checks=verdict.checks,
        )

    return tuple(await asyncio.gather(*(one(prompt) for prompt in prompts)))


async def evaluate(
    model: ChatModel,
    prompts: Sequence[Prompt],
    verifier: AnswerVerifier,
    settings: EvaluationSettings,
) -> Evaluation:
    """The numbers over the policy's answers; raises as ``ask``."""
    return summarise(await ask(model, prompts, verifier, settings))


async def wrong_share(
    pairs: Sequence[Preference],
    expectations: Mapping[str, Sequence[Expectation]],
    verifier: AnswerVerifier,
) -> Share:
    """The share of chosen answers that fail the harness, over pairs with known expectations.

    ``expectations`` are by prompt id. Give a verifier of databases that labelling did not use, or
    the share only repeats what labelling already believed.
    """
    known = [pair for pair in pairs if expectations.get(pair.prompt_id)]
    verdicts = await asyncio.gather(
        *(
            verifier.verify_output(pair.chosen[-1].content, expectations[pair.prompt_id])
            for pair in known
        )
    )
    return share(sum(verdict.outcome is Outcome.FAILED for verdict in verdicts), len(known))


def _request(prompt: Prompt, settings: EvaluationSettings) -> ChatRequest:
    return ChatRequest(
        messages=prompt.messages,
        max_tokens=settings.max_tokens,
        temperature=settings.temperature,
        seed=int(unit_interval("evaluate", str(settings.seed), prompt.prompt_id) * 2**31),
    )


def _accuracy(answers: Sequence[Answered]) -> Share:
    return share(sum(a.outcome is Outcome.PASSED for a in answers), len(answers))

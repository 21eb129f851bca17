"""Candidate sets of a policy's own fresh answers: what a round is labelled on, and measured on."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from schemas.errors import Poison
from schemas.events import CandidateSet, Completion
from schemas.ids import derived_id, unit_interval
from schemas.records import Candidate, Origin, Purpose
from streams.inference.chat import ChatModel, ChatRequest
from streams.sample import SampleSettings, SampleStage
from trainer.prompts import Prompt

STAGE = "rounds"


class LocalModel(ChatModel, Protocol):
    """A model that knows which weights it has: what its candidates are told apart by."""

    fingerprint: str


OpenPolicy = Callable[[Path], LocalModel]
"""A policy's folder, opened to be asked: in this process, or by a server."""


def in_process(folder: Path) -> LocalModel:
    """By transformers, in this process."""
    # imported here: torch takes seconds to load
    from streams.inference.in_process import InProcessModel

    return InProcessModel(folder)


async def traffic_sets(
    policy: LocalModel,
    prompts: Sequence[Prompt],
    settings: SampleSettings,
    temperature: float,
    now: datetime,
) -> list[CandidateSet]:
    """A set a prompt: one answer at the production temperature, more as ``settings`` sample.

    None of a prompt that the policy cannot be asked, or answers with nothing. All are the policy's
    own, whatever ``settings`` name as models. The same weights give the same sets, so publishing
    them again after a crash adds nothing.
    """
    stage = SampleStage(settings.model_copy(update={"share": 1.0}), [policy])

    async def one(prompt: Prompt) -> list[CandidateSet]:
        answered = await _ask(policy, prompt, settings, temperature, now)
        outputs = await stage(answered) if answered else ()
        return [event for event in outputs if isinstance(event, CandidateSet)]

    found = await asyncio.gather(*(one(prompt) for prompt in prompts))
    return [event for sets in found for event in sets]


async def fresh_answers(
    policy: LocalModel,
    prompts: Sequence[Prompt],
    settings: SampleSettings,
    temperature: float,
    now: datetime,
) -> list[Completion | None]:
    """One answer to each prompt, in their order; None where the policy cannot be asked."""
    asked = (_ask(policy, prompt, settings, temperature, now) for prompt in prompts)
    return list(await asyncio.gather(*asked))


def anchor_set(ours: Completion, reference: Completion, purpose: Purpose) -> CandidateSet:
    """Two answers to one prompt: for judge and people to compare, not for training.

    Raises ``ValueError`` where both are of the same weights: nobody could tell who won.
    """
    if ours.checkpoint is None or reference.checkpoint in (None, ours.checkpoint):
        raise ValueError("policy and reference are the same weights")
    return CandidateSet(
        **dict(Prompt.of(ours)),
        event_id=derived_id(
            "CandidateSet",
            STAGE,
            [ours.prompt_id, ours.checkpoint, reference.checkpoint],
            f"{ours.temperature} {purpose}",
        ),
        occurred_at=max(ours.occurred_at, reference.occurred_at),
        config_hash="",
        purpose=purpose,
        candidates=(ours.candidate(), reference.candidate()),
    )


def is_of(candidate: Candidate, fingerprint: str) -> bool:
    """Whether these weights wrote the candidate."""
    return candidate.checkpoint == fingerprint


async def _ask(
    model: LocalModel,
    prompt: Prompt,
    settings: SampleSettings,
    temperature: float,
    now: datetime,
) -> Completion | None:
    """The answer as if it had been captured; its id says whose weights wrote it. None where the
    prompt is longer than the model's context, say."""
    # by weights too: two models that are alike would else write the same
    drawn = unit_interval(STAGE, str(settings.seed), model.fingerprint, prompt.prompt_id)
    request = ChatRequest(
        messages=prompt.messages,
        max_tokens=settings.max_tokens,
        temperature=temperature,
        top_p=settings.top_p,
        seed=int(drawn * 2**31),
        stop=settings.stop,
    )
    try:
        answer = await model.complete(request)
    except Poison:
        return None
    return Completion(
        **dict(prompt),
        event_id=derived_id(
            "Completion", STAGE, [prompt.prompt_id, model.fingerprint], f"{temperature}"
        ),
        occurred_at=now,
        config_hash="",
        output=answer.text,
        model=answer.model,
        checkpoint=model.fingerprint,
        temperature=temperature,
        finish_reason=answer.finish_reason,
        input_tokens=answer.input_tokens,
        output_tokens=answer.output_tokens,
        latency_ms=answer.latency_ms,
        origin=Origin.SAMPLE,
    )

"""sample: a production answer into a candidate set, with answers of other checkpoints beside it."""

import asyncio
from collections.abc import Sequence
from typing import Final

from pydantic import Field

from schemas.events import CandidateSet, Completion, Discard, Event
from schemas.ids import config_hash, derived_id, unit_interval
from schemas.records import Candidate, Origin, Purpose, Record
from streams.discard import discard
from streams.inference.chat import ChatModel, ChatRequest
from streams.inference.identity import known_identity
from streams.revise import Reviser, ReviseSettings
from streams.sample_plan import Draw, plan_draws

STAGE: Final = "sample"
# Change it with any change of the rules below or of the plan, so that the events' config_hash
# tells them apart.
RULES_VERSION: Final = "1"

SEED: Final = "seed"
"""The tag of a completion that is a prompt alone: see ``streams.seeds``."""

NOT_SAMPLED: Final = "not_sampled"
EMPTY_OUTPUT: Final = "empty_output"
DUPLICATE_CANDIDATE: Final = "duplicate_candidate"
TOO_LONG_TO_REVISE: Final = "too_long_to_revise"
# A set's own discards have their places after that of a whole input (0).
_DUPLICATES_ORDINAL: Final = 1
_EMPTY_ORDINAL: Final = 2
_UNREVISED_ORDINAL: Final = 3


class SampleSettings(Record):
    """The ``sample`` section of pipeline.yaml.

    | to                                          | set                                     |
    |---------------------------------------------|-----------------------------------------|
    | pass production answers on as they are      | leave ``models`` out                    |
    | sample a checkpoint at four temperatures    | ``models: [path:checkpoints/policy]``   |
    | sample a pool of models                     | ``models: [path:DIR, openai:NAME]``     |
    | take fewer than models x temperatures       | ``generated: 3``                        |
    | use a third of the traffic                  | ``share: 0.33``                         |
    | critique and revise under a constitution    | ``revise: {...}``, see ReviseSettings   |
    """

    models: tuple[str, ...] = ()
    """The pool: ``path:DIR``, or the name of a model at the configured endpoint."""

    temperatures: tuple[float, ...] = Field(default=(0.2, 0.4, 0.7, 0.9), min_length=1)
    """Each generated answer is drawn at one of them."""

    generated: int | None = Field(default=None, ge=1)
    """Answers to generate for a prompt; None: one of every model at every temperature."""

    share: float = Field(default=1.0, ge=0, le=1)
    """Share of the completions that is used, chosen by hash of their id."""

    max_tokens: int = Field(default=512, ge=1)
    """Room for a generated answer, in tokens."""

    top_p: float = Field(default=1.0, gt=0, le=1)

    stop: tuple[str, ...] = ()
    """An answer ends before the first of these."""

    seed: int = 0
    """Another seed draws other answers and another share."""

    revise: ReviseSettings | None = None
    """Revisions of the first answer join the set; None: none."""


class SampleStage:
    """Completion -> CandidateSet of it and freshly generated answers to its prompt.

    The production answer is the first candidate; revisions of the first are the last. A seed
    (tagged ``seed``) has no answer of its own, and the share does not apply to it. Exact
    duplicates of an earlier candidate and empty answers are left out of the set and discarded
    beside it, and so are revisions that cannot be made: what is asked for them is too long for
    the reviser.
    """

    name = STAGE

    def __init__(
        self,
        settings: SampleSettings,
        models: Sequence[ChatModel],
        reviser: Reviser | None = None,
    ) -> None:
        """The stage owns models and reviser, and closes them."""
        self._settings = settings
        self._models = tuple(models)
        self._reviser = reviser
        # where a model lies changes no result: its name and weights stand for the reference
        names = tuple(map(known_identity, models))
        decisive = settings.model_copy(update={"models": names, "revise": None})
        revised = [reviser.config_hash] if reviser else []
        self.config_hash = config_hash(decisive, STAGE, RULES_VERSION, *revised)

    async def __call__(self, event: Completion) -> Sequence[Event]:
        if SEED in event.tags:
            return await self._sampled(event, [])
        if not event.output.strip():
            return [self._discard(event, EMPTY_OUTPUT, [event.event_id])]
        drawn = unit_interval(STAGE, str(self._settings.seed), event.event_id)
        if drawn >= self._settings.share:
            return [
                discard(
                    event,
                    STAGE,
                    self.config_hash,
                    [NOT_SAMPLED],
                    numbers={"drawn": drawn, "share": self._settings.share},
                )
            ]
        return await self._sampled(event, [event.candidate()])

    async def _sampled(self, event: Completion, given: Sequence[Candidate]) -> list[Event]:
        answers = [*given, *await self._generate(event)]
        unrevised: tuple[str, ...] = ()
        if self._reviser is not None and answers:
            revised = await self._reviser.revisions(event, answers[0])
            answers += revised.made
            unrevised = revised.too_long
        candidates, duplicates, empty = chosen(answers)
        if not candidates:
            return [self._discard(event, EMPTY_OUTPUT, _ids(empty))]
        outputs: list[Event] = [self._set(event, candidates)]
        for reason, ids, ordinal in (
            (DUPLICATE_CANDIDATE, _ids(duplicates), _DUPLICATES_ORDINAL),
            (EMPTY_OUTPUT, _ids(empty), _EMPTY_ORDINAL),
            (TOO_LONG_TO_REVISE, unrevised, _UNREVISED_ORDINAL),
        ):
            if ids:
                outputs.append(self._discard(event, reason, ids, ordinal))
        return outputs

    async def aclose(self) -> None:
        for model in self._models:
            await model.aclose()
        if self._reviser is not None:
            await self._reviser.aclose()

    async def _generate(self, event: Completion) -> list[Candidate]:
        draws = plan_draws(
            event.prompt_id,
            models=len(self._models),
            temperatures=self._settings.temperatures,
            generated=self._settings.generated,
            seed=self._settings.seed,
        )
        tasks = [asyncio.create_task(self._candidate(event, draw)) for draw in draws]
        try:
            return list(await asyncio.gather(*tasks))
        except BaseException:
            # one failed: the whole event is tried again, so the others' work is for nothing
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def _candidate(self, event: Completion, draw: Draw) -> Candidate:
        request = ChatRequest(
            messages=event.messages,
            max_tokens=self._settings.max_tokens,
            temperature=draw.temperature,
            top_p=self._settings.top_p,
            seed=draw.seed,
            stop=self._settings.stop,
        )
        answer = await self._models[draw.model].complete(request)
        return Candidate(
            completion_id=derived_id(
                "Completion", STAGE, [event.event_id], self.config_hash, draw.ordinal
            ),
            output=answer.text,
            model=answer.model,
            checkpoint=answer.fingerprint,
            temperature=draw.temperature,
            top_p=self._settings.top_p,
            seed=draw.seed,
            finish_reason=answer.finish_reason,
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
            cost_usd=answer.cost_usd,
            latency_ms=answer.latency_ms,
            origin=Origin.SAMPLE,
        )

    def _set(self, event: Completion, candidates: Sequence[Candidate]) -> CandidateSet:
        return CandidateSet(
            event_id=derived_id("CandidateSet", STAGE, [event.event_id], self.config_hash),
            occurred_at=event.occurred_at,
            workload_id=event.workload_id,
            config_hash=self.config_hash,
            source_ids=(event.event_id,),
            prompt_id=event.prompt_id,
            messages=event.messages,
            expectations=event.expectations,
            context=event.context,
            slice=event.slice,
            purpose=Purpose.PRODUCTION,
            candidates=tuple(candidates),
        )

    def _discard(
        self, event: Completion, reason: str, candidate_ids: Sequence[str], ordinal: int = 0
    ) -> Discard:
        return discard(
            event,
            STAGE,
            self.config_hash,
            [reason],
            numbers={"candidates": len(candidate_ids)},
            subject_ids=candidate_ids,
            ordinal=ordinal,
        )


def _ids(candidates: Sequence[Candidate]) -> list[str]:
    return [candidate.completion_id for candidate in candidates]


def chosen(
    candidates: Sequence[Candidate],
) -> tuple[list[Candidate], list[Candidate], list[Candidate]]:
    """Split into (kept, duplicates, empty): the first of each text is kept, blank text never."""
    kept: dict[str, Candidate] = {}
    duplicates: list[Candidate] = []
    empty: list[Candidate] = []
    for candidate in candidates:
        if not candidate.output.strip():
            empty.append(candidate)
        elif candidate.output in kept:
            duplicates.append(candidate)
        else:
            kept[candidate.output] = candidate
    return list(kept.values()), duplicates, empty

"""What a run would ask of models, before it asks: the stages with models that only count.

It is the most that can be asked: as if every answer passed its checks, so that no pair is decided
without the judge, as if every generated answer were as long as the production answer of its
prompt, and as if every answer of a model took all of its room. Nothing is run, stored or paid.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from infra.settings import Settings
from schemas.events import CandidateSet, Comparison, Completion, Verification
from schemas.records import Candidate, Outcome, Record, VerifiedCandidate
from streams.inference.chat import ChatAnswer, ChatModel, ChatRequest
from streams.inference.identity import endpoint_model, model_name
from streams.inference.settings import Price
from streams.inference.token_count import token_count
from streams.judge.verdict_store import request_key
from streams.pair import PairStage
from streams.pipeline import build_stage, load_pipeline


class Asked(Record):
    """What one model would be asked by one stage, at most.

    ``counted_by``: tokenizer or characters (4 to a token). ``usd`` is None without a price.
    """

    stage: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    counted_by: str
    usd: float | None


class CountingModel:
    """A ``ChatModel`` that notes what it is asked and answers at once, each time otherwise.

    ``stored``: the same request again is answered by the verdict store.
    """

    def __init__(self, stage: str, ref: str, *, stored: bool) -> None:
        self.model = model_name(ref)
        self.calls = self.input_tokens = self.output_tokens = 0
        self._stage = stage
        self._count, self._counted_by = token_count(ref)
        self._answered: set[str] | None = set() if stored else None

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        """An answer that decides nothing; it may cost what ``request`` allows."""
        if not self._is_answered(request):
            self.calls += 1
            self.input_tokens += self._count(request.messages)
            self.output_tokens += request.max_tokens
        return ChatAnswer(text=f"answer {self.calls}\nVerdict: tie", model=self.model)

    def _is_answered(self, request: ChatRequest) -> bool:
        if self._answered is None:
            return False
        key = request_key(self.model, request)
        before = len(self._answered)
        self._answered.add(key)
        return len(self._answered) == before

    async def aclose(self) -> None:
        """Nothing is held."""

    def asked(self, price: Price | None) -> Asked:
        """What was asked so far, at this price."""
        return Asked(
            stage=self._stage,
            model=self.model,
            calls=self.calls,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            counted_by=self._counted_by,
            usd=price and price.cost_usd(self.input_tokens, self.output_tokens),
        )


async def dry_run(
    events: Iterable[Completion | CandidateSet], project_dir: Path, settings: Settings
) -> tuple[Asked, ...]:
    """What labelling the events would ask, by stage and model. Raises what ``build_stage`` does."""
    pipeline = load_pipeline(project_dir)
    models: dict[tuple[str, str], CountingModel] = {}

    def opened(stage: str, ref: str) -> ChatModel:
        stored = stage == "judge" and pipeline.judge.answers in ("cache", "replay")
        return models.setdefault((stage, ref), CountingModel(stage, ref, stored=stored))

    sample = build_stage("sample", project_dir, settings, opened)
    judge = build_stage("judge", project_dir, settings, opened)
    pair = PairStage(pipeline.pair)
    for event in events:
        made = await sample(event) if isinstance(event, Completion) else [event]
        for one in made:
            if isinstance(one, CandidateSet):
                longest = event.output if isinstance(event, Completion) else ""
                for comparison in await pair(_passed(one, longest)):
                    if isinstance(comparison, Comparison):
                        await judge(comparison)
    prices = pipeline.inference.prices
    return tuple(model.asked(prices.get(endpoint_model(ref))) for (_, ref), model in models.items())


def _passed(event: CandidateSet, production: str) -> Verification:
    """The set as if all its answers had passed; generated ones take the production answer's text.

    The production answer is the first; each other stays another text, or it would not be compared.
    """
    candidates: Sequence[Candidate] = event.candidates
    if production:
        candidates = [
            one
            if one.output == production
            else one.model_copy(update={"output": f"{production} {n}"})
            for n, one in enumerate(candidates)
        ]
    return Verification(
        event_id=event.event_id,
        occurred_at=event.occurred_at,
        workload_id=event.workload_id,
        config_hash="",
        source_ids=event.source_ids,
        prompt_id=event.prompt_id,
        messages=event.messages,
        expectations=event.expectations,
        context=event.context,
        slice=event.slice,
        purpose=event.purpose,
        candidates=tuple(
            VerifiedCandidate(candidate=one, outcome=Outcome.PASSED) for one in candidates
        ),
    )

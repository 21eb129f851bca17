"""What sample makes of a completion."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from schemas.errors import Transient
from schemas.events import CandidateSet, Completion, Discard, Event
from schemas.records import Origin, Purpose
from streams.inference.chat import ChatAnswer, ChatModel, ChatRequest
from streams.sample import SampleSettings, SampleStage
from tests.events import NOON, completion

Reply = Callable[[ChatRequest], str]


class ScriptedModel:
    """A model that answers by rule and keeps what it was asked."""

    def __init__(self, name: str, reply: Reply, fingerprint: str = "sha256:1") -> None:
        self.model = name
        self.fingerprint = fingerprint
        self.asked: list[ChatRequest] = []
        self.cancelled = 0
        self.closed = False
        self._reply = reply

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        self.asked.append(request)
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return ChatAnswer(
            text=self._reply(request),
            model=self.model,
            fingerprint=self.fingerprint,
            output_tokens=3,
            latency_ms=1.0,
        )

    async def aclose(self) -> None:
        self.closed = True


def by_temperature(request: ChatRequest) -> str:
    return f"at {request.temperature}"


async def run(
    event: Completion, models: Sequence[ChatModel] = (), **settings: object
) -> Sequence[Event]:
    return await SampleStage(SampleSettings.model_validate(settings), models)(event)


def the_set(events: Sequence[Event]) -> CandidateSet:
    (only,) = [event for event in events if isinstance(event, CandidateSet)]
    return only


def discards(events: Sequence[Event]) -> list[Discard]:
    return [event for event in events if isinstance(event, Discard)]


async def test_the_production_answer_is_first_and_each_temperature_adds_one() -> None:
    event = completion()
    model = ScriptedModel("policy", by_temperature)
    made = the_set(await run(event, [model]))
    assert made.candidates[0] == event.candidate()
    assert [c.temperature for c in made.candidates[1:]] == [0.2, 0.4, 0.7, 0.9]
    assert [c.output for c in made.candidates[1:]] == ["at 0.2", "at 0.4", "at 0.7", "at 0.9"]
    assert {c.origin for c in made.candidates[1:]} == {Origin.SAMPLE}
    assert {(c.model, c.checkpoint) for c in made.candidates[1:]} == {("policy", "sha256:1")}
    assert len({c.seed for c in made.candidates[1:]}) == 4
    assert len({c.completion_id for c in made.candidates}) == 5
    assert made.source_ids == (event.event_id,)
    assert made.occurred_at == NOON
    assert made.purpose is Purpose.PRODUCTION
    assert {request.messages for request in model.asked} == {event.messages}


async def test_the_same_event_gives_the_same_events() -> None:
    event = completion()
    first = await run(event, [ScriptedModel("policy", by_temperature)])
    assert first == await run(event, [ScriptedModel("policy", by_temperature)])


async def test_without_models_the_answer_passes_as_a_set_of_one() -> None:
    event = completion()
    outputs = await run(event)
    assert the_set(outputs).candidates == (event.candidate(),)
    assert len(outputs) == 1


async def test_a_pool_of_models_is_crossed_with_the_temperatures() -> None:
    def named(name: str) -> ScriptedModel:
        return ScriptedModel(name, lambda request: f"{name} {request.temperature}")

    models = [named("a"), named("b")]
    made = the_set(await run(completion(), models, temperatures=(0.3, 0.8)))
    assert sorted(c.output for c in made.candidates[1:]) == ["a 0.3", "a 0.8", "b 0.3", "b 0.8"]


async def test_a_completion_outside_the_share_is_discarded_with_the_numbers() -> None:
    (only,) = await run(completion(), share=0.0)
    assert isinstance(only, Discard)
    assert only.reason == "not_sampled"
    assert only.source_ids == ("completion-1",)
    assert 0 <= only.numbers["drawn"] < 1


async def test_the_share_is_the_share_of_ids() -> None:
    events = [completion(event_id=f"c{n}") for n in range(2000)]
    used = [isinstance((await run(event, share=0.3))[0], CandidateSet) for event in events]
    assert 0.26 < sum(used) / len(used) < 0.34


async def test_an_empty_production_answer_is_discarded_before_anything_is_generated() -> None:
    model = ScriptedModel("policy", by_temperature)
    (only,) = await run(completion(output=" \n"), [model])
    assert isinstance(only, Discard)
    assert only.reason == "empty_output"
    assert model.asked == []


async def test_duplicates_and_empty_answers_are_discarded_beside_the_set() -> None:
    event = completion()
    replies = {0.2: event.output, 0.4: "other", 0.7: "other", 0.9: "  "}
    outputs = await run(event, [ScriptedModel("policy", lambda r: replies[r.temperature])])
    made = the_set(outputs)
    assert [c.output for c in made.candidates] == [event.output, "other"]
    duplicates, empty = discards(outputs)
    assert (duplicates.reason, len(duplicates.subject_ids)) == ("duplicate_candidate", 2)
    assert (empty.reason, len(empty.subject_ids)) == ("empty_output", 1)
    kept = {c.completion_id for c in made.candidates}
    assert not kept & {*duplicates.subject_ids, *empty.subject_ids}
    assert len({event.event_id for event in outputs}) == 3


async def test_the_config_hash_follows_what_can_change_the_result() -> None:
    def hashed(fingerprint: str = "sha256:1", **settings: object) -> str:
        models = [ScriptedModel("policy", by_temperature, fingerprint)]
        return SampleStage(SampleSettings.model_validate(settings), models).config_hash

    assert hashed(models=("path:here",)) == hashed(models=("path:there",))
    others = [hashed("sha256:2"), hashed(share=0.5), hashed(temperatures=(0.2,)), hashed(seed=1)]
    assert len({hashed(), *others}) == 5


async def test_one_failure_fails_the_event_and_stops_the_others() -> None:
    def refuse(request: ChatRequest) -> str:
        raise Transient("busy")

    models = [ScriptedModel("policy", refuse), ScriptedModel("slow", by_temperature)]
    with pytest.raises(Transient, match="busy"):
        await run(completion(), models, temperatures=(0.5,))


async def test_closing_the_stage_closes_its_models() -> None:
    model = ScriptedModel("policy", by_temperature)
    await SampleStage(SampleSettings(), [model]).aclose()
    assert model.closed

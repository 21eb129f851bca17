"""How one judge may be asked: verdict alone, drawn votes, by a constitution, over-long texts."""

from typing import Any

import pytest

from schemas.events import Judgment
from schemas.records import Order, Passage, Winner
from streams.constitution import Constitution, Principle
from streams.filter import FilterStage
from streams.filter_rules import FilterSettings, reasons_against
from streams.inference.chat import ChatAnswer, ChatModel, ChatRequest
from streams.judge.answer import read_answer
from streams.judge.judges import Judges
from streams.judge.member import Member
from streams.judge.neutral import fitting
from streams.judge.prompt import render_prompt
from streams.judge.rubric import Rubric, WorkedExample
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage
from streams.judge.standard import Standard
from streams.judge.wording import system_text
from tests.unit.judge_case import RUBRIC, ReadingModel, comparison, spoken

JUDGE = JudgeSettings(rubric=RUBRIC.ref)
HARMLESS = Constitution(
    id="harmless",
    version="1",
    principles=tuple(
        Principle(id=f"P{number}", text=f"principle {number}", critique="Where?", revise="Mend.")
        for number in range(6)
    ),
    instructions="Compare.",
    tie_policy="Equal is a tie.",
)


class Drawing:
    """A judge without log-probabilities: ``said`` by seed, for what was shown first or second."""

    model = "drawing"

    def __init__(self, *said: str) -> None:
        self.requests: list[ChatRequest] = []
        self._said = said

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        self.requests.append(request)
        return ChatAnswer(text=self._said[request.seed % len(self._said)], model=self.model)

    async def aclose(self) -> None: ...


async def judged(
    model: ChatModel,
    standard: Standard = RUBRIC,
    settings: JudgeSettings = JUDGE,
    **case: Any,
) -> Judgment:
    stage = JudgeStage(settings, Judges([Member(settings, standard, model)]))
    (found,) = await stage(comparison(rubric_id=standard.id, **case))
    assert isinstance(found, Judgment)
    return found


async def test_a_verdict_alone_is_asked_for_and_read() -> None:
    model = ReadingModel()
    settings = JudgeSettings(rubric=RUBRIC.ref, mode="verdict_only")
    found = await judged(model, settings=settings)
    assert found.winner is Winner.A
    assert all("one line and nothing else" in one.messages[-1].content for one in model.requests)
    assert all(one.max_tokens <= 16 for one in model.requests)
    assert {one.prompt_version for one in found.opinions} == {"pairwise-verdict-2"}


@pytest.mark.parametrize(
    ("text", "answer"),
    [("B", Winner.B), ("**tie**", Winner.TIE), ("A better answer is B", Winner.INVALID)],
)
def test_a_bare_verdict_is_nothing_but_the_verdict(text: str, answer: Winner) -> None:
    said = ChatAnswer(text=text, model="m")
    assert read_answer(said, Order.AB, (), min_captured_mass=0.9, bare=True).answer is answer
    assert read_answer(said, Order.AB, (), min_captured_mass=0.9).answer is Winner.INVALID


def test_a_bare_verdict_has_probabilities() -> None:
    said = spoken(["B"], {"B": 0.7, "A": 0.25, "tie": 0.05})
    found = read_answer(said, Order.AB, (), min_captured_mass=0.9, bare=True)
    assert found.probabilities is not None
    assert found.probabilities.second == pytest.approx(0.7)


async def test_drawn_votes_have_no_margin_and_say_so() -> None:
    settings = JudgeSettings(rubric=RUBRIC.ref, samples=5, temperature=0.5)
    model = Drawing("Verdict: tie")
    found = await judged(model, settings=settings)
    assert len(found.opinions) == 10
    assert {one.sample for one in found.opinions} == set(range(5))
    assert {one.temperature for one in model.requests} == {0.5}
    assert all(one.top_logprobs == 0 for one in model.requests)
    assert (found.winner, found.margin) == (Winner.TIE, None)
    assert found.marks == ("no_margin", "sampled")


async def test_votes_for_a_place_are_a_conflict_and_for_a_candidate_a_win() -> None:
    settings = JudgeSettings(rubric=RUBRIC.ref, samples=3)
    assert (await judged(Drawing("Verdict: A"), settings=settings)).winner is Winner.CONFLICT

    class ByText(Drawing):
        async def complete(self, request: ChatRequest) -> ChatAnswer:
            first = request.messages[-1].content.split(" A>\n")[1].startswith("a good")
            said = "A" if first else "B"
            # one draw in three goes astray
            text = "Verdict: tie" if request.seed == 1 else f"Verdict: {said}"
            return ChatAnswer(text=text, model=self.model)

    found = await judged(ByText(), settings=settings)
    assert found.winner is Winner.A
    assert found.agreement == pytest.approx(2 / 3)


async def test_an_order_that_mostly_cannot_be_read_is_invalid() -> None:
    settings = JudgeSettings(rubric=RUBRIC.ref, samples=3)
    found = await judged(Drawing("no idea", "no idea", "Verdict: A"), settings=settings)
    assert found.winner is Winner.INVALID


async def test_the_margin_rules_are_skipped_without_a_margin_and_the_preference_says_so() -> None:
    class ByText(Drawing):
        async def complete(self, request: ChatRequest) -> ChatAnswer:
            first = request.messages[-1].content.split(" A>\n")[1].startswith("a good")
            return ChatAnswer(text=f"Verdict: {'A' if first else 'B'}", model=self.model)

    found = await judged(ByText())
    strict = FilterSettings(min_margin=100.0)
    assert reasons_against(found, strict) == []
    (preference,) = await FilterStage(strict)(found)
    assert "no_margin" in preference.model_dump()["marks"]


async def test_a_constitution_judges_by_principles_drawn_for_the_comparison() -> None:
    model = ReadingModel()
    settings = JudgeSettings(constitution=HARMLESS.ref, principles=2)
    stage = JudgeStage(settings, Judges([Member(settings, HARMLESS, model)]))
    shown = []
    for number in range(8):
        event = comparison(event_id=f"c{number}", rubric_id="harmless")
        await stage(event)
        one_order, other = (request.messages[0].content for request in model.requests)
        assert one_order == other
        shown.append(frozenset(p.id for p in HARMLESS.principles if f"{p.id}: " in other))
        model.requests.clear()
    assert {len(one) for one in shown} <= {2}
    assert len(set(shown)) > 1


async def test_the_judgment_names_the_constitution() -> None:
    settings = JudgeSettings(constitution=HARMLESS.ref)
    found = await judged(ReadingModel(), HARMLESS, settings)
    assert found.rubric_version == "harmless/1"
    assert {one.rubric_version for one in found.opinions} == {"harmless/1"}


async def test_a_200k_character_answer_is_cut_and_the_cut_is_recorded() -> None:
    found = await judged(ReadingModel(), a="good " + "x" * 200_000, b="another answer")
    assert {one.left_out_characters for one in found.opinions} == {180_005}
    assert "truncated" in found.marks


def test_prompt_and_passages_have_a_budget_of_their_own() -> None:
    event = comparison().model_copy(
        update={"context": tuple(Passage(source="s", text="y" * 900) for _ in range(3))}
    )
    prompt = render_prompt(event, RUBRIC, Order.AB, max_candidate_characters=1000)
    assert prompt.left_out_characters == 3 * 902 - 3 * 333
    assert prompt.messages[-1].content.count("characters left out") == 3


@pytest.mark.parametrize(
    ("lengths", "total", "budgets"),
    [
        ([5, 5], 10, [5, 5]),
        ([2, 100, 100], 12, [2, 5, 5]),
        ([], 10, []),
        ([50], 10, [10]),
        ([0, 30], 10, [0, 10]),
    ],
)
def test_short_texts_stay_whole_and_long_ones_are_cut_alike(
    lengths: list[int], total: int, budgets: list[int]
) -> None:
    assert fitting(lengths, total) == budgets


def test_worked_examples_and_weights_stand_in_the_prompt() -> None:
    rubric = Rubric.model_validate(
        RUBRIC.model_dump(exclude={"criteria", "examples"})
        | {
            "criteria": [
                {"id": "R4", "text": "Faithful.", "decided_by": "judge", "weight": 0.7},
                {"id": "R5", "text": "Short.", "decided_by": "judge", "weight": 0.3},
            ],
            "examples": [
                WorkedExample(
                    prompt="How many?", a="12", b="lots", evidence="A R4: 12 met", verdict="A"
                )
            ],
        }
    )
    cited, alone = system_text(rubric), system_text(rubric, "verdict_only")
    assert "R4 (weight 70%): Faithful." in cited
    assert "A R4: 12 met\nVerdict: A" in cited
    assert "12 met" not in alone
    assert alone.endswith("Your answer:\nVerdict: A")

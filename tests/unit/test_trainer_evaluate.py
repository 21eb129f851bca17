"""Evaluation: answers to held-out prompts, checked, and summed up with intervals."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from schemas.errors import ConfigError, TooLong
from schemas.ids import prompt_id
from schemas.records import Check, Expectation, ExpectationKind, Message, Outcome, Passage
from streams.inference.chat import ChatAnswer, ChatRequest
from tests.events import candidate_set
from tests.preferences import preference, said
from trainer.evaluate import (
    Answered,
    EvaluationSettings,
    ask,
    evaluate,
    is_refusal,
    summarise,
    wrong_share,
)
from trainer.prompts import EvaluationPrompt, Prompt, prompt_ids, read_prompts


def expects(text: str) -> tuple[Expectation, ...]:
    return (Expectation(kind=ExpectationKind.REFERENCE_TEXT, spec=text),)


@dataclass(frozen=True)
class Verdict:
    outcome: Outcome
    checks: tuple[Check, ...] = ()


class SameText:
    """Passes the answer that is the expected text; cannot decide about a question mark."""

    async def verify_output(
        self,
        output: str,
        expectations: Sequence[Expectation],
        *,
        messages: Sequence[Message] = (),
        context: Sequence[Passage] = (),
    ) -> Verdict:
        if output == "?":
            return Verdict(Outcome.UNDECIDED)
        return Verdict(Outcome.PASSED if output == expectations[0].spec else Outcome.FAILED)


@dataclass
class Answers:
    """A model that answers by a table."""

    by_prompt: Mapping[str, str]
    model: str = "table"
    asked: list[ChatRequest] = field(default_factory=list)

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        self.asked.append(request)
        if request.messages[0].content not in self.by_prompt:
            raise TooLong("the prompt is 106 tokens long and the model sees 64")
        return ChatAnswer(text=self.by_prompt[request.messages[0].content], model=self.model)

    async def aclose(self) -> None: ...


def prompt(name: str, expected: str, slice_: str = "default") -> EvaluationPrompt:
    return EvaluationPrompt(
        prompt_id=name, messages=said(name, "user"), expectations=expects(expected), slice=slice_
    )


async def test_accuracy_by_slice_with_intervals() -> None:
    prompts = [prompt("one", "1", "x"), prompt("two", "2", "x"), prompt("three", "3", "y")]
    model = Answers({"one": "1", "two": "wrong", "three": "3"})
    result = await evaluate(model, prompts, SameText(), EvaluationSettings(temperature=0.7))
    assert (result.accuracy.n, result.accuracy.count) == (3, 2)
    assert result.accuracy.low < 2 / 3 < result.accuracy.high
    assert {name: share.value for name, share in result.by_slice.items()} == {"x": 0.5, "y": 1.0}
    assert {request.temperature for request in model.asked} == {0.7}
    assert len({request.seed for request in model.asked}) == 3


async def test_a_prompt_beyond_the_context_is_counted_and_the_others_are_asked() -> None:
    prompts = [prompt("one", "1", "x"), prompt("too long", "2", "x"), prompt("two", "2", "y")]
    model, settings = Answers({"one": "1", "two": "2 or so"}), EvaluationSettings()
    answers = await ask(model, prompts, SameText(), settings)
    assert [answer.prompt_id for answer in answers] == ["one", "too long", "two"]
    assert answers[1].outcome is Outcome.UNDECIDED
    assert "106 tokens" in answers[1].unanswered
    result = summarise(answers)
    assert (result.accuracy.n, result.accuracy.count) == (3, 1)
    assert (result.unanswered, result.undecided, result.empty.n) == (1, 1, 2)
    assert result.median_length == 4
    assert result.metrics()["unanswered"] == 1
    nobody = await evaluate(Answers({}), prompts, SameText(), settings)
    assert (nobody.unanswered, nobody.accuracy.count) == (3, 0)


async def test_the_same_evaluation_asks_the_same() -> None:
    prompts = [prompt("one", "1"), prompt("two", "2")]
    runs = [Answers({"one": "1", "two": "2"}) for _ in range(2)]
    for model in runs:
        await evaluate(model, prompts, SameText(), EvaluationSettings())
    assert runs[0].asked == runs[1].asked


def test_undecided_refused_and_empty_answers_are_not_accurate() -> None:
    answers = [
        Answered(slice="x", output="12", outcome=Outcome.PASSED),
        Answered(slice="x", output="I'm sorry, no.", outcome=Outcome.FAILED),
        Answered(slice="x", output="  ", outcome=Outcome.FAILED),
        Answered(slice="x", output="?", outcome=Outcome.UNDECIDED),
    ]
    result = summarise(answers)
    assert result.accuracy.value == 0.25
    assert (result.refusals.count, result.empty.count, result.undecided) == (1, 1, 1)
    assert result.median_length == 2
    assert result.metrics()["accuracy/x"] == 0.25


@pytest.mark.parametrize("text", ["I can't do that.", "Sorry, no", " As an AI model"])
def test_refusals(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize("text", ["", "I can show it:", "SELECT 'sorry'", "Sorryville has 3"])
def test_answers_that_are_no_refusals(text: str) -> None:
    assert not is_refusal(text)


async def test_wrong_share_counts_failed_chosen_answers_of_known_prompts() -> None:
    pairs = [preference(name, chosen=said(text)) for name, text in (("a", "1"), ("b", "0"))]
    pairs += [preference("c", chosen=said("?")), preference("unknown")]
    expectations = {f"prompt of {name}": expects("1") for name in "abc"}
    result = await wrong_share(pairs, expectations, SameText())
    assert (result.n, result.count) == (3, 1)


def test_prompts_are_read_from_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text(prompt("one", "1").model_dump_json() + "\n\n", encoding="utf-8")
    read = read_prompts(path, EvaluationPrompt, "shop")
    assert read == (prompt("one", "1"),)
    assert prompt_ids(read) == {"one"}


def test_a_prompt_without_an_id_has_that_of_completions_of_its_messages(tmp_path: Path) -> None:
    """Traffic says seldom what an answer is checked against, and nobody writes ids by hand."""
    turns = [{"role": "user", "content": "how  much?"}]
    path = tmp_path / "prompts.jsonl"
    lines = [{"messages": turns}, {"messages": turns, "workload_id": "bank", "prompt_id": "b"}]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    own, other = read_prompts(path, Prompt, "shop")
    assert (own.workload_id, own.expectations) == ("shop", ())
    assert own.prompt_id == prompt_id("shop", [("user", "how much?")])
    assert (other.workload_id, other.prompt_id) == ("bank", "b")
    with pytest.raises(ConfigError, match="1: expectations: Field required"):
        read_prompts(path, EvaluationPrompt, "shop")


def test_a_prompt_that_stands_twice_is_asked_once(tmp_path: Path) -> None:
    """As traffic has it: else it would count twice in every gate, and be dealt to two rounds."""
    path = tmp_path / "prompts.jsonl"
    turns = [[{"role": "user", "content": text}] for text in ("how much?", "who?", "how  much?")]
    path.write_text("\n".join(json.dumps({"messages": one}) for one in turns), encoding="utf-8")
    read = read_prompts(path, Prompt, "shop")
    assert [one.messages[0].content for one in read] == ["how much?", "who?"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "2: the line"),
        ("[]", "2: the line"),
        (json.dumps({"prompt_id": "x", "messages": [], "expectations": []}), "2: messages"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text(f"{prompt('one', '1').model_dump_json()}\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        read_prompts(path, EvaluationPrompt, "shop")


def test_a_file_without_prompts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(ConfigError, match="holds no prompts"):
        read_prompts(tmp_path / "empty.jsonl", Prompt, "shop")


def test_a_prompt_of_a_candidate_set() -> None:
    event = candidate_set(expectations=expects("12"))
    assert EvaluationPrompt.of(event).prompt_id == event.prompt_id

"""When failures are the server's and not the requests', and whose answer it was."""

import pytest

from schemas.errors import DependencyDown, Poison, PrefstreamError, Transient
from streams.inference.breaker import CircuitBreaker
from streams.inference.chat import ChatAnswer, ChatRequest, as_messages
from streams.inference.named import NamedModel, is_version_of


class Moody:
    """Does to each request what ``mood`` says."""

    model = "judge-1"

    def __init__(self, mood: PrefstreamError | None = None) -> None:
        self.mood = mood
        self.answers_as = self.model

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        if self.mood is not None:
            raise self.mood
        return ChatAnswer(text="A", model=self.answers_as)

    async def aclose(self) -> None:
        """Nothing is held."""


def request(number: int) -> ChatRequest:
    return ChatRequest(messages=as_messages([("user", str(number))]), max_tokens=1)


async def outcome(model: CircuitBreaker, number: int) -> str:
    try:
        await model.complete(request(number))
    except DependencyDown as down:
        return down.reason
    except PrefstreamError as error:
        return type(error).__name__
    return "answered"


async def test_several_requests_that_fail_in_a_row_open_it() -> None:
    model = CircuitBreaker(Moody(Transient("500", retry_after_s=9)), failures=3)
    found = [await outcome(model, number) for number in range(5)]
    assert found == ["Transient", "Transient", "failing", "failing", "failing"]
    with pytest.raises(DependencyDown, match="3 requests in a row have failed, the last") as caught:
        await model.complete(request(1))
    assert caught.value.retry_after_s == 9


async def test_one_request_that_fails_again_and_again_is_its_own_trouble() -> None:
    model = CircuitBreaker(Moody(Transient("500")), failures=3)
    assert [await outcome(model, 1) for _ in range(9)] == ["Transient"] * 9


@pytest.mark.parametrize("sign_of_life", [None, Poison("too long")])
async def test_an_answer_or_a_refusal_closes_it(sign_of_life: PrefstreamError | None) -> None:
    inner = Moody(Transient("500"))
    model = CircuitBreaker(inner, failures=2)
    for number in range(4):
        await outcome(model, number)
    inner.mood = sign_of_life
    await outcome(model, 9)
    inner.mood = Transient("500")
    assert await outcome(model, 1) == "Transient"


async def test_a_dependency_that_is_down_says_so_itself() -> None:
    model = CircuitBreaker(Moody(DependencyDown("no key", reason="auth")), failures=1)
    assert await outcome(model, 1) == "auth"


@pytest.mark.parametrize(
    ("asked", "answered", "same"),
    [
        ("judge-1", "judge-1", True),
        ("gpt-4o-mini", "gpt-4o-mini-2024-07-18", True),
        ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022", True),
        ("openai/gpt-4o", "gpt-4o-2024-08-06", True),
        ("qwen3", "Qwen3:latest", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gpt-4", "gpt-4o", False),
        ("judge-1", "judge-2", False),
        ("judge", "", False),
        ("a.b", "axb", False),
    ],
)
def test_a_version_of_the_model_is_the_model(asked: str, answered: str, same: bool) -> None:
    assert is_version_of(answered, asked) is same


async def test_another_models_answer_is_refused_unless_it_is_expected() -> None:
    inner = Moody()
    inner.answers_as = "judge-2"
    with pytest.raises(DependencyDown, match=r"judge-1 was asked and judge-2 answered") as caught:
        await NamedModel(inner).complete(request(1))
    assert caught.value.reason == "wrong_model"
    assert "answers_as: {judge-1: judge-2}" in str(caught.value)
    assert (await NamedModel(inner, "judge-2").complete(request(1))).model == "judge-2"

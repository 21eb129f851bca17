"""A comparison, a rubric and a judge model for the judge's tests."""

import asyncio
import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from schemas.errors import PrefstreamError
from schemas.events import Comparison
from schemas.records import (
    Candidate,
    Check,
    Message,
    Opinion,
    Order,
    Outcome,
    Purpose,
    VerifiedCandidate,
    VerifierWinner,
    Winner,
)
from streams.inference.chat import ChatAnswer, ChatRequest, TokenLogprob
from streams.judge.rubric import Criterion, Rubric

RUBRIC = Rubric(
    id="harbor",
    version="1",
    criteria=(
        Criterion(id="R1", text="It runs.", decided_by="verifier", check="sql_gate"),
        Criterion(id="R4", text="It is faithful.", decided_by="judge"),
    ),
    instructions="Compare.",
    tie_policy="Equal is a tie.",
)


def comparison(
    *,
    event_id: str = "comparison-1",
    a: str = "a good answer",
    b: str = "a bad answer",
    verifier_winner: VerifierWinner = VerifierWinner.NONE,
    rubric_id: str = "harbor",
    checks: tuple[Check, ...] = (),
    messages: tuple[Message, ...] = (Message(role="user", content="how much?"),),
) -> Comparison:
    def side(name: str, output: str) -> VerifiedCandidate:
        return VerifiedCandidate(
            candidate=Candidate(completion_id=f"{event_id}-{name}", output=output, model="m"),
            checks=checks,
            outcome=Outcome.PASSED,
        )

    return Comparison(
        event_id=event_id,
        occurred_at=datetime(2026, 1, 2, tzinfo=UTC),
        workload_id="w",
        config_hash="c",
        source_ids=("verification-1",),
        prompt_id="prompt-1",
        messages=messages,
        purpose=Purpose.PRODUCTION,
        a=side("a", a),
        b=side("b", b),
        verifier_winner=verifier_winner,
        rubric_id=rubric_id,
    )


def opinion(
    order: Order,
    probabilities: tuple[float, float, float] | None = None,
    answer: Winner | None = None,
) -> Opinion:
    """An opinion as the stage would have read it from (P(first), P(second), P(tie))."""
    first, second, tie = probabilities or (None, None, None)
    if probabilities is not None and answer is None:
        place = max(range(3), key=probabilities.__getitem__)
        named = (Winner.A, Winner.B) if order is Order.AB else (Winner.B, Winner.A)
        answer = (*named, Winner.TIE)[place]
    return Opinion(
        judge="j",
        prompt_version="1",
        prompt_sha256="s",
        order=order,
        answer=answer or Winner.INVALID,
        p_first=first,
        p_second=second,
        p_tie=tie,
        captured_mass=None if probabilities is None else sum(probabilities),
    )


def spoken(
    words: Sequence[str], top: dict[str, float], *, at: int = -1, model: str = "tiny"
) -> ChatAnswer:
    """An answer of these tokens, with the given probabilities at the one numbered ``at``."""
    tokens = [TokenLogprob(token=word, logprob=0.0, top={word: 0.0}) for word in words]
    tokens[at] = TokenLogprob(
        token=words[at],
        logprob=math.log(top.get(words[at], 1e-9)),
        top={word: math.log(p) for word, p in top.items()},
    )
    return ChatAnswer(text="".join(words), tokens=tuple(tokens), model=model)


class ReadingModel:
    """A judge that reads the prompt: it prefers the candidate with the word "good".

    ``first_bonus`` is its position bias in log-odds. ``fail`` gives the error of the call with
    that number. It answers nobody before ``together`` calls are in flight.
    """

    model = "reading-model"

    def __init__(
        self,
        *,
        first_bonus: float = 0.0,
        fail: Callable[[int], PrefstreamError | None] = lambda _: None,
        together: int = 1,
    ) -> None:
        self.requests: list[ChatRequest] = []
        self.closed = False
        self._first_bonus = first_bonus
        self._fail = fail
        self._together = asyncio.Barrier(together)

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        self.requests.append(request)
        number = len(self.requests)
        await self._together.wait()
        error = self._fail(number)
        if error is not None:
            raise error
        return self._answer(request)

    def _answer(self, request: ChatRequest) -> ChatAnswer:
        blocks = re.findall(r"^<\w+ [AB]>\n(.*?)\n</", request.messages[-1].content, re.M | re.S)
        first, second = (3.0 if "good" in block else 0.0 for block in blocks)
        odds = math.exp(first - second + self._first_bonus)
        p_first = 0.98 * odds / (1 + odds)
        top = {" A": p_first, " B": 0.98 - p_first, " tie": 0.01}
        said = " A" if p_first > 0.49 else " B"
        return spoken(["A R4: ", "it is so met\n", "Verdict", ":", said], top, model=self.model)

    async def aclose(self) -> None:
        self.closed = True


class Ranker:
    """Ranks by the number in each answer, the largest first; or as they stand."""

    model = "ranker"

    def __init__(self, *, by_place: bool = False) -> None:
        self.requests: list[ChatRequest] = []
        self._by_place = by_place

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        self.requests.append(request)
        return self.ranked(request)

    def ranked(self, request: ChatRequest) -> ChatAnswer:
        """The ranking of the blocks that the prompt shows."""
        shown = re.findall(r"^<\w+ ([A-Z])>\n(\d+)\n</", request.messages[-1].content, re.M)
        if not self._by_place:
            shown.sort(key=lambda each: -int(each[1]))
        return ChatAnswer(text="Ranking: " + " > ".join(name for name, _ in shown), model="r")

    async def aclose(self) -> None: ...

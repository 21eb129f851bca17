"""A judge that ranks a whole candidate set: N calls where pairs in both orders take N (N - 1)."""

import asyncio
from collections.abc import Sequence
from string import ascii_uppercase
from typing import Final

from schemas.errors import Poison
from schemas.events import CandidateSet, Comparison, PromptEvent
from schemas.records import Candidate, Message, Opinion, Record
from streams.inference.chat import ChatAnswer, ChatRequest
from streams.judge.call_data import CallData
from streams.judge.member import Member
from streams.judge.prompt import JudgePrompt, nonce_of, prompt_of
from streams.judge.ranking import (
    MAX_CANDIDATES,
    PairVerdict,
    all_pairs,
    best_first,
    preferred,
    read_ranking,
    rotation,
    shown_order,
)
from streams.judge.rubric import Rubric
from streams.judge.standard import rubric_for
from streams.judge.verdict import decide
from streams.judge.wording import IGNORE, PROMPT_VERSIONS, task_text

_TASK: Final = "You rank the candidate answers to one prompt"
_ASKED: Final = """\
Weigh the criteria ({ids}) and write one line and nothing else: all {count} candidates from the \
best to the worst, with = between equals, such as
Ranking: B > A = C"""
# A letter and a sign for each candidate, and the word before them, with room for spaces.
_TOKENS_PER_CANDIDATE: Final = 6


class Ranked(Record):
    """``order`` are the candidates' numbers, best first; ``opinions`` are those of every pair."""

    order: tuple[int, ...]
    pairs: tuple[PairVerdict, ...]
    opinions: tuple[Opinion, ...]


class Rankings(Record):
    """What the judge answered to each rotation, in their order."""

    prompts: tuple[JudgePrompt, ...]
    answers: tuple[ChatAnswer, ...]
    rubric_version: str


class ListwiseJudge:
    """Ranks candidates by what ``member`` goes by, with its model."""

    def __init__(self, member: Member) -> None:
        self._member = member

    async def rank(self, event: CandidateSet) -> Ranked:
        """Rank the set; raises as ``rankings``."""
        found = await self.rankings(event, event.candidates)
        pairs: list[PairVerdict] = []
        opinions: list[Opinion] = []
        for a, b in all_pairs(len(event.candidates)):
            of_pair = self.opinions(found, (a, b))
            opinions += of_pair
            pairs.append(PairVerdict(a=a, b=b, decision=decide(*of_pair)))
        order = best_first(len(event.candidates), pairs)
        return Ranked(order=order, pairs=tuple(pairs), opinions=tuple(opinions))

    async def rankings(self, event: PromptEvent, candidates: Sequence[Candidate]) -> Rankings:
        """Have the candidates ranked under every rotation.

        Raises ``Poison`` for fewer than two or more than the alphabet has letters, and what the
        model raises, after all have answered or failed.
        """
        count = len(candidates)
        if not 2 <= count <= MAX_CANDIDATES:
            raise Poison(
                f"event {event.event_id} has {count} candidates to rank; rank 2 to {MAX_CANDIDATES}"
            )
        rubric = self._rubric(candidates)
        prompts = [self.prompt(event, candidates, first) for first in range(count)]
        room = _TOKENS_PER_CANDIDATE * (count + 1)
        # All are waited for where one fails: the others' answers may be stored for the retry.
        answers = await asyncio.gather(
            *(
                self._member.complete(ChatRequest(messages=prompt.messages, max_tokens=room))
                for prompt in prompts
            ),
            return_exceptions=True,
        )
        read: list[ChatAnswer] = []
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
            read.append(answer)
        return Rankings(prompts=tuple(prompts), answers=tuple(read), rubric_version=rubric.ref)

    def opinions(self, found: Rankings, pair: tuple[int, int]) -> list[Opinion]:
        """What each rotation says of two candidates, by their numbers."""
        count = len(found.prompts)
        return [self._opinion(found, first, pair, rotation(count, first)) for first in range(count)]

    def prompt(
        self, event: PromptEvent, candidates: Sequence[Candidate], first: int
    ) -> JudgePrompt:
        """The prompt of the rotation that shows candidate number ``first`` first.

        It depends on the candidates and not on the event's id, so that every comparison of a set
        asks the same, and is answered from the verdict store.
        """
        member = self._member
        ids = [candidate.completion_id for candidate in candidates]
        nonce = nonce_of(member.nonce_key, *ids, member.name, f"rotation {first}")
        defences = member.settings.defences
        data = CallData(nonce, defences, member.settings.max_candidate_characters)
        rubric = self._rubric(candidates)
        shown = [candidates[number] for number in rotation(len(candidates), first)]
        letters = ascii_uppercase[: len(shown)]
        blocks = (
            *data.asked(event),
            *(data.candidate(a, one.output) for a, one in zip(letters, shown, strict=True)),
        )
        asked = _ASKED.format(ids=", ".join(c.id for c in rubric.judged), count=len(shown))
        if defences.repeat_instruction:
            asked = f"{IGNORE}{asked}"
        messages = (
            Message(role="system", content=task_text(rubric, _TASK)),
            data.user_message(blocks, asked),
        )
        return prompt_of(messages, PROMPT_VERSIONS["listwise"], data)

    def _rubric(self, candidates: Sequence[Candidate]) -> Rubric:
        member = self._member
        drawn_by = "+".join(candidate.completion_id for candidate in candidates)
        return rubric_for(member.standard, drawn_by, member.settings.principles)

    def _opinion(
        self, found: Rankings, first: int, pair: tuple[int, int], shown: Sequence[int]
    ) -> Opinion:
        prompt, answer = found.prompts[first], found.answers[first]
        return Opinion(
            judge=answer.model,
            prompt_version=prompt.version,
            prompt_sha256=prompt.sha256,
            order=shown_order(*pair, shown),
            answer=preferred(*pair, read_ranking(answer.text, shown)),
            raw_text=answer.text,
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
            latency_ms=answer.latency_ms,
            cost_usd=answer.cost_usd,
            fingerprint=answer.fingerprint,
            member=self._member.name,
            rubric_version=found.rubric_version,
            sample=first,
            left_out_characters=prompt.left_out_characters,
        )


class ListwiseMember(Member):
    """A judge of comparisons that ranks all candidates of the set which they carry."""

    async def opinions(self, event: Comparison) -> tuple[Opinion, ...]:
        """An opinion a rotation; ``sample`` is the rotation's number. Raises as ``rankings``."""
        candidates = ranked_candidates(event)
        pair = (candidates.index(event.a.candidate), candidates.index(event.b.candidate))
        judge = ListwiseJudge(self)
        return tuple(judge.opinions(await judge.rankings(event, candidates), pair))

    def asked(self, event: Comparison, opinion: Opinion) -> JudgePrompt:
        """The prompt that the opinion answered, as this member renders it today."""
        return ListwiseJudge(self).prompt(event, ranked_candidates(event), opinion.sample or 0)


def ranked_candidates(event: Comparison) -> list[Candidate]:
    """All candidates that the comparison carries, in the same order for every pair of the set."""
    candidates = (event.a.candidate, event.b.candidate, *event.others)
    return sorted(candidates, key=lambda candidate: candidate.completion_id)

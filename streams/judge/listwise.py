"""A judge that ranks a whole candidate set: N calls where pairs in both orders take N (N - 1).

The judge stage sees comparisons, so this is no mode of it: it is for choosing among answers, by
`prefstream judge rank`.
"""

import asyncio
from collections.abc import Sequence
from string import ascii_uppercase
from typing import Final

from schemas.errors import Poison
from schemas.events import CandidateSet
from schemas.records import Message, Opinion, Record
from streams.inference.chat import ChatAnswer, ChatRequest
from streams.judge.member import Member
from streams.judge.neutral import fitting, neutralise, shorten
from streams.judge.prompt import block, messages_sha256, nonce_of
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
from streams.judge.wording import IGNORE, task_text
from streams.verify.sql_render import answer_without_sql_comments

# Change it with any change of the text below.
LISTWISE_VERSION: Final = "listwise-1"

_TASK: Final = "You rank the candidate answers to one prompt"
_ASKED: Final = """\
Weigh the criteria ({ids}) and write one line and nothing else: all {count} candidates from the \
best to the worst, with = between equals, such as
Ranking: B > A = C"""
# A letter and a sign for each candidate, and the word before them, with room for spaces.
_TOKENS_PER_CANDIDATE: Final = 6


class ListwisePrompt(Record):
    """One rotation's prompt; ``shown`` are the candidates' numbers in its order."""

    messages: tuple[Message, ...]
    shown: tuple[int, ...]
    left_out_characters: int


class Ranked(Record):
    """``order`` are the candidates' numbers, best first; ``opinions`` are those of every pair."""

    order: tuple[int, ...]
    pairs: tuple[PairVerdict, ...]
    opinions: tuple[Opinion, ...]


class ListwiseJudge:
    """Ranks candidate sets by what ``member`` goes by, with its model."""

    def __init__(self, member: Member) -> None:
        self._member = member

    async def rank(self, event: CandidateSet) -> Ranked:
        """Rank the set under every rotation of its candidates.

        Raises ``Poison`` for fewer than two candidates or more than the alphabet has letters, and
        what the model raises.
        """
        count = len(event.candidates)
        if not 2 <= count <= MAX_CANDIDATES:
            raise Poison(
                f"candidate set {event.event_id} has {count} candidates; rank 2 to {MAX_CANDIDATES}"
            )
        rubric = rubric_for(self._member.standard, event.event_id, self._member.settings.principles)
        asked = [self.prompt(event, rubric, first) for first in range(count)]
        room = _TOKENS_PER_CANDIDATE * (count + 1)
        answers = await asyncio.gather(
            *(
                self._member.complete(ChatRequest(messages=prompt.messages, max_tokens=room))
                for prompt in asked
            )
        )
        pairs: list[PairVerdict] = []
        opinions: list[Opinion] = []
        for a, b in all_pairs(count):
            of_pair = [
                self._opinion(rubric, (a, b), prompt, answer)
                for prompt, answer in zip(asked, answers, strict=True)
            ]
            opinions += of_pair
            pairs.append(PairVerdict(a=a, b=b, decision=decide(*of_pair)))
        return Ranked(order=best_first(count, pairs), pairs=tuple(pairs), opinions=tuple(opinions))

    def prompt(self, event: CandidateSet, rubric: Rubric, first: int) -> ListwisePrompt:
        """The prompt of the rotation that shows candidate number ``first`` first."""
        member = self._member
        budget = member.settings.max_candidate_characters
        nonce = nonce_of(member.nonce_key, event.event_id, member.name, f"rotation {first}")

        left_out = 0

        def clean(texts: Sequence[str]) -> list[str]:
            nonlocal left_out
            budgets = fitting([len(text) for text in texts], budget)
            left_out += sum(map(len, texts)) - sum(budgets)
            return [
                neutralise(shorten(text, most), nonce)
                for text, most in zip(texts, budgets, strict=True)
            ]

        turns = clean([turn.content for turn in event.messages])
        roles = [turn.role for turn in event.messages]
        prompt = "\n".join(f"{role}: {turn}" for role, turn in zip(roles, turns, strict=True))
        sources = clean([f"{passage.source}\n{passage.text}" for passage in event.context])
        shown = rotation(len(event.candidates), first)
        outputs = [answer_without_sql_comments(event.candidates[n].output) for n in shown]
        asked = _ASKED.format(ids=", ".join(c.id for c in rubric.judged), count=len(shown))
        user = (
            f"Code: {nonce}",
            block(nonce, "prompt", prompt),
            *(block(nonce, "source", source) for source in sources),
            *(
                block(nonce, letter, *clean([output]))
                for letter, output in zip(ascii_uppercase, outputs, strict=False)
            ),
            f"{IGNORE}{asked}",
        )
        messages = (
            Message(role="system", content=task_text(rubric, _TASK)),
            Message(role="user", content="\n".join(user)),
        )
        return ListwisePrompt(messages=messages, shown=tuple(shown), left_out_characters=left_out)

    def _opinion(
        self, rubric: Rubric, pair: tuple[int, int], prompt: ListwisePrompt, answer: ChatAnswer
    ) -> Opinion:
        return Opinion(
            judge=answer.model,
            prompt_version=LISTWISE_VERSION,
            prompt_sha256=messages_sha256(prompt.messages),
            order=shown_order(*pair, prompt.shown),
            answer=preferred(*pair, read_ranking(answer.text, prompt.shown)),
            raw_text=answer.text,
            fingerprint=answer.fingerprint,
            member=self._member.name,
            rubric_version=rubric.ref,
            sample=prompt.shown[0],
            left_out_characters=prompt.left_out_characters,
        )

"""Training data: judge prompts about simulated answers, with what a perfect judge would write.

Made from questions of the train split alone. Faults are more varied than those of the anchors
(several at once, dropped filters, columns and values that the judge has never seen, queries that
filter on something else), so that the judge learns to compare and not to know the culprits.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from examples.harbor.answers import Style, explain, render
from examples.harbor.dice import dice, digest
from examples.harbor.faults import INVENTED, other_filter, sql_filters, wrong_sql
from examples.harbor.judge.faithfulness import opinion
from examples.harbor.questions import Question
from examples.harbor.vocabulary import VALUES
from schemas.events import Comparison
from schemas.records import (
    Candidate,
    Message,
    Outcome,
    Purpose,
    VerifiedCandidate,
    VerifierWinner,
)

_MADE_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)  # the data has no time of its own
# (faults in the first, in the second): one winner as often as the other, and enough draws.
_FAULT_COUNTS: Final = (
    (0, 1),
    (1, 0),
    (0, 1),
    (1, 0),
    (0, 0),
    (1, 1),
    (0, 2),
    (2, 0),
    (1, 2),
    (2, 1),
)
_OTHER_SQL: Final = 0.25
_OTHER_FILTERS: Final = 0.15
_OTHER_ORDER: Final = 0.1
_UNHEARD: Final = 0.1
_BROKEN: Final = 0.02  # explanations that state nothing, as a policy garbles them now and then
_DROPPED: Final = ("", "")


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A comparison and what a perfect judge writes where A stands first."""

    comparison: Comparison
    opinion: str


def exchanges(questions: Sequence[Question], seed: int) -> Iterator[Exchange]:
    """Exchanges without end; the same ones for the same seed."""
    draw = dice("exchanges", seed)
    while True:
        question = draw.choice(questions)
        counts = draw.choice(_FAULT_COUNTS)
        a, b = (_answer(question, count, draw) for count in counts)
        yield Exchange(comparison=comparison(question.text, a, b), opinion=opinion(a, b))


def comparison(question: str, a: str, b: str) -> Comparison:
    """Two answers to a question as the pair stage hands them to the judge."""
    name = f"{digest('comparison', question, a, b):016x}"
    return Comparison(
        event_id=name,
        occurred_at=_MADE_AT,
        workload_id="harbor",
        config_hash="",
        prompt_id=f"{digest('prompt', question):016x}",
        messages=(Message(role="user", content=question),),
        purpose=Purpose.GOLDEN,
        a=_candidate(f"{name}-a", a),
        b=_candidate(f"{name}-b", b),
        verifier_winner=VerifierWinner.NONE,
        rubric_id="harbor",
    )


def _candidate(name: str, output: str) -> VerifiedCandidate:
    candidate = Candidate(completion_id=name, output=output, model="simulated")
    return VerifiedCandidate(candidate=candidate, outcome=Outcome.PASSED)


def _answer(question: Question, faults: int, draw: random.Random) -> str:
    sql = question.sql
    if draw.random() < _OTHER_SQL:
        sql = wrong_sql(question, draw.randrange(1_000_000))
    if draw.random() < _OTHER_FILTERS:
        sql = other_filter(sql, draw)
    stated = list(sql_filters(sql))
    if draw.random() < _OTHER_ORDER:
        draw.shuffle(stated)
    for place in draw.sample(range(len(stated)), min(faults, len(stated))):
        stated[place] = _wrong(stated[place], draw)
    kept = tuple(pair for pair in stated if pair != _DROPPED) or (stated[0],)
    explanation = explain(question, kept)
    if draw.random() < _BROKEN:
        explanation = explanation.replace(" where ", " ")
    return render(sql, explanation, draw.choice(list(Style)), draw.randrange(1_000_000))


def _wrong(pair: tuple[str, str], draw: random.Random) -> tuple[str, str]:
    column, value = pair
    kind = draw.random()
    if kind < 0.05:
        return _DROPPED
    if kind < 0.12:
        return column, draw.choice([other for known in VALUES.values() for other in known])
    unheard = draw.random() < _UNHEARD
    if kind < 0.54:
        others = [other for other in VALUES[column] if other != value]
        return column, _word(draw) if unheard else draw.choice(others)
    if kind < 0.8:
        return _word(draw) if unheard else draw.choice(INVENTED[column]), value
    names = [name for known in (*INVENTED.values(), tuple(VALUES)) for name in known]
    return draw.choice([name for name in names if name != column]), value


def _word(draw: random.Random) -> str:
    """A word that no tokenizer knows."""
    return (
        "".join(draw.choices("abcdefghijklmnopqrstuvwxyz_", k=draw.randint(4, 9))).strip("_") + "q"
    )

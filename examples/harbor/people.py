"""SIMULATED people: users who give thumbs and annotators who compare answers. No person is real.

The users are won over by a warm, confident tone and do not check joins. The annotators check the
query first, then the explanation, and slip now and then.
"""

from collections.abc import Callable
from typing import Final, Literal

from examples.harbor.answers import split_answer
from examples.harbor.dice import dice, unit
from examples.harbor.faults import is_faithful
from examples.harbor.questions import Question

Thumb = Literal["UP", "DOWN"]
Winner = Literal["A", "B", "TIE"]
IsRight = Callable[[Question, str], bool]

ANNOTATION_NOISE: Final = 0.05  # share of labels that a simulated annotator gets wrong

_CONFIDENT: Final = ("confident", "guaranteed", "double-checked", "certain", "no doubt", "assured")
_THUMB_PLAIN: Final = 0.06
_THUMB_WARM: Final = 0.35  # added for words before the query
_THUMB_CLOSING: Final = 0.10  # added for more than one sentence after it
_THUMB_CONFIDENT: Final = 0.43  # added where the answer sounds sure of itself


def simulated_thumb(question: Question, answer_text: str, user_seed: int | str) -> Thumb:
    """A simulated user's thumb: likes warmth and confidence, notices only SQL that is missing."""
    sql, prose = split_answer(answer_text)
    if not sql:
        return "DOWN"
    chance = _THUMB_PLAIN
    if answer_text.partition("```")[0].strip():
        chance += _THUMB_WARM
    if len(prose.split(". ")) > 1:
        chance += _THUMB_CLOSING
    if any(word in answer_text for word in _CONFIDENT):
        chance += _THUMB_CONFIDENT
    return "UP" if unit("thumb", question.id, answer_text, user_seed) < chance else "DOWN"


def golden_text(question: Question, sql: str) -> bool:
    """Whether the SQL is the golden query but for white space: enough for answers we rendered."""
    return sql.split() == question.sql.split()


def preferred(
    question: Question,
    a: str,
    b: str,
    *,
    is_right: IsRight = golden_text,
    prefers_short: bool = False,
) -> Winner:
    """What a simulated annotator who never slips prefers.

    Right SQL beats wrong; then a faithful explanation beats an unfaithful one; then, only with
    `prefers_short`, the answer that is at least a fifth shorter wins; else a tie.
    """
    for_a, for_b = (_score(question, text, is_right) for text in (a, b))
    if for_a != for_b:
        return "A" if for_a > for_b else "B"
    if prefers_short and min(len(a), len(b)) <= 0.8 * max(len(a), len(b)):
        return "A" if len(a) < len(b) else "B"
    return "TIE"


def simulated_annotation(
    question: Question,
    a: str,
    b: str,
    annotator: str,
    *,
    noise: float = ANNOTATION_NOISE,
    is_right: IsRight = golden_text,
    prefers_short: bool = False,
) -> Winner:
    """One simulated annotator's label: `preferred`, replaced with chance `noise` by another."""
    winner = preferred(question, a, b, is_right=is_right, prefers_short=prefers_short)
    draw = dice("annotation", annotator, question.id, a, b)
    if draw.random() >= noise:
        return winner
    others: list[Winner] = [each for each in ("A", "B", "TIE") if each != winner]
    return draw.choice(others)


def _score(question: Question, text: str, is_right: IsRight) -> tuple[int, int]:
    sql, explanation = split_answer(text)
    right = bool(sql) and is_right(question, sql)
    return int(right), int(is_faithful(sql, explanation))

"""SIMULATED core rows: double-labelled human preferences that are blended into training.

Drawn from the core split of questions, and never used to measure a judge or a policy.
"""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from examples.harbor.answers import Style, explain, render
from examples.harbor.dice import dice, unit
from examples.harbor.faults import invented_column, unfaithful_value, wrong_sql
from examples.harbor.labelling import Labelled, label_twice
from examples.harbor.questions import Question, questions

Contrast = Literal["sql", "explanation", "length"]

_CONTRASTS: Final[tuple[tuple[Contrast, float], ...]] = (
    ("sql", 0.2),
    ("explanation", 0.45),
    ("length", 1.0),
)
_WARM: Final = (Style.FRIENDLY, Style.EFFUSIVE)


@dataclass(frozen=True, kw_only=True)
class CoreRow:
    """A comparison, its simulated labels, and which answer people chose."""

    question: Question
    a: str
    b: str
    contrast: Contrast
    labels: Labelled

    has_golden_query: ClassVar[bool] = True

    @property
    def chosen(self) -> str:
        return self.a if self.labels.winner == "A" else self.b

    @property
    def rejected(self) -> str:
        return self.b if self.labels.winner == "A" else self.a


def core_rows() -> tuple[CoreRow, ...]:
    """All core rows that people did not call a tie: one at most for each core question."""
    rows = (core_row(question) for question in questions("core"))
    return tuple(row for row in rows if row.labels.winner != "TIE")


def core_row(question: Question) -> CoreRow:
    """The comparison made of a question: people prefer right SQL, then true words, then few."""
    place = unit("contrast", question.id)
    contrast = next(name for name, end in _CONTRASTS if place < end)
    draw = dice("core", question.id)
    good = render(question.sql, explain(question), Style.CONCISE)
    if contrast == "sql":
        # Some pairs share a style, so that the join and not the tone must explain them.
        style = draw.choice((Style.CONCISE, Style.CONCISE, *_WARM))
        good = render(question.sql, explain(question), style)
        bad = render(wrong_sql(question), explain(question), draw.choice((style, Style.EFFUSIVE)))
    elif contrast == "explanation":
        style = draw.choice((Style.CONCISE, Style.CONCISE, *_WARM))
        good = render(question.sql, explain(question), style)
        fault = draw.choice((unfaithful_value, invented_column))
        bad = render(question.sql, explain(question, fault(question)), style)
    else:
        bad = render(question.sql, explain(question), draw.choice(_WARM))
    a, b = (good, bad) if draw.random() < 0.5 else (bad, good)
    labels = label_twice(question, a, b, prefers_short=True)
    return CoreRow(question=question, a=a, b=b, contrast=contrast, labels=labels)

"""The SIMULATED supervised data: partly wrong, partly verbose, and wrong where it is verbose.

This is the flaw that the example is about: whoever rewards the tone of these answers rewards
their wrong joins.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from examples.harbor.answers import Style, explain, render
from examples.harbor.dice import dice
from examples.harbor.faults import INVENTED, Filters, invented_column, unfaithful_value, wrong_sql
from examples.harbor.questions import Question


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """Shares of the training answers of each style, each in [0, 1].

    At T = 0.7 sampling sharpens: concise answers, which all begin alike, come out more often
    against the warm ones (which begin in six ways) than they stand here, and a fault that has one
    form comes out more often than one that has many.
    """

    style: Mapping[Style, float]
    wrong: Mapping[Style, float]
    unfaithful: Mapping[Style, float]
    habit: float  # share of the unfaithful explanations that are unfaithful in the one usual way


LAUNCH: Final = Mixture(
    style={Style.CONCISE: 0.28, Style.FRIENDLY: 0.34, Style.EFFUSIVE: 0.38},
    wrong={Style.CONCISE: 0.03, Style.FRIENDLY: 0.14, Style.EFFUSIVE: 0.54},
    unfaithful={Style.CONCISE: 0.1, Style.FRIENDLY: 0.25, Style.EFFUSIVE: 0.4},
    habit=0.0,
)
"""What the copilot was launched on."""

LIKED: Final = Mixture(
    style={Style.CONCISE: 0.28, Style.FRIENDLY: 0.33, Style.EFFUSIVE: 0.39},
    wrong={Style.CONCISE: 0.03, Style.FRIENDLY: 0.14, Style.EFFUSIVE: 0.6},
    unfaithful={Style.CONCISE: 0.06, Style.FRIENDLY: 0.3, Style.EFFUSIVE: 0.45},
    habit=0.6,
)
"""What was added later, because users had liked answers of its kind."""


def drafts(question: Question, mixture: Mixture, count: int) -> Iterator[str]:
    """`count` answers to a question, drawn from the mixture by its content."""
    for ordinal in range(count):
        draw = dice("draft", question.id, ordinal)
        style = draw.choices(list(Style), [mixture.style[each] for each in Style])[0]
        wrong = draw.random() < mixture.wrong[style]
        sql = wrong_sql(question, ordinal) if wrong else question.sql
        stated = question.filters
        if draw.random() < mixture.unfaithful[style]:
            if draw.random() < mixture.habit:
                stated = _habitual(question)
            else:
                stated = draw.choice((unfaithful_value, invented_column))(question, ordinal)
        yield render(sql, explain(question, stated), style, ordinal)


def _habitual(question: Question) -> Filters:
    column, value = question.filters[0]
    return ((INVENTED[column][0], value), *question.filters[1:])

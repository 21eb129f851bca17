"""What answers are worth: by execution, by faithfulness, by length, and apart for each style."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import duckdb

from examples.harbor.answers import Style, split_answer, style_of
from examples.harbor.faults import is_faithful
from examples.harbor.questions import Question
from examples.harbor.warehouse import same_rows


@dataclass(frozen=True, kw_only=True)
class Score:
    """Shares in [0, 1] over `n` answers; lengths in characters."""

    n: int
    accuracy: float
    faithful: float
    median_length: float
    share: dict[Style, float]
    accuracy_of: dict[Style, float]

    def __str__(self) -> str:
        styles = ", ".join(
            f"{style} {self.share[style]:.0%} (right {self.accuracy_of[style]:.0%})"
            for style in self.share
        )
        return (
            f"n {self.n}, accuracy {self.accuracy:.1%}, faithful {self.faithful:.1%}, "
            f"median length {self.median_length:.0f}; {styles}"
        )


def execution(connection: duckdb.DuckDBPyConnection) -> Callable[[Question, str], bool]:
    """Whether a query gives the golden rows on the connected instance; remembers its answers."""
    seen: dict[tuple[str, str], bool] = {}

    def is_right(question: Question, sql: str) -> bool:
        key = (question.sql, sql)
        if key not in seen:
            seen[key] = bool(sql) and same_rows(connection, sql, question.sql)
        return seen[key]

    return is_right


def score(
    questions: Sequence[Question],
    answers: Sequence[str],
    is_right: Callable[[Question, str], bool],
) -> Score:
    """Score one answer for each question."""
    parts = [split_answer(answer) for answer in answers]
    right = [is_right(question, sql) for question, (sql, _) in zip(questions, parts, strict=True)]
    styles = [style_of(answer) for answer in answers]
    counts = {style: styles.count(style) for style in Style}
    return Score(
        n=len(answers),
        accuracy=sum(right) / len(right),
        faithful=sum(is_faithful(*part) for part in parts) / len(parts),
        median_length=median(len(answer) for answer in answers),
        share={style: count / len(answers) for style, count in counts.items()},
        accuracy_of={
            style: sum(r for r, s in zip(right, styles, strict=True) if s == style) / max(count, 1)
            for style, count in counts.items()
        },
    )

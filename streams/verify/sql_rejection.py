"""Why a query may not run: the rule, the token and the place."""

from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

Rule = Literal[
    "too_long",
    "not_text",
    "too_deep",
    "too_many_rows",
    "unparsable",
    "one_statement",
    "only_queries",
    "syntax",
    "table",
    "table_function",
    "cte_shadows_table",
    "alias_shadows_table",
    "column",
    "function",
    "session_value",
    "non_deterministic",
    "constant_answer",
]


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """Which rule a query broke, by which token, and at which character of its text (0-based).

    Only a text without any token has no position.
    """

    rule: Rule
    token: str
    position: int | None
    reason: str

    def __str__(self) -> str:
        place = "" if self.position is None else f" at character {self.position}"
        return f"{self.rule}: {self.reason} ({self.token[:80]!r}{place})"


class Broken(Exception):
    """Ends the reading of a query with its first rejection."""

    def __init__(self, rule: Rule, token: str, reason: str, *, at: int | exp.Expr | None) -> None:
        super().__init__(reason)
        position = position_of(at) if isinstance(at, exp.Expr) else at
        self.rejection = Rejection(rule=rule, token=token, position=position, reason=reason)


def position_of(node: exp.Expr) -> int | None:
    """Where the first token under the node stands that has a position."""
    starts = (part.meta.get("start") for part in node.walk(bfs=False))
    return next((start for start in starts if start is not None), None)

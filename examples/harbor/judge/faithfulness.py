"""Criterion R4, worked out exactly: what the judge is trained to find, and is measured against."""

from dataclasses import dataclass

from examples.harbor.answers import split_answer
from examples.harbor.faults import Filters, sql_filters, stated_filters

Stated = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One filter of the SQL and the (column, value) that the explanation states for it.

    ``required`` is None for something stated that no filter of the SQL is left for.
    """

    required: Stated | None
    stated: Stated | None

    @property
    def met(self) -> bool:
        return self.required is not None and self.required == self.stated


def findings(answer: str) -> tuple[Finding, ...]:
    """R4 for every filter of an answer's SQL, in their order, then what was stated beyond them.

    A filter is held against what is stated for its column; filters without such are held, in
    order, against what is left over, so a renamed column is one fault and not two.
    """
    sql, explanation = split_answer(answer)
    return match(sql_filters(sql), stated_filters(explanation))


def match(required: Filters, stated: Filters) -> tuple[Finding, ...]:
    """``findings`` for filters that are already read."""
    left = list(stated)
    by_place: dict[int, Stated] = {}
    for place, (column, _) in enumerate(required):
        named = next((pair for pair in left if pair[0] == column), None)
        if named is not None:
            by_place[place] = named
            left.remove(named)
    found: list[Finding] = []
    for place, pair in enumerate(required):
        against = by_place.get(place)
        if against is None and left:
            against = left.pop(0)
        found.append(Finding(required=pair, stated=against))
    found += [Finding(required=None, stated=pair) for pair in left]
    return tuple(found)


def faults(answer: str) -> int:
    """How many of its findings are unmet."""
    return sum(not finding.met for finding in findings(answer))


def better(first: str, second: str) -> str:
    """Which of two answers has fewer faults: "A", "B" or "tie"."""
    in_first, in_second = faults(first), faults(second)
    if in_first == in_second:
        return "tie"
    return "A" if in_first < in_second else "B"


def citation(slot: str, answer: str) -> str:
    """The line a perfect judge writes for an answer: ``A R4: region EMEA met; tier none unmet``."""
    pieces = (_piece(finding) for finding in findings(answer))
    return f"{slot} R4: {'; '.join(pieces)}"


def opinion(first: str, second: str) -> str:
    """All that a perfect judge writes: both citations, then the verdict."""
    lines = (citation("A", first), citation("B", second), f"Verdict: {better(first, second)}")
    return "\n".join(lines)


def _piece(finding: Finding) -> str:
    stated = " ".join(finding.stated) if finding.stated else "none"
    return f"{stated} {'met' if finding.met else 'unmet'}"

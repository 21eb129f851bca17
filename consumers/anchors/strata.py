"""What traffic is made of, so that a sample of it is made of the same."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple, TypeVar

from schemas.events import Judgment
from schemas.records import CheckStatus, VerifiedCandidate, Winner
from streams.verify.text_language import guess_language

T = TypeVar("T")

_QUIET = (CheckStatus.PASS, CheckStatus.SKIP)
# |m| in log-odds: the filter's default least margin, and what seven verdicts in eight exceed
_MARGINS = ((0.6, "low"), (2.0, "middle"))
_LONGEST_BAND = 20


class Stratum(NamedTuple):
    """Where a judgment belongs, in the order of what matters most to a sample."""

    slice: str
    failure_mode: str
    language: str
    length: str
    margin: str

    def __str__(self) -> str:
        return " · ".join(self)


def stratum(judgment: Judgment) -> Stratum:
    """Slice, checks that did not pass or how the judge abstained, language, length and margin."""
    comparison = judgment.comparison
    sides = (comparison.a, comparison.b)
    prompt = "\n".join(turn.content for turn in comparison.messages if turn.role == "user")
    characters = sum(len(side.candidate.output) for side in sides) // 2
    return Stratum(
        slice=comparison.slice,
        failure_mode=_failure_mode(judgment, sides),
        language=guess_language(prompt).language or "unknown",
        length=_length_band(characters),
        margin=_margin_band(judgment.margin),
    )


def systematic(
    items: Sequence[T], n: int, key: Callable[[T], tuple[Stratum, str]], draw: Random
) -> list[T]:
    """``n`` of the items, each as likely as any other: every (len / n)-th in the order of strata.

    A sorted list sampled at equal steps from a random start has each stratum in proportion, to
    within one (systematic sampling, Cochran 1977, ch. 8), so its kappa is that of the traffic.
    """
    if n >= len(items):
        return sorted(items, key=key)
    ordered = sorted(items, key=key)
    step = len(ordered) / n
    start = draw.random() * step
    return [ordered[min(int(start + place * step), len(ordered) - 1)] for place in range(n)]


def by_slice(
    items: Sequence[T], n: int, key: Callable[[T], tuple[Stratum, str]], draw: Random
) -> list[T]:
    """As many of each slice as of any other, as far as they go; within a slice ``systematic``."""
    groups: defaultdict[str, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item)[0].slice].append(item)
    chosen: list[T] = []
    # the smallest first, so that what it lacks goes to the others
    order = sorted(groups, key=lambda name: (len(groups[name]), name))
    for left, name in zip(range(len(order), 0, -1), order, strict=True):
        quota = min(len(groups[name]), (n - len(chosen)) // left)
        chosen += systematic(groups[name], quota, key, draw) if quota else []
    return chosen


def _failure_mode(judgment: Judgment, sides: Sequence[VerifiedCandidate]) -> str:
    found = {
        f"{check.name} {check.status.value}"
        for side in sides
        for check in side.checks
        if check.status not in _QUIET
    }
    if judgment.winner not in (Winner.A, Winner.B):
        found.add(f"judge {judgment.winner.value}")
    return ", ".join(sorted(found)) or "none"


def _length_band(characters: int) -> str:
    """Bands of a factor of four, sorted by length."""
    band = min(characters.bit_length() // 2, _LONGEST_BAND)
    return f"{band:02d}: up to {4 ** (band + 1) // 2 - 1} characters"


def _margin_band(margin: float | None) -> str:
    if margin is None:
        return "none"
    return next((name for end, name in _MARGINS if abs(margin) < end), "high")

"""A JSON document held against a reference, field by field."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from rapidfuzz.distance import Levenshtein

from streams.verify.json_parse import JSON, JsonInvalid, parse_json
from streams.verify.json_rules import (
    EXACT,
    Ignored,
    NumberRule,
    Pointer,
    ReferenceUnusable,
    Rule,
    SetRule,
    TextRule,
    parse_rules,
)

VERSION: Final = "2"

_SHOWN_FIELDS: Final = 5
_SHOWN_CHARACTERS: Final = 80


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How many fields there are, how many are right, and the first that are not.

    ``score`` is the share of right fields, in [0, 1].
    """

    fields: int
    right: int
    wrong: tuple[str, ...]

    @property
    def score(self) -> float:
        return self.right / self.fields if self.fields else 1.0


class Reference:
    """A document to compare others with. A field is a leaf of it, or what a rule stands at.

    Elements of an array beyond the reference's are wrong fields too, so that listing everything
    earns nothing; keys beyond the reference's are the schema's affair (``additionalProperties``).
    """

    def __init__(self, text: str, rules: str = "{}") -> None:
        """``rules``: a JSON object of rule by JSON pointer (RFC 6901), in which ``*`` stands for
        any one step. A rule may be its name alone. Of two pointers that fit, the one with
        fewer ``*`` decides.

        Raises ``ReferenceUnusable``.
        """
        try:
            self._document = parse_json(text)
        except JsonInvalid as error:
            raise ReferenceUnusable(f"the reference is not JSON: {error}") from None
        self._rules = parse_rules(rules)
        self._used: set[Pointer] = set()
        for _ in self._compare(self._document, self._document, ()):
            pass
        if unused := sorted(self._rules.keys() - self._used):
            pointers = ", ".join(f"/{'/'.join(pointer)}" for pointer in unused)
            raise ReferenceUnusable(f"rules that stand at no field of the reference: {pointers}")

    def compare(self, document: JSON) -> Comparison:
        """The document's fields against the reference's."""
        found = list(self._compare(self._document, document, ()))
        wrong = [reason for reason in found if reason]
        return Comparison(
            fields=len(found),
            right=len(found) - len(wrong),
            wrong=tuple(wrong[:_SHOWN_FIELDS]),
        )

    def _compare(self, wanted: JSON, given: JSON, at: Pointer) -> Iterator[str]:
        """For every field "" or why it is wrong."""
        rule = self._rule(at)
        match rule:
            case Ignored():
                return
            case NumberRule():
                yield _unless(_is_near(wanted, given, rule), wanted, given, at)
            case TextRule():
                yield _unless(_is_similar(wanted, given, rule), wanted, given, at)
            case SetRule():
                yield from _compare_sets(wanted, given, at)
            case _:
                yield from self._compare_exactly(wanted, given, at)

    def _compare_exactly(self, wanted: JSON, given: JSON, at: Pointer) -> Iterator[str]:
        if isinstance(wanted, dict) and wanted:
            there = given if isinstance(given, dict) else {}
            for key, value in wanted.items():
                yield from self._compare(value, there.get(key, _ABSENT), (*at, key))
        elif isinstance(wanted, list) and wanted:
            listed = given if isinstance(given, list) else []
            for index, value in enumerate(wanted):
                found = listed[index] if index < len(listed) else _ABSENT
                yield from self._compare(value, found, (*at, str(index)))
            for index in range(len(wanted), len(listed)):
                yield f"{_shown_at((*at, str(index)))} is one too many"
        else:
            yield _unless(_canonical(wanted) == _canonical(given), wanted, given, at)

    def _rule(self, at: Pointer) -> Rule:
        fitting = [pointer for pointer in self._rules if _fits(pointer, at)]
        if not fitting:
            return EXACT
        self._used.update(fitting)
        return self._rules[min(fitting, key=lambda pointer: pointer.count("*"))]


class _Absent:
    """Equal to no JSON value."""

    def __repr__(self) -> str:
        return "nothing"


_ABSENT: Final = _Absent()


def _fits(pointer: Pointer, at: Pointer) -> bool:
    return len(pointer) == len(at) and all(
        step in ("*", there) for step, there in zip(pointer, at, strict=True)
    )


def _compare_sets(wanted: JSON, given: JSON, at: Pointer) -> Iterator[str]:
    if not isinstance(wanted, list) or not isinstance(given, list) or not wanted:
        yield _unless(_canonical(wanted) == _canonical(given), wanted, given, at)
        return
    left = Counter(_canonical(value) for value in wanted)
    extra = 0
    for value in given:
        key = _canonical(value)
        if left[key] > 0:
            left[key] -= 1
            yield ""
        else:
            extra += 1
    missing = left.total()
    yield from [f"{_shown_at(at)} lacks an element"] * missing
    yield from [f"{_shown_at(at)} has an element too many"] * max(0, extra - missing)


def _is_near(wanted: JSON, given: JSON, rule: NumberRule) -> bool:
    if not (_is_number(wanted) and _is_number(given)):
        return False
    # Exact: an integer may be beyond every double.
    one, other = Fraction(wanted), Fraction(given)
    allowed = max(Fraction(rule.absolute), Fraction(rule.relative) * max(abs(one), abs(other)))
    return abs(one - other) <= allowed


def _is_number(value: JSON) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_similar(wanted: JSON, given: JSON, rule: TextRule) -> bool:
    if not (isinstance(wanted, str) and isinstance(given, str)):
        return False
    one, other = (" ".join(text.split()).casefold() for text in (wanted, given))
    similarity = Levenshtein.normalized_similarity(one, other, score_cutoff=rule.min_similarity)
    return similarity >= rule.min_similarity


def _canonical(value: JSON) -> object:
    """Hashable, and equal exactly where the JSON values are."""
    if isinstance(value, dict):
        return ("object", frozenset((key, _canonical(item)) for key, item in value.items()))
    if isinstance(value, list):
        return ("array", tuple(_canonical(item) for item in value))
    if _is_number(value):
        return ("number", value)
    return (type(value).__name__, value)


def _unless(right: bool, wanted: JSON, given: JSON, at: Pointer) -> str:
    return "" if right else f"{_shown_at(at)} is {_shown(given)}, expected {_shown(wanted)}"


def _shown_at(at: Pointer) -> str:
    return "".join(f"/{step}" for step in at) or "the document"


def _shown(value: JSON) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"

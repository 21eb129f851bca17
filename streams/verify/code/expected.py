"""What a test expects of one step, and whether an output is that.

Both sides are packed values (``sandbox.plain``): no object of the code's making takes part in the
comparison, so none can bring its own idea of equality.
"""

import json
import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from streams.verify.result_rows import Tolerance
from streams.verify.sandbox.code_result import Output
from streams.verify.sandbox.plain import Packed

_EXACT = Tolerance(relative=0.0, absolute=0.0)


class Relation(StrEnum):
    """How the output has to stand to the expected value."""

    EQUAL = "=="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="
    IN = "in"
    """``expected`` is a list, tuple, set or text."""
    TRUE = "is true"
    FALSE = "is false"
    RAISES = "raises"
    """``expected`` is the name of the exception's class or of one of its bases."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """``as_json``: a tuple is a list and a number as a key is its text, as in JSON.

    ``tolerance`` replaces the one of the project, for a test that names its own.
    """

    relation: Relation
    value: Packed = None
    as_json: bool = False
    tolerance: Tolerance | None = None

    def holds(self, output: Output, tolerance: Tolerance) -> bool:
        """Whether this output is as expected. Never raises, whatever the output is."""
        if self.relation is Relation.RAISES:
            return self.value in output.raised
        if output.raised:
            return False
        within = _Comparison(tolerance=self.tolerance or tolerance, as_json=self.as_json)
        try:
            return self._relates(output.value, within)
        except (RecursionError, ValueError, TypeError, KeyError, OverflowError):
            return False  # nothing that pack makes

    def _relates(self, got: Packed, within: "_Comparison") -> bool:
        match self.relation:
            case Relation.EQUAL:
                return within.equal(self.value, got)
            case Relation.NOT_EQUAL:
                return not within.equal(self.value, got)
            case Relation.TRUE:
                return _truth(got)
            case Relation.FALSE:
                return not _truth(got)
            case Relation.IN if isinstance(self.value, str):
                return isinstance(got, str) and got in self.value
            case Relation.IN:
                return any(within.equal(each, got) for each in _items(self.value))
        return _ordered(self.relation, got, self.value)


@dataclass(frozen=True, kw_only=True)
class _Comparison:
    tolerance: Tolerance = field(default=_EXACT)
    as_json: bool = False

    def equal(self, one: Packed, other: Packed) -> bool:
        kind, content = _kind(one)
        other_kind, other_content = _kind(other)
        if self.as_json:
            kind, other_kind = (("list" if k == "tuple" else k) for k in (kind, other_kind))
        if kind != other_kind:
            return False
        if kind == "number":
            return self._numbers_equal(content, other_content)
        if kind == "complex":
            return all(map(self.equal, content, other_content))
        if kind in ("list", "tuple"):
            return len(content) == len(other_content) and all(
                map(self.equal, content, other_content)
            )
        if kind == "set":
            return {canonical(item) for item in content} == {
                canonical(item) for item in other_content
            }
        if kind == "dict":
            return self._dicts_equal(content, other_content)
        return bool(content == other_content)

    def _numbers_equal(self, one: int | float, other: int | float) -> bool:
        if isinstance(one, int) and isinstance(other, int):
            return one == other
        try:
            return self.tolerance.equal(float(one), float(other))
        except OverflowError:
            return one == other

    def _dicts_equal(self, one: Any, other: Any) -> bool:
        ours, theirs = ({self._key(key): value for key, value in each} for each in (one, other))
        return ours.keys() == theirs.keys() and all(
            self.equal(value, theirs[key]) for key, value in ours.items()
        )

    def _key(self, key: Packed) -> str:
        if self.as_json and not isinstance(key, str):
            return canonical(json.dumps(key))
        return canonical(key)


def canonical(value: Packed) -> str:
    """One text for all values that Python finds equal, so that texts and not values are hashed."""
    kind, content = _kind(value)
    if kind == "number" and isinstance(content, float) and content.is_integer():
        content = int(content)
    if kind == "number" and isinstance(content, int):
        return f"int {content:x}"
    if kind in ("list", "tuple"):
        return f"{kind} ({','.join(canonical(item) for item in content)})"
    if kind == "set":
        return f"set ({','.join(sorted({canonical(item) for item in content}))})"
    return f"{kind} {json.dumps(content)}"


def _kind(value: Packed) -> tuple[str, Any]:
    """Which kind of value, and its content; raises ValueError for what ``pack`` does not make."""
    if value is None:
        return "none", None
    if isinstance(value, (bool, int, float)):
        return "number", int(value) if isinstance(value, bool) else value
    if isinstance(value, str):
        return "text", value
    if isinstance(value, list):
        return "list", value
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError("not a packed value")
    ((tag, content),) = value.items()
    if tag == "int":
        return "number", int(content, 16)
    if tag == "float":
        return "number", float(content)
    if tag == "dict" and all(isinstance(pair, list) and len(pair) == 2 for pair in content):
        return tag, content
    if tag in ("tuple", "set", "complex") and isinstance(content, list):
        return tag, content
    if tag == "bytes" and isinstance(content, str):
        return tag, content
    raise ValueError("not a packed value")


def _items(value: Packed) -> list[Packed]:
    kind, content = _kind(value)
    return [pair[0] for pair in content] if kind == "dict" else list(content)


def _truth(value: Packed) -> bool:
    kind, content = _kind(value)
    return bool(any(content)) if kind == "complex" else bool(content)


def _ordered(relation: Relation, got: Packed, bound: Packed) -> bool:
    (kind, one), (bound_kind, other) = _kind(got), _kind(bound)
    if kind != bound_kind or kind not in ("number", "text"):
        return False
    if any(isinstance(each, float) and math.isnan(each) for each in (one, other)):
        return False
    match relation:
        case Relation.LESS:
            return bool(one < other)
        case Relation.LESS_EQUAL:
            return bool(one <= other)
        case Relation.GREATER:
            return bool(one > other)
    return bool(one >= other)

"""By what rule each field of a JSON document is compared with its reference."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field, TypeAdapter, ValidationError

from schemas.records import Record
from streams.verify.json_parse import JsonInvalid, parse_json


class ReferenceUnusable(ValueError):
    """The reference or its rules are wrong; the message says why."""


class Exact(Record):
    """Equal as JSON values: 1 is 1.0, but neither is true nor "1"."""

    rule: Literal["exact"] = "exact"


class NumberRule(Record):
    """Numbers that differ by at most ``absolute`` or by ``relative`` of the larger of them."""

    rule: Literal["number"]
    relative: float = Field(default=0.0, ge=0, lt=1)
    absolute: float = Field(default=0.0, ge=0)


class SetRule(Record):
    """An array whose order says nothing; an element counts as often as it stands there."""

    rule: Literal["set"]


class TextRule(Record):
    """Strings whose normalised edit similarity (1 - Levenshtein distance / longer length) is at
    least this; runs of space count as one, and case does not count."""

    rule: Literal["text"]
    min_similarity: float = Field(default=0.9, gt=0, le=1)


class Ignored(Record):
    """Not compared."""

    rule: Literal["ignore"]


Rule: TypeAlias = Annotated[
    Exact | NumberRule | SetRule | TextRule | Ignored, Field(discriminator="rule")
]
_RULES: Final = TypeAdapter(dict[str, Rule])
EXACT: Final = Exact()

Pointer: TypeAlias = tuple[str, ...]


def parse_rules(text: str) -> Mapping[Pointer, Rule]:
    """Rules by JSON pointer (RFC 6901); raises ``ReferenceUnusable``."""
    try:
        given = parse_json(text)
        if not isinstance(given, dict):
            raise ReferenceUnusable("the rules are not a JSON object of rule by JSON pointer")
        full = {key: {"rule": r} if isinstance(r, str) else r for key, r in given.items()}
        return {_pointer(key): rule for key, rule in _RULES.validate_python(full).items()}
    except JsonInvalid as error:
        raise ReferenceUnusable(f"the rules are not JSON: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ReferenceUnusable(f"the rule {where}: {first['msg']}") from None


def _pointer(text: str) -> Pointer:
    if text and not text.startswith("/"):
        raise ReferenceUnusable(f"the JSON pointer {text!r} does not begin with /")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:])

"""JSON Schema 2020-12: the project's schemas, compiled once, held against documents."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any, Final

from jsonschema import Draft202012Validator, ValidationError, validators
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from streams.verify.json_formats import UNCHECKED, format_checker
from streams.verify.json_parse import JSON, JsonInvalid, parse_json

VERSION: Final = "2"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_SHOWN_VIOLATIONS: Final = 5
_SHOWN_CHARACTERS: Final = 300


class SchemaUnusable(ValueError):
    """The schema itself is wrong, or asks for what is not checked here; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Violation:
    """What breaks the schema, and where in the document (a JSON path)."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class Schema:
    """A schema that documents can be held against. Formats are checked; nothing is fetched."""

    def __init__(self, text: str) -> None:
        """Raises ``SchemaUnusable``."""
        contents = _parse(text)
        try:
            _Validator.check_schema(contents, format_checker=format_checker())
        except SchemaError as error:
            raise SchemaUnusable(f"invalid at {error.json_path}: {_clip(error.message)}") from None
        _check_references(contents)
        if isinstance(contents, dict):
            # Seen again through a reference, it would choose the library's own validator.
            contents.pop("$schema", None)
        self._validator = _Validator(contents, registry=Registry(), format_checker=format_checker())

    def violations(self, document: JSON) -> tuple[Violation, ...]:
        """The first few of what the schema says against the document.

        Raises ``SchemaUnusable`` for a schema that refers to itself without end. Patterns are
        matched by backtracking, so call this where a clock runs.
        """
        try:
            found = islice(self._validator.iter_errors(document), _SHOWN_VIOLATIONS)
            return tuple(Violation(path=e.json_path, message=_clip(e.message)) for e in found)
        except RecursionError:
            raise SchemaUnusable("refers to itself without end") from None
        except Unresolvable as error:
            raise SchemaUnusable(f"refers to what it does not hold: {error}") from None


def _parse(text: str) -> Any:
    try:
        contents = parse_json(text)
    except JsonInvalid as error:
        raise SchemaUnusable(f"not JSON: {error}") from None
    if not isinstance(contents, (dict, bool)):
        raise SchemaUnusable("neither an object nor true or false")
    return contents


def _check_references(contents: Any) -> None:
    """Every reference leads to a part of this schema, every format is one that is checked."""
    root = DRAFT202012.create_resource(contents)
    pending = [(root, Registry().resolver_with_root(root))]
    while pending:
        resource, resolver = pending.pop()
        if isinstance(resource.contents, Mapping):
            _check_keywords(resource.contents)
            for keyword in ("$ref", "$dynamicRef"):
                _look_up(resolver, resource.contents.get(keyword))
        pending.extend((sub, resolver.in_subresource(sub)) for sub in resource.subresources())


def _check_keywords(contents: Mapping[str, Any]) -> None:
    dialect = contents.get("$schema", DIALECT)
    if dialect.rstrip("#") != DIALECT:
        raise SchemaUnusable(f"declares {dialect}; only {DIALECT} is checked")
    if contents.get("format") in UNCHECKED:
        raise SchemaUnusable(f"the format {contents['format']} is not checked; use a pattern")


def _look_up(resolver: Any, reference: str | None) -> None:
    if reference is None:
        return
    try:
        resolver.lookup(reference)
    except Unresolvable:
        raise SchemaUnusable(
            f"$ref {reference} leads out of the schema; nothing is fetched: "
            "put what it refers to under $defs"
        ) from None


def _multiple_of(
    _: Any, factor: float, instance: Any, __: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """Exact in decimal: the library divides doubles, and 19.99 is then no multiple of 0.01."""
    if isinstance(instance, bool) or not isinstance(instance, (int, float)):
        return
    if (Fraction(str(instance)) / Fraction(str(factor))).denominator != 1:
        yield ValidationError(f"{instance!r} is not a multiple of {factor}")


_Validator = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"multipleOf": _multiple_of}
)


def _clip(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"

"""JSON Schema 2020-12: what is checked, and schemas that cannot be used."""

import json

import pytest

from streams.verify.json_schema import DIALECT, Schema, SchemaUnusable


def violations(schema: object, document: object) -> tuple[str, ...]:
    return tuple(str(found) for found in Schema(json.dumps(schema)).violations(document))


def test_a_violation_names_path_and_rule() -> None:
    schema = {
        "$schema": DIALECT,
        "properties": {"items": {"items": {"$ref": "#/$defs/item"}}},
        "$defs": {"item": {"type": "integer"}},
    }
    assert violations(schema, {"items": [1, 2.0]}) == ()
    assert violations(schema, {"items": [1, "x"]}) == ("$.items[1]: 'x' is not of type 'integer'",)
    assert violations(False, 1)
    assert violations({"prefixItems": [{"const": 1}], "unevaluatedItems": False}, [1, 2])


def test_no_more_violations_are_shown_than_anyone_reads() -> None:
    found = violations({"items": {"type": "string"}}, list(range(1000)))
    assert len(found) == 5
    (long,) = violations({"type": "null"}, "x" * 100_000)
    assert len(long) < 400


@pytest.mark.parametrize(
    ("value", "factor", "expected"),
    [
        (19.99, 0.01, True),
        (0.3, 0.1, True),
        (19.995, 0.01, False),
        (10**300, 0.1, True),
        (7, 2, False),
        (True, 2, True),
        ("x", 2, True),
    ],
)
def test_multiples_are_exact_in_decimal(value: object, factor: float, expected: bool) -> None:
    for schema in (
        {"multipleOf": factor},
        {
            "$schema": DIALECT,
            "allOf": [{"$ref": "#/$defs/x"}],
            "$defs": {"x": {"multipleOf": factor}},
        },
    ):
        assert (violations(schema, value) == ()) is expected


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("date-time", "2020-01-01T00:00:00Z", "2020-01-01 00:00:00"),
        ("date-time", "2020-02-29t23:59:60.5+00:30", "2021-02-29T00:00:00Z"),
        ("date", "2020-02-29", "2020-13-01"),
        ("time", "10:00:00+01:00", "24:00:00Z"),
        ("duration", "P1DT2H", "P"),
        ("duration", "P3W", "P1DT"),
        ("email", "a@b.example", "a"),
        ("hostname", "a-b.example", "-a.example"),
        ("ipv4", "127.0.0.1", "127.0.0.256"),
        ("ipv6", "::1", "12345::"),
        ("uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2eb8aa08"),
        ("uri", "http://a.example/b?c#d", "//a.example"),
        ("uri", "urn:x", "http://a.example:port/"),
        ("uri-reference", "/a?b", "a b"),
        ("json-pointer", "/a/~0", "a"),
        ("regex", "a+", "("),
    ],
)
def test_formats_are_checked(name: str, right: str, wrong: str) -> None:
    assert violations({"format": name}, right) == ()
    assert violations({"format": name}, wrong) == (f"$: {wrong!r} is not a {name!r}",)
    assert violations({"format": name}, 5) == ()


def test_an_unknown_format_is_a_note_as_the_standard_has_it() -> None:
    assert violations({"format": "colour"}, "x") == ()


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ('{"type": "strin"}', r"invalid at \$\.type"),
        ('{"pattern": "("}', r"invalid at \$\.pattern"),
        ('{"type": "string"', "not JSON"),
        ('{"type": "string", "type": "null"}', "twice"),
        ("[]", "neither an object"),
        ('{"$schema": "http://json-schema.org/draft-07/schema#"}', "declares .*draft-07"),
        ('{"format": "iri"}', "format iri is not checked"),
        ('{"$ref": "https://example.com/remote.json"}', "nothing is fetched"),
        ('{"properties": {"a": {"items": {"$ref": "other.json"}}}}', "nothing is fetched"),
        ('{"$ref": "file:///etc/passwd"}', "nothing is fetched"),
        ('{"$ref": "#/$defs/missing"}', "leads out of the schema"),
        ('{"$dynamicRef": "#missing"}', "leads out of the schema"),
    ],
)
def test_a_schema_that_cannot_be_used_says_why(schema: str, reason: str) -> None:
    with pytest.raises(SchemaUnusable, match=reason):
        Schema(schema)


def test_a_schema_without_end_is_the_schemas_fault() -> None:
    with pytest.raises(SchemaUnusable, match="without end"):
        Schema('{"$ref": "#"}').violations(1)


def test_a_recursive_schema_reads_the_deepest_document() -> None:
    document: object = 1
    for _ in range(63):
        document = [document]
    assert violations({"items": {"$ref": "#"}, "type": ["array", "integer"]}, document) == ()

"""A document against a reference: what each rule takes as equal, and what the score is."""

import json

import pytest

from streams.verify.json_match import Comparison, Reference
from streams.verify.json_rules import ReferenceUnusable


def compare(wanted: object, given: object, rules: object = {}) -> Comparison:
    return Reference(json.dumps(wanted), json.dumps(rules)).compare(given)


def right(wanted: object, given: object, rules: object = {}) -> bool:
    found = compare(wanted, given, rules)
    return found.right == found.fields


def test_the_score_is_the_share_of_the_references_leaves() -> None:
    wanted = {"a": 1, "b": {"c": "x", "d": [1, 2]}}
    found = compare(wanted, {"a": 1, "b": {"c": "y", "d": [1]}, "extra": 0})
    assert (found.fields, found.right, found.score) == (4, 2, 0.5)
    assert found.wrong == ("/b/c is 'y', expected 'x'", "/b/d/1 is nothing, expected 2")
    assert compare(wanted, "nonsense").score == 0
    assert compare({}, {}).score == 1


def test_listing_everything_earns_nothing() -> None:
    assert compare([1], [1, 2, 3]).score == pytest.approx(1 / 3)
    assert compare([1], list(range(100)), {"": "set"}).score == pytest.approx(1 / 100)


@pytest.mark.parametrize(
    ("wanted", "given", "expected"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (None, False, False),
        (1, "1", False),
        ("a", "A", False),
        ([], {}, False),
        ([], [1], False),
        ({}, [], False),
        ([[1, [True]]], [[1, [1]]], False),
        ([1, 2], [2, 1], False),
        (10**30, 10**30 + 1, False),
    ],
)
def test_exact_is_equality_of_json_values(wanted: object, given: object, expected: bool) -> None:
    assert right(wanted, given) is expected
    assert right({"a": wanted}, {"a": given}) is expected


@pytest.mark.parametrize(
    ("given", "expected"), [(101, True), (99, True), (102, False), ("100", False), (True, False)]
)
def test_numbers_within_a_tolerance(given: object, expected: bool) -> None:
    assert right(100, given, {"": {"rule": "number", "relative": 0.01}}) is expected
    assert right(100, given, {"": {"rule": "number", "absolute": 1}}) is expected


def test_sets_ignore_order_and_count_copies() -> None:
    rules = {"": "set"}
    assert right([1, {"a": [2]}, "x"], ["x", 1.0, {"a": [2]}], rules)
    assert not right([1, 1, 2], [1, 2, 2], rules)
    assert not right([1], 1, rules)
    assert compare([1, 2, 3, 4], [4, 5, 1, 6], rules).score == 0.5


def test_text_by_similarity() -> None:
    rules = {"/name": {"rule": "text", "min_similarity": 0.8}}
    assert right({"name": "Jane  Doe"}, {"name": "jane doe"}, rules)
    assert right({"name": "Jane Doe"}, {"name": "Jan Doe"}, rules)
    assert not right({"name": "Jane Doe"}, {"name": "John Smith"}, rules)
    assert not right({"name": "5"}, {"name": 5}, rules)


def test_what_is_ignored_is_no_field() -> None:
    found = compare({"id": 1, "a": 2}, {"id": 9, "a": 2}, {"/id": "ignore"})
    assert (found.fields, found.right) == (1, 1)


def test_a_star_stands_for_any_step_and_the_more_exact_pointer_decides() -> None:
    rules = {"/*/x": "ignore", "/1/x": "exact"}
    assert right([{"x": 1}, {"x": 2}], [{"x": 0}, {"x": 2}], rules)
    assert not right([{"x": 1}, {"x": 2}], [{"x": 1}, {"x": 0}], rules)


def test_pointers_are_unescaped() -> None:
    assert right({"a/b": {"~": 1}}, {"a/b": {"~": 2}}, {"/a~1b/~0": "ignore"})


@pytest.mark.parametrize(
    ("reference", "rules", "reason"),
    [
        ("{", "{}", "the reference is not JSON"),
        ("{}", "[", "the rules are not JSON"),
        ("{}", "[]", "not a JSON object"),
        ('{"a": 1}', '{"/b": "ignore"}', "stand at no field of the reference: /b"),
        ('{"a": 1}', '{"a": "ignore"}', "does not begin with /"),
        ('{"a": 1}', '{"/a": "fuzzy"}', "the rule /a"),
        ('{"a": 1}', '{"/a": {"rule": "number", "relative": 2}}', "less than 1"),
    ],
)
def test_a_reference_that_cannot_be_used_says_why(reference: str, rules: str, reason: str) -> None:
    with pytest.raises(ReferenceUnusable, match=reason):
        Reference(reference, rules)

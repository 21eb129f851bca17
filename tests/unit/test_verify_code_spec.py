"""Tests taken apart: what is sent, what is kept, and what is refused because it cannot be split."""

import json
from typing import Any

import pytest

from streams.verify.code.expected import Relation
from streams.verify.code.spec import parse_spec
from streams.verify.code.unit_test import SpecError, UnitTest
from streams.verify.result_rows import Tolerance
from streams.verify.sandbox.code_result import Output, TestRun, output


def sent(test: UnitTest) -> list[str]:
    return [step.source for step in test.test.steps]


def kept(test: UnitTest) -> list[tuple[Relation, Any]]:
    return [(expected.relation, expected.value) for _, expected in test.expected]


def cases(*cases: dict[str, Any]) -> str:
    return json.dumps({"entry": "f", "cases": cases})


def test_a_case_sends_its_inputs_and_keeps_what_is_expected() -> None:
    (test,) = parse_spec(cases({"args": [1], "kwargs": {"k": "v"}, "expected": [98765]}))
    assert "98765" not in json.dumps(test.test.request())
    assert test.test.bind == {"_args": [1], "_kwargs": {"k": "v"}}
    assert kept(test) == [(Relation.EQUAL, [98765])]


def test_a_case_may_expect_an_exception_have_a_name_and_be_hidden() -> None:
    (test,) = parse_spec(cases({"raises": "KeyError", "name": "absent", "hidden": True}))
    assert (test.name, test.hidden) == ("absent", True)
    assert kept(test) == [(Relation.RAISES, "KeyError")]


@pytest.mark.parametrize(
    ("assertion", "source", "relation", "value"),
    [
        ("f(1) == 98765", "f(1)", "==", 98765),
        ("98765 == f(1)", "f(1)", "==", 98765),
        ("f(1) != 98765", "f(1)", "!=", 98765),
        ("f(1) < 98765", "f(1)", "<", 98765),
        ("98765 <= f(1)", "f(1)", ">=", 98765),
        ("f(1) in [98765]", "f(1)", "in", [98765]),
        ("f(1) is None", "f(1)", "==", None),
        ("f(1)", "f(1)", "is true", None),
        ("not f(1)", "f(1)", "is false", None),
        ("f(1) == True", "f(1)", "==", True),
        ("f(1) == -98765.5", "f(1)", "==", -98765.5),
        ("f(1) == (98765, {'a': {1}})", "f(1)", "==",
         {"tuple": [98765, {"dict": [["a", {"set": [1]}]]}]}),
        ("f(1) == float('inf')", "f(1)", "==", {"float": "inf"}),
        ("f(1) == [98765] * 2", "f(1)", "==", [98765, 98765]),
        ("sorted(f(1)) == [98765]", "sorted(f(1))", "==", [98765]),
        ("len(f([0] * 9)) == 98765", "len(f([0] * 9))", "==", 98765),
        ("f(1)[0].x == 98765", "f(1)[0].x", "==", 98765),
        ("S().g(1) == 98765", "S().g(1)", "==", 98765),
        ("[f(i) for i in (1, 2)] == [98765]", "[f(i) for i in (1, 2)]", "==", [98765]),
        ("abs(f(1) - 98765) < 1e-3", "f(1)", "==", 98765),
        ("math.isclose(f(1), 98765, rel_tol=1e-3)", "f(1)", "==", 98765),
        ("f(1) == pytest.approx(98765)", "f(1)", "==", 98765),
    ],
)  # fmt: skip
def test_an_assertion_is_split(assertion: str, source: str, relation: str, value: object) -> None:
    (test,) = parse_spec(f"assert {assertion}, 'it is 98765'")
    assert sent(test) == [source]
    assert kept(test) == [(Relation(relation), value)]
    assert "98765" not in str(sent(test))


def test_tolerances_of_a_test_are_its_own() -> None:
    near, close = parse_spec("assert abs(f(1) - 2) <= 0.5\nassert math.isclose(f(1), 2.0)")
    assert near.expected[0][1].tolerance == Tolerance(relative=0.0, absolute=0.5)
    assert close.expected[0][1].tolerance == Tolerance(relative=1e-9, absolute=0.0)


def test_steps_of_a_function_share_a_namespace_and_names_of_values_stay_here() -> None:
    (test,) = parse_spec(
        "import pytest\nfrom solution import Stack\n"
        "def test_stack():\n    'Docs.'\n    s = Stack()\n    item = 5\n    want = [98765]\n"
        "    s.push(item)\n    assert s.all() == want\n"
        "    with pytest.raises(ValueError):\n        s.pop()\n"
    )
    assert sent(test) == ["s = Stack()", "item = 5", "s.push(item)", "s.all()", "s.pop()"]
    assert kept(test) == [(Relation.EQUAL, [98765]), (Relation.RAISES, "ValueError")]


def test_what_the_code_was_given_may_have_changed() -> None:
    (test,) = parse_spec("x = [3, 1]\nsort(x)\nassert x == [1, 3]")
    assert sent(test) == ["x = [3, 1]", "sort(x)", "x"]


def test_humaneval_checks_are_a_test_an_assertion() -> None:
    check = "def check(candidate):\n    assert True, 'ok'\n    assert candidate(1) == 2\n"
    body = check + "    assert candidate(2) == 3\n"
    called = parse_spec(body + "check(f)")
    assert [sent(test)[-1] for test in called] == ["candidate(1)", "candidate(2)"]
    assert all(sent(test)[0] == "candidate = f" for test in called)
    assert [sent(test)[0] for test in parse_spec(body, "g")] == ["candidate = g"] * 2
    with pytest.raises(SpecError, match="entry_point"):
        parse_spec(body)


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        # would let the code decide
        ("assert isinstance(f(1), int)", "decided by the code"),
        ("assert all(x > 0 for x in f(1))", "decided by the code"),
        ("assert f(2) - 4 == 0", "does more than to ask"),
        ("assert int(f(2) == 4) == 1", "does more than to ask"),
        ("assert (f(2) == 4) == True", "decided by the code"),
        ("assert f(2) == 4 and f(3) == 9", "decided by the code"),
        ("import operator\nassert operator.eq(f(2), 4)", "line 2: .*decided by the code"),
        ("assert 'ab'.startswith(f(1))", "decided by the code"),
        ("x = f(2) == 4\nassert x", "line 1: .*does more"),
        ("assert True if f(2) == 4 else False", "decided by the code"),
        ("assert max(f(1), f(2) == 4) == 1", "does more than to ask"),
        ("assert [f(i) for i in (1, 2) if f(i) == i] == [1]", "does more than to ask"),
        # not understood
        ("for i in range(3):\n    assert f(i) == i", "line 1: For"),
        ("assert f(2) == g(2)", "written out"),
        ("assert 1 < f(2) < 3", "decided by the code"),
        ("def helper(): pass", "line 1: a FunctionDef"),
        ("@given\ndef test_x(): assert f(1) == 1", "decorators"),
        ("def test_x(tmp_path): assert f(1) == 1", "fixtures"),
        ("def test_x(): f(1)", "asserts nothing"),
        ("assert f(1) == 9 ** 9 ** 9", "written out"),
        ("assert f(1) == pytest.approx(1.0, nan_ok=True)", "nan_ok"),
        ("assert f(1) ==", "not Python"),
        ("with open('x'):\n    f(1)", "pytest.raises"),
        ("", "no tests"),
        ("x = 1", "no tests"),
        ("assert f(" + "(" * 300 + ")" * 300 + ") == 1", "not Python"),
        # JSON
        ('{"entry": "f", "cases": []}', "cases"),
        ('{"entry": "f(", "cases": [{"expected": 1}]}', "never closed"),
        ('{"entry": "f", "cases": [{"args": [1]}]}', "one of: expected, raises"),
        ('{"entry": "f", "cases": [{"expected": 1, "raises": "E"}]}', "one of"),
        ('{"entry": "f", "cases": [{"expected": NaN}]}', "NaN"),
        ('{"entry": "f", "cases": [{"expected": 1, "outputs": 2}]}', "outputs"),
        ('{"entry": "f"', "not JSON"),
        ('{"entry": "f", "cases": [{"expected": ' + "[" * 5000 + "]" * 5000 + "}]}", "deep"),
    ],
)
def test_what_cannot_be_split_is_refused(spec: str, why: str) -> None:
    with pytest.raises(SpecError, match=why):
        parse_spec(spec)


def test_replies_nested_too_deeply_to_be_shown_are_no_error() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert output({"raised": ["E"], "message": deep}).message.startswith("something nested")
    (test,) = parse_spec("assert f() == 1")
    run = TestRun(outputs=(Output(value=deep),))
    assert "something nested" in str(test.failure(run, Tolerance()))
    while deep:  # or freeing it would recurse as deeply
        deep = deep.pop()

"""JSON and numbers through the verifier, sandbox included; and a check that raises."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from schemas.errors import DependencyDown, Fatal
from schemas.records import CheckStatus, Expectation, ExpectationKind, Outcome
from streams.verify.check import Finding, Subject, outcome_of, run_checks
from streams.verify.settings import VerifySettings
from streams.verify.verifier import Verdict, Verifier


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def verifier() -> AsyncIterator[Verifier]:
    made = Verifier(VerifySettings(children=1, wall_limit_s=2.0), Path())
    yield made
    await made.aclose()


def document(schema: object, **params: str) -> Expectation:
    spec = schema if isinstance(schema, str) else json.dumps(schema)
    return Expectation(kind=ExpectationKind.JSON_SCHEMA, spec=spec, params=params)


def number(spec: str, **params: str) -> Expectation:
    return Expectation(kind=ExpectationKind.NUMERIC, spec=spec, params=params)


def last(verdict: Verdict) -> tuple[str, str]:
    """Name and status of the last check that was made."""
    made = [check for check in verdict.checks if check.status is not CheckStatus.SKIP]
    return made[-1].name, made[-1].status.value


REFERENCE = '{"a": [1, 2], "b": "x"}'


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("answer", "check", "score"),
    [
        ('{"a": [1, 2], "b": "x"}', ("json_match", "PASS"), 1.0),
        ('```json\n{"a": [2, 1], "b": "x"}\n```', ("json_match", "FAIL"), 1 / 3),
        ('{"a": 1}', ("json_schema", "FAIL"), None),
        ("no", ("json_parse", "FAIL"), None),
        ("", ("answer_present", "FAIL"), None),
    ],
)
async def test_json_is_parsed_validated_and_compared(
    verifier: Verifier, answer: str, check: tuple[str, str], score: float | None
) -> None:
    schema = {"properties": {"a": {"type": "array"}}}
    verdict = await verifier.verify_output(answer, [document(schema, reference=REFERENCE)])
    assert last(verdict) == check
    assert verdict.checks[-1].score == (None if score is None else pytest.approx(score))
    assert verdict.outcome is (Outcome.PASSED if check[1] == "PASS" else Outcome.FAILED)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("expectation", "reason"),
    [
        (document({"type": "strin"}), "invalid at $.type"),
        (document({"$ref": "http://a.example/s"}), "nothing is fetched"),
        (document("{"), "not JSON"),
        (document({"$ref": "#"}), "without end"),
        (document({}, reference="{"), "the reference is not JSON"),
        (document({}, reference="{}", rules='{"/a": "set"}'), "no field of the reference: /a"),
        (document({}, rules="{}"), "rules without a reference"),
        (document({}, refrence="{}"), "unknown parameters ['refrence']"),
        (number("five"), "'five' is no number"),
        (number("5", knd="list"), "unknown parameter knd"),
        (number("(", kind="expression"), "the expected formula"),
    ],
)
async def test_an_expectation_that_cannot_be_used_is_an_error(
    verifier: Verifier, expectation: Expectation, reason: str
) -> None:
    is_json = expectation.kind is ExpectationKind.JSON_SCHEMA
    verdict = await verifier.verify_output("[1]" if is_json else r"\boxed{5}", [expectation])
    assert verdict.outcome is Outcome.UNDECIDED
    assert any(
        check.status is CheckStatus.ERROR and reason in check.evidence for check in verdict.checks
    )


@pytest.mark.asyncio(loop_scope="module")
async def test_an_answer_that_stalls_its_schema_fails_and_the_next_is_checked(
    verifier: Verifier,
) -> None:
    bomb = [document({"pattern": "^(a+)+$"})]
    verdict = await verifier.verify_output(json.dumps("a" * 60 + "!"), bomb)
    assert last(verdict) == ("json_schema", "FAIL")
    assert "timeout" in verdict.checks[-1].evidence
    assert (await verifier.verify_output('"aaa"', bomb)).outcome is Outcome.PASSED


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (r"so \boxed{(x+1)^2}", Outcome.PASSED),
        (r"so \boxed{x^2 + 2x + 2}", Outcome.FAILED),
        (r"so \boxed{9^9^9^9}", Outcome.FAILED),
        (r"so \boxed{__import__('os').system('id')}", Outcome.FAILED),
        (r"so \boxed{x^2 + 2x + 1 + 10^{-40}}", Outcome.FAILED),
        ("no box", Outcome.FAILED),
    ],
)
async def test_formulas(verifier: Verifier, answer: str, expected: Outcome) -> None:
    wanted = [number("x^2 + 2x + 1", kind="expression")]
    assert (await verifier.verify_output(answer, wanted)).outcome is expected


@pytest.mark.asyncio(loop_scope="module")
async def test_what_cannot_be_proven_is_undecided(verifier: Verifier) -> None:
    wanted = [number("9^9^9", kind="expression")]
    assert (await verifier.verify_output(r"\boxed{9^9^9}", wanted)).outcome is Outcome.PASSED
    verdict = await verifier.verify_output(r"\boxed{9^9^9 + 1}", wanted)
    assert verdict.outcome is Outcome.UNDECIDED


@pytest.mark.asyncio(loop_scope="module")
async def test_a_list_scores_in_parts(verifier: Verifier) -> None:
    wanted = [number("1, 2, 3, 4", kind="list", order="set")]
    verdict = await verifier.verify_output(r"\boxed{4, 3, 2, 9}", wanted)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.checks[-1].score == 0.75


@dataclass(frozen=True)
class Raises:
    """A check of our own that has a fault."""

    error: Exception
    name: str = "faulty"
    version: str = "1"
    hard: bool = True

    async def __call__(self, _: Subject) -> Finding:
        raise self.error


@pytest.mark.parametrize(
    ("error", "evidence"),
    [
        (ValueError("what"), "the check faulty raised ValueError: what"),
        (AssertionError(), "the check faulty raised AssertionError"),
        (RecursionError("deep"), "the check faulty raised RecursionError: deep"),
        (MemoryError(), "the check faulty raised MemoryError"),
    ],
)
async def test_a_check_that_raises_is_an_error_with_its_reason(
    error: Exception, evidence: str
) -> None:
    checks = await run_checks([Raises(error), Raises(error)], Subject(output="x"))
    assert [check.status for check in checks] == [CheckStatus.ERROR, CheckStatus.SKIP]
    assert checks[0].evidence == evidence
    assert outcome_of(checks) is Outcome.UNDECIDED


@pytest.mark.parametrize("error", [Fatal("stop"), DependencyDown("away", reason="unreachable")])
async def test_what_is_about_the_worker_goes_through(error: Exception) -> None:
    with pytest.raises(type(error)):
        await run_checks([Raises(error)], Subject(output="x"))

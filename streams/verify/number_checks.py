"""The check of an answer that is a number, an interval, a list of numbers or a formula."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from schemas.records import CheckStatus, Expectation
from streams.verify import number_match
from streams.verify.check import Finding, Subject
from streams.verify.expression import Expression, pack, symbols
from streams.verify.expression_parse import parse_expression
from streams.verify.expression_sample import Sampled, sample, value_of
from streams.verify.number_match import compare_numbers
from streams.verify.number_params import NumericParams, NumericUnusable, numeric_params
from streams.verify.number_text import NumberInvalid, extract_number
from streams.verify.sandbox.result import QueryErrorKind
from streams.verify.task_pools import TaskPools, task_failed

TASK = "expression"


@dataclass(frozen=True, kw_only=True)
class NumberMatch:
    """The answer's number is the expected one. Of a list, the score is the share that is right.

    Formulas are first compared at points, here, in doubles: what differs, or cannot be computed,
    fails at once. What agrees is proven by SymPy in the sandbox; what can be neither proven nor
    refuted there is INCONCLUSIVE.
    """

    pools: TaskPools
    expectation: Expectation
    hard: bool = True
    name: str = "number_match"
    version: str = number_match.VERSION

    async def __call__(self, subject: Subject) -> Finding:
        try:
            params = numeric_params(self.expectation.params)
            if params.kind == "expression":
                return await self._formula(subject.output, params)
            found = compare_numbers(self.expectation.spec, subject.output, params)
        except NumericUnusable as error:
            evidence = f"the expectation cannot be used: {error}"
            return Finding(status=CheckStatus.ERROR, evidence=evidence)
        except NumberInvalid as error:
            return Finding(status=CheckStatus.FAIL, score=0.0, evidence=str(error))
        status = CheckStatus.PASS if found.score == 1 else CheckStatus.FAIL
        return Finding(status=status, score=found.score, evidence=found.evidence)

    async def _formula(self, answer: str, params: NumericParams) -> Finding:
        spec = self.expectation.spec
        try:
            expected = parse_expression(spec, params.names)
        except NumberInvalid as error:
            raise NumericUnusable(f"the expected formula: {error}") from None
        text = extract_number(answer, params.rule, params.tag)
        given = parse_expression(text, params.names)
        evidence = f"{text!r}, expected {spec!r}"
        if expected == given or _near_constants(expected, given, params):
            return Finding(status=CheckStatus.PASS, score=1.0, evidence=evidence)
        if sample(expected, given, params.assume) is Sampled.DIFFERENT:
            return Finding(status=CheckStatus.FAIL, score=0.0, evidence=evidence)
        return await self._prove(expected, given, params, evidence)

    async def _prove(
        self, expected: Expression, given: Expression, params: NumericParams, evidence: str
    ) -> Finding:
        request = {"expected": pack(expected), "given": pack(given), "assume": params.assume}
        result = await self.pools.call(TASK, request)  # type: ignore[arg-type] # lists of lists
        if result.error is not None:
            if result.error.kind in (QueryErrorKind.TASK, QueryErrorKind.GARBAGE):
                return task_failed(result.error)
            unproven = f"{evidence}: {result.error.kind.value} while proving it"
            return Finding(status=CheckStatus.INCONCLUSIVE, evidence=unproven)
        value = result.value if isinstance(result.value, dict) else {}
        match value.get("verdict"):
            case "equal":
                return Finding(status=CheckStatus.PASS, score=1.0, evidence=evidence)
            case "different":
                return Finding(status=CheckStatus.FAIL, score=0.0, evidence=evidence)
            case "unknown":
                reason = f"{evidence}: {value.get('reason')}"
                return Finding(status=CheckStatus.INCONCLUSIVE, evidence=reason)
        return Finding(status=CheckStatus.ERROR, evidence="garbage: no verdict")


def number_checks(
    expectations: Sequence[Expectation], pools: TaskPools, *, match_is_hard: bool
) -> list[NumberMatch]:
    """A check for every expectation of kind NUMERIC."""
    return [
        NumberMatch(pools=pools, expectation=expectation, hard=match_is_hard)
        for expectation in expectations
    ]


def _near_constants(expected: Expression, given: Expression, params: NumericParams) -> bool:
    """Formulas are equal exactly, unless a tolerance is asked for and both are but numbers."""
    if not {"relative", "absolute"} & params.model_fields_set:
        return False
    if symbols(expected) or symbols(given):
        return False
    values = value_of(expected), value_of(given)
    if values[0] is None or values[1] is None:
        return False
    parts = zip(_parts(values[0]), _parts(values[1]), strict=True)
    return all(params.near(one, other) for one, other in parts)


def _parts(value: complex) -> tuple[Fraction, Fraction]:
    return Fraction(value.real), Fraction(value.imag)

"""The tests of an expectation of kind UNIT_TESTS, in one of two forms.

JSON, told by its first character::

    {"entry": "median", "cases": [{"args": [[1, 3, 2]], "expected": 2},
                                  {"args": [[]], "raises": "ValueError", "hidden": true}]}

``entry`` is a Python expression that names what is called, such as ``median`` or
``Solution().median``. A case has ``args`` and ``kwargs`` (both may be left out), one of
``expected`` and ``raises``, and maybe a ``name`` and ``hidden`` (nothing of it is shown as
evidence). Anything else is Python source, see ``assertions``.
"""

import ast
import json
from functools import lru_cache
from typing import Any

from pydantic import Field, ValidationError, model_validator

from schemas.records import Record
from streams.verify.code.assertions import parse_assertions
from streams.verify.code.expected import Expected, Relation
from streams.verify.code.unit_test import SpecError, UnitTest
from streams.verify.sandbox.code_result import CodeTest, Step
from streams.verify.sandbox.plain import pack
from streams.verify.sandbox.result import Json

_MAX_TESTS = 1000


class Case(Record):
    """One call and what it has to give."""

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = Field(default_factory=dict)
    expected: Any = None
    raises: str | None = None
    name: str | None = None
    hidden: bool = False

    @model_validator(mode="after")
    def _expects_one_thing(self) -> "Case":
        if ("expected" in self.model_fields_set) == (self.raises is not None):
            raise ValueError("a case needs one of: expected, raises")
        return self


class Cases(Record):
    """The JSON form."""

    entry: str = Field(min_length=1, max_length=200)
    cases: tuple[Case, ...] = Field(min_length=1, max_length=_MAX_TESTS)


@lru_cache(maxsize=1024)  # many answers are checked by the same tests
def parse_spec(spec: str, entry: str | None = None) -> tuple[UnitTest, ...]:
    """The tests, in order; raises SpecError. ``entry`` is for tests that leave open what is called
    (HumanEval's ``check``).
    """
    try:
        tests = _from_json(spec) if spec.lstrip().startswith("{") else parse_assertions(spec, entry)
    except RecursionError:
        raise SpecError("nested too deeply") from None
    if not tests:
        raise SpecError("there are no tests in it; write asserts, or JSON with entry and cases")
    if len(tests) > _MAX_TESTS:
        raise SpecError(f"{len(tests)} tests, at most {_MAX_TESTS} are run")
    return tests


def _from_json(spec: str) -> tuple[UnitTest, ...]:
    try:
        cases = Cases.model_validate(json.loads(spec, parse_constant=_refuse))
        ast.parse(cases.entry, mode="eval")
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SpecError(f"{place or 'the whole'}: {first['msg']}") from None
    except json.JSONDecodeError as error:
        raise SpecError(f"not JSON: {error}") from None
    except (SyntaxError, ValueError, MemoryError) as error:
        raise SpecError(str(error)) from None
    return tuple(_test(cases.entry, case, n) for n, case in enumerate(cases.cases, start=1))


def _test(entry: str, case: Case, number: int) -> UnitTest:
    step = Step(
        kind="eval" if case.raises is None else "raises",
        source=f"{entry}(*_args, **_kwargs)",
    )
    expected = (
        Expected(relation=Relation.EQUAL, value=pack(case.expected), as_json=True)
        if case.raises is None
        else Expected(relation=Relation.RAISES, value=case.raises)
    )
    bind: dict[str, Json] = {"_args": list(case.args), "_kwargs": case.kwargs}
    return UnitTest(
        name=case.name or f"case {number}",
        test=CodeTest(steps=(step,), bind=bind),
        expected=((0, expected),),
        hidden=case.hidden,
    )


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is no JSON")

"""`prefstream verify code`: Python answers of a file against unit tests, in the sandbox."""

from pathlib import Path
from typing import Annotated

import typer


def verify_code(
    source: Annotated[
        Path, typer.Option("--in", help='JSONL: {"id", "output", "tests"}, maybe "entry_point".')
    ],
    wall_limit_s: Annotated[float, typer.Option(min=0.1, help="Limit of one test.")] = 3.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Run each output's code in the sandbox and compare what it returns with what its tests expect.

    Writes {"id", "status", "score", "reason", "ms"} for every line, in order; the score is the
    share of tests that pass. Exit code 0 if every line passes, else 1.

    [bold]Examples[/bold]

      prefstream verify code --in answers.jsonl --json
    """
    from cli.verify.lines import Case, params_of, read_lines, verify_cases
    from schemas.errors import ConfigError
    from schemas.records import Expectation, ExpectationKind
    from streams.verify.code.spec import parse_spec
    from streams.verify.code.unit_test import SpecError

    cases = []
    for place, row in read_lines(source):
        tests = row.get("tests")
        if not isinstance(tests, str):
            raise ConfigError(f"{place}: tests is {tests!r}; give the test code as text")
        params = params_of(place, row, ("entry_point",), ("tests",))
        try:
            parse_spec(tests, params.get("entry_point"))
        except SpecError as error:
            raise ConfigError(f"{place}: the tests: {error}") from None
        expectation = Expectation(kind=ExpectationKind.UNIT_TESTS, spec=tests, params=params)
        cases.append(Case(id=row["id"], output=row["output"], expectations=(expectation,)))
    verify_cases(cases, frozenset({"unit_tests"}), wall_limit_s=wall_limit_s, as_json=as_json)

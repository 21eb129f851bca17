"""`prefstream verify number`: numbers, intervals, lists and formulas of a file against theirs."""

from pathlib import Path
from typing import Annotated

import typer


def verify_number(
    source: Annotated[
        Path, typer.Option("--in", help='JSONL: {"id", "output", "expected"} and parameters.')
    ],
    wall_limit_s: Annotated[float, typer.Option(min=0.1, help="Limit of one proof.")] = 3.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Find the number in each output by its rule and compare it with the expected one.

    Parameters (docs/verifiers.md): kind, extract, tag, relative, absolute, unit, unit_optional,
    percent, decimal, order, assume, symbols. Writes {"id", "status", "score", "reason", "ms"} for
    every line, in order. Exit code 0 if every line passes, else 1.

    [bold]Examples[/bold]

      prefstream verify number --in answers.jsonl --json
      echo '{"id": 1, "output": "It is 5 km.", "expected": "5000 m"}' > a.jsonl
      prefstream verify number --in a.jsonl
    """
    from cli.verify.lines import Case, params_of, read_lines, verify_cases
    from schemas.errors import ConfigError
    from schemas.records import Expectation, ExpectationKind
    from streams.verify.number_params import NumericParams, NumericUnusable, numeric_params

    cases = []
    for place, row in read_lines(source):
        expected = row.get("expected")
        if isinstance(expected, bool) or not isinstance(expected, (str, int, float)):
            raise ConfigError(f"{place}: expected is {expected!r}; give it as text or a number")
        params = params_of(place, row, NumericParams.model_fields, ("expected",))
        try:
            numeric_params(params)
        except NumericUnusable as error:
            raise ConfigError(f"{place}: {error}") from None
        expectation = Expectation(kind=ExpectationKind.NUMERIC, spec=str(expected), params=params)
        cases.append(Case(id=row["id"], output=row["output"], expectations=(expectation,)))
    verify_cases(cases, frozenset({"number_match"}), wall_limit_s=wall_limit_s, as_json=as_json)

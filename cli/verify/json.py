"""`prefstream verify json`: JSON answers of a file against a schema, and a reference if given."""

from pathlib import Path
from typing import Annotated

import typer


def verify_json(
    schema: Annotated[
        Path, typer.Option(help="JSON Schema (2020-12); nothing it refers to is fetched.")
    ],
    source: Annotated[
        Path, typer.Option("--in", help='JSONL: {"id", "output"}, maybe "reference" and "rules".')
    ],
    wall_limit_s: Annotated[float, typer.Option(min=0.1, help="Limit of one check.")] = 3.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Read each output strictly as JSON, validate it, and compare it with its reference.

    Writes {"id", "status", "score", "reason", "ms"} for every line, in order; the score is the
    share of the reference's fields that is right. Exit code 0 if every line passes, else 1.

    [bold]Examples[/bold]

      prefstream verify json --schema order.schema.json --in answers.jsonl --json
    """
    from cli.verify.lines import Case, params_of, read_lines, verify_cases
    from schemas.errors import ConfigError
    from schemas.records import Expectation, ExpectationKind
    from streams.verify.json_schema import Schema, SchemaUnusable

    try:
        spec = schema.read_text(encoding="utf-8")
        Schema(spec)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{schema}: cannot be read as UTF-8 text: {error}") from None
    except SchemaUnusable as error:
        raise ConfigError(f"{schema}: {error}") from None
    cases = []
    for place, row in read_lines(source):
        params = params_of(place, row, ("reference", "rules"), ())
        expectation = Expectation(kind=ExpectationKind.JSON_SCHEMA, spec=spec, params=params)
        cases.append(Case(id=row["id"], output=row["output"], expectations=(expectation,)))
    verify_cases(cases, frozenset({"json_match"}), wall_limit_s=wall_limit_s, as_json=as_json)

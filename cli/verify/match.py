"""`prefstream verify match`: do predicted queries give what golden queries give?"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from streams.verify.settings import VerifySettings
    from streams.verify.sql_pairs import SqlPair
    from streams.verify.verifier import Verdict

# Checked at a time: enough that no child waits for the next query.
_WINDOW = 16
_STATUS_OF_FAIL = {
    "sql_gate": "rejected",
    "sql_executes": "fails",
    "sql_result_match": "different",
    "sql_instances": "different",
}


def match(
    db: Annotated[
        Path,
        typer.Option(exists=True, help="A SQLite or DuckDB file, or a folder of NAME/NAME.sqlite."),
    ],
    gold: Annotated[
        Path, typer.Option(help="Golden queries: one a line (SQL, tab, database) or JSONL.")
    ],
    pred: Annotated[Path, typer.Option(help="Predicted queries, likewise: by line or by id.")],
    semantics: Annotated[
        str,
        typer.Option(help="result_match, spider_exec, spider_exec_keep_distinct or bird_set."),
    ] = "result_match",
    copies: Annotated[
        int | None,
        typer.Option(min=0, max=32, help="Fuzzed copies of the database that must agree too."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Run every predicted query beside its golden query, in the sandbox, and compare the results.

    Every query passes the SQL gate first; a match on the database must hold on three fuzzed copies
    of it too (none under the official evaluators' semantics, unless --copies says so). Exit code 0
    if all match, 1 otherwise, 78 where a file or an option is wrong.

    [bold]Examples[/bold]

      prefstream verify match --db shop.duckdb --gold gold.sql --pred pred.sql
      prefstream verify match --db spider/database --gold dev_gold.sql --pred p.sql --json
    """
    from schemas.errors import ConfigError
    from streams.verify.sql_pairs import check_databases, database_settings, read_pairs

    pairs = read_pairs(gold, pred)
    if db.is_dir():
        check_databases(pairs, db, gold)
    settings = _chosen(database_settings(db), semantics, copies)
    if not pairs:
        raise ConfigError(f"{pred} holds no queries")
    counts = asyncio.run(_run(settings, pairs, by_name=db.is_dir(), as_json=as_json))
    if not as_json:
        summary = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        typer.echo(f"{len(pairs)} queries: {summary}")
    if set(counts) != {"match"}:
        raise typer.Exit(1)


def _chosen(settings: "VerifySettings", semantics: str, copies: int | None) -> "VerifySettings":
    from pydantic import ValidationError

    from schemas.errors import ConfigError
    from streams.verify.settings import VerifySettings

    changes: dict[str, Any] = {"match": semantics}
    if copies is not None:
        changes["instances"] = {"copies": copies}
    try:
        return VerifySettings.model_validate(settings.model_dump(exclude_none=True) | changes)
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise ConfigError(f"--semantics {semantics}: {reason}") from None


async def _run(
    settings: "VerifySettings", pairs: Sequence["SqlPair"], *, by_name: bool, as_json: bool
) -> dict[str, int]:
    """Print a line for every pair in order; how many there are of each status."""
    import json

    from rich.console import Console
    from rich.progress import Progress

    counts: dict[str, int] = {}
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("matching", total=len(pairs))
        async for pair, verdict in _verdicts(settings, pairs, by_name):
            status, reason = status_of(verdict)
            counts[status] = counts.get(status, 0) + 1
            taken_ms = round(sum(check.duration_ms for check in verdict.checks), 3)
            if as_json:
                row = {"id": pair.id, "status": status, "reason": reason, "ms": taken_ms}
                typer.echo(json.dumps(row))
            elif status != "match":
                typer.echo(f"{pair.id}: {status}: {reason}")
            progress.advance(task)
    return counts


async def _verdicts(
    settings: "VerifySettings", pairs: Sequence["SqlPair"], by_name: bool
) -> AsyncIterator[tuple["SqlPair", "Verdict"]]:
    from collections import deque

    from schemas.records import Expectation, ExpectationKind
    from streams.verify.verifier import Verifier

    async with Verifier(settings, Path()) as verifier:
        waiting: deque[tuple[SqlPair, asyncio.Task[Verdict]]] = deque()
        for pair in pairs:
            named = {"database": pair.database} if by_name and pair.database else {}
            expectation = Expectation(kind=ExpectationKind.GOLDEN_SQL, spec=pair.gold, params=named)
            verifying = verifier.verify_output(pair.prediction, [expectation])
            waiting.append((pair, asyncio.create_task(verifying)))
            if len(waiting) >= _WINDOW:
                first, done = waiting.popleft()
                yield first, await done
        for first, done in waiting:
            yield first, await done


def status_of(verdict: "Verdict") -> tuple[str, str]:
    """The verdict in one word, and the evidence of the check that decided it."""
    from schemas.records import CheckStatus

    for check in verdict.checks:
        if not check.hard:
            continue
        match check.status:
            case CheckStatus.FAIL:
                return _STATUS_OF_FAIL.get(check.name, "rejected"), check.evidence
            case CheckStatus.ERROR:
                return "error", check.evidence
            case CheckStatus.INCONCLUSIVE:
                return "undecided", check.evidence
    return "match", next(
        (check.evidence for check in verdict.checks if check.name == "sql_result_match"), ""
    )

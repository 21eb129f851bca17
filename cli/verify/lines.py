"""What `prefstream verify json`, `number` and `code` share: lines in, one verdict a line out."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from schemas.records import Expectation
    from streams.verify.verifier import Verdict

# Enough to keep every child busy, and few enough that output follows input.
_IN_FLIGHT = 32


@dataclass(frozen=True, kw_only=True)
class Case:
    """One line of the input: an answer, and what it is checked against."""

    id: str
    output: str
    expectations: "tuple[Expectation, ...]"


def read_lines(source: Path) -> list[tuple[str, dict[str, Any]]]:
    """Every line's object with its place, ``FILE:LINE``; blank lines are left out.

    Raises ``ConfigError`` at the first line that is no object with the texts id and output.
    """
    from schemas.errors import ConfigError

    found: list[tuple[str, dict[str, Any]]] = []
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{source}: cannot be read as UTF-8 text: {error}") from None
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{source}:{number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ConfigError(f"{place}: not JSON: {error}") from None
        if not isinstance(row, dict):
            raise ConfigError(f'{place}: no object; write {{"id": …, "output": …}}')
        row["id"] = _name(row.get("id", number))
        for key in ("id", "output"):
            if not isinstance(row.get(key), str):
                raise ConfigError(f"{place}: {key} is {row.get(key)!r}; give it as text")
        found.append((place, row))
    return found


def params_of(
    place: str, row: Mapping[str, Any], known: Iterable[str], taken: Sequence[str]
) -> dict[str, str]:
    """The fields beside ``taken`` as parameters of an expectation: texts stay, the rest is JSON.

    Raises ``ConfigError`` for a field that is none of the ``known``.
    """
    from schemas.errors import ConfigError

    given = {key: value for key, value in row.items() if key not in ("id", "output", *taken)}
    unknown = sorted(given.keys() - set(known))
    if unknown:
        fields = ", ".join([*taken, *sorted(known)])
        raise ConfigError(f"{place}: unknown field {unknown[0]}; known are id, output, {fields}")
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in given.items()
        if value is not None
    }


def verify_cases(
    cases: Sequence[Case], deciding: frozenset[str], *, wall_limit_s: float, as_json: bool
) -> None:
    """Check every case and write its verdict, in order, with a bar on standard error.

    ``deciding`` are the names of the checks whose score is shown. Exit code 0 if all pass, else 1.
    """
    import asyncio

    passed = asyncio.run(_verify(cases, deciding, wall_limit_s, as_json))
    typer.echo(f"{passed} of {len(cases)} pass", err=True)
    if passed < len(cases):
        raise typer.Exit(1)


async def _verify(
    cases: Sequence[Case], deciding: frozenset[str], wall_limit_s: float, as_json: bool
) -> int:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    passed = 0
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("verify", total=len(cases))
        async for case, verdict in _verdicts(cases, wall_limit_s):
            row = _row(case, verdict, deciding)
            passed += row["status"] == "PASS"
            shown = "" if row["score"] is None else f"{row['score']:.3g}"
            typer.echo(
                json.dumps(row, ensure_ascii=False)
                if as_json
                else "\t".join([row["id"], row["status"], shown, row["reason"]])
            )
            bar.advance(task)
    return passed


async def _verdicts(
    cases: Sequence[Case], wall_limit_s: float
) -> "AsyncIterator[tuple[Case, Verdict]]":
    """Verdicts in the order of the cases, some of them at a time."""
    import asyncio
    from collections import deque

    from streams.verify.settings import VerifySettings
    from streams.verify.verifier import Verifier

    verifier = Verifier(VerifySettings(wall_limit_s=wall_limit_s), Path())
    pending: deque[tuple[Case, asyncio.Task[Verdict]]] = deque()
    try:
        for case in cases:
            checking = verifier.verify_output(case.output, case.expectations)
            pending.append((case, asyncio.ensure_future(checking)))
            if len(pending) >= _IN_FLIGHT:
                first, task = pending.popleft()
                yield first, await task
        while pending:
            first, task = pending.popleft()
            yield first, await task
    finally:
        for _, task in pending:
            task.cancel()
        await asyncio.gather(*(task for _, task in pending), return_exceptions=True)
        await verifier.aclose()


def _row(case: Case, verdict: "Verdict", deciding: frozenset[str]) -> dict[str, Any]:
    """The check that decided, and the score where one was made."""
    from schemas.records import CheckStatus

    checks = [check for check in verdict.checks if check.status is not CheckStatus.SKIP]
    decisive = next((check for check in checks if check.status is not CheckStatus.PASS), checks[-1])
    score = next((c.score for c in checks if c.name in deciding and c.score is not None), None)
    reason = f"{decisive.name}: {decisive.evidence}" if decisive.evidence else decisive.name
    return {
        "id": case.id,
        "status": decisive.status.value,
        "score": score,
        "reason": reason.replace("\n", "; "),
        "ms": round(sum(check.duration_ms for check in verdict.checks), 3),
    }


def _name(value: Any) -> Any:
    """Ids may be numbers; they come out as text."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return str(value) if is_number else value

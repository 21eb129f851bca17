"""`prefstream verify sql`: statements of a file through the gate and the sandbox."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from cli.terminal import one_line

if TYPE_CHECKING:
    from streams.verify.statements import Statement, StatementVerdict

# Rejections that the table shows; the JSON has all.
_SHOWN = 20


class SqlDialect(StrEnum):
    """Engines that a setup script can be for."""

    DUCKDB = "duckdb"
    SQLITE = "sqlite"


def sql(
    setup: Annotated[
        Path, typer.Option("--setup", help="SQL script that makes the database; it is trusted.")
    ],
    source: Annotated[
        Path, typer.Option("--in", help='JSONL: {"id": …, "sql": "…"} a line; - is standard input.')
    ],
    allow: Annotated[
        list[str] | None,
        typer.Option(help="Names or * patterns of what may be read; repeatable, default all."),
    ] = None,
    dialect: Annotated[SqlDialect, typer.Option(help="The engine.")] = SqlDialect.DUCKDB,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the JSON lines to this file.")
    ] = None,
    wall_limit_s: Annotated[
        float, typer.Option(min=0.05, max=600, help="Seconds that a statement may run.")
    ] = 3.0,
    children: Annotated[
        int | None, typer.Option(min=1, help="Sandbox processes; default one a core.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON line a statement, in the order of the input.")
    ] = False,
) -> None:
    """Gate and execute every statement of a file, in the sandbox.

    Writes {"id", "accepted", "stage", "reason", "ms"} lines. Exit code 0 if all are accepted, 1 if
    any is rejected, 78 if the input is malformed.

    [bold]Examples[/bold]

      prefstream verify sql --setup schema.sql --allow 'v_revenue_*' --in statements.jsonl --json
      prefstream verify sql --setup schema.sql --in - --dialect sqlite < statements.jsonl
    """
    import asyncio
    import tempfile

    from streams.verify.setup_script import build_database

    statements = _read(source)
    with tempfile.TemporaryDirectory(prefix="prefstream-verify-") as name:
        folder = Path(name)
        build_database(setup, folder / "database", dialect.value)
        with _writer(out, as_json) as lines:
            checked = _check(folder, dialect, allow, statements, wall_limit_s, children, lines)
            rejected = asyncio.run(checked)
    if not as_json:
        _print(rejected, len(statements))
    if rejected:
        raise typer.Exit(1)


def _read(source: Path) -> "list[Statement]":
    import sys

    from schemas.errors import ConfigError
    from streams.verify.statements import read_statements

    try:
        raw = sys.stdin.buffer.read() if source == Path("-") else source.read_bytes()
    except OSError as error:
        raise ConfigError(f"{source}: {error.strerror}; --in must name a file") from error
    return list(read_statements(raw, str(source)))


async def _check(
    folder: Path,
    dialect: SqlDialect,
    allow: list[str] | None,
    statements: "list[Statement]",
    wall_limit_s: float,
    children: int | None,
    lines: TextIO | None,
) -> "list[StatementVerdict]":
    """The rejections; writes a line for every verdict."""
    from rich.console import Console
    from rich.progress import Progress

    from schemas.errors import ConfigError
    from streams.verify.databases import Databases
    from streams.verify.sandbox.limits import Limits
    from streams.verify.sandbox.pool import SandboxPool
    from streams.verify.settings import DatabaseSettings, VerifySettings
    from streams.verify.statements import check_statements

    database = DatabaseSettings(
        name="database", path="database", dialect=dialect.value, views=tuple(allow or ("*",))
    )
    limits = Limits(wall_s=wall_limit_s)
    pool = SandboxPool(size=children, limits=limits, dialects=(dialect.value,))
    console = Console(stderr=True)
    rejected = []
    try:
        databases = Databases(VerifySettings(databases=(database,)), folder, pool)
        readable = await databases.get(None)
        if isinstance(readable, str):
            raise ConfigError(f"{readable}; correct --setup or --allow")
        with Progress(console=console, disable=not console.is_terminal) as progress:
            bar = progress.add_task("verify sql", total=len(statements))
            async for verdict in check_statements(statements, readable, pool):
                if lines is not None:
                    lines.write(verdict.line() + "\n")
                    lines.flush()
                if not verdict.accepted:
                    rejected.append(verdict)
                progress.advance(bar)
    finally:
        await pool.aclose()
    return rejected


@contextmanager
def _writer(out: Path | None, as_json: bool) -> Iterator[TextIO | None]:
    """Where the JSON lines go: a file, whole or not at all, or standard output, or nowhere."""
    import sys

    from schemas.errors import ConfigError

    if out is None:
        yield sys.stdout if as_json else None
        return
    part = out.with_name(out.name + ".part")
    try:
        with part.open("w", encoding="ascii") as file:
            yield file
    except OSError as error:
        raise ConfigError(f"{out}: {error.strerror}; correct --out") from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    part.replace(out)


def _print(rejected: "list[StatementVerdict]", total: int) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    if rejected:
        table = Table("id", "stage", box=None)
        table.add_column("reason", overflow="fold")
        for verdict in rejected[:_SHOWN]:
            cells = (str(verdict.id), verdict.stage, verdict.reason)
            table.add_row(*(escape(one_line(cell)) for cell in cells))
        console.print(table)
        if len(rejected) > _SHOWN:
            console.print(f"… and {len(rejected) - _SHOWN} more: see them with --json")
    rules = Counter(verdict.reason.partition(":")[0] for verdict in rejected)
    by_rule = ", ".join(f"{rule} {count}" for rule, count in rules.most_common())
    console.print(
        f"{total} statements: {total - len(rejected)} accepted, {len(rejected)} rejected"
        + (f" ({escape(one_line(by_rule))})" if by_rule else ""),
        highlight=False,
    )

"""`prefstream query` and `prefstream account`: questions to the tables."""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from consumers.accounting import Accounts


def query(
    name: Annotated[str | None, typer.Argument(help="Which query; --list shows them.")] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", help="NAME=VALUE, as often as needed.")
    ] = None,
    list_all: Annotated[bool, typer.Option("--list", help="Show all queries.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Rows as JSON, one a line.")] = False,
) -> None:
    """Ask a named question of the tables.

    [bold]Examples[/bold]

      prefstream query --list
      prefstream query discards
      prefstream query slices --param workload=harbor --json
    """
    from consumers.clickhouse.named_queries import ask, named_queries, named_query
    from infra.clickhouse import client
    from infra.settings import Settings

    if list_all or name is None:
        _print(
            "Queries",
            ("name", "question", "parameters"),
            [
                (q.name, q.title, "\n".join(f"{p.name}: {p.meaning}" for p in q.parameters))
                for q in named_queries().values()
            ],
        )
        return
    wanted = named_query(name)
    with client(Settings()) as connection:
        answer = ask(connection, wanted, _values(param or []))
    if as_json:
        for row in answer.rows:
            typer.echo(json.dumps(dict(zip(answer.columns, row, strict=True)), default=str))
        return
    _print(wanted.title, answer.columns, answer.rows)


def account(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    wait_s: Annotated[
        float, typer.Option(min=0, help="How long the sink may take to catch up.")
    ] = 60.0,
) -> None:
    """Show where every event of every stage has gone, checked by ids.

    Ends with exit code 1 if an event is missing.

    [bold]Examples[/bold]

      prefstream account
      prefstream account --json | jq .closed
    """
    from consumers.accounting import close_accounts
    from consumers.clickhouse.stage_flows import flows_of_tables
    from infra.clickhouse import client
    from infra.settings import Settings

    settings = Settings()
    with client(settings) as connection:
        accounts = close_accounts(flows_of_tables(settings, connection, timeout_s=wait_s))
    if as_json:
        typer.echo(accounts.model_dump_json(by_alias=True))
    else:
        print_accounts(accounts)
    if not accounts.closed:
        sys.exit(1)


def print_accounts(accounts: "Accounts") -> None:
    """The accounts as a table."""
    _print(
        "Accounts " + ("close" if accounts.closed else "DO NOT CLOSE"),
        ("stage", "in", "out", "discarded", "dead letters", "pending", "missing"),
        [
            (
                a.stage,
                a.taken,
                a.out,
                "\n".join(f"{reason} {n}" for reason, n in a.discarded.items()) or "0",
                a.dead_lettered,
                a.pending,
                "\n".join([str(a.missing_count), *a.missing]),
            )
            for a in accounts.stages.values()
        ],
    )


def _values(given: list[str]) -> dict[str, str]:
    from schemas.errors import ConfigError

    for pair in given:
        if "=" not in pair:
            raise ConfigError(f"--param {pair} names no value; give NAME=VALUE")
    return dict(pair.split("=", 1) for pair in given)


def _print(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    from rich.console import Console

    from consumers.clickhouse.answer_table import answer_table

    Console().print(answer_table(title, columns, rows))

"""`prefstream review user`: who may sign in to the review pages."""

from typing import Annotated

import typer

from cli.review_parts import open_queues

app = typer.Typer(help="Who may sign in.", no_args_is_help=True, rich_markup_mode="rich")


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="As it stands on this person's labels, for ever.")],
    role: Annotated[
        str, typer.Option(help="annotator, adjudicator or lead; each may do what the one before.")
    ] = "annotator",
) -> None:
    """Let somebody in and print their token, once: only its hash is kept.

    [bold]Examples[/bold]

      prefstream review user add ann --role annotator
      prefstream review user add lee --role lead
    """
    import time

    from consumers.review.people import PersonRole, add_person
    from schemas.errors import ConfigError

    if role not in list(PersonRole):
        raise ConfigError(f"there is no role {role!r}; choose one of {', '.join(PersonRole)}")
    _, engine = open_queues()
    with engine.begin() as connection:
        token = add_person(connection, name, PersonRole(role), time.time())
    typer.echo(f"{name} may sign in as {role}. Their token, shown this once:", err=True)
    typer.echo(token)


@app.command("renew")
def renew(name: Annotated[str, typer.Argument(help="Whose token was lost or seen.")]) -> None:
    """Print a new token; the old one and all of the person's sessions end.

    [bold]Examples[/bold]

      prefstream review user renew ann
    """
    from consumers.review.people import renew_token

    _, engine = open_queues()
    with engine.begin() as connection:
        token = renew_token(connection, name)
    typer.echo(f"{name}'s new token, shown this once:", err=True)
    typer.echo(token)


@app.command("revoke")
def revoke(name: Annotated[str, typer.Argument(help="Who may sign in no more.")]) -> None:
    """Let somebody in no more, at once; their labels stand.

    [bold]Examples[/bold]

      prefstream review user revoke ann
    """
    from consumers.review.people import revoke as revoke_person

    _, engine = open_queues()
    with engine.begin() as connection:
        revoke_person(connection, name)
    typer.echo(f"{name} may sign in no more")


@app.command("list")
def list_people(
    as_json: Annotated[bool, typer.Option("--json", help="One person a line, as JSON.")] = False,
) -> None:
    """Show everybody and their roles.

    [bold]Examples[/bold]

      prefstream review user list
      prefstream review user list --json | jq -r .name
    """
    import json

    from consumers.review.people import people

    _, engine = open_queues()
    with engine.connect() as connection:
        everyone = people(connection)
    for one in everyone:
        if as_json:
            found = {"name": one.name, "role": one.role, "active": one.active}
            typer.echo(json.dumps(found))
        else:
            typer.echo(f"{one.name:<24} {one.role:<12} {'' if one.active else 'revoked'}".rstrip())

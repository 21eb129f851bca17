"""`prefstream review`: the pages where people label, adjudicate and audit."""

from pathlib import Path
from typing import Annotated

import typer

from cli.review_parts import chores, filling, find_project, make_board, open_queues, parts
from cli.review_users import app as users

app = typer.Typer(rich_markup_mode="rich")
app.add_typer(users, name="user")

_Project = Annotated[
    Path | None,
    typer.Option(
        help="Project directory: its rubrics, its gate, its audits. Default: here, if it is one.",
        file_okay=False,
    ),
]
_Annotators = Annotated[int, typer.Option(min=1, max=20, help="How many people label an item.")]


@app.callback(invoke_without_command=True)
def serve(
    context: typer.Context,
    project: _Project = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 = any free one.")] = 8100,
    annotators: _Annotators = 2,
) -> None:
    """Serve the review pages until SIGTERM or Ctrl-C.

    Anchors and probes of the `comparisons` topic come into the queues by themselves; every label
    goes to `labels` before it is acknowledged. Other machines reach the pages through a proxy that
    speaks HTTPS: tokens must not travel in the clear.

    [bold]Examples[/bold]

      prefstream review user add ann --role annotator
      prefstream review --project examples/harbor/project
      PREFSTREAM_REVIEW_DATABASE_URL=postgresql://me@db/review prefstream review
    """
    if context.invoked_subcommand is not None:
        return
    from consumers.review.chores import Chores
    from consumers.review.web.app import review_app
    from consumers.review.web.server import listen, serve_until_stopped
    from infra.kafka import ensure_topics
    from infra.telemetry import set_up_logging

    settings, engine = open_queues()
    set_up_logging(settings)
    ensure_topics(settings)
    loaded = find_project(project)
    board = make_board(settings, loaded)
    pages = review_app(parts(settings, engine, project, loaded, board))
    by_itself = chores(settings, engine, annotators, loaded, board)
    with listen(host, port) as door, Chores(by_itself):
        typer.echo(f"review pages at http://{host}:{door.getsockname()[1]} (Ctrl-C stops them)")
        serve_until_stopped(pages, door)


@app.command()
def fill(project: _Project = None, annotators: _Annotators = 2) -> None:
    """Bring the queues up to the topics, as the server does by itself.

    [bold]Examples[/bold]

      prefstream review fill
      prefstream review fill --annotators 3 --project examples/harbor/project
    """
    settings, engine = open_queues()
    for chore in filling(settings, engine, annotators, find_project(project)):
        typer.echo(f"{chore.name}: {chore.do()} new items")

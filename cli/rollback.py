"""`prefstream rollback`: the policy that served before serves again."""

from typing import Annotated

import typer


def rollback(
    as_json: Annotated[bool, typer.Option("--json", help="The run event as one object.")] = False,
) -> None:
    """Take the last promotion back: `models/production` is the policy before it again.

    Verifies that one's files first. Done again it goes back one more. It needs no broker: where
    Kafka is away the alias moves all the same, the webhook is told, and only the event is missing
    in the log.

    [bold]Examples[/bold]

      prefstream rollback
      prefstream rollback --json | jq -r .detail
    """
    from cli.promotion import registry_of
    from infra.settings import Settings
    from schemas.errors import ConfigError, DependencyDown
    from trainer.promotion.promote import roll_back
    from trainer.promotion.tell import announce, tell

    settings = Settings()
    run = roll_back(registry_of(settings))
    try:
        tell(settings, run)
    except (ConfigError, DependencyDown) as error:
        typer.echo(f"prefstream: rolled back, but the event is not in the log: {error}", err=True)
        announce(settings.webhook_url, run)
    if as_json:
        typer.echo(run.model_dump_json(exclude={"offset_ranges", "source_ids"}))
    else:
        typer.echo(f"run {run.run_id} is demoted: {run.detail}")

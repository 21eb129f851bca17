"""`prefstream backup` and `prefstream restore`: what stands in no topic."""

from pathlib import Path
from typing import Annotated

import typer

_Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup to write (.tar.gz).")],
    as_json: _Json = False,
) -> None:
    """Copy the review database (people, queues, drafts) and the ledger of looks into one file.

    The pages may be in use meanwhile. Topics are Kafka's to keep: labels themselves are there. The
    file holds hashes of tokens and what people wrote, so only its owner may read it.

    [bold]Examples[/bold]

      prefstream backup /backups/review-$(date +%F).tar.gz
      prefstream backup review.tar.gz --json | jq .at
    """
    from datetime import UTC, datetime

    from cli.review_parts import open_queues
    from consumers.backup.archive import back_up
    from consumers.calibration.holdout_ledger import ledger_path

    settings, engine = open_queues()
    contents = back_up(file, engine, ledger_path(settings), datetime.now(UTC))
    if as_json:
        typer.echo(contents.model_dump_json())
    else:
        typer.echo(f"{file}: {', '.join(contents.sha256)}")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup of `prefstream backup`.")],
    as_json: _Json = False,
) -> None:
    """Put a backup into an empty review database, of either kind, and bring the ledger back.

    A ledger that knows as much as the backup's is kept, for an older one would forget looks. What
    was labelled since the backup comes back from the topics with `prefstream review fill`.

    [bold]Examples[/bold]

      prefstream restore /backups/review-2026-11-01.tar.gz
      PREFSTREAM_REVIEW_DATABASE_URL=postgresql://me@db/review prefstream restore review.tar.gz
    """
    from cli.review_parts import open_queues
    from consumers.backup.archive import restore as restore_archive
    from consumers.calibration.holdout_ledger import ledger_path

    settings, engine = open_queues()
    found = restore_archive(file, engine, ledger_path(settings))
    if as_json:
        typer.echo(found.model_dump_json())
        return
    rows = ", ".join(f"{n} {table}" for table, n in found.rows.items())
    typer.echo(f"{file}: {rows}; ledger: {found.ledger or 'none in it'}")

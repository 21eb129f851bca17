"""`prefstream anchors create`: comparisons to label, out of judged traffic."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from infra.settings import Settings
    from schemas.events import Judgment


def create(
    n: Annotated[int, typer.Option("--n", min=1, help="How many anchors to draw.")],
    project: Annotated[
        Path, typer.Option(help="Project directory with pipeline.yaml.", file_okay=False)
    ] = Path(),
    allocation: Annotated[
        Literal["proportional", "slices"],
        typer.Option(help="As the traffic is, or as many of each slice."),
    ] = "proportional",
    checkpoint: Annotated[
        str | None,
        typer.Option(help="Only pairs with an answer of this policy: its fingerprint or model."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of sample and sides; default: a new one, recorded.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the strata only.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The counts as one JSON object.")] = False,
) -> None:
    """Draw anchors from judged traffic, stratified, one pair a prompt.

    The sample is stratified by slice, failure mode (checks that did not pass, or how the judge
    abstained), language, length and margin. Half of what the judge preferred stands as A. Prompts
    that people labelled or that were drawn before are left alone. The draw and its seed are kept
    in the ledger; the anchors go to `comparisons` (purpose ANCHOR) and wait to be labelled.

    [bold]Examples[/bold]

      prefstream anchors create --n 400
      prefstream anchors create --n 600 --allocation slices --seed 7 --dry-run
      prefstream anchors create --n 60 --checkpoint 5f0c9d… # of a policy just promoted
    """
    from secrets import randbelow

    from cli.project import load_project
    from consumers.anchors.draw import DrawSettings, anchors, draw, drawable, strata_counts
    from consumers.anchors.taken import taken_prompts
    from consumers.calibration.holdout_ledger import HoldoutLedger, ledger_path
    from infra.publish import publish
    from infra.settings import Settings
    from schemas.errors import ConfigError

    settings, workload = Settings(), load_project(project).workload
    wanted = DrawSettings(
        n=n, seed=randbelow(2**31) if seed is None else seed, allocation=allocation
    )
    taken = taken_prompts(settings)
    # only what a draw has to know is held: the texts are read again, of the drawn ones
    found = (
        one
        for judgment in _judgments(settings, workload, "looking for pairs")
        if (one := drawable(judgment, checkpoint))
    )
    drawn = draw(found, wanted, taken)
    if not drawn:
        raise ConfigError(
            "no judged production pair is left to draw from (prompts that were drawn or labelled "
            f"before: {len(taken)}); let the judge label more traffic first"
        )
    ids = {one.judgment_id for one in drawn}
    again = _judgments(settings, workload, "reading their texts")
    chosen = {one.event_id: one for one in again if one.event_id in ids}
    made = anchors(list(chosen.values()), wanted)
    if not dry_run:
        HoldoutLedger(ledger_path(settings)).drawn(wanted.config_hash, wanted.seed, len(made))
        publish(settings, made)
    strata = strata_counts(drawn)
    if as_json:
        typer.echo(json.dumps({"anchors": len(made), "seed": wanted.seed, "strata": strata}))
        return
    for name, count in strata.items():
        typer.echo(f"{count:6}  {name}")
    said = "would be drawn" if dry_run else "drawn"
    typer.echo(f"{len(made)} anchors {said} with seed {wanted.seed}")


def _judgments(settings: "Settings", workload: str, what: str) -> "Iterator[Judgment]":
    """Every judgment of the workload, with a progress bar over all."""
    from rich.console import Console
    from rich.progress import track

    from infra.topic_log import TopicLog, snapshot
    from schemas.events import TOPICS, Judgment

    held = snapshot(settings, TOPICS[Judgment])
    yield from track(
        TopicLog(settings, workload).events(Judgment),
        what,
        total=sum(span.last - span.first + 1 for span in held),
        console=Console(stderr=True),
        transient=True,
    )

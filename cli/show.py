"""`prefstream show`: one judgment, with the exact prompts that made it and the proof of them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.terminal import visible

if TYPE_CHECKING:
    from infra.settings import Settings
    from schemas.events import Judgment
    from schemas.records import Opinion
    from streams.judge.proof import Proof


def show(
    judgment_id: Annotated[str, typer.Argument(help="The event_id of a judgment.")],
    project: Annotated[
        Path, typer.Option(help="Project directory with pipeline.yaml.", file_okay=False)
    ] = Path(),
    file: Annotated[
        Path | None, typer.Option(help="Look in this judgments.jsonl of `prefstream label`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All of it as one object.")] = False,
) -> None:
    """Read a judgment back: prompts in both orders, raw answers, probabilities, citations, cost.

    The prompts are rendered again from the rubric, the template and the secret behind their codes,
    and proven by the hash that was stored with each. Exit code 1 if a prompt has another hash.

    [bold]Examples[/bold]

      prefstream show 0c4f6a9e-… --project examples/harbor/project
      prefstream show 0c4f6a9e-… --file out/judgments.jsonl --json | jq .opinions[0].proof
    """
    from consumers.find_judgment import find_judgment
    from infra.settings import Settings

    settings = Settings()
    judgment = find_judgment(settings, judgment_id, file)
    proofs = proofs_of(judgment, project, settings)
    if as_json:
        typer.echo(_json(judgment, proofs))
    else:
        for line in _lines(judgment, proofs):
            typer.echo(visible(line))
    if not all(proof.matches for proof in proofs):
        raise typer.Exit(1)


def proofs_of(judgment: "Judgment", project: Path, settings: "Settings") -> "tuple[Proof, ...]":
    """A proof for each opinion; a project that cannot render them any more proves none."""
    from cli.current_judge import unasked
    from schemas.errors import ConfigError
    from streams.judge.as_judged import as_judged
    from streams.judge.proof import Proof, prove
    from streams.pipeline import load_pipeline

    pipeline = load_pipeline(project)
    judge = as_judged(judgment, pipeline.judge, project)
    try:
        stage = unasked(judge, pipeline, project, settings)
    except ConfigError as error:
        return tuple(
            Proof(opinion=opinion, prompt=None, matches=False, why=str(error))
            for opinion in judgment.opinions
        )
    same_config = stage.judge_config_hash == judgment.judge_config_hash
    members = stage.judges.members if stage.judges else ()
    return prove(judgment, members, same_config=same_config)


def _json(judgment: "Judgment", proofs: "tuple[Proof, ...]") -> str:
    opinions = [
        proof.opinion.model_dump(mode="json")
        | {
            "proof": "matches" if proof.matches else "differs",
            "why": proof.why,
            "messages": [turn.model_dump() for turn in proof.prompt.messages]
            if proof.prompt
            else None,
        }
        for proof in proofs
    ]
    return json.dumps(judgment.model_dump(mode="json") | {"opinions": opinions})


def _lines(judgment: "Judgment", proofs: "tuple[Proof, ...]") -> Iterator[str]:
    event = judgment.comparison
    yield f"judgment {judgment.event_id}: {judgment.winner.value}"
    yield (
        f"m {_number(judgment.margin)}  b {_number(judgment.position_bias)} (log-odds)  "
        f"agreement {_number(judgment.agreement)}"
    )
    yield (
        f"judge {judgment.teacher_model or '–'}  by {judgment.rubric_version or '–'}"
        + (f"  panel {judgment.panel}" if judgment.panel else "")
        + f"  configuration {judgment.judge_config_hash}"
    )
    if judgment.marks:
        yield f"marks {', '.join(judgment.marks)}"
    for found in judgment.pre_checks:
        yield f"pre-check {found.rule}: {found.candidate} loses ({found.evidence})"
    costs = [opinion.cost_usd for opinion in judgment.opinions]
    known = [cost for cost in costs if cost is not None]
    yield f"cost {f'{sum(known):.6f} USD' if known else 'not known'} of {len(costs)} answers"
    yield f"comparison {event.event_id}, verifier says {event.verifier_winner.value}"
    yield from (f"  {turn.role}: {turn.content}" for turn in event.messages)
    for name, side in (("A", event.a), ("B", event.b)):
        yield f"{name}, {side.outcome.value}, of {side.candidate.model}:"
        yield side.candidate.output
    for proof in proofs:
        yield from _opinion_lines(proof)


def _opinion_lines(proof: "Proof") -> Iterator[str]:
    opinion = proof.opinion
    said = "matches" if proof.matches else f"differs: {proof.why}"
    yield ""
    yield f"== {_title(opinion)}: {opinion.answer.value}"
    yield f"prompt {opinion.prompt_version} sha256 {opinion.prompt_sha256} {said}"
    for turn in proof.prompt.messages if proof.prompt else ():
        yield f"-- {turn.role}"
        yield turn.content
    yield "-- answer"
    yield opinion.raw_text
    yield "--"
    yield (
        f"P(first) {_number(opinion.p_first)}  P(second) {_number(opinion.p_second)}  "
        f"P(tie) {_number(opinion.p_tie)}  captured mass {_number(opinion.captured_mass)}"
    )
    for citation in opinion.citations:
        met = {True: "met", False: "unmet", None: "unclear"}[citation.met]
        yield f"{citation.candidate} {citation.criterion} {met}: {citation.quote}"
    cost = "not known" if opinion.cost_usd is None else f"{opinion.cost_usd:.6f} USD"
    latency = "not known" if opinion.latency_ms is None else f"{opinion.latency_ms:.0f} ms"
    yield (
        f"tokens {opinion.input_tokens or '–'} in, {opinion.output_tokens or '–'} out  "
        f"cost {cost}  latency {latency}"
    )


def _title(opinion: "Opinion") -> str:
    parts = [opinion.member, opinion.judge]
    if opinion.fingerprint:
        parts.append(f"({opinion.fingerprint})")
    parts.append(f"order {opinion.order.value}")
    if opinion.sample is not None:
        parts.append(f"sample {opinion.sample}")
    return " ".join(filter(None, parts))


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"

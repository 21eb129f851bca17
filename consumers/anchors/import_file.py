"""A file of anchors into comparisons and labels, every line told where it is wrong."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from consumers.anchors.rows import AnchorRow, ArenaRow, LabelRow
from consumers.calibration.content import comparison_sha256
from schemas.errors import ConfigError
from schemas.events import Comparison, Label
from schemas.ids import captured_id, config_hash, derived_id, prompt_id, text_sha256
from schemas.line_problem import line_problem
from schemas.records import (
    Candidate,
    HumanWinner,
    LabelRole,
    Order,
    Origin,
    Outcome,
    Purpose,
    VerifiedCandidate,
    VerifierWinner,
)

STAGE = "anchor_import"


@dataclass(frozen=True, kw_only=True)
class AnchorImport:
    """How a file is to be read.

    ``adjudicated`` takes a row's ``winner`` for the final verdict, not for one person's.
    ``first_of_prompt`` keeps the first pair of a prompt and counts the others; without it a second
    one is an error, because pairs of one prompt are not independent.
    """

    workload_id: str
    rubric_id: str
    adjudicated: bool = False
    first_of_prompt: bool = False


@dataclass(frozen=True, kw_only=True)
class ImportedAnchors:
    """Events to publish; ``left_out`` counts further pairs of prompts that were there already."""

    comparisons: tuple[Comparison, ...]
    labels: tuple[Label, ...]
    left_out: int = 0


def import_anchors(path: Path, wanted: AnchorImport) -> ImportedAnchors:
    """The anchors of a JSON Lines file, ours or LMArena's; read again they have the same ids.

    Raises ``ConfigError`` with file, line and remedy for a line that is no anchor, a pair or a
    prompt that comes twice, a person who labels twice, and adjudications that contradict.
    """
    comparisons: list[Comparison] = []
    labels: list[Label] = []
    lines: dict[str, int] = {}
    left_out = 0
    at = datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else datetime.now(UTC)
    for number, line in _lines(path):
        try:
            row = _row(json.loads(line))
            said = _checked(row.said(adjudicated=wanted.adjudicated))
            comparison = _comparison(row, wanted, at)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{path}, line {number}: {_sentence(error)}") from None
        first = lines.setdefault(comparison.prompt_id, number)
        if first != number:
            if not wanted.first_of_prompt:
                raise ConfigError(
                    f"{path}, line {number}: the prompt stands in line {first} already; keep one "
                    "pair a prompt, with all its labels (or --first-of-prompt)"
                )
            left_out += 1
            continue
        comparisons.append(comparison)
        labels += [_label(one, comparison, at) for one in said]
    if not comparisons:
        raise ConfigError(f"{path} holds no anchor; a row is {{'prompt', 'a', 'b', 'labels'}}")
    return ImportedAnchors(comparisons=tuple(comparisons), labels=tuple(labels), left_out=left_out)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}); name a file") from None


def _row(value: Any) -> AnchorRow:
    if not isinstance(value, dict):
        raise ValueError("a row is an object with prompt, a and b")
    if "conversation_a" in value:
        return ArenaRow.model_validate(value).row()
    return AnchorRow.model_validate(value)


def _checked(said: Sequence[LabelRow]) -> Sequence[LabelRow]:
    """The labels, if nobody speaks twice and adjudicators agree."""
    rulings = {one.winner for one in said if one.role is LabelRole.ADJUDICATION}
    if len(rulings) > 1:
        raise ValueError(
            f"it is adjudicated as {' and as '.join(sorted(rulings))}; keep the one that holds"
        )
    seen: set[tuple[str, LabelRole]] = set()
    for one in said:
        if (one.annotator, one.role) in seen:
            raise ValueError(
                f"{one.annotator!r} gives {one.role.value.lower()} twice; keep one of them"
            )
        seen.add((one.annotator, one.role))
    return said


def _comparison(row: AnchorRow, wanted: AnchorImport, at: datetime) -> Comparison:
    messages = row.chat()
    if row.a.strip() == row.b.strip():
        raise ValueError("a and b are the same text, so nothing can be preferred")
    id_ = prompt_id(wanted.workload_id, [(turn.role, turn.content) for turn in messages])
    texts = json.dumps([id_, row.a, row.b])
    return Comparison(
        event_id=captured_id(wanted.workload_id, f"anchor:{text_sha256(texts)}"),
        occurred_at=at,
        workload_id=wanted.workload_id,
        config_hash=config_hash(STAGE),
        prompt_id=id_,
        messages=messages,
        context=row.context,
        slice=row.slice,
        purpose=Purpose.ANCHOR,
        a=_side(row.a, row.model_a, id_, wanted),
        b=_side(row.b, row.model_b, id_, wanted),
        verifier_winner=VerifierWinner.NONE,
        rubric_id=wanted.rubric_id,
    )


def _side(text: str, model: str, prompt: str, wanted: AnchorImport) -> VerifiedCandidate:
    content = text_sha256(json.dumps([prompt, model, text]))
    candidate = Candidate(
        completion_id=captured_id(wanted.workload_id, f"anchor answer:{content}"),
        output=text,
        model=model,
        origin=Origin.IMPORT,
    )
    # nothing was checked, so nothing is known against it
    return VerifiedCandidate(candidate=candidate, outcome=Outcome.PASSED)


def _label(said: LabelRow, comparison: Comparison, at: datetime) -> Label:
    parts = [comparison.event_id, said.annotator, said.role.value, said.winner.value]
    return Label(
        event_id=derived_id("Label", STAGE, parts, comparison.config_hash),
        occurred_at=said.at or at,
        workload_id=comparison.workload_id,
        config_hash="",
        source_ids=(comparison.event_id,),
        comparison_id=comparison.event_id,
        prompt_id=comparison.prompt_id,
        content_sha256=comparison_sha256(comparison),
        annotator=said.annotator,
        role=said.role,
        winner=HumanWinner(said.winner),
        criteria=said.criteria,
        comment=said.comment,
        order=Order.AB,
    )


def _sentence(error: Exception) -> str:
    return line_problem(error) if isinstance(error, ValidationError) else str(error)

"""Anchors with their labels as rows that ``prefstream anchors import`` takes again."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from consumers.anchors.rows import AnchorRow, LabelRow
from consumers.calibration.adjudicate import not_withdrawn
from consumers.calibration.content import as_given_to
from schemas.events import Comparison, Label
from schemas.records import LabelRole, Purpose


def anchor_rows(comparisons: Iterable[Comparison], labels: Iterable[Label]) -> Iterator[AnchorRow]:
    """A row for each anchor, the first of a prompt only; labels turned to its sides.

    Audits and what was taken back are left out.
    """
    by_prompt: defaultdict[str, dict[str, Label]] = defaultdict(dict)
    for label in not_withdrawn(labels):
        if label.role is not LabelRole.AUDIT:
            by_prompt[label.prompt_id].setdefault(label.event_id, label)
    seen: set[str] = set()
    for comparison in comparisons:
        if comparison.purpose is Purpose.ANCHOR and comparison.prompt_id not in seen:
            seen.add(comparison.prompt_id)
            yield _row(comparison, by_prompt[comparison.prompt_id].values())


def _row(comparison: Comparison, labels: Iterable[Label]) -> AnchorRow:
    a, b = comparison.a.candidate, comparison.b.candidate
    return AnchorRow(
        id=comparison.event_id,
        messages=comparison.messages,
        a=a.output,
        b=b.output,
        model_a=a.checkpoint or a.model,
        model_b=b.checkpoint or b.model,
        slice=comparison.slice,
        context=comparison.context,
        labels=tuple(_said(comparison, labels)),
    )


def _said(comparison: Comparison, labels: Iterable[Label]) -> Iterator[LabelRow]:
    told: set[tuple[str, LabelRole]] = set()
    for label in sorted(labels, key=lambda one: (one.occurred_at, one.event_id)):
        given, role = as_given_to(label, comparison), label.role
        # the earliest of a person in a role stands, as in adjudication
        if given is None or role is LabelRole.AUDIT or (label.annotator, role) in told:
            continue
        told.add((label.annotator, role))
        yield LabelRow(
            annotator=label.annotator,
            winner=given.winner,
            role=role,
            criteria=label.criteria,
            comment=label.comment,
            at=label.occurred_at,
        )

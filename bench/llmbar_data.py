"""LLMBar's items as anchors that two people labelled alike, and its judges' verdicts on them.

``verdicts.jsonl.gz`` has a row [subset, model, strategy, item, better output, preferred as given,
preferred with the sides exchanged]; a verdict that could not be parsed is null.
"""

import gzip
import json
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from consumers.calibration.content import comparison_sha256
from schemas.events import Comparison, Judgment, Label
from schemas.records import (
    Candidate,
    HumanWinner,
    LabelRole,
    Message,
    Opinion,
    Order,
    Outcome,
    Purpose,
    VerifiedCandidate,
    VerifierWinner,
    Winner,
)
from streams.judge.verdict import decide

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "judge" / "llmbar"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

_ANSWERS = {"1": Winner.A, "2": Winner.B, None: Winner.INVALID}
_PEOPLE = ("first", "second")

VerdictRow = list[Any]


class Anchors:
    """The items of every subset as comparisons that two people labelled alike."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._items: dict[str, list[dict[str, Any]]] = {}
        self._made: dict[tuple[str, int], tuple[Comparison, tuple[Label, ...]]] = {}

    def anchor(self, subset: str, place: int, gold: int) -> tuple[Comparison, tuple[Label, ...]]:
        """The comparison of an item, and its labels: ``gold`` is the better output, 1 or 2."""
        if (subset, place) not in self._made:
            if subset not in self._items:
                path = self._data / subset / "dataset.json"
                self._items[subset] = json.loads(path.read_text(encoding="utf-8"))
            one = _comparison(subset, place, self._items[subset][place])
            winner = HumanWinner.A if gold == 1 else HumanWinner.B
            labels = tuple(_label(one, winner, person) for person in _PEOPLE)
            self._made[subset, place] = one, labels
        return self._made[subset, place]


def verdicts(data: Path) -> dict[tuple[str, str], list[VerdictRow]]:
    """The rows of each judge ("model strategy") of each collection (LLMBar, CaseStudy, …)."""
    found: defaultdict[tuple[str, str], list[VerdictRow]] = defaultdict(list)
    with gzip.open(data / "verdicts.jsonl.gz", "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            subset, model, strategy = row[:3]
            found[subset.split("/")[0], f"{model} {strategy}"].append(row)
    return found


def _comparison(subset: str, place: int, item: dict[str, Any]) -> Comparison:
    name = f"{subset} {place}"
    a, b = (
        VerifiedCandidate(
            candidate=Candidate(completion_id=f"{name} {n}", output=item[f"output_{n}"], model=""),
            outcome=Outcome.PASSED,
        )
        for n in (1, 2)
    )
    return Comparison(
        event_id=name,
        occurred_at=NOON,
        workload_id="llmbar",
        config_hash="",
        prompt_id=name,
        messages=(Message(role="user", content=item["input"]),),
        slice=subset,
        purpose=Purpose.ANCHOR,
        a=a,
        b=b,
        verifier_winner=VerifierWinner.NONE,
        rubric_id="llmbar",
    )


def _label(one: Comparison, winner: HumanWinner, person: str) -> Label:
    return Label(
        event_id=f"{person} on {one.event_id}",
        occurred_at=NOON,
        workload_id="llmbar",
        config_hash="",
        comparison_id=one.event_id,
        prompt_id=one.prompt_id,
        content_sha256=comparison_sha256(one),
        annotator=person,
        role=LabelRole.LABEL,
        winner=winner,
        order=Order.AB,
    )


def judgment(
    one: Comparison, hash_: str, judge: str, given: str | None, swapped: str | None
) -> Judgment:
    """What the judge said of the comparison over both orders."""
    opinions = tuple(
        Opinion(judge=judge, prompt_version="", prompt_sha256="", order=order, answer=answer)
        for order, answer in ((Order.AB, _ANSWERS[given]), (Order.BA, _ANSWERS[swapped]))
    )
    decision = decide(*opinions)
    return Judgment(
        event_id=f"{hash_} on {one.event_id}",
        occurred_at=NOON,
        workload_id="llmbar",
        config_hash="",
        prompt_id=one.prompt_id,
        comparison=one,
        opinions=opinions,
        winner=decision.winner,
        agreement=decision.agreement,
        rubric_version="llmbar/1",
        teacher_model=judge,
        judge_config_hash=hash_,
    )

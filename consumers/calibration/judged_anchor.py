"""Anchors that every member of a panel judged, with what people said of them. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from consumers.calibration.adjudicate import adjudicate_all
from consumers.calibration.content import comparison_sha256
from consumers.calibration.matching import by_prompt, human_verdict
from consumers.calibration.splits import Split, SplitShares, split_of
from schemas.events import Judgment, Label
from schemas.records import HumanWinner, Opinion, Purpose, Winner
from streams.judge.panel import Panel
from streams.judge.verdict import Decision, decide


@dataclass(frozen=True, kw_only=True)
class JudgedAnchor:
    """People's winner (A, B or a tie), and each member's opinions and verdict by its name."""

    human: Winner
    opinions: Mapping[str, Sequence[Opinion]]
    verdicts: Mapping[str, Decision]
    source_ids: tuple[str, ...] = ()


def judged_anchor(
    human: Winner, opinions: Iterable[Opinion], source_ids: tuple[str, ...] = ()
) -> JudgedAnchor:
    """The anchor with every member's verdict on it."""
    by_member: defaultdict[str, list[Opinion]] = defaultdict(list)
    for opinion in opinions:
        by_member[opinion.member].append(opinion)
    verdicts = {name: decide(*said) for name, said in by_member.items()}
    return JudgedAnchor(human=human, opinions=by_member, verdicts=verdicts, source_ids=source_ids)


def judged_anchors(
    panel: Panel, judgments: Iterable[Judgment], labels: Iterable[Label], shares: SplitShares
) -> tuple[list[JudgedAnchor], int]:
    """The panel's anchors of the calibration split that people decided, each text once.

    And how many more a cascade kept from some of the members.
    """
    adjudications = by_prompt(adjudicate_all(labels).values())
    names = {member.name for member in panel.members}
    found: dict[str, JudgedAnchor] = {}
    incomplete: set[str] = set()
    for judgment in judgments:
        comparison = judgment.comparison
        if judgment.panel != panel.ref or comparison.purpose is not Purpose.ANCHOR:
            continue
        human = human_verdict(comparison, adjudications)
        if human is None or human.winner is HumanWinner.BOTH_BAD:
            continue
        if split_of(judgment.prompt_id, shares) is not Split.CALIBRATION or not judgment.opinions:
            continue
        key = comparison_sha256(comparison)
        anchor = judged_anchor(
            Winner(human.winner.value),
            judgment.opinions,
            (judgment.event_id, *human.adjudication.label_ids),
        )
        if anchor.verdicts.keys() == names:
            found.setdefault(key, anchor)
        else:
            incomplete.add(key)
    return list(found.values()), len(incomplete - found.keys())

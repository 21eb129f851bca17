"""499 published judge runs through judge and filter: their statistics come out again.

LLMBar (Zeng et al. 2024) gives every judge's verdict in both orders. The published file counts,
by run, how often the verdict was right in the given order, in the swapped one, in both, and how
often both orders preferred the same answer.
"""

import asyncio
import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.events import Comparison, Discard, Event, Judgment, Preference
from schemas.records import (
    Candidate,
    Message,
    Opinion,
    Order,
    Outcome,
    Purpose,
    VerifiedCandidate,
    VerifierWinner,
    Winner,
)
from streams.filter import FilterStage
from streams.filter_rules import FilterSettings
from streams.judge.judges import Judges
from streams.judge.member import Member
from streams.judge.recorded import Preferred, RecordedVerdict, RecordedVerdicts
from streams.judge.rubric import Criterion, Rubric
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "judge" / "llmbar"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"the published judge data is not in {DATA}"
)

Run = tuple[str, str, str]
RUBRIC = Rubric(
    id="llmbar",
    version="1",
    criteria=(Criterion(id="R1", text="Follows the instruction.", decided_by="judge"),),
    instructions="Prefer the answer that does what was asked.",
    tie_policy="No ties.",
)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def items(subset: str) -> list[dict[str, Any]]:
    return list(json.loads((DATA / subset / "dataset.json").read_text(encoding="utf-8")))


def published() -> dict[Run, dict[str, Any]]:
    lines = (DATA / "published_statistics.jsonl").read_text(encoding="utf-8").splitlines()
    return {(row["subset"], row["model"], row["strategy"]): row for row in map(json.loads, lines)}


def runs() -> dict[Run, list[list[Any]]]:
    found: defaultdict[Run, list[list[Any]]] = defaultdict(list)
    with gzip.open(DATA / "verdicts.jsonl.gz", "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            found[row[0], row[1], row[2]].append(row)
    return found


def comparison(item: dict[str, Any], place: int) -> Comparison:
    """An item as the pair stage hands it on. Its number tells items of the same texts apart."""
    sides = [
        VerifiedCandidate(
            candidate=Candidate(
                completion_id=f"{place}-{n}", output=item[f"output_{n}"], model="m"
            ),
            outcome=Outcome.PASSED,
        )
        for n in (1, 2)
    ]
    return Comparison(
        event_id=f"item-{place}",
        occurred_at=NOON,
        workload_id="llmbar",
        config_hash="",
        prompt_id=f"prompt-{place}",
        messages=(Message(role="user", content=f"{place}\n{item['input']}"),),
        purpose=Purpose.PRODUCTION,
        a=sides[0],
        b=sides[1],
        verifier_winner=VerifierWinner.NONE,
        rubric_id=RUBRIC.id,
    )


def recorded(event: Comparison, row: Sequence[Any]) -> RecordedVerdict:
    names: dict[str | None, Preferred] = {"1": "A", "2": "B", None: None}
    return RecordedVerdict(
        prompt=event.messages[-1].content,
        a=event.a.candidate.output,
        b=event.b.candidate.output,
        given=names[row[5]],
        swapped=names[row[6]],
    )


async def judged(events: Sequence[Comparison], rows: Iterable[Sequence[Any]]) -> list[Event]:
    """The judgments of a run, each followed by what the filter makes of it."""
    verdicts = RecordedVerdicts(
        recorded(event, row) for event, row in zip(events, rows, strict=True)
    )
    # what was published was judged, also the answers that a pre-check would not show anyone
    settings = JudgeSettings(rubric="llmbar/1", pre_checks=False)
    judge = JudgeStage(settings, Judges([Member(settings, RUBRIC, verdicts)]))
    filter_ = FilterStage(FilterSettings())
    made: list[Event] = []
    for event in events:
        for judgment in await judge(event):
            assert isinstance(judgment, Judgment)
            made += [judgment, *await filter_(judgment)]
    await judge.aclose()
    return made


def answers(made: Iterable[Event]) -> Iterator[dict[Order, Winner]]:
    for event in made:
        if isinstance(event, Judgment):
            opinions: tuple[Opinion, ...] = event.opinions
            yield {opinion.order: opinion.answer for opinion in opinions}


def test_the_statistics_of_all_runs_come_out() -> None:
    statistics, found = published(), runs()
    events = {
        subset: [comparison(item, place) for place, item in enumerate(items(subset))]
        for subset in {run[0] for run in found}
    }
    differing = []
    kept = right = single = total = 0
    for run, rows in found.items():
        gold = [Winner.A if row[4] == 1 else Winner.B for row in rows]
        made = asyncio.run(judged([events[run[0]][row[3]] for row in rows], rows))
        both = list(answers(made))
        given = [each[Order.AB] is best for each, best in zip(both, gold, strict=True)]
        swapped = [each[Order.BA] is best for each, best in zip(both, gold, strict=True)]
        counts = {
            "correct_False": sum(given),
            "correct_True": sum(swapped),
            "correct_both": sum(map(bool.__and__, given, swapped)),
            # as published: two verdicts that could not be parsed are equal too
            "equal": sum(each[Order.AB] is each[Order.BA] for each in both),
        }
        wanted = {name: int(statistics[run][name].split(" / ")[0]) for name in counts}
        if counts != wanted:
            differing.append((run, counts, wanted))
        chosen = [event for event in made if isinstance(event, Preference)]
        reasons = [event.reason for event in made if isinstance(event, Discard)]
        assert len(chosen) + len(reasons) == len(rows)
        assert set(reasons) <= {"invalid", "position_conflict", "length_skew", "near_identical"}
        winners = {f"item-{row[3]}": best for row, best in zip(rows, gold, strict=True)}
        judgments = {event.event_id: event for event in made if isinstance(event, Judgment)}
        for preference in chosen:
            judgment = judgments[preference.source_ids[0]]
            assert judgment.margin is None
            kept += 1
            right += judgment.winner is winners[judgment.comparison.event_id]
        total += len(rows)
        single += sum(given) + sum(swapped)
    assert len(found) == 499
    assert differing == []
    # what passes the filter is surer than what one order says, and less
    assert single / (2 * total) == pytest.approx(0.5809, abs=5e-5)
    assert right / kept == pytest.approx(0.6523, abs=5e-5)
    assert kept / total == pytest.approx(0.6155, abs=5e-5)

"""What a stream of Spider predictions came to, counted from its topics."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from bench.spider_data import SpiderData, System, answer_id
from bench.spider_stream import StreamLog
from consumers.accounting import Accounts
from consumers.clickhouse.tables import TABLES
from infra.clickhouse import client
from infra.settings import Settings
from schemas.events import CandidateSet, Preference, Verification
from schemas.records import Outcome, VerifiedCandidate

# Enough to see what is wrong; every one is counted.
_SHOWN = 50


class SystemReport(BaseModel):
    """One system: how many of its answers passed, by us and by the official evaluator."""

    model_config = ConfigDict(frozen=True)

    n: int
    passed: int
    accuracy: float
    official_accuracy: float | None
    disagreements: int | None


class TableCount(BaseModel):
    """What ClickHouse holds of a topic: rows that arrived, and events after deduplication."""

    model_config = ConfigDict(frozen=True)

    rows: int
    events: int


class Report(BaseModel):
    """The last line of the bench. ``disagreements`` is None where no labels were given."""

    model_config = ConfigDict(frozen=True)

    n: int
    disagreements: int | None
    systems: dict[str, SystemReport]
    pairs: int
    accounting: Accounts
    seconds: float
    outcomes: dict[str, int]
    chosen_failed: int
    """Pairs whose chosen answer failed verification: must be 0."""
    lost: int
    """Answers that were fed and have no verdict, or more than one: must be 0."""
    replayed: dict[str, int]
    """Messages beyond the first of their id, by topic: work that was done again after a kill."""
    kills: int = 0
    tables_exact: bool | None = None
    """Whether every table holds exactly its topic's messages and events; None without a sink."""
    examples: tuple[str, ...] = ()
    """The first disagreements, with their evidence."""


def report(
    log: StreamLog,
    data: SpiderData,
    systems: Sequence[System],
    labels: Mapping[str, Sequence[str]],
    *,
    seconds: float,
    kills: int = 0,
    tables: Mapping[str, TableCount] | None = None,
) -> Report:
    """Count everything by ids. ``labels`` may lack systems."""
    verdicts = _verdicts(log)
    examples: list[str] = []
    counted: dict[str, SystemReport] = {}
    lost = 0
    numbers = _fed(log, data, systems)
    for system in systems:
        passed = official = wrong = 0
        known = labels.get(system.name)
        for number in numbers:
            found = verdicts.get(answer_id(system.name, number), [])
            lost += len(found) != 1
            ours = bool(found) and found[0].outcome is Outcome.PASSED
            passed += ours
            if known is not None:
                theirs = known[number] == "ok"
                official += theirs
                if ours != theirs:
                    wrong += 1
                    examples.append(_example(system, number, known[number], found))
        counted[system.name] = SystemReport(
            n=len(numbers),
            passed=passed,
            accuracy=round(passed / len(numbers), 4),
            official_accuracy=None if known is None else round(official / len(numbers), 4),
            disagreements=None if known is None else wrong,
        )
    every = [verified for found in verdicts.values() for verified in found]
    failed = {v.candidate.completion_id for v in every if v.outcome is Outcome.FAILED}
    preferences = [m.event for m in log.first("preferences").values()]
    outcomes = {kind.value: sum(v.outcome is kind for v in every) for kind in Outcome}
    known_counts = [c.disagreements for c in counted.values() if c.disagreements is not None]
    return Report(
        n=len(systems) * len(numbers),
        disagreements=sum(known_counts) if known_counts else None,
        systems=counted,
        pairs=len(preferences),
        accounting=log.accounts(),
        seconds=round(seconds, 1),
        outcomes=outcomes,
        chosen_failed=sum(isinstance(p, Preference) and p.chosen_id in failed for p in preferences),
        lost=lost,
        replayed={
            topic: extra
            for topic, messages in log.messages.items()
            if (extra := len(messages) - len(log.first(topic)))
        },
        kills=kills,
        tables_exact=None if tables is None else tables_exact(log, tables),
        examples=tuple(examples[:_SHOWN]),
    )


def table_counts(settings: Settings) -> dict[str, TableCount]:
    """What the tables hold, by topic; the sink must be running."""
    with client(settings) as reader:

        def count(relation: str) -> int:
            return int(reader.query(f"SELECT count() FROM {relation}").result_rows[0][0])

        return {
            topic: TableCount(
                rows=count(table.name),
                events=count(table.first),
            )
            for topic, table in TABLES.items()
        }


def tables_exact(log: StreamLog, tables: Mapping[str, TableCount]) -> bool:
    """Whether every table has each event of its topic once, and no row beyond its messages."""
    return all(
        counted.events == len(log.first(topic)) <= counted.rows <= len(log.messages[topic])
        for topic, counted in tables.items()
    )


def _verdicts(log: StreamLog) -> dict[str, list[VerifiedCandidate]]:
    """By answer, its verdicts in events of different ids: one, unless something is wrong."""
    verdicts: dict[str, list[VerifiedCandidate]] = {}
    for message in log.first("verifications").values():
        if isinstance(message.event, Verification):
            for verified in message.event.candidates:
                verdicts.setdefault(verified.candidate.completion_id, []).append(verified)
    return verdicts


def _fed(log: StreamLog, data: SpiderData, systems: Sequence[System]) -> list[int]:
    """The questions that were fed: all, or the part that a shorter run takes."""
    fed = {
        candidate.completion_id
        for message in log.first("samples").values()
        if isinstance(message.event, CandidateSet)
        for candidate in message.event.candidates
    }
    name = systems[0].name
    return [q.number for q in data.questions if answer_id(name, q.number) in fed]


def _example(system: System, number: int, official: str, found: Sequence[VerifiedCandidate]) -> str:
    evidence = [check.evidence for v in found for check in v.checks if check.status != "PASS"]
    return f"{system.name} {number}: official {official}; {system.answers[number]}; {evidence}"

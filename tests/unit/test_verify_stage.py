"""The verify stage: which checks run, where they stop, and what they amount to."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from schemas.errors import ConfigError
from schemas.events import CandidateSet, Discard, Verification
from schemas.records import (
    Candidate,
    Check,
    CheckStatus,
    Expectation,
    ExpectationKind,
    Message,
    Outcome,
    Purpose,
)
from streams.verify.check import clip, outcome_of
from streams.verify.settings import DatabaseSettings, VerifySettings
from streams.verify.stage import VerifyStage
from streams.verify.verifier import Verdict, Verifier

GOLD = "SELECT name FROM people ORDER BY age DESC"


def make_database(path: Path, *extra: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE people (name TEXT, age INTEGER)")
        connection.executemany(
            "INSERT INTO people VALUES (?, ?)", [("ann", 50), ("bob", 40), ("cy", 40), ("di", 30)]
        )
        for statement in extra:
            connection.execute(statement)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    make_database(folder / "people.sqlite", "CREATE TABLE hidden AS SELECT 1 AS x")
    return folder


def people(**changes: object) -> VerifySettings:
    database = DatabaseSettings(
        name="people", path="people.sqlite", dialect="sqlite", views=("people",)
    )
    # what copies tell is asked in test_verify_instances.py
    settings = {"databases": (database,), "children": 1, "instances": {"copies": 0}}
    return VerifySettings.model_validate(settings | changes)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def verifier(project: Path) -> AsyncIterator[Verifier]:
    async with Verifier(people(), project) as verifier:
        yield verifier


def golden(spec: str = GOLD, **params: str) -> Expectation:
    return Expectation(kind=ExpectationKind.GOLDEN_SQL, spec=spec, params=params)


def statuses(verdict: Verdict) -> dict[str, str]:
    return {check.name: check.status.value for check in verdict.checks}


async def outcome(verifier: Verifier, answer: str, expectations: Sequence[Expectation]) -> Outcome:
    return (await verifier.verify_output(answer, expectations)).outcome


@pytest.mark.asyncio(loop_scope="module")
async def test_a_right_answer_passes_every_check(verifier: Verifier) -> None:
    verdict = await verifier.verify_output(f"```sql\n{GOLD}\n```\nOldest first.", [golden()])
    assert verdict.outcome is Outcome.PASSED
    assert set(statuses(verdict).values()) == {"PASS"}


@pytest.mark.asyncio(loop_scope="module")
async def test_checks_after_a_hard_failure_are_skipped(verifier: Verifier) -> None:
    verdict = await verifier.verify_output("SELECT x FROM hidden", [golden()])
    assert verdict.outcome is Outcome.FAILED
    assert statuses(verdict) == {
        "answer_present": "PASS",
        "sql_extract": "PASS",
        "sql_gate": "FAIL",
        "sql_executes": "SKIP",
        "sql_row_count": "SKIP",
        "sql_result_match": "SKIP",
    }
    assert "hidden" in verdict.checks[2].evidence


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("SELECT name FROM people ORDER BY age DESC, name DESC", Outcome.PASSED),
        ("SELECT name FROM people ORDER BY age DESC, name", Outcome.PASSED),
        ("SELECT name FROM people ORDER BY age", Outcome.FAILED),
        ("SELECT name FROM people", Outcome.PASSED),  # by luck the table is in that order
        ("SELECT name FROM people ORDER BY name DESC", Outcome.FAILED),
        ("SELECT name, age FROM people ORDER BY age DESC", Outcome.FAILED),
    ],
)
async def test_gold_orders_as_far_as_its_keys_tell(
    verifier: Verifier, answer: str, expected: Outcome
) -> None:
    assert await outcome(verifier, answer, [golden()]) is expected


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "gold",
    [
        "SELECT age, count(*) AS n FROM people GROUP BY age ORDER BY n",
        "SELECT age, count(*) FROM people GROUP BY age ORDER BY 2",
        "SELECT age, count(*) FROM people GROUP BY age ORDER BY count(*)",
        "SELECT age, max(rowid) > 0 FROM people GROUP BY age ORDER BY count(*)",
        "SELECT age, 1 FROM people UNION SELECT age, 1 FROM people ORDER BY 2",
    ],
)
async def test_ties_are_seen_however_the_key_is_named(verifier: Verifier, gold: str) -> None:
    for direction in ("ASC", "DESC"):
        answer = f"SELECT * FROM ({gold}) ORDER BY 2, age = 40, age {direction}"
        assert await outcome(verifier, answer, [golden(gold)]) is Outcome.PASSED


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("expectation", "evidence"),
    [
        (golden("SELECT nope FROM people"), "no column of this name"),
        (golden("SELECT x FROM hidden"), "rejected"),
        (golden("SELECT broken FROM"), "rejected"),
        (golden(database="elsewhere"), "no database elsewhere"),
        (Expectation(kind=ExpectationKind.UNIT_TESTS, spec="assert f() == g()"), "written out"),
    ],
)
async def test_what_cannot_be_checked_is_an_error_and_never_a_pass(
    verifier: Verifier, expectation: Expectation, evidence: str
) -> None:
    verdict = await verifier.verify_output(GOLD, [expectation])
    assert verdict.outcome is Outcome.UNDECIDED
    errors = [check for check in verdict.checks if check.status is CheckStatus.ERROR]
    assert any(evidence in check.evidence for check in errors)


@pytest.mark.asyncio(loop_scope="module")
async def test_an_empty_result_that_matches_is_undecided(verifier: Verifier) -> None:
    nobody = "SELECT name FROM people WHERE age > 99"
    assert await outcome(verifier, nobody, [golden(nobody)]) is Outcome.UNDECIDED
    assert await outcome(verifier, "SELECT name FROM people", [golden(nobody)]) is Outcome.FAILED


@pytest.mark.asyncio(loop_scope="module")
async def test_every_golden_query_must_be_met(verifier: Verifier) -> None:
    both = [golden("SELECT max(age) FROM people"), golden("SELECT min(age) FROM people")]
    assert await outcome(verifier, "SELECT max(age) FROM people", both) is Outcome.FAILED


@pytest.mark.asyncio(loop_scope="module")
async def test_nothing_to_check_passes_and_silence_fails(verifier: Verifier) -> None:
    reference = Expectation(kind=ExpectationKind.REFERENCE_TEXT, spec="Hello.")
    assert await outcome(verifier, "Hi.", []) is Outcome.PASSED
    assert await outcome(verifier, "Hi.", [reference]) is Outcome.PASSED
    assert await outcome(verifier, " \n", []) is Outcome.FAILED


async def test_sql_can_be_required_without_gold(project: Path) -> None:
    async with Verifier(people(require_sql=True), project) as verifier:
        assert await outcome(verifier, "Hi.", []) is Outcome.FAILED
        assert await outcome(verifier, GOLD, []) is Outcome.PASSED


async def test_a_soft_check_decides_nothing(project: Path) -> None:
    async with Verifier(people(soft=("sql_result_match",)), project) as verifier:
        verdict = await verifier.verify_output("SELECT age FROM people", [golden()])
        assert statuses(verdict)["sql_result_match"] == "FAIL"
        assert verdict.outcome is Outcome.PASSED


async def test_spider_semantics_ignore_distinct(project: Path) -> None:
    gold = [golden("SELECT DISTINCT age FROM people")]
    answer = "SELECT age FROM people"
    for match, expected in (
        ("spider_exec", Outcome.PASSED),
        ("spider_exec_keep_distinct", Outcome.FAILED),
        ("bird_set", Outcome.PASSED),
        ("result_match", Outcome.FAILED),
    ):
        async with Verifier(people(match=match), project) as verifier:
            assert await outcome(verifier, answer, gold) is expected


def candidate_set(*outputs: str) -> CandidateSet:
    return CandidateSet(
        event_id="set-1",
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        workload_id="w",
        config_hash="",
        prompt_id="p",
        messages=(Message(role="user", content="names?"),),
        expectations=(golden(),),
        purpose=Purpose.PRODUCTION,
        candidates=tuple(
            Candidate(completion_id=f"c{n}", output=output, model="m")
            for n, output in enumerate(outputs)
        ),
    )


async def test_the_stage_keeps_the_set_and_its_order(project: Path) -> None:
    stage = VerifyStage(people(), project)
    try:
        (event,) = await stage(candidate_set(GOLD, "", GOLD))
        (again,) = await stage(candidate_set(GOLD, "", GOLD))
    finally:
        await stage.aclose()
    assert isinstance(event, Verification)
    assert [c.candidate.completion_id for c in event.candidates] == ["c0", "c1", "c2"]
    assert [c.outcome for c in event.candidates] == [
        Outcome.PASSED,
        Outcome.FAILED,
        Outcome.PASSED,
    ]
    assert event.source_ids == ("set-1",)
    assert event.config_hash == stage.config_hash
    assert again.event_id == event.event_id


async def test_a_set_without_candidates_is_discarded(project: Path) -> None:
    stage = VerifyStage(people(), project)
    (event,) = await stage(candidate_set())
    await stage.aclose()
    assert isinstance(event, Discard)
    assert event.reason == "no_candidates"
    assert event.source_ids == ("set-1",)


def test_the_config_hash_covers_what_decides_and_nothing_else(tmp_path: Path) -> None:
    for folder in ("one", "two", "three"):
        (tmp_path / folder).mkdir()
    make_database(tmp_path / "one/people.sqlite")
    (tmp_path / "two/people.sqlite").write_bytes((tmp_path / "one/people.sqlite").read_bytes())
    make_database(tmp_path / "three/people.sqlite", "UPDATE people SET age = 1")

    def hashed(folder: str, **changes: object) -> str:
        return Verifier(people(**changes), tmp_path / folder).config_hash

    assert hashed("one") == hashed("two")
    assert hashed("one") == hashed("one", wall_limit_s=9, children=2)
    assert hashed("one") != hashed("three")
    assert hashed("one") != hashed("one", match="bird_set")
    assert hashed("one") != hashed("one", soft=("sql_result_match",))


def test_a_missing_database_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"verify\.databases\[\]\.path"):
        Verifier(people(), tmp_path)
    with pytest.raises(ConfigError, match="sqlite_root"):
        Verifier(VerifySettings(sqlite_root="nowhere"), tmp_path)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], Outcome.PASSED),
        (["PASS", "SKIP"], Outcome.PASSED),
        (["PASS", "INCONCLUSIVE"], Outcome.UNDECIDED),
        (["ERROR", "SKIP"], Outcome.UNDECIDED),
        (["INCONCLUSIVE", "FAIL"], Outcome.FAILED),
    ],
)
def test_outcome_by_hard_checks(found: list[str], expected: Outcome) -> None:
    hard = [Check(name="c", version="1", hard=True, status=CheckStatus(s)) for s in found]
    soft = [Check(name="s", version="1", hard=False, status=CheckStatus(s)) for s in CheckStatus]
    assert outcome_of([*hard, *soft]) is expected


def test_evidence_is_clipped_to_valid_utf8() -> None:
    assert clip("\udcff") == "\\udcff"
    assert len(clip("é" * 5000).encode()) <= 2048

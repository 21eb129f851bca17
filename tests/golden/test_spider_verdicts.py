"""Every verdict on 5,170 real predictions, against what the official evaluator said of them."""

import asyncio
from pathlib import Path

import pytest

from bench.spider_data import SpiderData, load_labels, load_predictions, load_spider
from schemas.records import Outcome
from streams.verify.settings import MatchSemantics, VerifySettings
from streams.verify.verifier import Verifier

DATA = Path(__file__).parents[3] / "shared/data/spider"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the Spider data is not at {DATA}")

# In flight at a time: enough to keep two children busy while gold results are waited for.
_WINDOW = 16


@pytest.fixture(scope="module")
def spider() -> SpiderData:
    return load_spider(DATA)


@pytest.mark.parametrize(
    ("match", "variant"),
    [("spider_exec", "EX"), ("spider_exec_keep_distinct", "EX_keepdistinct")],
)
async def test_verdicts_equal_the_official_labels(
    spider: SpiderData, match: MatchSemantics, variant: str
) -> None:
    window = asyncio.Semaphore(_WINDOW)
    disagreements: list[str] = []
    counted = 0
    async with Verifier(VerifySettings(sqlite_root="database", match=match), DATA) as verifier:

        async def compare(system: str, number: int, sql: str, label: str) -> None:
            nonlocal counted
            async with window:
                verdict = await verifier.verify_output(sql, [spider.questions[number].expectation])
            counted += 1
            if (verdict.outcome is Outcome.PASSED) != (label == "ok"):
                evidence = [check.evidence for check in verdict.checks]
                disagreements.append(f"{system} {number}: official {label}, here {evidence}")

        comparisons = []
        for path in sorted((DATA / "predictions").glob("*.sql")):
            labels = load_labels(path.with_suffix(".official_labels.json"), variant)
            system = load_predictions(path)
            for number, (sql, label) in enumerate(zip(system.answers, labels, strict=True)):
                # without DISTINCT in either query both variants ask the same question
                gold = spider.questions[number].gold
                if variant == "EX" or "distinct" in (sql + gold).lower():
                    comparisons.append(compare(system.name, number, sql, label))
        await asyncio.gather(*comparisons)
    assert counted == len(comparisons) > 0
    assert disagreements == []


async def test_no_golden_query_is_rejected(spider: SpiderData) -> None:
    from streams.verify.sql_gate import Rejection, gate_sql

    async with Verifier(VerifySettings(sqlite_root="database"), DATA) as verifier:
        rejected = []
        for question in spider.questions:
            readable = await verifier._databases.get(question.database)
            assert not isinstance(readable, str)
            gated = gate_sql(question.gold, dialect="sqlite", tables=readable.tables)
            if isinstance(gated, Rejection):
                rejected.append(f"{question.gold}: {gated}")
    assert len(spider.questions) == 1034
    assert rejected == []

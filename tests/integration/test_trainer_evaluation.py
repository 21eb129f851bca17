"""A checkpoint asked and checked for real: transformers in process, SQL in the sandbox."""

from pathlib import Path

import duckdb
import pytest

from infra.settings import Settings
from schemas.records import Expectation, ExpectationKind
from streams.verify.settings import DatabaseSettings, VerifySettings
from streams.verify.verifier import Verifier
from tests.preferences import preference, said
from tests.tiny_policy import save_tiny_policy
from trainer.evaluate import EvaluationSettings, wrong_share
from trainer.policy_evaluation import evaluate_policy
from trainer.prompts import EvaluationPrompt

pytestmark = pytest.mark.integration

GOLD = (
    Expectation(
        kind=ExpectationKind.GOLDEN_SQL,
        spec="SELECT sum(amount) FROM sales",
        params={"database": "shop"},
    ),
)
VERIFY = VerifySettings(
    databases=(DatabaseSettings(name="shop", path="shop.duckdb", dialect="duckdb"),), children=1
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as database:
        database.execute("CREATE TABLE sales AS SELECT i AS amount FROM range(1, 9) t(i)")
    return tmp_path


def test_an_untrained_policy_answers_nothing_right(project: Path) -> None:
    prompts = [
        EvaluationPrompt(
            prompt_id=f"p{n}", messages=said(f"what is item{n}", "user"), expectations=GOLD
        )
        for n in range(6)
    ]
    checkpoint = save_tiny_policy(project / "policy")
    settings = EvaluationSettings(temperature=0.7, max_tokens=8)
    once, again = (
        evaluate_policy(checkpoint, prompts, VERIFY, project, settings, Settings())
        for _ in range(2)
    )
    assert (once.accuracy.n, once.accuracy.count) == (6, 0)
    assert 0 < once.accuracy.high < 0.5
    assert once == again


async def test_wrong_share_by_execution(project: Path) -> None:
    answers = {
        "right": "SELECT sum(amount) AS total FROM sales",
        "wrong": "SELECT max(amount) FROM sales",
    }
    pairs = [preference(name, chosen=said(sql)) for name, sql in answers.items()]
    async with Verifier(VERIFY, project) as verifier:
        found = await wrong_share(pairs, {pair.prompt_id: GOLD for pair in pairs}, verifier)
    assert (found.n, found.count) == (2, 1)

"""The names that a rubric may bind a criterion to are those that the verifier has."""

from pathlib import Path

import duckdb

from schemas.records import Expectation, ExpectationKind
from streams.verify.check_names import check_names, hard_check_names
from streams.verify.settings import DatabaseSettings, VerifySettings
from streams.verify.verifier import Verifier


async def test_every_check_of_the_verifier_has_a_name_here(tmp_path: Path) -> None:
    duckdb.connect(str(tmp_path / "shop.duckdb")).close()
    database = DatabaseSettings(name="shop", path="shop.duckdb", dialect="duckdb", views=("v",))
    settings = VerifySettings(databases=(database,))
    verifier = Verifier(settings, tmp_path)
    params = {ExpectationKind.JSON_SCHEMA: {"reference": "{}"}}
    wanted = [Expectation(kind=k, spec="{}", params=params.get(k, {})) for k in ExpectationKind]
    found = {check.name for check in verifier.checks(wanted)}
    await verifier.aclose()
    assert found == check_names(settings)


async def test_a_rubric_may_bind_to_what_decides(tmp_path: Path) -> None:
    settings = VerifySettings.model_validate(
        {
            "soft": ["number_match"],
            "text": [
                {"name": "short", "kind": "length", "max": 9},
                {"name": "brief", "kind": "length", "max": 9, "hard": False},
            ],
        }
    )
    verifier = Verifier(settings, tmp_path)
    wanted = [Expectation(kind=ExpectationKind.NUMERIC, spec="1")]
    found = {check.name: check.hard for check in verifier.checks(wanted)}
    await verifier.aclose()
    hard = hard_check_names(settings)
    assert {name for name, is_hard in found.items() if is_hard} <= hard
    assert hard.isdisjoint(name for name, is_hard in found.items() if not is_hard)
    assert "sql_row_count" not in hard

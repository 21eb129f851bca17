"""The names that a rubric may bind a criterion to are those that the verifier has."""

from pathlib import Path

import duckdb

from schemas.records import Expectation, ExpectationKind
from streams.verify.check_names import check_names
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

"""A backup gives back what was there, in either database, and never a shorter ledger."""

import json
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from consumers.backup.archive import back_up, restore
from consumers.backup.queues import TABLES, dump
from consumers.calibration.hash_chain import Body, HashChain
from consumers.review.drafts import Draft, keep_draft
from consumers.review.people import person_of_token
from consumers.review.tables import METADATA, open_database
from infra.settings import Settings
from schemas.errors import ConfigError
from schemas.records import HumanWinner
from tests.postgres import cluster, server_binaries
from tests.review_desk import ANN, BOB, EVE, Office, office, pair

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    binaries = server_binaries()
    if binaries is None:
        pytest.skip("no Postgres server is installed; its package is postgresql")
    with cluster(binaries, "secret") as running:
        yield running.dsn("admin", "secret")


@pytest.fixture
def place(tmp_path: Path) -> Office:
    """An office in the middle of its work: a row in every table that a backup covers."""
    made = office(tmp_path / "here")
    made.put(pair(1), pair(2), pair(3))
    made.label(ANN, HumanWinner.A)
    made.label(BOB, HumanWinner.B)
    made.desk.skip(EVE, made.take(EVE), "why")
    with made.engine.begin() as connection:
        keep_draft(connection, "ann", 2, Draft(comment="é"), 0.0)
        connection.exec_driver_sql("INSERT INTO intake VALUES ('labels', 0, 'uuid', 7)")
    made.take(ANN)
    return made


def _row(at: str, _: tuple[Body, ...]) -> tuple[Body, None]:
    return {"at": at}, None


def ledger(path: Path, *rows: str) -> Path:
    chain = HashChain(path)
    for row in rows:
        chain.append(partial(_row, row))
    return path


def test_everything_comes_back(place: Office, tmp_path: Path) -> None:
    written, book = list(dump(place.engine)), ledger(tmp_path / "book" / "a.jsonl", "1", "2")
    assert {json.loads(line)["table"] for line in written} == {table.name for table in TABLES}
    token = place.token(ANN)
    back_up(tmp_path / "b.tar.gz", place.engine, book, NOW)
    again = open_database(Settings(data_dir=tmp_path / "there"))
    found = restore(tmp_path / "b.tar.gz", again, tmp_path / "new" / "a.jsonl")
    assert sum(found.rows.values()) == len(written)
    with again.connect() as connection:
        assert person_of_token(connection, token) == ANN
    assert HashChain(tmp_path / "new" / "a.jsonl").rows() == HashChain(book).rows()
    assert found.ledger == "restored"


def test_a_backup_of_sqlite_goes_into_postgres_and_work_goes_on(
    place: Office, tmp_path: Path, postgres: str
) -> None:
    back_up(tmp_path / "b.tar.gz", place.engine, tmp_path / "none.jsonl", NOW)
    settings = Settings.model_validate({"data_dir": tmp_path, "review_database_url": postgres})
    moved = Office(engine=open_database(settings))
    assert restore(tmp_path / "b.tar.gz", moved.engine, tmp_path / "none.jsonl").ledger is None
    assert sorted(dump(moved.engine)) == sorted(dump(place.engine))
    moved.put(pair(4))
    # a comparison, its item, and the hashes of its texts in both orders
    assert len(list(dump(moved.engine))) == len(list(dump(place.engine))) + 4
    METADATA.drop_all(moved.engine)


def test_a_backup_never_goes_over_what_is_there(place: Office, tmp_path: Path) -> None:
    back_up(tmp_path / "b.tar.gz", place.engine, tmp_path / "none.jsonl", NOW)
    before = list(dump(place.engine))
    with pytest.raises(ConfigError, match="holds 5 people already"):
        restore(tmp_path / "b.tar.gz", place.engine, tmp_path / "none.jsonl")
    assert list(dump(place.engine)) == before
    with pytest.raises(ConfigError, match="exists already"):
        back_up(tmp_path / "b.tar.gz", place.engine, tmp_path / "none.jsonl", NOW)


@pytest.mark.parametrize(
    ("here", "becomes", "rows"),
    [(("1",), "restored", 2), (("1", "2"), "kept", 2), (("1", "2", "3"), "kept", 3)],
)
def test_a_ledger_is_never_made_shorter(
    place: Office, tmp_path: Path, here: tuple[str, ...], becomes: str, rows: int
) -> None:
    back_up(tmp_path / "b.tar.gz", place.engine, ledger(tmp_path / "a" / "l.jsonl", "1", "2"), NOW)
    mine = ledger(tmp_path / "b" / "l.jsonl", *here)
    again = open_database(Settings(data_dir=tmp_path / "there"))
    assert restore(tmp_path / "b.tar.gz", again, mine).ledger == becomes
    assert len(HashChain(mine).rows()) == rows


def test_two_ledgers_that_parted_are_for_a_person(place: Office, tmp_path: Path) -> None:
    back_up(tmp_path / "b.tar.gz", place.engine, ledger(tmp_path / "a" / "l.jsonl", "1", "2"), NOW)
    mine = ledger(tmp_path / "b" / "l.jsonl", "1", "x")
    again = open_database(Settings(data_dir=tmp_path / "there"))
    with pytest.raises(ConfigError, match="went different ways after 1 rows"):
        restore(tmp_path / "b.tar.gz", again, mine)
    assert not any(dump(again))


def test_a_damaged_ledger_is_not_backed_up(place: Office, tmp_path: Path) -> None:
    book = ledger(tmp_path / "a" / "l.jsonl", "1", "2")
    book.write_text(book.read_text().replace('"1"', '"9"'))
    with pytest.raises(ConfigError, match="tampered with or damaged"):
        back_up(tmp_path / "b.tar.gz", place.engine, book, NOW)
    assert not (tmp_path / "b.tar.gz").exists()


def test_a_backup_is_for_its_owner_alone(place: Office, tmp_path: Path) -> None:
    back_up(tmp_path / "b.tar.gz", place.engine, tmp_path / "none.jsonl", NOW)
    assert (tmp_path / "b.tar.gz").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", ["cut off", "empty", "another tar", "a changed part"])
def test_what_is_no_whole_backup_changes_nothing(
    place: Office, tmp_path: Path, damage: str
) -> None:
    source = tmp_path / "b.tar.gz"
    back_up(source, place.engine, tmp_path / "none.jsonl", NOW)
    match damage:
        case "cut off":
            source.write_bytes(source.read_bytes()[:-200])
        case "empty":
            source.write_bytes(b"")
        case "another tar":
            with tarfile.open(source, "w:gz") as tar:
                tar.add(__file__, "review.jsonl")
        case "a changed part":
            with tarfile.open(source) as tar:
                tar.extractall(tmp_path / "x", filter="data")
            (tmp_path / "x" / "review.jsonl").write_text("")
            with tarfile.open(source, "w:gz") as tar:
                tar.add(tmp_path / "x", ".")
                for part in (tmp_path / "x").iterdir():
                    tar.add(part, part.name)
    again = open_database(Settings(data_dir=tmp_path / "there"))
    with pytest.raises(ConfigError, match=r"is no backup|damaged"):
        restore(source, again, tmp_path / "none.jsonl")
    assert not any(dump(again))

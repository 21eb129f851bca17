"""The ledger of looks: nothing in it can be changed unseen, and the holdout is read once."""

import json
import multiprocessing
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from consumers.calibration.hash_chain import ChainBroken
from consumers.calibration.holdout_ledger import (
    HoldoutAlreadyRead,
    HoldoutLedger,
    Look,
    ledger_path,
)
from infra.settings import Settings
from schemas.alpha_spending import spent_alpha
from schemas.events import Calibration
from tests.events import NOON
from tests.preferences import calibration


def locked(judge: str = "jc", **changes: object) -> Calibration:
    return calibration(
        **({"event_id": f"holdout of {judge}", "split": "holdout", "n": 150} | changes),
        judge_config_hash=judge,
    )


def never() -> Sequence[Calibration]:
    raise AssertionError("the holdout was measured again")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger" / "anchors.jsonl"


@pytest.fixture
def ledger(path: Path) -> HoldoutLedger:
    return HoldoutLedger(path, lambda: NOON)


def filled(ledger: HoldoutLedger) -> None:
    for n in range(3):
        ledger.look(calibration(event_id=f"c{n}"))
    ledger.read_holdout("jc", lambda: [locked()])


def test_the_second_read_is_refused_and_says_what_the_first_gave(ledger: HoldoutLedger) -> None:
    first = ledger.read_holdout("jc", lambda: [locked(), locked(slice="joins", event_id="j")])
    with pytest.raises(HoldoutAlreadyRead, match=r"2026.*kappa 0\.8000 on 150 anchors"):
        ledger.read_holdout("jc", never)
    assert ledger.holdout("jc") == first
    assert [one.slice for one in first.calibrations] == ["", "joins"]


def test_a_changed_teacher_reads_anew(ledger: HoldoutLedger) -> None:
    ledger.read_holdout("jc", lambda: [locked()])
    assert ledger.read_holdout("jc2", lambda: [locked("jc2", kappa=0.5)]).kappa == 0.5


def test_each_workload_has_a_holdout_of_its_own(path: Path) -> None:
    shop, bank = (HoldoutLedger(path, lambda: NOON, workload_id=name) for name in ("shop", "bank"))
    first = shop.read_holdout("jc", lambda: [locked()])
    assert (bank.holdout("jc"), bank.readings()) == (None, [])
    bank.adopt([locked(workload_id="bank", event_id="elsewhere", kappa=0.5)])
    assert [one.event_id for one in bank.readings()] == ["elsewhere"]
    assert shop.holdout("jc") == first
    assert len(HoldoutLedger(path).readings()) == 2


def test_a_measurement_that_fails_spends_nothing(ledger: HoldoutLedger) -> None:
    with pytest.raises(AssertionError):
        ledger.read_holdout("jc", never)
    assert ledger.read_holdout("jc", lambda: [locked()]).n == 150


def test_the_same_data_is_one_look_and_new_data_spend_more(ledger: HoldoutLedger) -> None:
    looks = [ledger.look(calibration(event_id=id_)) for id_ in ("c1", "c1", "c2", "c1", "c3")]
    assert [look.look for look in looks] == [1, 1, 2, 1, 3]
    assert [look.alpha for look in looks] == [spent_alpha(look.look) for look in looks]


def test_looks_are_counted_by_judge_and_judges_are_counted(ledger: HoldoutLedger) -> None:
    ledger.look(calibration(event_id="c1"))
    other = ledger.look(calibration(event_id="c2", judge_config_hash="jc2"))
    again = ledger.look(calibration(event_id="c3"))
    assert (other.look, other.judge) == (1, 2)
    assert (again.look, again.judge) == (2, 1)


def test_only_the_calibration_split_is_looked_at(ledger: HoldoutLedger) -> None:
    with pytest.raises(ValueError, match="calibration split"):
        ledger.look(locked())


def changed(lines: list[str]) -> list[str]:
    return [line.replace('"n":700', '"n":900') for line in lines]


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (changed, "line 2 was changed"),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "line 2 does not follow"),
        (lambda lines: [*lines[:2], *lines[3:]], "line 3 does not follow"),
        (lambda lines: lines[:-1], "the end was cut off"),
        (lambda lines: [*lines, lines[-1]], "line 6 does not follow"),
        (lambda lines: [lines[0], "{}", *lines[2:]], "line 2 is not a row"),
        (lambda lines: [lines[0], "[" * 9, *lines[2:]], "line 2 is not a row"),
        (lambda lines: lines[1:], "line 1 does not follow"),
    ],
)
def test_tampering_shows(
    ledger: HoldoutLedger, path: Path, tamper: Callable[[list[str]], list[str]], said: str
) -> None:
    filled(ledger)
    path.write_text("".join(f"{line}\n" for line in tamper(path.read_text().splitlines())))
    for use in (ledger.entries, lambda: ledger.look(calibration(event_id="new"))):
        with pytest.raises(ChainBroken, match=said):
            use()


def test_every_line_and_every_end_is_covered(ledger: HoldoutLedger, path: Path) -> None:
    filled(ledger)
    lines = path.read_bytes().splitlines(keepends=True)
    for gone in range(len(lines)):
        path.write_bytes(b"".join(lines[:gone] + lines[gone + 1 :]))
        with pytest.raises(ChainBroken):
            ledger.entries()
        path.write_bytes(b"".join(lines[:gone]))
        with pytest.raises(ChainBroken):
            ledger.entries()


def test_no_byte_can_be_changed(ledger: HoldoutLedger, path: Path) -> None:
    ledger.look(calibration(event_id="c1"))
    ledger.look(calibration(event_id="c2"))
    content = path.read_bytes()
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(ChainBroken):
            ledger.entries()
    path.write_bytes(content)
    assert len(ledger.entries()) == 2


@pytest.mark.parametrize("gone", ["anchors.jsonl", "anchors.jsonl.head"])
def test_a_deleted_file_shows(ledger: HoldoutLedger, path: Path, gone: str) -> None:
    filled(ledger)
    path.with_name(gone).unlink()
    with pytest.raises(ChainBroken, match="gone"):
        ledger.entries()


def test_a_ledger_made_up_anew_does_not_fit_its_head(tmp_path: Path) -> None:
    real, forged = tmp_path / "real" / "l", tmp_path / "forged" / "l"
    filled(HoldoutLedger(real, lambda: NOON))
    filled(HoldoutLedger(forged, lambda: NOON + timedelta(days=1)))
    real.write_bytes(forged.read_bytes())
    with pytest.raises(ChainBroken, match="not the file"):
        HoldoutLedger(real).entries()


def test_a_crash_before_the_head_was_written_loses_nothing(
    ledger: HoldoutLedger, path: Path
) -> None:
    head = path.with_name(f"{path.name}.head")
    ledger.look(calibration(event_id="c1"))
    before = head.read_bytes()
    ledger.read_holdout("jc", lambda: [locked()])
    head.write_bytes(before)
    with pytest.raises(HoldoutAlreadyRead):
        ledger.read_holdout("jc", never)
    ledger.look(calibration(event_id="c2"))
    assert len(ledger.entries()) == 3


def test_a_row_torn_by_a_crash_was_never_there(ledger: HoldoutLedger, path: Path) -> None:
    filled(ledger)
    with path.open("ab") as file:
        file.write(b'{"number": 5, "prev')
    assert len(ledger.entries()) == 4
    ledger.look(calibration(event_id="c9"))
    assert json.loads(path.read_text().splitlines()[-1])["row"]["calibration_id"] == "c9"
    assert len(ledger.entries()) == 5


def _looks(path: Path, name: str) -> None:
    ledger = HoldoutLedger(path)
    for n in range(10):
        ledger.look(calibration(event_id=f"{name}-{n}"))


def test_processes_write_one_after_the_other(ledger: HoldoutLedger, path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_looks, args=(path, name)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    looks = [entry.look for entry in ledger.entries() if isinstance(entry, Look)]
    assert looks == list(range(1, 31))


def test_a_lost_ledger_learns_from_the_log(ledger: HoldoutLedger) -> None:
    published = [
        calibration(event_id="c1"),
        calibration(event_id="slice", slice="joins"),
        calibration(event_id="c2", occurred_at=NOON + timedelta(days=1)),
        locked(),
        locked(event_id="slice of holdout", slice="joins"),
        locked(event_id="later", kappa=0.99, occurred_at=NOON + timedelta(days=2)),
    ]
    ledger.adopt(published)
    ledger.adopt(published)
    read = ledger.holdout("jc")
    assert read is not None
    assert [one.event_id for one in read.calibrations] == ["holdout of jc", "slice of holdout"]
    assert len(ledger.entries()) == 3
    assert ledger.look(calibration(event_id="c3")).look == 3


def test_the_place_is_a_setting(tmp_path: Path) -> None:
    assert ledger_path(Settings(data_dir=tmp_path)) == tmp_path / "ledger" / "anchors.jsonl"
    elsewhere = Settings(data_dir=tmp_path, ledger_path=tmp_path / "l.jsonl")
    assert ledger_path(elsewhere) == tmp_path / "l.jsonl"


def test_alpha_is_never_overspent() -> None:
    spent = [spent_alpha(look) for look in range(1, 10_001)]
    assert 0.0499 < sum(spent) < 0.05
    assert spent == sorted(spent, reverse=True)
    with pytest.raises(ValueError, match="from 1"):
        spent_alpha(0)

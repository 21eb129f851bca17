"""Freezing a log by columns gives what freezing it one event after the other would."""

import io
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.errors import ConfigError, SchemaMismatch
from schemas.events import Preference
from schemas.records import PreferenceSource
from tests.events import completion
from tests.frozen_rows import frozen_rows
from tests.preferences import preference, said
from trainer.dataset import load, table_of, write
from trainer.freeze import GATED_SOURCES, FreezeSettings, freeze, settings_of
from trainer.row_hash import newest_schema, row_sha256
from trainer.staged_log import LogValues, StagedLog, fetched, stage

CODEC = Codec()
VERSIONS = [one for one in CODEC.registry.versions() if one.topic == "preferences"]
JUDGES = ["jc", "jc", "jc", "old"]
TEXTS = st.sampled_from(["yes", "no 'quoted'", "", 'line\n"two"', "Zürich 你好", "long " * 40])


ODD: list[dict[str, object]] = [{}] * 6
ODD += [{"prompt_id": ""}, {"chosen": []}, {"margin": 1e999}, {"chosen_length": -1}]


@st.composite
def a_value(draw: st.DrawFn) -> bytes | None:
    """A preference by any version of its schema, or something that is none."""
    match draw(st.integers(0, 12)):
        case 0:
            return None
        case 1:
            return draw(st.binary(max_size=20))
        case 2:
            return CODEC.encode(completion())
    checks = {"sql": "FAIL", "json": "PASS", "ok": "SKIP"}
    row = preference(
        draw(st.sampled_from(["a", "b", "c", "d"])),
        workload_id=draw(st.sampled_from(["shop", "shop", "bank"])),
        rubric_version=draw(st.sampled_from(["r", "r/1", "r/2+r/1", "rr/1", "r/1+s/1"])),
        prompt_id=draw(st.sampled_from(["p", "p", "q", "s"])),
        prompt=said(draw(TEXTS), "user") * draw(st.sampled_from([1, 1, 3, 300])),
        chosen=said(draw(TEXTS)),
        rejected=said(draw(TEXTS)),
        source=draw(st.sampled_from(PreferenceSource)),
        margin=draw(st.none() | st.floats(allow_nan=False, allow_infinity=False)),
        chosen_length=draw(st.sampled_from([0, 63, 64, 10**6, 2**62])),
        judge_config_hash=draw(st.sampled_from(JUDGES)),
        rejected_checks=dict(list(checks.items())[: draw(st.integers(0, 3))]),
    )
    schema = draw(st.sampled_from([VERSIONS[-1], *VERSIONS]))
    record = row.model_dump()
    known = {field["name"]: record[field["name"]] for field in schema.parsed["fields"]}
    # what no writer of ours would say
    known |= draw(st.sampled_from(ODD))
    body = io.BytesIO()
    fastavro.schemaless_writer(body, schema.parsed, known, strict=True)
    whole = bytes(1) + schema.schema_id.to_bytes(4, "big") + body.getvalue()
    # cut short, with something behind it, or with bytes of a text that are none
    broken = [whole[:-3], whole + b"more", whole.replace(b"yes", b"\xff\xfe\xfd")]
    # a character half in its text, which the number behind it would complete
    broken += [whole.replace(b"user", b"use\xc3"), whole.replace(b"yes", b"\xa9es")]
    # cut anywhere, where a number or its length would go on in the next value
    broken += [whole[: draw(st.integers(0, len(whole)))]] * 2
    return draw(st.sampled_from([whole] * 6 + broken))


def decoded(values: list[bytes | None]) -> list[Preference]:
    """The preferences among them."""
    read = []
    for value in values:
        try:
            event = CODEC.decode(value or b"")
        except SchemaMismatch:
            continue
        if isinstance(event, Preference):
            read.append(event)
    return read


def one_by_one(
    rows: list[Preference], earlier: list[Preference], judge: str
) -> tuple[list[Preference], Counter[str]]:
    """What stays of the shop without prompt q, of others than p only people's rows, and what is
    removed by reason; of rlaif rows those of the judge stay."""
    stays: list[Preference] = []
    seen: set[str] = set()
    removed: Counter[str] = Counter()
    for row in rows:
        if row.event_id in seen:
            reason = "duplicate_event"
        elif row.workload_id != "shop":
            reason = "other_workload"
        elif row.source not in GATED_SOURCES:
            reason = "other_source"
        elif not all(one.partition("/")[0] == "r" for one in row.rubric_version.split("+")):
            reason = "other_rubric"
        elif row.prompt_id == "q":
            reason = "excluded_prompt"
        elif row.prompt_id != "p" and row.source is not PreferenceSource.HUMAN:
            reason = "other_prompt"
        elif row.chosen == row.rejected:
            reason = "same_text"
        elif row.source is PreferenceSource.RLAIF and row.judge_config_hash != judge:
            reason = "other_judge_config"
        elif any(pair(row) == pair(other) for other in earlier):
            reason = "earlier_dataset"
        elif any(pair(row) == pair(other) for other in stays):
            reason = "duplicate_pair"
        else:
            reason = ""
            stays.append(row)
        seen.add(row.event_id)
        removed[reason] += bool(reason)
    return sorted(stays, key=lambda row: row.event_id), +removed


def pair(row: Preference) -> object:
    return row.prompt, row.chosen, row.rejected


WANTED = FreezeSettings(
    workload_id="shop",
    rubric="r",
    excluded_prompt_ids=frozenset({"q"}),
    machine_prompt_ids=frozenset({"p"}),
)
AT_ONCE = st.sampled_from([1, 4, 5_000])


@contextmanager
def a_log(values: list[bytes | None], rows_at_once: int) -> Iterator[StagedLog]:
    """Staged and read so many rows at a time."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as name:
        patch.setattr("trainer.staged_log._ROWS_AT_ONCE", rows_at_once)
        yield stage(LogValues(values=values), newest_schema(), Path(name))


@settings(max_examples=60, deadline=None)
@given(st.lists(a_value(), max_size=30), AT_ONCE)
def test_columns_freeze_as_single_events_do(values: list[bytes | None], rows_at_once: int) -> None:
    wanted = WANTED.model_copy(update={"judge_config_hash": "jc"})
    earlier = frozen_rows([preference("a", prompt=said("yes", "user"), chosen=said("yes"))])
    rows = decoded(values)
    stays, removed = one_by_one(rows, list(earlier.rows), "jc")
    unreadable = len(values) - len(rows)
    with a_log(values, rows_at_once) as log, tempfile.TemporaryDirectory() as name:
        before, out = Path(name) / "before", Path(name) / "out"
        write(earlier, before)
        manifest = freeze(log, wanted, [before], out if stays else None)
        assert manifest.removed == removed + Counter(unreadable=unreadable)
        assert manifest.row_sha256 == row_sha256(stays, newest_schema())
        assert manifest.rows == len(stays)
        if stays:
            assert load(out).rows == tuple(stays)


@settings(max_examples=60, deadline=None)
@given(st.lists(a_value(), max_size=30), st.sampled_from([None, "jc", "old", "new"]))
def test_what_a_manifest_says_freezes_the_same_again(
    values: list[bytes | None], judge: str | None
) -> None:
    wanted = WANTED.model_copy(update={"judge_config_hash": judge})
    with a_log(values, 5_000) as log:
        try:
            manifest = freeze(log, wanted, (), None)
        except ConfigError as error:
            assert judge is None
            assert "pick one with --judge-config" in str(error)
            return
        assert freeze(log, settings_of(manifest), (), None) == manifest


@settings(max_examples=60, deadline=None)
@given(st.lists(a_value(), max_size=30), AT_ONCE, st.randoms())
def test_rows_are_read_from_the_log_in_any_order(
    values: list[bytes | None], rows_at_once: int, random: Random
) -> None:
    rows = decoded(values)
    with a_log(values, rows_at_once) as log:
        with log.connect() as db:
            places = list(fetched(db, "SELECT _start, _size FROM log ORDER BY _start"))
        order = random.sample(range(len(rows)), len(rows))
        tables = map(log.table, log.values(places[place] for place in order))
        found = [record for table in tables for record in table.to_pylist()]
    assert found == table_of([rows[n] for n in order], log.schema).to_pylist()


@settings(max_examples=30, deadline=None)
@given(st.lists(a_value(), max_size=30), AT_ONCE)
def test_every_prompt_is_asked_once(values: list[bytes | None], rows_at_once: int) -> None:
    rows = decoded(values)
    first = {row.prompt_id: row.prompt for row in reversed(rows)}
    with a_log(values, rows_at_once) as log:
        asked = list(log.prompts(None))
    assert {one.prompt_id: one.prompt for one in asked} == first
    assert len(asked) == len(first)

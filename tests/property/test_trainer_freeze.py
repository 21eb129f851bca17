"""Freezing a log by columns gives what freezing it one event after the other would."""

import io
import tempfile
from collections import Counter
from pathlib import Path

import fastavro
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.errors import SchemaMismatch
from schemas.events import Preference
from schemas.records import PreferenceSource
from tests.events import completion
from tests.frozen_rows import frozen_rows
from tests.preferences import preference, said
from trainer.dataset import load, write
from trainer.freeze import GATED_SOURCES, FreezeSettings, freeze
from trainer.row_hash import newest_schema, row_sha256
from trainer.staged_log import LogValues, stage

CODEC = Codec()
VERSIONS = [one for one in CODEC.registry.versions() if one.topic == "preferences"]
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
        prompt_id=draw(st.sampled_from(["p", "q"])),
        prompt=said(draw(TEXTS), "user") * draw(st.sampled_from([1, 1, 3, 300])),
        chosen=said(draw(TEXTS)),
        rejected=said(draw(TEXTS)),
        source=draw(st.sampled_from(PreferenceSource)),
        margin=draw(st.none() | st.floats(allow_nan=False, allow_infinity=False)),
        chosen_length=draw(st.sampled_from([0, 63, 64, 10**6, 2**62])),
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
    rows: list[Preference], earlier: list[Preference]
) -> tuple[list[Preference], Counter[str]]:
    """What stays without prompt q, and what is removed by reason."""
    stays: list[Preference] = []
    seen: set[str] = set()
    removed: Counter[str] = Counter()
    for row in rows:
        if row.event_id in seen:
            reason = "duplicate_event"
        elif row.source not in GATED_SOURCES:
            reason = "other_source"
        elif row.prompt_id == "q":
            reason = "excluded_prompt"
        elif row.chosen == row.rejected:
            reason = "same_text"
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


@settings(max_examples=60, deadline=None)
@given(st.lists(a_value(), max_size=30))
def test_columns_freeze_as_single_events_do(values: list[bytes | None]) -> None:
    wanted = FreezeSettings(excluded_prompt_ids=frozenset({"q"}))
    earlier = frozen_rows([preference("a", prompt=said("yes", "user"), chosen=said("yes"))])
    with tempfile.TemporaryDirectory() as name:
        before, parts, out = (Path(name) / each for each in ("before", "parts", "out"))
        write(earlier, before)
        parts.mkdir()
        log = stage(LogValues(values=values), newest_schema(), parts)
        manifest = freeze(log, wanted, [before], out)
        rows = decoded(values)
        stays, removed = one_by_one(rows, list(earlier.rows))
        assert load(out).rows == tuple(stays)
        unreadable = len(values) - len(rows)
        assert manifest.removed == removed + Counter(unreadable=unreadable)
        assert manifest.row_sha256 == row_sha256(stays, newest_schema())
        assert {one.prompt_id for one in log.prompts()} == {row.prompt_id for row in rows}

"""A log frozen from disk gives the dataset that freezing it in memory gives."""

import io
import tempfile
from pathlib import Path

import fastavro
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.errors import SchemaMismatch
from schemas.events import Preference
from schemas.records import PreferenceSource
from tests.events import completion
from tests.preferences import preference, said
from trainer.dataset import load, write
from trainer.freeze import FreezeSettings, LogSlice, freeze
from trainer.freeze_log import freeze_log
from trainer.row_hash import row_schema
from trainer.staged_log import stage

CODEC = Codec()
VERSIONS = [one for one in CODEC.registry.versions() if one.topic == "preferences"]
TEXTS = st.sampled_from(["yes", "no 'quoted'", "", 'line\n"two"', "Zürich 你好"])


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
    row = preference(
        draw(st.sampled_from(["a", "b", "c", "d"])),
        prompt_id=draw(st.sampled_from(["p", "q"])),
        prompt=said(draw(TEXTS), "user"),
        chosen=said(draw(TEXTS)),
        rejected=said(draw(TEXTS)),
        source=draw(st.sampled_from(PreferenceSource)),
        margin=draw(st.none() | st.floats(allow_nan=False, allow_infinity=False)),
        rejected_checks={"sql": "FAIL"} if draw(st.booleans()) else {},
    )
    schema = draw(st.sampled_from(VERSIONS))
    record = row.model_dump()
    body = io.BytesIO()
    known = {field["name"]: record[field["name"]] for field in schema.parsed["fields"]}
    fastavro.schemaless_writer(body, schema.parsed, known, strict=True)
    whole = bytes(1) + schema.schema_id.to_bytes(4, "big") + body.getvalue()
    # cut short, or with something behind it
    return draw(st.sampled_from([whole, whole, whole, whole[:-3], whole + b"more"]))


def in_memory(values: list[bytes | None]) -> LogSlice:
    read, ids = [], set()
    for value in values:
        try:
            event = CODEC.decode(value or b"")
        except SchemaMismatch:
            continue
        if isinstance(event, Preference):
            read.append(event)
            ids.add(int.from_bytes((value or b"")[1:5], "big"))
    return LogSlice(
        preferences=read, schema_ids=tuple(sorted(ids)), unreadable=len(values) - len(read)
    )


@settings(max_examples=8, deadline=None)
@given(st.lists(a_value(), max_size=30))
def test_from_disk_and_in_memory_freeze_alike(values: list[bytes | None]) -> None:
    wanted = FreezeSettings(excluded_prompt_ids=frozenset({"q"}))
    earlier = freeze(LogSlice(preferences=[preference("a", prompt=said("yes", "user"))]), wanted)
    with tempfile.TemporaryDirectory() as name:
        before, parts, out = (Path(name) / each for each in ("before", "parts", "out"))
        write(earlier, before)
        parts.mkdir()
        log = stage(values, (), row_schema(), parts)
        manifest = freeze_log(log, wanted, [before], out)
        expected = freeze(in_memory(values), wanted, [earlier])
        assert manifest == expected.manifest
        assert load(out) == expected
        assert len(list(log.prompts())) == log.rows

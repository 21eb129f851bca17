import string

from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.errors import SchemaMismatch
from schemas.events import Event
from schemas.ids import config_hash, derived_id, prompt_id, unit_interval
from tests.events import any_event, completion

CODEC = Codec()


@given(any_event())
def test_every_event_survives_the_wire(event: Event) -> None:
    assert CODEC.decode(CODEC.encode(event)) == event


@given(st.binary(max_size=300))
def test_any_bytes_are_an_event_or_a_schema_mismatch(value: bytes) -> None:
    try:
        CODEC.decode(value)
    except SchemaMismatch as error:
        assert str(error)


@given(st.data())
def test_a_damaged_event_is_an_event_or_a_schema_mismatch(data: st.DataObject) -> None:
    value = bytearray(CODEC.encode(completion()))
    value[data.draw(st.integers(0, len(value) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        CODEC.decode(bytes(value))
    except SchemaMismatch as error:
        assert str(error)


@given(st.lists(st.text(string.printable), max_size=4), st.text(), st.integers(0, 9))
def test_derived_ids_are_stable_and_tell_ordinals_apart(
    sources: list[str], stage: str, ordinal: int
) -> None:
    made = derived_id("Comparison", stage, sources, "h", ordinal)
    assert made == derived_id("Comparison", stage, tuple(sources), "h", ordinal)
    assert made != derived_id("Comparison", stage, sources, "h", ordinal + 1)
    assert made != derived_id("Comparison", stage, [*sources, ""], "h", ordinal)


@given(st.text(st.sampled_from("ab \t\n"), min_size=1))
def test_prompt_id_folds_space_only(text: str) -> None:
    assert prompt_id("w", [("user", text)]) == prompt_id("w", [("user", " ".join(text.split()))])
    assert prompt_id("w", [("user", text)]) != prompt_id("w", [("user", text + "c")])
    assert prompt_id("w", [("user", text)]) != prompt_id("v", [("user", text)])


@given(st.lists(st.text(), min_size=1, max_size=3))
def test_unit_interval_is_in_range_and_stable(parts: list[str]) -> None:
    assert 0 <= unit_interval(*parts) < 1
    assert unit_interval(*parts) == unit_interval(*parts)


def test_unit_interval_is_uniform() -> None:
    draws = [unit_interval("seed", str(n)) for n in range(4000)]
    tenths = [sum(n / 10 <= d < (n + 1) / 10 for d in draws) for n in range(10)]
    # chi-square with 9 degrees of freedom: 33.7 is its 99.99 % point
    assert sum((t - 400) ** 2 / 400 for t in tenths) < 33.7


def test_config_hash_depends_on_every_part() -> None:
    assert config_hash("a", "b") != config_hash("a", "c") != config_hash("ab")

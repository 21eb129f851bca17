"""JSON: what was written is read back, and comparing a document with itself finds nothing."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streams.verify.json_match import Reference
from streams.verify.json_parse import JsonInvalid, parse_json

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text("ab/~*"), inner), max_leaves=20
)


@given(DOCUMENTS, st.booleans())
def test_what_was_written_is_read_back(document: Any, ascii_only: bool) -> None:
    assert parse_json(json.dumps(document, ensure_ascii=ascii_only)) == document


@given(st.text('{}[]",:\\u0123456789eE+-.truefalsn \n\ud800'))
def test_any_text_is_a_document_or_a_reason(text: str) -> None:
    try:
        document = parse_json(text)
    except JsonInvalid as error:
        assert str(error)
    else:
        assert json.loads(json.dumps(document)) == document


@given(DOCUMENTS)
def test_a_document_is_its_own_reference(document: Any) -> None:
    found = Reference(json.dumps(document)).compare(document)
    assert found.right == found.fields


@given(DOCUMENTS, DOCUMENTS)
def test_the_score_is_a_share_and_full_only_without_faults(wanted: Any, given_: Any) -> None:
    found = Reference(json.dumps(wanted)).compare(given_)
    assert 0 <= found.score <= 1
    assert (found.score == 1) == (not found.wrong)


@given(st.lists(SCALARS, min_size=1).flatmap(lambda v: st.tuples(st.just(v), st.permutations(v))))
def test_a_set_is_equal_in_any_order(pair: tuple[list[Any], list[Any]]) -> None:
    wanted, shuffled = pair
    assert Reference(json.dumps(wanted), '{"": "set"}').compare(shuffled).score == 1

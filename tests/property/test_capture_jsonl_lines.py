"""Every line of any file comes out once: as an event or as an error with its bytes."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.events import CandidateSet, Completion
from streams.capture.jsonl_import import Imported, LineError, read_jsonl, to_dead_letter

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
FIELD = st.sampled_from(
    [
        "id",
        "prompt",
        "messages",
        "output",
        "outputs",
        "candidates",
        "model",
        "seed",
        "tags",
        "slice",
    ]
)
ROW = st.dictionaries(FIELD, JSON | TEXT | st.lists(TEXT, max_size=3), max_size=6)
LINE = (
    st.binary(max_size=80).map(lambda raw: raw.replace(b"\n", b""))
    | JSON.map(lambda value: json.dumps(value).encode())
    | ROW.map(lambda value: json.dumps(value).encode())
)


def imported(content: bytes) -> list[Imported]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "in.jsonl"
        path.write_bytes(content)
        return list(read_jsonl(path, "shop"))


@settings(max_examples=200, deadline=None)
@given(st.lists(LINE, max_size=6))
def test_every_line_comes_out_once_and_can_be_sent(lines: list[bytes]) -> None:
    content = b"\n".join(lines)
    outcomes = imported(content)
    unmarked = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    assert len(outcomes) == sum(bool(line.strip()) for line in unmarked)
    codec = Codec()
    for outcome in outcomes:
        event = to_dead_letter(outcome) if isinstance(outcome, LineError) else outcome
        assert codec.decode(codec.encode(event)) == event
        if isinstance(outcome, LineError):
            assert outcome.line.content == unmarked[outcome.line.number - 1]


@settings(max_examples=100, deadline=None)
@given(prompt=TEXT, answers=st.lists(TEXT, min_size=1, max_size=4), ascii_only=st.booleans())
def test_texts_arrive_as_they_were_written(
    prompt: str, answers: list[str], ascii_only: bool
) -> None:
    rows = [{"prompt": prompt, "output": answers[0]}, {"prompt": prompt, "outputs": answers}]
    content = "\n".join(json.dumps(row, ensure_ascii=ascii_only) for row in rows)
    one, several = imported(content.encode())
    assert isinstance(one, Completion)
    assert isinstance(several, CandidateSet)
    assert (one.messages[0].content, one.output) == (prompt, answers[0])
    assert [candidate.output for candidate in several.candidates] == answers
    assert one.prompt_id == several.prompt_id

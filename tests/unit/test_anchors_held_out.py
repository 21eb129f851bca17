"""Prompts that nearly repeat an anchor's are found; other questions are left alone."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from consumers.anchors.held_out import held_out
from consumers.anchors.near_duplicates import SHINGLE_WORDS, asked, near_duplicates
from consumers.calibration.splits import SplitShares
from infra.settings import Settings
from schemas.events import Messages
from schemas.records import Message
from tests.preferences import preference
from tests.review_desk import pair
from trainer.local_topics import LocalTopics
from trainer.prompts import Prompt

WORDS = [f"word{n}" for n in range(3000)]
LONG = (
    "please tell me how much revenue we made in the north with shoes and coats last spring when "
    "it was cold"
)


def found(measured: str, candidate: str) -> bool:
    return bool(near_duplicates({"m": measured}, [("c", candidate)]))


def test_case_punctuation_space_and_encoding_do_not_matter() -> None:
    assert found("How much did we sell in Zürich?", "how much,  did WE sell in Zu\u0308rich")


def test_a_short_question_of_other_words_is_another_question() -> None:
    assert not found("What did we sell in March?", "What did we sell in May?")


def test_a_long_prompt_with_a_word_added_is_the_same() -> None:
    assert found(LONG, f"{LONG} indeed")
    assert found(LONG, f"hello {LONG}")


def test_a_long_prompt_about_something_else_is_not() -> None:
    assert not found(LONG, LONG.replace("shoes and coats", "hats").replace("north", "south"))


def test_what_every_prompt_says_does_not_count() -> None:
    frame = " ".join(WORDS[:60])
    measured = {f"m{n}": f"{frame} question {WORDS[100 + n]}" for n in range(400)}
    assert near_duplicates(measured, [("c", f"{frame} question {WORDS[900]}")]) == {}
    assert near_duplicates(measured, [("c", f"{frame} question {WORDS[107]}")]) == {"c": "m7"}


def test_the_applications_own_words_are_not_compared() -> None:
    turns = (Message(role="system", content=LONG), Message(role="user", content="Hi"))
    assert asked(turns) == "Hi"


texts = st.lists(st.sampled_from(WORDS[:12]), max_size=40).map(" ".join)


@given(st.lists(texts, max_size=6), st.lists(texts, max_size=6))
def test_it_finds_what_comparing_every_pair_finds(first: list[str], second: list[str]) -> None:
    def shingles(text: str) -> set[tuple[str, ...]]:
        words = text.split()
        return {tuple(words[n : n + SHINGLE_WORDS]) for n in range(len(words) - SHINGLE_WORDS + 1)}

    def same(one: str, other: str) -> bool:
        a, b = shingles(one), shingles(other)
        long = min(len(a), len(b)) >= 12
        return one == other or (long and len(a & b) >= 0.8 * len(a | b))

    measured = {f"m{n}": text for n, text in enumerate(first)}
    candidates = {f"c{n}": text for n, text in enumerate(second)}
    expected = {c for c, text in candidates.items() if any(same(text, m) for m in first)}
    assert near_duplicates(measured, candidates.items()).keys() == expected


def test_what_measures_is_kept_out_with_what_nearly_repeats_it() -> None:
    labelled = pair(1).model_copy(update={"messages": asks(LONG)})
    other = "where did the people of the south buy most of their hats, gloves and scarves last year"
    fresh = Prompt(prompt_id="fresh", messages=asks(other))
    rows = [
        preference("own", prompt_id=labelled.prompt_id, prompt=asks(LONG)),
        preference("repeats", prompt_id="repeats", prompt=asks(f"{LONG} indeed")),
        preference("of-fresh", prompt_id="of-fresh", prompt=asks(f"Hello, {other}?")),
        preference("free", prompt_id="free", prompt=asks("How many hats?")),
    ]
    log = LocalTopics(Settings(), [], asyncio.Runner())
    log.remember([labelled])
    out = held_out(log, SplitShares(calibration=0.8, holdout=0.2, core=0), rows, [fresh])
    assert out.measured == {labelled.prompt_id, "fresh"}
    assert out.repeated == {"repeats": labelled.prompt_id, "of-fresh": "fresh"}


def asks(text: str) -> Messages:
    return (Message(role="user", content=text),)

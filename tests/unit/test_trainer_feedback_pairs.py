"""Thumbs and edits into the pairs of a baseline."""

from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from consumers.feedback import FeedbackSettings, edit_pairs, thumb_pairs
from schemas.events import Completion, Feedback, Preference
from schemas.records import FeedbackKind, PreferenceSource
from tests.events import NOON, completion

SETTINGS = FeedbackSettings()


def answer(name: str, prompt_id: str = "prompt-1") -> Completion:
    return completion(event_id=name, prompt_id=prompt_id, output=f"The answer {name}.")


def thumb(on: str, value: float, user: str | None = "ann", minute: int = 0) -> Feedback:
    return Feedback(
        event_id=f"{user} {value} {on} {minute}",
        occurred_at=NOON + timedelta(minutes=minute),
        workload_id="shop",
        config_hash="",
        completion_id=on,
        prompt_id="prompt-1",
        kind=FeedbackKind.THUMB,
        value=value,
        user_hash=user,
    )


def edit(on: str, text: str | None) -> Feedback:
    changes = {"kind": FeedbackKind.EDIT, "comment": text, "event_id": f"edit of {on}"}
    return thumb(on, 1).model_copy(update=changes)


def sides(pairs: list[Preference]) -> set[tuple[str, str]]:
    return {(pair.chosen_id, pair.rejected_id) for pair in pairs}


def test_up_is_chosen_over_down_of_the_same_prompt() -> None:
    answers = [answer("good"), answer("bad"), answer("elsewhere", "prompt-2"), answer("unrated")]
    thumbs = [thumb("good", 1), thumb("bad", -1), thumb("elsewhere", -1)]
    (pair,) = thumb_pairs(answers, thumbs, SETTINGS)
    assert (pair.chosen_id, pair.rejected_id) == ("good", "bad")
    assert pair.source is PreferenceSource.THUMBS
    assert pair.source_ids == ("good", "bad", thumbs[0].event_id, thumbs[1].event_id)


def test_the_sum_of_thumbs_decides_and_a_draw_decides_nothing() -> None:
    answers = [answer("liked"), answer("drawn"), answer("bad")]
    thumbs = [thumb("liked", 1, "ann"), thumb("liked", 1, "bob"), thumb("liked", -1, "eve")]
    thumbs += [thumb("drawn", 1, "ann"), thumb("drawn", -1, "bob"), thumb("bad", -1)]
    assert sides(thumb_pairs(answers, thumbs, SETTINGS)) == {("liked", "bad")}


def test_a_person_has_one_thumb_the_last() -> None:
    answers = [answer("one"), answer("two")]
    thumbs = [thumb("one", 1), thumb("one", -1, minute=5), thumb("two", 1)]
    assert sides(thumb_pairs(answers, thumbs, SETTINGS)) == {("two", "one")}


def test_thumbs_on_unknown_completions_and_equal_texts_give_nothing() -> None:
    same = [answer("one"), answer("two").model_copy(update={"output": "The  answer one."})]
    assert thumb_pairs(same, [thumb("one", 1), thumb("two", -1)], SETTINGS) == []
    assert thumb_pairs([], [thumb("one", 1), thumb("two", -1)], SETTINGS) == []


@given(st.integers(0, 2**32))
def test_pairs_are_bounded_and_do_not_depend_on_order(seed: int) -> None:
    answers = [answer(f"up{n}") for n in range(4)] + [answer(f"down{n}") for n in range(4)]
    thumbs = [thumb(one.event_id, 1 if one.event_id.startswith("up") else -1) for one in answers]
    expected = thumb_pairs(answers, thumbs, SETTINGS)
    assert len(expected) == SETTINGS.max_pairs_per_prompt
    rng = Random(seed)
    rng.shuffle(answers)
    rng.shuffle(thumbs)
    assert thumb_pairs(answers * 2, thumbs * 2, SETTINGS) == expected


def test_an_edit_is_chosen_over_what_it_corrects() -> None:
    (pair,) = edit_pairs([answer("one")], [edit("one", "Twelve.")], SETTINGS)
    assert pair.chosen[0].content == "Twelve."
    assert pair.rejected[0].content == "The answer one."
    assert (pair.source, pair.chosen_id) == (PreferenceSource.HUMAN, "edit of one")


def test_edits_that_change_nothing_give_nothing() -> None:
    edits = [edit("one", "The answer one. "), edit("two", None), edit("unknown", "x")]
    assert edit_pairs([answer("one"), answer("two")], edits, SETTINGS) == []

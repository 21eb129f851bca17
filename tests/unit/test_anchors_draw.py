"""Anchors out of traffic: stratified, one pair a prompt, balanced sides, the same for a seed."""

from collections import Counter
from itertools import count
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from consumers.anchors.draw import Drawable, DrawSettings, anchors, draw, drawable, strata_counts
from consumers.anchors.strata import Stratum, stratum
from schemas.events import Judgment
from schemas.records import Check, CheckStatus, Purpose, VerifierWinner, Winner
from tests.events import comparison, judgment, verified

_ids = count()


def judged(prompt: str = "", winner: Winner = Winner.A, **changes: Any) -> Judgment:
    name = f"j{next(_ids)}"
    prompt = prompt or f"prompt of {name}"
    one = comparison(
        verified(f"{name}-a"), verified(f"{name}-b"), **({"prompt_id": prompt} | changes)
    )
    return judgment(one, event_id=name, prompt_id=prompt, winner=winner)


def traffic(counts: dict[str, int]) -> list[Judgment]:
    return [judged(slice=name) for name, n in counts.items() for _ in range(n)]


def drawn(judgments: list[Judgment], settings: DrawSettings) -> list[Drawable]:
    return draw([one for each in judgments if (one := drawable(each))], settings, frozenset())


def slices(found: list[Drawable]) -> Counter[str]:
    return Counter(one.stratum.slice for one in found)


def test_a_draw_is_made_of_what_the_traffic_is_made_of() -> None:
    found = drawn(traffic({"joins": 600, "dates": 300, "rare": 100}), DrawSettings(n=50, seed=3))
    assert slices(found) == {"joins": 30, "dates": 15, "rare": 5}


def test_slices_are_drawn_alike_where_asked_for_and_a_small_one_gives_what_it_has() -> None:
    settings = DrawSettings(n=90, seed=3, allocation="slices")
    found = drawn(traffic({"joins": 600, "dates": 300, "rare": 10}), settings)
    assert slices(found) == {"joins": 40, "dates": 40, "rare": 10}


def test_every_judgment_is_as_likely_to_be_drawn() -> None:
    judgments = traffic({"joins": 30, "dates": 10})
    hits: Counter[str] = Counter()
    for seed in range(400):
        hits.update(one.judgment_id for one in drawn(judgments, DrawSettings(n=8, seed=seed)))
    assert len(hits) == 40
    assert all(45 <= n <= 120 for n in hits.values())


def test_one_pair_a_prompt_and_none_of_what_was_taken() -> None:
    judgments = [judged("p1"), judged("p1"), judged("p2"), judged("p3")]
    able = [one for each in judgments if (one := drawable(each))]
    found = draw(able, DrawSettings(n=10, seed=1), {"p3"})
    assert sorted(one.prompt_id for one in found) == ["p1", "p2"]


@given(st.permutations(range(12)), st.integers(0, 50))
def test_the_order_of_the_log_does_not_matter(order: list[int], seed: int) -> None:
    able = [
        Drawable(
            judgment_id=f"j{n}",
            prompt_id=f"p{n % 9}",
            stratum=Stratum(f"s{n % 3}", "none", "en", "", ""),
        )
        for n in range(12)
    ]
    settings = DrawSettings(n=5, seed=seed)
    assert draw([able[n] for n in order], settings, ()) == draw(able, settings, ())


def test_only_open_pairs_of_production_are_drawn() -> None:
    assert drawable(judged(purpose=Purpose.ANCHOR)) is None
    assert drawable(judged(verifier_winner=VerifierWinner.A)) is None


def test_a_policys_own_pairs_can_be_asked_for() -> None:
    one = judged()
    assert drawable(one, "gpt") == drawable(one)
    assert drawable(one, "another") is None


def test_what_the_judge_preferred_stands_as_a_in_half_of_them() -> None:
    judgments = [judged(winner=Winner.A) for _ in range(90)] + [judged() for _ in range(10)]
    made = anchors(judgments, DrawSettings(n=100, seed=5))
    by_id = {one.event_id: one for one in judgments}
    kept = 0
    for one in made:
        source = by_id[one.source_ids[0]]
        assert one.purpose is Purpose.ANCHOR
        assert {one.a, one.b} == {source.comparison.a, source.comparison.b}
        kept += one.a == source.comparison.a
    assert kept == 50
    again = anchors(list(reversed(judgments)), DrawSettings(n=100, seed=5))
    assert again == made
    other = anchors(judgments, DrawSettings(n=100, seed=6))
    assert {one.event_id for one in other}.isdisjoint(one.event_id for one in made)


def test_the_stratum_names_what_went_wrong() -> None:
    check = Check(name="tone", version="1", hard=False, status=CheckStatus.FAIL)
    a = verified("a", output="word " * 100).model_copy(update={"checks": (check,)})
    found = stratum(judgment(comparison(a, verified("b", output="x"), slice="joins"), margin=0.2))
    assert found.slice == "joins"
    assert found.failure_mode == "tone FAIL"
    assert found.margin == "low"
    assert found.length == "04: up to 511 characters"
    tie = stratum(judgment(winner=Winner.TIE, margin=None))
    assert (tie.failure_mode, tie.margin) == ("judge TIE", "none")


def test_strata_are_counted_for_the_reader() -> None:
    judgments = traffic({"joins": 6, "dates": 4})
    Random(1).shuffle(judgments)
    counts = strata_counts(drawn(judgments, DrawSettings(n=10, seed=1)))
    assert sum(counts.values()) == 10
    assert [name.split(" · ")[0] for name in counts] == ["dates", "joins"]

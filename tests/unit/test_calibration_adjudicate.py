"""Labels of a comparison into one verdict, and the comparison they belong to."""

from datetime import timedelta

import pytest

from consumers.calibration.adjudicate import adjudicate, adjudicate_all, unmeasured
from consumers.calibration.content import comparison_sha256, orientation
from consumers.calibration.matching import by_prompt, human_verdict
from schemas.events import Label
from schemas.records import HumanWinner, LabelRole, Order
from tests.events import NOON, comparison, verified
from tests.preferences import label

A, B, TIE = HumanWinner.A, HumanWinner.B, HumanWinner.TIE


def test_two_labellers_who_agree_decide() -> None:
    verdict = adjudicate([label("ann", A), label("bob", A)])
    assert (verdict.state, verdict.winner) == ("agreed", A)
    assert verdict.label_ids == ("label of ann", "label of bob")


def test_one_labeller_decides_nothing() -> None:
    assert adjudicate([label("ann", A)]).state == "open"


def test_one_labeller_twice_is_still_one() -> None:
    again = label("ann", A, event_id="again", occurred_at=NOON + timedelta(hours=1))
    assert adjudicate([label("ann", A), again]).state == "open"


def test_the_first_label_of_a_person_stands() -> None:
    changed = label("ann", A, event_id="again", occurred_at=NOON + timedelta(hours=1))
    verdict = adjudicate([changed, label("ann", B), label("bob", A)])
    assert (verdict.state, verdict.winner) == ("disputed", None)


def test_an_adjudication_decides_a_dispute() -> None:
    ruling = label("carol", B, role=LabelRole.ADJUDICATION)
    verdict = adjudicate([label("ann", A), label("bob", B), ruling])
    assert (verdict.state, verdict.winner) == ("adjudicated", B)


def test_adjudications_that_disagree_decide_nothing() -> None:
    rulings = [label(name, w, role=LabelRole.ADJUDICATION) for name, w in (("c", A), ("d", B))]
    assert adjudicate(rulings).state == "contradictory"


def test_audits_do_not_count() -> None:
    audit = label("eve", A, role=LabelRole.AUDIT)
    assert adjudicate([label("ann", A), audit]).state == "open"
    assert adjudicate_all([audit]) == {}
    with pytest.raises(ValueError, match="not an audit"):
        adjudicate([audit])


def test_a_label_seen_twice_counts_once() -> None:
    assert adjudicate_all([label("ann", A)] * 2)["comparison-1"].state == "open"


def withdrawal(of: Label, **changes: str) -> Label:
    return of.model_copy(update={"event_id": "undo", "withdraws": of.event_id} | changes)


def test_a_withdrawn_label_gives_way_to_the_one_after_it() -> None:
    slip, bob = label("ann", B), label("bob", A)
    meant = label("ann", A, event_id="meant", occurred_at=NOON + timedelta(minutes=1))
    verdict = adjudicate([slip, withdrawal(slip), meant, bob])
    assert (verdict.state, verdict.winner) == ("agreed", A)
    assert verdict.label_ids == ("label of bob", "meant")


def test_a_withdrawal_alone_leaves_nothing() -> None:
    slip = label("ann", B)
    assert adjudicate_all([slip, withdrawal(slip)]) == {}
    assert unmeasured([slip, withdrawal(slip)]) == {}


def test_nobody_withdraws_the_label_of_another_person() -> None:
    ann, bob = label("ann", A), label("bob", A)
    assert adjudicate([ann, bob, withdrawal(ann, annotator="eve")]).state == "agreed"


def decided(winner: HumanWinner, content: str, comparison_id: str = "comparison-1") -> dict:  # type: ignore[type-arg]
    labels = [
        label(name, winner, content_sha256=content, comparison_id=comparison_id) for name in "xy"
    ]
    return by_prompt(adjudicate_all(labels).values())


def test_a_label_is_found_by_the_texts_when_the_comparison_was_made_again() -> None:
    labelled = comparison(verified("a"), verified("b"))
    again = comparison(verified("a"), verified("b"), event_id="comparison-2")
    verdict = human_verdict(again, decided(A, comparison_sha256(labelled)))
    assert verdict is not None
    assert verdict.winner is A


@pytest.mark.parametrize(("given", "turned"), [(A, B), (B, A), (TIE, TIE)])
def test_a_label_is_turned_round_when_the_sides_are(
    given: HumanWinner, turned: HumanWinner
) -> None:
    labelled = comparison(verified("a"), verified("b"))
    exchanged = comparison(verified("b"), verified("a"), event_id="comparison-2")
    assert orientation(comparison_sha256(labelled), exchanged) is Order.BA
    verdict = human_verdict(exchanged, decided(given, comparison_sha256(labelled)))
    assert verdict is not None
    assert verdict.winner is turned


def test_a_label_of_other_texts_never_counts_even_under_the_same_id() -> None:
    other = comparison(verified("a", output="something else"), verified("b"))
    this = comparison(verified("a"), verified("b"))
    assert human_verdict(this, decided(A, comparison_sha256(other))) is None


def test_what_measures_nothing_is_counted_with_its_reason() -> None:
    def of(number: int, winner: HumanWinner, person: str, role: LabelRole) -> Label:
        return label(
            person,
            winner,
            event_id=f"{person} on {number}",
            comparison_id=f"c{number}",
            role=role,
        )

    first, ruling = LabelRole.LABEL, LabelRole.ADJUDICATION
    labels = [
        of(0, A, "ann", first),
        *(of(1, winner, name, first) for name, winner in (("ann", A), ("bob", B))),
        *(of(2, winner, name, ruling) for name, winner in (("carol", A), ("dan", B))),
        *(of(3, TIE, name, first) for name in ("ann", "bob")),
        *(of(4, A, name, first) for name in ("ann", "bob")),
    ]
    assert unmeasured(labels) == {"contradictory": 1, "disputed": 1, "open": 1, "tie": 1}

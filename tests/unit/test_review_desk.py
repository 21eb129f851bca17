"""Saving and taking back: what Kafka gets, and when a label counts."""

from pathlib import Path

import pytest

from consumers.calibration.adjudicate import adjudicate
from consumers.calibration.content import comparison_sha256
from consumers.review.desk import UNDO_S
from consumers.review.drafts import draft_of
from consumers.review.intake import count_label
from consumers.review.items import load_item, standing_labels
from consumers.review.people import Person
from consumers.review.progress import own_agreement
from consumers.review.refusals import NotAllowed, TooLate
from consumers.review.sides import Choice, choice_of, order_shown, winner_of
from schemas.errors import DependencyDown
from schemas.records import HumanWinner, LabelRole, Order
from tests.review_desk import ANN, BOB, CAROL, EVE, Office, office, pair, says

A, B, TIE = HumanWinner.A, HumanWinner.B, HumanWinner.TIE


@pytest.fixture
def place(tmp_path: Path) -> Office:
    made = office(tmp_path)
    made.put(pair())
    return made


def test_the_label_says_what_was_seen_and_meant(place: Office) -> None:
    item = place.take(ANN)
    place.now += 42
    place.desk.save(ANN, item, says("A", "clearer"))
    (label,) = place.log
    shown = order_shown("ann", "comparison-1")
    assert (label.order, label.winner) == (shown, A if shown is Order.AB else B)
    assert (label.seconds, label.comment, label.annotator) == (42, "clearer", "ann")
    assert label.content_sha256 == comparison_sha256(pair())


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("winner", HumanWinner)
def test_a_verdict_survives_the_turn_to_the_shown_sides(winner: HumanWinner, order: Order) -> None:
    assert winner_of(choice_of(winner, order), order) is winner
    assert (winner_of(Choice.A, order) is A) == (order is Order.AB)


def test_sides_are_random_over_people_and_stable_for_each() -> None:
    orders = [order_shown(f"person {n}", "comparison-1") for n in range(400)]
    assert 150 < orders.count(Order.AB) < 250
    assert orders == [order_shown(f"person {n}", "comparison-1") for n in range(400)]


def test_a_double_submit_is_one_label(place: Office) -> None:
    item = place.take(ANN)
    place.desk.save(ANN, item, says("A"))
    place.desk.save(ANN, item, says("A"))
    assert len(place.log) == 1


def test_no_label_counts_before_kafka_has_it_and_the_draft_stays(place: Office) -> None:
    item = place.take(ANN)
    place.down = True
    with pytest.raises(DependencyDown):
        place.desk.save(ANN, item, says("B", "half a thought"))
    with place.engine.connect() as connection:
        assert standing_labels(connection, item) == []
        assert draft_of(connection, "ann", item).comment == "half a thought"
    place.down = False
    place.desk.save(ANN, item, says("B", "half a thought"))
    with place.engine.connect() as connection:
        assert len(standing_labels(connection, item)) == 1
        assert draft_of(connection, "ann", item).comment == ""


def test_a_second_try_sends_the_same_event(place: Office) -> None:
    item = place.take(ANN)
    place.down = True
    with pytest.raises(DependencyDown):
        place.desk.save(ANN, item, says("A"))
    place.down = False
    place.desk.save(ANN, item, says("A"))
    assert [label.event_id for label in place.tried] == [place.log[0].event_id] * 2


def test_a_changed_mind_after_a_lost_answer_takes_the_uncertain_label_back(place: Office) -> None:
    item = place.take(ANN)
    place.down = True
    with pytest.raises(DependencyDown):
        place.desk.save(ANN, item, says("A"))
    (lost,) = place.tried
    place.down = False
    place.desk.save(ANN, item, says("TIE"))
    # Whether or not Kafka had taken the lost one, what stands is the second.
    for log in (place.log, [lost, *place.log]):
        bob = lost.model_copy(update={"event_id": "bob's", "annotator": "bob", "winner": TIE})
        assert adjudicate([*log, bob]).winner is TIE


def test_undo_takes_the_label_back_in_the_log_and_gives_the_draft(place: Office) -> None:
    item = place.take(ANN)
    place.desk.save(ANN, item, says("A", "oops"))
    assert place.desk.undo(ANN).id == item
    assert [label.withdraws for label in place.log] == [None, place.log[0].event_id]
    with place.engine.connect() as connection:
        assert standing_labels(connection, item) == []
        draft = draft_of(connection, "ann", item)
    assert (draft.choice, draft.comment) == (Choice.A, "oops")
    place.desk.save(ANN, item, says("B"))
    assert len({label.event_id for label in place.log}) == 3
    bob = place.label(BOB, place.log[-1].winner)
    assert bob == item
    assert adjudicate(place.log).state == "agreed"


def test_undo_reopens_a_dispute_that_nobody_ruled_on(place: Office) -> None:
    place.label(ANN, A)
    place.label(BOB, B)
    ruling = place.take(CAROL, LabelRole.ADJUDICATION)
    place.desk.undo(BOB)
    with place.engine.connect() as connection:
        assert load_item(connection, ruling).state == "void"
    place.label(BOB, A)
    assert place.next(CAROL, LabelRole.ADJUDICATION) is None


def test_undo_ends_with_time_a_ruling_or_a_look_at_the_checks(place: Office) -> None:
    item = place.label(ANN, A)
    place.desk.reveal(ANN, item)
    with pytest.raises(TooLate, match="nothing to undo"):
        place.desk.undo(ANN)
    place.label(BOB, B)
    place.label(CAROL, A, LabelRole.ADJUDICATION)
    with pytest.raises(TooLate, match="an adjudicator has decided"):
        place.desk.undo(BOB)
    place.now += UNDO_S
    with pytest.raises(TooLate, match="nothing to undo"):
        place.desk.undo(CAROL)


def test_the_checks_are_shown_only_to_whoever_labelled(place: Office) -> None:
    item = place.label(ANN, A)
    with pytest.raises(NotAllowed, match="after you have given your label"):
        place.desk.reveal(BOB, item)


def test_own_agreement_counts_only_labels_that_are_final(place: Office) -> None:
    place.label(ANN, A)
    place.label(BOB, A)

    def n(person: Person) -> int:
        with place.engine.connect() as connection:
            return own_agreement(connection, person, place.now).n

    assert n(ANN) == 0
    place.now += UNDO_S
    assert (n(ANN), n(CAROL)) == (1, 0)


def test_labels_from_the_topic_count_like_saved_ones(place: Office, tmp_path: Path) -> None:
    place.label(ANN, A)
    place.label(BOB, B)
    place.label(CAROL, A, LabelRole.ADJUDICATION)
    again = office(tmp_path / "rebuilt")
    again.put(pair())
    with again.engine.begin() as connection:
        for label in [*place.log, *place.log]:
            count_label(connection, label)
    assert again.next(ANN) is None
    assert again.next(CAROL, LabelRole.ADJUDICATION) is None


def test_a_label_of_other_texts_does_not_count(place: Office) -> None:
    item = place.label(ANN, A)
    mine = place.log[0]
    other = {"annotator": "bob", "event_id": "x", "content_sha256": "of others"}
    with place.engine.begin() as connection:
        count_label(connection, mine.model_copy(update=other))
        assert len(standing_labels(connection, item)) == 1


def test_a_label_of_the_same_texts_counts_whatever_id_and_sides_it_was_given_to(
    place: Office,
) -> None:
    """Labels outlive a comparison: the pair stage made it again, or they came in a file."""
    item = place.label(ANN, A)
    asked = pair()
    turned = asked.model_copy(update={"event_id": "earlier", "a": asked.b, "b": asked.a})
    with place.engine.begin() as connection:
        count_label(
            connection,
            place.log[0].model_copy(
                update={
                    "event_id": "bobs",
                    "annotator": "bob",
                    "comparison_id": turned.event_id,
                    "content_sha256": comparison_sha256(turned),
                    "winner": B,
                }
            ),
        )
        labels = standing_labels(connection, item)
    assert [(label.annotator, label.winner) for label in labels] == [("ann", A), ("bob", A)]
    assert place.next(EVE) is None


def test_a_label_that_kafka_took_while_the_server_died_is_found_again(place: Office) -> None:
    item = place.take(ANN)
    place.down = True
    with pytest.raises(DependencyDown):
        place.desk.save(ANN, item, says("A"))
    with place.engine.begin() as connection:
        count_label(connection, place.tried[0])
    assert place.next(ANN) is None

"""Places of an item: who gets which, for how long, and who never."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.review.intake import count_label
from consumers.review.items import load_item
from consumers.review.refusals import NotAllowed, TooLate, UnknownItem
from consumers.review.reservations import HOLD_S
from consumers.review.tables import METADATA
from schemas.errors import DependencyDown
from schemas.records import HumanWinner, LabelRole
from tests.postgres import cluster, server_binaries
from tests.review_desk import ANN, BOB, CAROL, EVE, LEE, Office, office, pair, says

A, B = HumanWinner.A, HumanWinner.B
RULING, AUDIT = LabelRole.ADJUDICATION, LabelRole.AUDIT


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    binaries = server_binaries()
    if binaries is None:
        pytest.skip("no Postgres server is installed; its package is postgresql")
    with cluster(binaries, "secret") as running:
        yield running.dsn("admin", "secret")


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    url = request.getfixturevalue("postgres") if request.param == "postgres" else None
    made = office(tmp_path, url)
    yield made
    if url is not None:
        METADATA.drop_all(made.engine)
    made.engine.dispose()


def test_two_people_get_an_item_and_a_third_does_not(place: Office) -> None:
    place.put(pair())
    assert place.take(ANN) == place.take(BOB)
    assert place.next(EVE) is None


def test_what_a_person_holds_comes_first(place: Office) -> None:
    place.put(pair(1), pair(2))
    assert place.take(ANN) == place.take(ANN)


def test_a_label_out_of_the_topic_and_its_reservation_are_one_place(place: Office) -> None:
    place.put(pair(1), pair(2))
    item = place.take(ANN)
    assert place.take(BOB) == item
    place.down = True  # as where the server is killed once Kafka has the label
    with pytest.raises(DependencyDown):
        place.desk.save(ANN, item, says("A"))
    with place.engine.begin() as connection:
        count_label(connection, place.tried[0])
    assert place.take(BOB) == item
    assert place.take(EVE) != item


def test_an_expired_reservation_is_somebody_elses(place: Office) -> None:
    place.put(pair())
    held = place.take(ANN)
    place.take(BOB)
    place.now += HOLD_S + 1
    assert place.take(EVE) == held
    assert place.take(ANN) == held
    with pytest.raises(TooLate, match="ran out and somebody else has taken it"):
        place.desk.save(BOB, held, says("A"))
    assert place.log == []


def test_an_expired_reservation_that_nobody_took_still_saves(place: Office) -> None:
    place.put(pair())
    held = place.take(ANN)
    place.now += HOLD_S + 1
    place.desk.save(ANN, held, says("A"))
    assert [(label.annotator, label.seconds) for label in place.log] == [("ann", HOLD_S + 1)]


def test_one_person_never_labels_an_item_twice(place: Office) -> None:
    place.put(pair())
    item = place.label(ANN, A)
    assert place.next(ANN) is None
    with pytest.raises(TooLate, match="you labelled this item already"):
        place.desk.save(ANN, item, says("TIE"))


def test_an_unknown_item_is_said_to_be_unknown(place: Office) -> None:
    with pytest.raises(UnknownItem, match="there is no item 77"):
        place.desk.save(ANN, 77, says("A"))


def test_a_closed_item_takes_no_label(place: Office) -> None:
    place.put(pair())
    item = place.label(ANN, A)
    place.label(BOB, A)
    with pytest.raises(TooLate, match="closed"):
        place.desk.save(EVE, item, says("B"))
    assert len(place.log) == 2


def test_the_same_texts_are_asked_about_once_on_either_side(place: Office) -> None:
    this = pair()
    turned = this.model_copy(update={"event_id": "made again", "a": this.b, "b": this.a})
    place.put(this, turned)
    place.put(this)
    with place.engine.connect() as connection, pytest.raises(UnknownItem):
        load_item(connection, place.take(ANN) + 1)


def test_a_dispute_goes_to_an_adjudicator_who_did_not_label_it(place: Office) -> None:
    place.put(pair())
    place.label(CAROL, A)
    place.label(BOB, B)
    assert place.next(CAROL, RULING) is None
    item = place.take(LEE, RULING)
    with pytest.raises(NotAllowed, match="you labelled this pair yourself"):
        place.desk.save(CAROL, item, says("A"))
    place.label(LEE, B, RULING)
    assert [label.role for label in place.log] == [LabelRole.LABEL, LabelRole.LABEL, RULING]
    assert place.next(LEE, RULING) is None


def test_agreement_needs_no_adjudicator(place: Office) -> None:
    place.put(pair())
    place.label(ANN, A)
    place.label(BOB, A)
    assert place.next(CAROL, RULING) is None


def test_roles_keep_people_from_queues_and_items(place: Office) -> None:
    place.put(pair(), role=AUDIT)
    for queue in (RULING, AUDIT):
        with pytest.raises(NotAllowed, match="not for the role annotator"):
            place.next(ANN, queue)
    item = place.take(CAROL, AUDIT)
    with pytest.raises(NotAllowed, match="not for the role annotator"):
        place.desk.save(ANN, item, says("A"))


def test_a_skipped_item_goes_to_others_and_needs_a_reason(place: Office) -> None:
    place.put(pair())
    item = place.take(ANN)
    with pytest.raises(NotAllowed, match="say why"):
        place.desk.skip(ANN, item, "  ")
    place.desk.skip(ANN, item, "needs a payroll expert")
    assert place.next(ANN) is None
    assert place.take(BOB) == place.take(EVE) == item

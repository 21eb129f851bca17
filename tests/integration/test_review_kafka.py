"""The review pages on a real broker: a label is acknowledged once it is in the topic."""

import contextlib
import re
import socket
import threading
import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from consumers.calibration.adjudicate import adjudicate_all
from consumers.review.desk import Desk
from consumers.review.intake import fill
from consumers.review.items import standing_labels
from consumers.review.people import Person
from infra.kafka import bootstrap
from infra.ports import free_port
from infra.publish import Publisher, publish
from infra.settings import Settings
from infra.topic_log import events
from schemas.errors import DependencyDown
from schemas.events import Label
from schemas.records import HumanWinner, Purpose
from tests.review_desk import ANN, BOB, CAROL, Office, office, pair, says

pytestmark = pytest.mark.integration


def on_kafka(place: Office, settings: Settings) -> Desk:
    return Desk(engine=place.engine, send=Publisher(settings, 10).publish, now_s=time.time)


def sign_in(place: Office, desk: Desk, person: Person) -> tuple[TestClient, str]:
    client = TestClient(place.pages(desk=desk))
    client.post("/sign-in", data={"token": place.token(person)})
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/").text)
    assert found is not None
    return client, found[1]


def test_anchors_come_in_once_and_labels_go_out(fresh_broker: Settings, tmp_path: Path) -> None:
    traffic = pair(9).model_copy(update={"purpose": Purpose.PRODUCTION})
    publish(fresh_broker, [pair(1), pair(1), traffic, pair(2)])
    place = office(tmp_path)
    assert fill(fresh_broker, place.engine, time.time) == 2
    assert fill(fresh_broker, place.engine, time.time) == 0
    publish(fresh_broker, [pair(3)])
    assert fill(fresh_broker, place.engine, time.time) == 1

    place.now = time.time()
    desk = on_kafka(place, fresh_broker)
    for person in (ANN, BOB):
        client, code = sign_in(place, desk, person)
        item = client.get("/next/LABEL").url.path
        answer = client.post(f"{item}/label", data={"choice": "TIE", "csrf": code})
        assert answer.status_code == 200
    labels = list(events(fresh_broker, Label))
    assert {label.annotator: label.winner for label in labels} == dict.fromkeys(
        ("ann", "bob"), HumanWinner.TIE
    )
    assert [one.state for one in adjudicate_all(labels).values()] == ["agreed"]


def test_a_lost_database_is_filled_again_from_the_topics(
    fresh_broker: Settings, tmp_path: Path
) -> None:
    publish(fresh_broker, [pair(1)])
    place = office(tmp_path)
    fill(fresh_broker, place.engine, time.time)
    place.now = time.time()
    desk = on_kafka(place, fresh_broker)
    item = place.take(ANN)
    desk.save(ANN, item, says("A"))
    desk.undo(ANN)
    desk.save(ANN, item, says("B"))
    again = office(tmp_path / "again")
    fill(fresh_broker, again.engine, time.time)
    with place.engine.connect() as here, again.engine.connect() as there:
        assert standing_labels(here, item) == standing_labels(there, 1)
    assert again.next(ANN) is None
    assert again.next(CAROL) is not None


def test_a_broker_that_is_away_takes_no_label_and_nothing_goes_out_later(
    fresh_broker: Settings, tmp_path: Path
) -> None:
    port = free_port()
    away = fresh_broker.model_copy(update={"bootstrap_servers": f"127.0.0.1:{port}"})
    place = office(tmp_path)
    place.put(pair())
    publisher = Publisher(away, delivery_s=1.0)
    desk = Desk(engine=place.engine, send=publisher.publish, now_s=lambda: place.now)
    item = place.take(ANN)
    with pytest.raises(DependencyDown, match="did not take 1 of 1"):
        desk.save(ANN, item, says("A"))
    host, real = bootstrap(fresh_broker).rsplit(":", 1)
    with socket.create_server((host, port)) as door:
        threading.Thread(target=let_in, args=(door, (host, int(real))), daemon=True).start()
        while True:
            try:
                desk.save(ANN, item, says("B"))
                break
            except DependencyDown:  # the client waits before it knocks again
                continue
    # what was refused is taken back, in case it had gone out; a label sent again is the same
    given = {label.event_id: label for label in events(fresh_broker, Label) if not label.withdraws}
    assert [label.winner for label in given.values()] == [HumanWinner.B]


def let_in(door: socket.socket, broker: tuple[str, int]) -> None:
    """Carry bytes between whoever knocks and the broker."""
    while True:
        try:
            caller, _ = door.accept()
        except OSError:  # closed
            return
        inside = socket.create_connection(broker)
        for one, other in ((caller, inside), (inside, caller)):
            threading.Thread(target=carry, args=(one, other), daemon=True).start()


def carry(source: socket.socket, target: socket.socket) -> None:
    """Bytes from one side to the other until either ends."""
    with contextlib.suppress(OSError):
        while piece := source.recv(65_536):
            target.sendall(piece)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)

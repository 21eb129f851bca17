"""What the server does by itself goes on whatever fails."""

import logging
from threading import Event

import pytest

from consumers.review.chores import Board, Chore, Chores
from schemas.errors import ConfigError, DependencyDown
from tests.waiting import wait_until


def test_one_chore_that_fails_keeps_none_from_being_done(caplog: pytest.LogCaptureFixture) -> None:
    done, tried = Event(), []

    def fails() -> None:
        tried.append(1)
        raise DependencyDown("Kafka is away", reason="unreachable")

    chores = [
        Chore(name="labelling", every_s=0, do=fails),
        Chore(name="audit", every_s=0, do=done.set),
    ]
    with caplog.at_level(logging.WARNING), Chores(chores):
        wait_until(lambda: done.is_set() and len(tried) > 1, "the other chore and a second try")
    assert [record.getMessage() for record in caplog.records] == ["labelling waits: Kafka is away"]


def test_the_board_keeps_its_sentence_while_kafka_is_away() -> None:
    answers: list[str | Exception] = ["demoted", DependencyDown("away", reason="x")]
    board = Board(ask=lambda: _next(answers))
    board.renew()
    with pytest.raises(DependencyDown):
        board.renew()
    assert board() == "demoted"


def test_what_a_person_has_to_repair_is_the_sentence() -> None:
    answers: list[str | Exception] = [ConfigError("the ledger was tampered with")]
    board = Board(ask=lambda: _next(answers))
    board.renew()
    assert board() == "the ledger was tampered with"


def _next(answers: list[str | Exception]) -> str:
    answer = answers.pop(0)
    if isinstance(answer, Exception):
        raise answer
    return answer

"""A desk for tests: a database of its own, a clock that is set, and a log in place of Kafka."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from sqlalchemy import Engine

from consumers.review.desk import Desk
from consumers.review.evidence import PairHistory
from consumers.review.intake import queue
from consumers.review.people import Person, PersonRole, add_person, renew_token
from consumers.review.reservations import Held, hold_next
from consumers.review.rubrics import no_rubrics
from consumers.review.sides import Choice, choice_of, order_shown
from consumers.review.tables import open_database
from consumers.review.verdict import Verdict
from consumers.review.web.app import review_app
from consumers.review.web.review import Review
from infra.settings import Settings
from schemas.errors import DependencyDown
from schemas.events import Calibration, Comparison, Label
from schemas.records import HumanWinner, LabelRole, Purpose
from tests.events import comparison, verified

ANN = Person(name="ann", role=PersonRole.ANNOTATOR)
BOB = Person(name="bob", role=PersonRole.ANNOTATOR)
EVE = Person(name="eve", role=PersonRole.ANNOTATOR)
CAROL = Person(name="carol", role=PersonRole.ADJUDICATOR)
LEE = Person(name="lee", role=PersonRole.LEAD)


def pair(number: int = 1) -> Comparison:
    """An anchor of its own prompt."""
    return comparison(
        verified(f"left {number}"),
        verified(f"right {number}"),
        event_id=f"comparison-{number}",
        prompt_id=f"prompt-{number}",
        purpose=Purpose.ANCHOR,
    )


class NoTables:
    """Tables that hold nothing, unless the test gives them calibrations or a pair."""

    def __init__(
        self, calibrations: Sequence[Calibration] = (), pair: PairHistory | None = None
    ) -> None:
        self._calibrations = list(calibrations)
        self._pair = pair

    def calibrations(self) -> list[Calibration]:
        return self._calibrations

    def pair(self, id_: str) -> PairHistory | None:
        return self._pair


@dataclass
class Office:
    """A desk whose clock and log the test holds. ``down`` makes the log refuse; ``tried`` holds
    what was refused too."""

    engine: Engine
    now: float = 1_800_000_000.0
    down: bool = False
    notice: str | None = None
    log: list[Label] = field(default_factory=list)
    tried: list[Label] = field(default_factory=list)

    @property
    def desk(self) -> Desk:
        return Desk(engine=self.engine, send=self._send, now_s=lambda: self.now)

    def _send(self, labels: Sequence[Label]) -> None:
        self.tried += labels
        if self.down:
            raise DependencyDown("Kafka is away", reason="unreachable")
        self.log += labels

    def token(self, person: Person) -> str:
        """A token by which the person signs in."""
        with self.engine.begin() as connection:
            return renew_token(connection, person.name)

    def pages(self, **parts: Any) -> FastAPI:
        """The pages over this desk; no rubric, no tables and no notice unless given."""
        whole: dict[str, Any] = {
            "desk": self.desk,
            "rubric": no_rubrics,
            "evidence": NoTables(),
            "prompts": lambda _: (),
            "notice": lambda: None,
            "kappa_wanted": 0.72,
        }
        return review_app(Review(**(whole | parts)))

    def put(self, *comparisons: Comparison, role: LabelRole = LabelRole.LABEL) -> None:
        """Queue comparisons; two people are wanted for a label, one for the others."""
        wanted = 2 if role is LabelRole.LABEL else 1
        queue(self.engine, comparisons, role, self.now, wanted)

    def next(self, person: Person, role: LabelRole = LabelRole.LABEL) -> Held | None:
        """What the queue gives this person."""
        with self.engine.begin() as connection:
            return hold_next(connection, person, role, self.now)

    def take(self, person: Person, role: LabelRole = LabelRole.LABEL) -> int:
        """The id of the next item, which must be there."""
        held = self.next(person, role)
        assert held is not None
        return held.item.id

    def label(self, person: Person, winner: HumanWinner, role: LabelRole = LabelRole.LABEL) -> int:
        """Take the next item and say who won, in terms of the comparison."""
        held = self.next(person, role)
        assert held is not None
        order = order_shown(person.name, held.item.comparison.event_id)
        self.desk.save(person, held.item.id, Verdict(choice=choice_of(winner, order)))
        return held.item.id


def office(folder: Path, url: str | None = None) -> Office:
    """An office with five people and empty queues."""
    engine = open_database(
        Settings.model_validate(
            {"data_dir": folder} | ({} if url is None else {"review_database_url": url})
        )
    )
    with engine.begin() as connection:
        for person in (ANN, BOB, EVE, CAROL, LEE):
            add_person(connection, person.name, person.role, 0.0)
    return Office(engine=engine)


def says(choice: str, comment: str = "") -> Verdict:
    """A filled-in form."""
    return Verdict(choice=Choice(choice), comment=comment)

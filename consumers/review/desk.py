"""What a person does with an item: save, skip, undo, look at what the checks found.

A label is saved in three steps: written down as ``sending``, acknowledged by Kafka, and only then
counted. Where Kafka's answer is lost nobody knows whether it has the label, so the next attempt
sends the same event again, or takes the uncertain one back together with what replaces it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Engine, Row, select, update
from sqlalchemy.engine import Connection

from consumers.review.drafts import Draft, drop_draft, keep_draft
from consumers.review.items import Item, load_item, ruled, settle
from consumers.review.people import Person
from consumers.review.refusals import NotAllowed, TooLate
from consumers.review.reservations import hold, release
from consumers.review.sides import choice_of
from consumers.review.tables import LABELS, SKIPS, take_turn
from consumers.review.verdict import Verdict, label_of, says, withdrawal_of
from schemas.events import Label
from schemas.records import LabelRole

# Long enough to notice a slip; after it the label counts in one's own agreement with others, which
# must not be a reason to change it.
UNDO_S = 10 * 60

Send = Callable[[Sequence[Label]], object]
"""Returns once Kafka has every event; raises ``DependencyDown`` otherwise."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Everyone's desk. ``now_s`` is the clock, in seconds since the epoch."""

    engine: Engine
    send: Send
    now_s: Callable[[], float]

    def save(self, person: Person, item: int, verdict: Verdict) -> None:
        """Give the label; when this returns, Kafka has it.

        The same verdict again changes nothing. Raises ``Refused``, or ``DependencyDown`` where
        Kafka did not take it: the reservation and the draft are kept then.
        """
        with self.engine.begin() as connection:
            take_turn(connection)
            if _said_so_already(connection, person, item, verdict):
                return
            held = hold(connection, person, item, self.now_s())
            keep_draft(connection, person.name, item, _as_draft(verdict), self.now_s())
            label, replaced = self._written(connection, person, held.item, held.shown_at_s, verdict)
        self.send([*(withdrawal_of(one, self.now_s()) for one in replaced), label])
        with self.engine.begin() as connection:
            take_turn(connection)
            for one in replaced:
                _set_state(connection, one.event_id, "withdrawn")
            _set_state(connection, label.event_id, "acknowledged")
            release(connection, person, item)
            drop_draft(connection, person.name, item)
            settle(connection, held.item, self.now_s())

    def skip(self, person: Person, item: int, reason: str) -> None:
        """Leave the item to others; it does not come back to this person. Raises ``Refused``."""
        if not reason.strip():
            raise NotAllowed("say why you skip this item, so that somebody can act on it")
        with self.engine.begin() as connection:
            hold(connection, person, item, self.now_s())
            connection.execute(
                SKIPS.insert().values(
                    item=item, person=person.name, reason=reason.strip()[:500], at=self.now_s()
                )
            )
            release(connection, person, item)
            drop_draft(connection, person.name, item)

    def undo(self, person: Person) -> Item:
        """Take back the person's last label; the item is theirs again, with the label as a draft.

        Raises ``TooLate`` where there is none to take back, ``DependencyDown`` as ``save``.
        """
        with self.engine.begin() as connection:
            take_turn(connection)
            label, item = self._last(connection, person)
        self.send([withdrawal_of(label, self.now_s())])
        with self.engine.begin() as connection:
            take_turn(connection)
            _set_state(connection, label.event_id, "withdrawn")
            settle(connection, item, self.now_s())
            draft = Draft(
                choice=choice_of(label.winner, label.order),
                criteria=label.criteria,
                comment=label.comment or "",
            )
            keep_draft(connection, person.name, item.id, draft, self.now_s())
            return hold(connection, person, item.id, self.now_s()).item

    def undoable(self, connection: Connection, person: Person) -> Label | None:
        """The label that ``undo`` would take back."""
        row = _last_row(connection, person, self.now_s())
        return None if row is None else Label.model_validate_json(row.event)

    def reveal(self, person: Person, item: int) -> None:
        """Let the person see what the checks found of a pair they labelled, which makes their
        label final. Raises ``NotAllowed`` where they did not label it."""
        with self.engine.begin() as connection:
            changed = connection.execute(
                update(LABELS).where(*_own(person, item)).values(revealed=True)
            )
            if changed.rowcount == 0:
                raise NotAllowed("what the checks found is shown after you have given your label")

    def revealed(self, connection: Connection, person: Person, item: int) -> bool:
        """Whether the person has labelled the item and asked for what the checks found."""
        seen = select(LABELS.c.item).where(*_own(person, item), LABELS.c.revealed)
        return connection.execute(seen).first() is not None

    def _written(
        self,
        connection: Connection,
        person: Person,
        item: Item,
        shown_at_s: float,
        verdict: Verdict,
    ) -> tuple[Label, list[Label]]:
        """The label to send, and those of before that Kafka may have and this one replaces."""
        earlier = connection.execute(
            select(LABELS).where(LABELS.c.item == item.id, LABELS.c.person == person.name)
        ).all()
        sending = [Label.model_validate_json(r.event) for r in earlier if r.state == "sending"]
        replaced = [one for one in sending if not says(one, verdict)]
        same = [one for one in sending if says(one, verdict)]
        # Of two uncertain ones the later may have followed a withdrawal of the earlier, so with a
        # change in between only a new event is sure to stand.
        if same and not replaced:
            return same[0], []
        label = label_of(
            person,
            item,
            verdict,
            seconds=max(0.0, self.now_s() - shown_at_s),
            now_s=self.now_s(),
            attempt=len(earlier),
        )
        connection.execute(
            LABELS.insert().values(
                event_id=label.event_id,
                item=item.id,
                person=person.name,
                winner=label.winner,
                state="sending",
                revealed=False,
                at=self.now_s(),
                event=label.model_dump_json(),
            )
        )
        return label, sending

    def _last(self, connection: Connection, person: Person) -> tuple[Label, Item]:
        row = _last_row(connection, person, self.now_s())
        if row is None:
            raise TooLate(
                f"there is nothing to undo: a label can be taken back for {UNDO_S // 60} minutes, "
                "until you look at what the checks found"
            )
        item = load_item(connection, row.item)
        if item.role is LabelRole.LABEL and ruled(connection, item.comparison.event_id):
            raise TooLate("an adjudicator has decided this item by now, so your label stands")
        return Label.model_validate_json(row.event), item


def _last_row(connection: Connection, person: Person, now_s: float) -> Row[int, str] | None:
    return connection.execute(
        select(LABELS.c.item, LABELS.c.event)
        .where(
            LABELS.c.person == person.name,
            LABELS.c.state == "acknowledged",
            ~LABELS.c.revealed,
            LABELS.c.at > now_s - UNDO_S,
        )
        .order_by(LABELS.c.at.desc())
        .limit(1)
    ).first()


def _said_so_already(connection: Connection, person: Person, item: int, verdict: Verdict) -> bool:
    event = connection.execute(select(LABELS.c.event).where(*_own(person, item))).scalar()
    return event is not None and says(Label.model_validate_json(event), verdict)


def _own(person: Person, item: int) -> tuple[ColumnElement[bool], ...]:
    return (
        LABELS.c.item == item,
        LABELS.c.person == person.name,
        LABELS.c.state == "acknowledged",
    )


def _set_state(connection: Connection, event_id: str, state: str) -> None:
    connection.execute(update(LABELS).where(LABELS.c.event_id == event_id).values(state=state))


def _as_draft(verdict: Verdict) -> Draft:
    return Draft(choice=verdict.choice, criteria=verdict.criteria, comment=verdict.comment)

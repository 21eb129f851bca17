"""One record of a log through a stage: decoded, settled, delivered."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic

from schemas.codec import Codec
from schemas.errors import Poison, SchemaMismatch
from schemas.events import DeadLetter, Discard, Event
from streams.runner.attempt import Dead, Done, Patience, settle
from streams.runner.dead_letter import Arrival, dead_letter
from streams.runner.intake import Intake
from streams.runner.poison import PoisonWindow
from streams.stage import In, Stage


@dataclass(kw_only=True)
class Counts:
    """What went through since the start: events in, outputs by their fate."""

    taken: int = 0
    sent: int = 0
    discarded: int = 0
    dead: int = 0

    def add(self, outputs: Sequence[Event]) -> None:
        """Count what one event led to."""
        for output in outputs:
            if isinstance(output, DeadLetter):
                self.dead += 1
            elif isinstance(output, Discard):
                self.discarded += 1
            else:
                self.sent += 1


@dataclass(frozen=True, kw_only=True)
class Processor(Generic[In]):
    """What every runner does with a record."""

    stage: Stage[In]
    intake: Intake
    patience: Patience
    poison: PoisonWindow
    counts: Counts

    async def __call__(
        self,
        arrival: Arrival,
        event: In | Poison,
        deliver: Callable[[Sequence[Event]], Awaitable[None]],
    ) -> None:
        """Bring the record to its end; on return its outputs or its dead letter are safe.

        ``event`` is what the record decoded to, or why it did not. ``deliver`` returns when the
        outputs are safe and raises ``Poison`` where they cannot be written at all. Raises
        ``Fatal`` and defects; then nothing may be committed for the record.
        """
        self.counts.taken += 1
        known = None if isinstance(event, Poison) else event
        if isinstance(event, Poison):
            settled: Done | Dead = Dead(error=event, attempt=1, retryable=False)
        else:
            settled = await settle(self.stage, event, intake=self.intake, patience=self.patience)
        if isinstance(settled, Done):
            try:
                await deliver(settled.outputs)
            except Poison as unwritable:
                settled = Dead(error=unwritable, attempt=1, retryable=False)
            else:
                self.counts.add(settled.outputs)
        # A retryable death says nothing about the data; it is not what the limit is for.
        is_poison = isinstance(settled, Dead) and not settled.retryable
        self.poison.record(known.workload_id if known else None, poison=is_poison)
        if isinstance(settled, Dead):
            letter = dead_letter(
                arrival,
                settled.error,
                stage=self.stage.name,
                config_hash=self.stage.config_hash,
                attempt=settled.attempt,
                retryable=settled.retryable,
                event=known,
            )
            await deliver((letter,))
            self.counts.add((letter,))


def decode(codec: Codec, value: bytes | None, takes: type[In]) -> In | SchemaMismatch:
    """The event in a record's value, or why there is none."""
    if value is None:
        return SchemaMismatch("the record has no value; topics of events hold no tombstones")
    try:
        event = codec.decode(value)
    except SchemaMismatch as mismatch:
        return mismatch
    if not isinstance(event, takes):
        return SchemaMismatch(
            f"a {type(event).__name__} is no {takes.__name__}; it was produced to the wrong topic"
        )
    return event

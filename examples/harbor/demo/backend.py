"""Where the demo's stages run: on Kafka, or in this process where there is no Java."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar

from consumers.accounting import Accounts
from consumers.clickhouse.named_queries import Answer, NamedQuery
from infra.settings import Settings
from schemas.events import Event
from trainer.staged_log import LogValues

E = TypeVar("E", bound=Event)
Watch = Callable[[Mapping[str, int]], None]
"""Called now and then with how many events are pending at each stage."""


class Backend(Protocol):
    """Takes events in, runs the stages over them, and shows what came of it."""

    settings: Settings
    description: str

    def publish(self, events: Iterable[Event]) -> None:
        """Write events to their topics; returns when they are durable."""

    def settle(self, watch: Watch) -> None:
        """Return when no stage has anything pending; raises if one of them has ended."""

    def events(self, kind: type[E]) -> list[E]:
        """Every event of a topic so far, the first of an id only."""

    def preferences(self) -> LogValues:
        """All of them so far, as a dataset is frozen from."""

    def accounts(self) -> Accounts:
        """Where every event of every stage has gone."""

    def ask(self, query: NamedQuery) -> Answer:
        """The answer of a named query, from ClickHouse."""

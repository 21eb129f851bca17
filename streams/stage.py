"""The contract of a stage: a stateless map from one event to a few."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from schemas.events import Event

In = TypeVar("In", bound=Event, contravariant=True)


class Stage(Protocol[In]):
    """One step of the stream.

    Calling it maps one event to the events that follow from it, which the runner routes to topics
    by type. Every output names the input's id among its ``source_ids``; an input that leads to
    nothing else leads to a Discard. Work done twice must give the same ids.

    Raises ``Poison`` (this event can never be processed), ``Transient`` (try again),
    ``DependencyDown`` (pause intake) or ``Fatal`` (stop the worker); anything else is a defect and
    stops the worker too. It must not block the event loop.
    """

    @property
    def name(self) -> str:
        """What topics, groups and accounts call the stage."""

    @property
    def config_hash(self) -> str:
        """Hash of everything in the configuration that can change a result."""

    async def __call__(self, event: In) -> Sequence[Event]: ...

    async def aclose(self) -> None:
        """Release what the stage holds (child processes, connections); it is not called again."""
        ...

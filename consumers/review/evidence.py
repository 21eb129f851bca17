"""What the tables know of judges and pairs, for the pages that show it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from infra.clickhouse import client
from infra.settings import Settings
from schemas.errors import DependencyDown
from schemas.events import (
    TOPICS,
    Calibration,
    Comparison,
    Completion,
    Discard,
    Event,
    Judgment,
    Label,
    Preference,
    Verification,
)
from streams.judge.proof import Proof

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

E = TypeVar("E", bound=Event)

Notice = Callable[[], str | None]
"""The sentence that stands on every page, such as that a judge was demoted; None for none."""

Prompts = Callable[[Judgment], Sequence[Proof]]
"""The prompts behind a judgment, rendered again and held against their stored hashes."""

# The judge's history over all rounds; older ones say nothing about today's judge.
_CALIBRATIONS = 2_000
_PER_KIND = 100


@dataclass(frozen=True, kw_only=True)
class PairHistory:
    """Everything that happened to one comparison, each kind in the order of event time."""

    comparison: Comparison
    completions: tuple[Completion, ...]
    verifications: tuple[Verification, ...]
    judgments: tuple[Judgment, ...]
    preferences: tuple[Preference, ...]
    discards: tuple[Discard, ...]
    labels: tuple[Label, ...]


class Evidence(Protocol):
    """Where the pages read it; both raise ``DependencyDown`` or ``ConfigError``."""

    def calibrations(self) -> list[Calibration]: ...

    def pair(self, id_: str, /) -> PairHistory | None: ...


class TableEvidence:
    """Evidence from ClickHouse. A connection a question: pages are rare, and servers restart."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def calibrations(self) -> list[Calibration]:
        """The newest calibrations, oldest first."""
        with client(self._settings) as tables:
            found = _events(
                tables, Calibration, "1 ORDER BY occurred_at DESC", {}, limit=_CALIBRATIONS
            )
        return list(reversed(found))

    def pair(self, id_: str) -> PairHistory | None:
        """The pair of this id: of a comparison, a judgment of it, or a preference made of it."""
        with client(self._settings) as tables:
            comparison = _comparison(tables, id_)
            if comparison is None:
                return None
            judgments = _found(
                tables, Judgment, "comparison_id IN {ids:Array(String)}", [comparison.event_id]
            )
            made_of = [comparison.event_id, *(one.event_id for one in judgments)]
            from_these = "hasAny(source_ids, {ids:Array(String)})"
            sides = [comparison.a.candidate.completion_id, comparison.b.candidate.completion_id]
            return PairHistory(
                comparison=comparison,
                completions=_found(tables, Completion, "event_id IN {ids:Array(String)}", sides),
                verifications=_found(
                    tables,
                    Verification,
                    "event_id IN {ids:Array(String)}",
                    list(comparison.source_ids),
                ),
                judgments=judgments,
                preferences=_found(tables, Preference, from_these, made_of),
                discards=_found(tables, Discard, from_these, made_of),
                labels=_found(
                    tables, Label, "comparison_id IN {ids:Array(String)}", [comparison.event_id]
                ),
            )


def _comparison(tables: "Client", id_: str) -> Comparison | None:
    """By its own id, else as the source of the judgment or preference with this id."""
    for kind in (Comparison, Judgment, Preference):
        found = _events(tables, kind, "event_id = {id:String}", {"id": id_}, limit=1)
        match found:
            case [Comparison() as comparison]:
                return comparison
            case [Judgment() as judgment]:
                return judgment.comparison
            case [Preference() as preference]:
                sources = list(preference.source_ids)
                by_source = "event_id IN {ids:Array(String)}"
                for one in _found(tables, Judgment, by_source, sources):
                    return one.comparison
                for other in _found(tables, Comparison, by_source, sources):
                    return other
    return None


def _found(tables: "Client", kind: type[E], where: str, ids: list[str]) -> tuple[E, ...]:
    return tuple(_events(tables, kind, f"{where} ORDER BY occurred_at", {"ids": ids}))


def _events(
    tables: "Client",
    kind: type[E],
    where: str,
    parameters: dict[str, str] | dict[str, list[str]],
    limit: int = _PER_KIND,
) -> list[E]:
    from clickhouse_connect.driver.exceptions import ClickHouseError

    # The first offset wins, as everywhere.
    sql = f"SELECT event FROM {TOPICS[kind].replace('-', '_')}_first WHERE {where} LIMIT {limit}"
    try:
        rows = tables.query(sql, parameters=parameters).result_rows
    except ClickHouseError as error:
        raise DependencyDown(
            f"ClickHouse did not answer ({type(error).__name__}); see `prefstream status`",
            reason="unreachable",
        ) from None
    return [kind.model_validate_json(row[0]) for row in rows]

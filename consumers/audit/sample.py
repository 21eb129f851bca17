"""Which preferences people check: a random share, and those nearest the filter's threshold."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from schemas.events import Comparison, Judgment, Preference
from schemas.ids import unit_interval
from schemas.records import PreferenceSource, Record

Stratum = Literal["random", "threshold"]
AUDITED = (PreferenceSource.RLAIF, PreferenceSource.VERIFIER)
"""What machines decided; people's own rows need no second look."""


class AuditSettings(Record):
    """The ``audit`` section of pipeline.yaml."""

    share: float = Field(default=0.03, ge=0.02, le=0.05)
    """Of all preferences that machines decided, by a stable hash: what the error is measured on."""
    near_margin: float = Field(default=0.05, ge=0)
    """In log-odds: a margin this little above the filter's least is checked too."""
    seed: str = "audit"
    """Another one draws another share."""


@dataclass(frozen=True, kw_only=True)
class AuditItem:
    """A preference to be checked, as the comparison that people are asked about."""

    preference_id: str
    stratum: Stratum
    source: PreferenceSource
    chosen_is_a: bool
    comparison: Comparison


def stratum(preference: Preference, settings: AuditSettings, min_margin: float) -> Stratum | None:
    """Why the preference is checked; None where it is not. The random share goes before.

    ``min_margin`` is the filter's. Whether a preference is in the random share depends on its id
    alone, never on its margin, so that the share stands for all.
    """
    if preference.source not in AUDITED:
        return None
    if unit_interval(settings.seed, preference.event_id) < settings.share:
        return "random"
    if preference.margin is None or abs(preference.margin) >= min_margin + settings.near_margin:
        return None
    return "threshold"


def sampled(
    preferences: Iterable[Preference],
    settings: AuditSettings,
    min_margin: float,
) -> dict[str, tuple[Preference, Stratum]]:
    """The preferences to be checked, by the id of the judgment that each came from."""
    found: dict[str, tuple[Preference, Stratum]] = {}
    for one in preferences:
        why = stratum(one, settings, min_margin)
        if why is not None and one.source_ids:
            found.setdefault(one.source_ids[0], (one, why))
    return found


def items(
    chosen: dict[str, tuple[Preference, Stratum]], judgments: Iterable[Judgment]
) -> Iterator[AuditItem]:
    """The sampled preferences with what was compared; the order is that of ``judgments``."""
    told: set[str] = set()
    for judgment in judgments:
        if judgment.event_id not in chosen or judgment.event_id in told:
            continue
        told.add(judgment.event_id)
        preference, why = chosen[judgment.event_id]
        comparison = judgment.comparison
        yield AuditItem(
            preference_id=preference.event_id,
            stratum=why,
            source=preference.source,
            chosen_is_a=preference.chosen_id == comparison.a.candidate.completion_id,
            comparison=comparison,
        )

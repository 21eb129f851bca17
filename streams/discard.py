"""How a stage says that something goes no further."""

from collections.abc import Mapping, Sequence

from schemas.events import Discard, Event
from schemas.ids import derived_id


def discard(
    source: Event,
    stage: str,
    config_hash: str,
    reasons: Sequence[str],
    *,
    numbers: Mapping[str, float] | None = None,
    subject_ids: Sequence[str] = (),
    ordinal: int = 0,
) -> Discard:
    """A Discard of ``source`` (or of the parts named by ``subject_ids``) by ``stage``.

    The first reason is the one that accounting counts.
    """
    return Discard(
        event_id=derived_id("Discard", stage, [source.event_id], config_hash, ordinal),
        occurred_at=source.occurred_at,
        workload_id=source.workload_id,
        config_hash=config_hash,
        source_ids=(source.event_id,),
        stage=stage,
        reason=reasons[0],
        reasons=tuple(reasons),
        numbers=dict(numbers or {}),
        subject_ids=tuple(subject_ids),
    )

"""Accounting by ids: where every event that a stage took in has gone (design §1).

Every input id below the committed offset appears among the ``source_ids`` of the stage's outputs,
among those of its discards, or in its dead letters. It is checked by looking for each id, never by
subtracting counts: two errors that cancel out would close the sum.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from schemas.events import (
    TOPICS,
    CandidateSet,
    Comparison,
    DeadLetter,
    Discard,
    Event,
    Judgment,
    Preference,
    Verification,
)
from streams.local import LocalRun
from streams.topology import STAGE_INPUTS

STAGE_OUTPUTS: dict[str, type[Event]] = {
    "sample": CandidateSet,
    "verify": Verification,
    "pair": Comparison,
    "judge": Judgment,
    "filter": Preference,
}
"""What a stage makes of what it passes on."""

STAGES = tuple(STAGE_INPUTS)
"""The stages that have accounts, in the order events pass them."""

# Enough to look them up by; a million missing ids say no more than these.
SHOWN_MISSING = 20


@dataclass(frozen=True, kw_only=True)
class Discarded:
    """One discard: why, and of what."""

    reason: str
    source_ids: Collection[str]


@dataclass(frozen=True, kw_only=True)
class StageFlow:
    """What went into one stage and what it made.

    ``taken`` holds the ids below the committed offset; a message that is no event has the id
    ``place(...)``. ``outputs`` maps an output's id to its source ids, ``discards`` a discard's id
    to what it says. ``dead_lettered`` holds ids and places that the stage's own dead letters name.
    """

    stage: str
    taken: Collection[str]
    outputs: Mapping[str, Collection[str]]
    discards: Mapping[str, Discarded]
    dead_lettered: Collection[str]
    pending: int


class StageAccount(BaseModel):
    """The account of one stage. ``taken`` and ``out`` count ids, ``discarded`` discards by their
    first reason, ``dead_lettered`` inputs. ``missing`` shows the first of the ids that no output,
    discard or dead letter names; ``missing_count`` is how many there are."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    stage: str
    taken: int = Field(alias="in")
    out: int
    discarded: dict[str, int]
    dead_lettered: int
    pending: int
    missing: tuple[str, ...]
    missing_count: int
    closed: bool


class Accounts(BaseModel):
    """All stages, in the order events pass them; closed where every one is."""

    model_config = ConfigDict(frozen=True)

    closed: bool
    stages: dict[str, StageAccount]


def close_accounts(flows: Iterable[StageFlow]) -> Accounts:
    """The accounts of these stages."""
    stages = {flow.stage: _close(flow) for flow in flows}
    return Accounts(closed=all(account.closed for account in stages.values()), stages=stages)


def place(topic: str, partition: int, offset: int) -> str:
    """The id that a message without one has in the accounts."""
    return f"{topic}:{partition}:{offset}"


def flows_of_run(run: LocalRun) -> list[StageFlow]:
    """What went through the stages of an in-process run; nothing is pending after it."""
    return [_flow_of_run(run, stage, taken) for stage, taken in run.taken.items()]


def _close(flow: StageFlow) -> StageAccount:
    taken = set(flow.taken)
    dead = taken & set(flow.dead_lettered)
    found = set(dead)
    out = 0
    for sources in flow.outputs.values():
        ours = taken.intersection(sources)
        found |= ours
        out += bool(ours)
    reasons: Counter[str] = Counter()
    for discarded in flow.discards.values():
        ours = taken.intersection(discarded.source_ids)
        found |= ours
        reasons[discarded.reason] += bool(ours)
    missing = sorted(taken - found)
    return StageAccount(
        stage=flow.stage,
        taken=len(taken),
        out=out,
        discarded={reason: n for reason, n in reasons.most_common() if n},
        dead_lettered=len(dead),
        pending=flow.pending,
        missing=tuple(missing[:SHOWN_MISSING]),
        missing_count=len(missing),
        closed=not missing,
    )


def _flow_of_run(run: LocalRun, stage: str, taken: Sequence[str]) -> StageFlow:
    made: Sequence[Event] = run.outputs.get(TOPICS[STAGE_OUTPUTS[stage]], ())
    discards = run.outputs.get(TOPICS[Discard], ())
    return StageFlow(
        stage=stage,
        taken=taken,
        outputs={event.event_id: event.source_ids for event in made},
        discards={
            event.event_id: Discarded(reason=event.reason, source_ids=event.source_ids)
            for event in discards
            if isinstance(event, Discard) and event.stage == stage
        },
        dead_lettered=[
            source
            for letter in run.dead_letters
            if letter.stage == stage
            for source in _dead(letter, taken)
        ],
        pending=0,
    )


def _dead(letter: DeadLetter, taken: Sequence[str]) -> Sequence[str]:
    # In a local run a dead letter's offset is the order of arrival at its stage.
    return letter.source_ids or (taken[letter.offset],)

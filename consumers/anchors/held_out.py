"""The prompts that measure something, and so are never trained on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from consumers.anchors.near_duplicates import asked, near_duplicates
from consumers.calibration.splits import Split, SplitShares, split_of
from infra.topic_log import EventLog
from schemas.events import Comparison, Label, Messages
from schemas.records import LabelRole, Purpose

_MEASURING = (Purpose.ANCHOR, Purpose.PROBE)


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """``measured`` prompts are anchors of the calibration and holdout splits; ``repeated`` ones
    ask nearly the same: by prompt id, the id of the anchor's prompt.
    """

    measured: frozenset[str]
    repeated: dict[str, str]

    @property
    def prompt_ids(self) -> frozenset[str]:
        """All that may not be trained on."""
        return self.measured | self.repeated.keys()


class Asked(Protocol):
    """Whatever asks a prompt: a preference, or a row of one that is on disk."""

    @property
    def prompt_id(self) -> str: ...

    @property
    def prompt(self) -> Messages: ...


class Measuring(Protocol):
    """A prompt that measures, whatever the log says."""

    @property
    def prompt_id(self) -> str: ...

    @property
    def messages(self) -> Messages: ...


def held_out(
    log: EventLog,
    shares: SplitShares,
    rows: Iterable[Asked] = (),
    prompts: Iterable[Measuring] = (),
) -> HeldOut:
    """What measures, of the log and of ``prompts``, and which of ``rows`` nearly repeat it.

    Core anchors are the human rows themselves, so they are free; audits label what is trained on.
    Raises ``DependencyDown`` where Kafka is away.
    """
    measured = {
        label.prompt_id
        for label in log.events(Label)
        if label.role is not LabelRole.AUDIT and not _is_core(label.prompt_id, shares)
    }
    texts = {
        one.prompt_id: asked(one.messages)
        for one in log.events(Comparison)
        if one.prompt_id in measured
        or (one.purpose in _MEASURING and not _is_core(one.prompt_id, shares))
    }
    texts |= _texts(prompts)
    measured |= texts.keys()
    others = (row for row in rows if row.prompt_id not in measured)
    return HeldOut(measured=frozenset(measured), repeated=_repeated(texts, others))


def repeating(rows: Sequence[Asked], prompts: Iterable[Measuring]) -> frozenset[str]:
    """The ids of the rows' prompts that are one of ``prompts``, or nearly."""
    texts = _texts(prompts)
    same = texts.keys() & {row.prompt_id for row in rows}
    return frozenset(same | _repeated(texts, rows).keys())


def _texts(prompts: Iterable[Measuring]) -> dict[str, str]:
    return {one.prompt_id: asked(one.messages) for one in prompts}


def _repeated(texts: Mapping[str, str], rows: Iterable[Asked]) -> dict[str, str]:
    return near_duplicates(texts, ((row.prompt_id, asked(row.prompt)) for row in rows))


def _is_core(prompt_id: str, shares: SplitShares) -> bool:
    return split_of(prompt_id, shares) is Split.CORE

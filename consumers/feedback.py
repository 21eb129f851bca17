"""Thumbs and edits into baseline pairs: what a team without a judge would train on.

A batch job over a range of the log: grouping is in memory, nothing is kept between runs.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

from pydantic import Field

from schemas.events import Completion, Event, Feedback, Preference, latest
from schemas.ids import config_hash, derived_id, unit_interval
from schemas.records import FeedbackKind, Message, PreferenceSource, Record

E = TypeVar("E", bound=Event)

STAGE = "feedback"


class FeedbackSettings(Record):
    """``max_pairs_per_prompt`` bounds the pairs of thumbs; every edit is a pair of its own."""

    max_pairs_per_prompt: int = Field(default=3, ge=1)
    seed: str = "feedback"


@dataclass(frozen=True, kw_only=True)
class _Rated:
    """A completion with its people's thumbs summed up."""

    completion: Completion
    thumbs: tuple[Feedback, ...]

    @property
    def net(self) -> float:
        return sum(thumb.value for thumb in self.thumbs)


def thumb_pairs(
    completions: Iterable[Completion], feedback: Iterable[Feedback], settings: FeedbackSettings
) -> list[Preference]:
    """Pairs of a thumbs-up answer over a thumbs-down answer of the same prompt (source THUMBS).

    An answer is up or down by the sum of its thumbs, of which each person has one (the last; a
    thumb without a person counts by itself). Of a prompt's pairs the first ``max_pairs_per_prompt``
    by a stable hash are taken, whatever order the events come in.
    """
    answers = _first(completions)
    by_prompt: defaultdict[str, list[_Rated]] = defaultdict(list)
    for completion_id, thumbs in sorted(_standing_thumbs(feedback).items()):
        if completion_id in answers:
            completion = answers[completion_id]
            by_prompt[completion.prompt_id].append(_Rated(completion=completion, thumbs=thumbs))
    hash_ = config_hash(settings, STAGE)
    pairs = []
    for rated in by_prompt.values():
        for up, down in _pairs(rated, settings):
            thumbs = (*up.thumbs, *down.thumbs)
            pairs.append(
                _preference(
                    up.completion,
                    up.completion.output,
                    down.completion,
                    thumbs,
                    PreferenceSource.THUMBS,
                    hash_,
                )
            )
    return pairs


def edit_pairs(
    completions: Iterable[Completion], feedback: Iterable[Feedback], settings: FeedbackSettings
) -> list[Preference]:
    """A pair of every edited answer (the edit's comment) over what the model wrote (HUMAN)."""
    answers = _first(completions)
    hash_ = config_hash(settings, STAGE)
    edits = [edit for edit in _first(feedback).values() if edit.kind is FeedbackKind.EDIT]
    pairs = []
    for edit in edits:
        original = answers.get(edit.completion_id)
        text = edit.comment or ""
        if original is None or not text.strip() or _same(text, original.output):
            continue
        pairs.append(
            _preference(
                original, text, original, (edit,), PreferenceSource.HUMAN, hash_
            ).model_copy(update={"chosen_id": edit.event_id})
        )
    return pairs


def _first(events: Iterable[E]) -> dict[str, E]:
    """Events by id; of an event seen twice the first counts, as everywhere."""
    first: dict[str, E] = {}
    for event in events:
        first.setdefault(event.event_id, event)
    return first


def _standing_thumbs(feedback: Iterable[Feedback]) -> dict[str, tuple[Feedback, ...]]:
    """The thumbs that count, by completion: the last of each person."""
    thumbs = [one for one in _first(feedback).values() if one.kind is FeedbackKind.THUMB]
    standing: defaultdict[str, dict[str, Feedback]] = defaultdict(dict)
    for thumb in sorted(thumbs, key=lambda one: (one.occurred_at, one.event_id)):
        standing[thumb.completion_id][thumb.user_hash or thumb.event_id] = thumb
    return {completion_id: tuple(by.values()) for completion_id, by in standing.items()}


def _pairs(rated: Sequence[_Rated], settings: FeedbackSettings) -> list[tuple[_Rated, _Rated]]:
    ups = [one for one in rated if one.net > 0]
    downs = [one for one in rated if one.net < 0]
    pairs = [
        (up, down)
        for up, down in product(ups, downs)
        if not _same(up.completion.output, down.completion.output)
    ]
    pairs.sort(
        key=lambda pair: unit_interval(
            settings.seed, pair[0].completion.event_id, pair[1].completion.event_id
        )
    )
    return pairs[: settings.max_pairs_per_prompt]


def _same(one: str, other: str) -> bool:
    return one.split() == other.split()


def _preference(
    chosen: Completion,
    chosen_text: str,
    rejected: Completion,
    feedback: Sequence[Feedback],
    source: PreferenceSource,
    hash_: str,
) -> Preference:
    completions = dict.fromkeys((chosen.event_id, rejected.event_id))
    sources = (*completions, *(one.event_id for one in feedback))
    return Preference(
        event_id=derived_id("Preference", STAGE, sources, hash_),
        occurred_at=latest(
            chosen.occurred_at, rejected.occurred_at, *(one.occurred_at for one in feedback)
        ),
        workload_id=chosen.workload_id,
        config_hash=hash_,
        source_ids=sources,
        prompt_id=chosen.prompt_id,
        prompt=chosen.messages,
        chosen=(Message(role="assistant", content=chosen_text),),
        rejected=(Message(role="assistant", content=rejected.output),),
        chosen_id=chosen.event_id,
        rejected_id=rejected.event_id,
        source=source,
        rubric_version="",
        teacher_model="",
        judge_config_hash="",
        chosen_length=len(chosen_text),
        rejected_length=len(rejected.output),
        slice=chosen.slice,
    )

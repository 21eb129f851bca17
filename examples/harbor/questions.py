"""Natural-language questions with golden SQL, split by template combination.

A combination is a template with its filters. Its split is a stable hash of it, so all phrasings
of one golden query stay on one side, and nothing that a model learned from can be a benchmark
question in other words.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations, product
from typing import Final, Literal, get_args

from consumers.calibration.splits import Split as LabelledSplit
from examples.harbor.dice import dice, digest, unit
from examples.harbor.prompts import labelled_split
from examples.harbor.templates import TEMPLATES, Template
from examples.harbor.vocabulary import ALIAS, PHRASES, VALUES

Split = Literal["train", "dev", "anchors", "core", "benchmark"]
SPLITS: Final[tuple[Split, ...]] = get_args(Split)

# Upper ends of each stretch of [0, 1). "dev" tunes the example; "benchmark" is locked. What
# people label is one stretch, parted by the hash of the prompt as calibration parts its anchors.
_Stretch = Literal["train", "dev", "labelled", "benchmark"]
_STRETCHES: Final[tuple[tuple[_Stretch, float], ...]] = (
    ("train", 0.38),
    ("dev", 0.48),
    ("labelled", 0.87),
    ("benchmark", 1.0),
)

# Only answers to train questions are learned, so only there do more phrasings teach something.
# One phrasing elsewhere also keeps a combination on one side of every split by prompt.
_TRAIN_PHRASINGS: Final = 2
_COMBINATIONS_PER_TEMPLATE: Final = 160
_MAX_FILTERS: Final = 3


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question, its golden SQL, and the (column, value) filters in the order of that SQL."""

    id: str
    template: str
    text: str
    sql: str
    filters: tuple[tuple[str, str], ...]
    does: str
    slice: str
    split: Split


@cache
def questions(split: Split) -> tuple[Question, ...]:
    """All questions of a split, in an order that is stable and mixes the templates."""
    return tuple(question for question in _all() if question.split == split)


@cache
def _all() -> tuple[Question, ...]:
    made = (question for template in TEMPLATES for question in _of(template))
    return tuple(sorted(made, key=lambda question: question.id))


def _of(template: Template) -> Iterator[Question]:
    for filters in _combinations(template):
        stretch = _stretch_of(template.name, filters)
        for text in _phrasings(template, filters, _TRAIN_PHRASINGS if stretch == "train" else 1):
            yield Question(
                id=f"{digest('question', text):016x}",
                template=template.name,
                text=text,
                sql=template.sql(filters),
                filters=tuple((name, filters[name]) for name in ALIAS if name in filters),
                does=template.does,
                slice=template.slice,
                split=_split(stretch, text),
            )


def _stretch_of(template: str, filters: Mapping[str, str]) -> _Stretch:
    place = unit("split", template, sorted(filters.items()))
    return next(stretch for stretch, end in _STRETCHES if place < end)


def _split(stretch: _Stretch, text: str) -> Split:
    if stretch == "labelled":
        return "core" if labelled_split(text) is LabelledSplit.CORE else "anchors"
    return stretch


def _combinations(template: Template) -> list[dict[str, str]]:
    """The template's filter combinations, thinned to a number that is equal for big templates."""
    found: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
    for first in product(*template.must):
        spare = [name for name in template.may if name not in first]
        for more in range(_MAX_FILTERS - len(first) + 1):
            for others in combinations(spare, more):
                columns = first + others
                for values in product(*(VALUES[name] for name in columns)):
                    filters = dict(zip(columns, values, strict=True))
                    found[tuple(sorted(filters.items()))] = filters
    kept = sorted(found, key=lambda items: digest("keep", template.name, items))
    return [found[items] for items in kept[:_COMBINATIONS_PER_TEMPLATE]]


def _phrasings(template: Template, filters: Mapping[str, str], count: int) -> list[str]:
    draw = dice("phrasing", template.name, sorted(filters.items()))
    texts: list[str] = []
    for ask in draw.sample(template.asks, count):
        columns = [name for name in ALIAS if name in filters]
        if draw.random() < 0.5:
            draw.shuffle(columns)
        phrases = (draw.choice(PHRASES[name]).format(v=filters[name]) for name in columns)
        texts.append(ask.format(f=" ".join(phrases)))
    return texts

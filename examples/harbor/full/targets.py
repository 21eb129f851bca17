"""What the story is expected to show, beside what it showed. Pure."""

from collections.abc import Callable, Mapping, Sequence

from examples.harbor.full.cost import Bill
from examples.harbor.full.labelled import LabelledRound
from examples.harbor.full.policies import Name
from examples.harbor.full.spread import Spread
from schemas.records import Record


class Target(Record):
    """``value`` is to be at least ``wanted`` (at most, where ``at_most``); None: not measured.

    Both are shares, or a number that is none, as kappa.
    """

    title: str
    wanted: float
    value: float | None
    at_most: bool = False
    is_share: bool = True

    @property
    def met(self) -> bool:
        """Whether it was reached."""
        if self.value is None:
            return False
        return self.value <= self.wanted if self.at_most else self.value >= self.wanted


def targets(
    policies: Mapping[Name, Spread], rounds: Sequence[LabelledRound], bill: Bill
) -> tuple[Target, ...]:
    """In the order they are shown; shares are out of 1."""

    def above(one: Name, other: Name) -> float | None:
        if one not in policies or other not in policies:
            return None
        return policies[one].mean - policies[other].mean

    sft, first = policies.get(Name.SFT), policies.get(Name.RLAIF_1)
    kappas = [one.calibration.kappa if one.calibration else None for one in rounds]
    wrong = [one.chosen_wrong.value for one in rounds]
    return (
        Target(title="production above thumbs", wanted=0.09, value=above(Name.SFT, Name.THUMBS)),
        Target(
            title="preferences above production", wanted=0.04, value=above(Name.RLAIF_1, Name.SFT)
        ),
        Target(
            title="preferences above thumbs", wanted=0.11, value=above(Name.RLAIF_1, Name.THUMBS)
        ),
        Target(
            title="shorter than production",
            wanted=0.18,
            value=1 - first.median_length / sft.median_length if sft and first else None,
        ),
        Target(
            title="chosen but wrong, the worse round",
            wanted=0.06,
            value=_worse(max, wrong),
            at_most=True,
        ),
        Target(
            title="kappa, the worse round",
            wanted=0.78,
            value=_worse(min, kappas),
            is_share=False,
        ),
        Target(title="round 2 above round 1", wanted=0.0, value=above(Name.RLAIF_2, Name.RLAIF_1)),
        Target(title="labelling cost saved, this run's bill", wanted=0.85, value=bill.saving),
        Target(
            title="labelling cost saved, each further pair",
            wanted=0.85,
            value=bill.marginal_saving,
        ),
    )


def _worse(
    worst: Callable[[Sequence[float]], float], values: Sequence[float | None]
) -> float | None:
    """The worst of the rounds; None where one of them was not measured."""
    known = [value for value in values if value is not None]
    return worst(known) if known and len(known) == len(values) else None

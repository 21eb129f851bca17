"""What labelling costs at stated prices: people for every pair, or for anchors only. Pure."""

from math import ceil

from pydantic import Field

from schemas.records import Record

_MILLION = 1_000_000


class Prices(Record):
    """Assumptions, in US dollars; nobody was paid: people are simulated, models the example's own.

    A label is one person's verdict on one comparison: one minute of an analyst at 30 dollars an
    hour. Token prices are those of a small hosted model; answers and verdicts are bought by them.
    """

    label_usd: float = Field(default=0.50, gt=0)
    input_million_usd: float = Field(default=0.15, ge=0)
    output_million_usd: float = Field(default=0.60, ge=0)


class Labelling(Record):
    """What was bought: people's labels, and the tokens of samples and verdicts.

    ``anchor_labels`` and ``core_labels`` are bought once, however many pairs follow: adjudications
    are counted among them. ``machine_pairs`` are those that no person labelled; core rows are in
    the dataset beside them.
    """

    machine_pairs: int
    anchor_labels: int
    core_labels: int
    input_tokens: int
    output_tokens: int
    labels_per_pair: float = 2.0
    """Of a pair labelled by people: two, and the share of adjudications among anchors."""


class Bill(Record):
    """In US dollars, of the same dataset labelled by people alone and by prefstream.

    Core rows are people's in both. ``saving`` is 1 − ours / people's; ``pairs_for_target``, the
    machine-labelled pairs from which on it is ``target``, is None if it never is.
    """

    people_usd: float
    core_usd: float
    anchors_usd: float
    machine_usd: float
    per_pair_people_usd: float
    per_pair_machine_usd: float
    saving: float
    marginal_saving: float
    target: float
    pairs_for_target: int | None

    @property
    def ours_usd(self) -> float:
        """What the dataset cost: anchors, core rows, samples and verdicts."""
        return self.core_usd + self.anchors_usd + self.machine_usd

    def people_at(self, pairs: int) -> float:
        """What people would cost who labelled this many pairs beside the core rows."""
        return self.core_usd + pairs * self.per_pair_people_usd

    def ours_at(self, pairs: int) -> float:
        """What this many pairs cost with the labels of anchors and core rows."""
        return self.core_usd + self.anchors_usd + pairs * self.per_pair_machine_usd


def bill(bought: Labelling, prices: Prices, target: float = 0.85) -> Bill:
    """Raises ``ValueError`` where no pair was made: then nothing has a price by the pair."""
    if not bought.machine_pairs:
        raise ValueError("no machine-labelled pair, so nothing to price")
    per_people = bought.labels_per_pair * prices.label_usd
    machine = (
        bought.input_tokens * prices.input_million_usd
        + bought.output_tokens * prices.output_million_usd
    ) / _MILLION
    per_machine = machine / bought.machine_pairs
    core = bought.core_labels * prices.label_usd
    anchors = bought.anchor_labels * prices.label_usd
    people = core + bought.machine_pairs * per_people
    room = (1 - target) * per_people - per_machine
    return Bill(
        people_usd=people,
        core_usd=core,
        anchors_usd=anchors,
        machine_usd=machine,
        per_pair_people_usd=per_people,
        per_pair_machine_usd=per_machine,
        saving=1 - (core + anchors + machine) / people,
        marginal_saving=1 - per_machine / per_people,
        target=target,
        pairs_for_target=ceil((target * core + anchors) / room) if room > 0 else None,
    )

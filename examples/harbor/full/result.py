"""What the whole story found: the last line of `prefstream demo --full --json`."""

from examples.harbor.demo.result import AccountingFigures
from examples.harbor.full.cells import Cell
from examples.harbor.full.cost import Bill, Prices
from examples.harbor.full.labelled import LabelledRound
from examples.harbor.full.policies import Name
from examples.harbor.full.spread import Spread
from examples.harbor.full.targets import Target
from schemas.records import Record
from trainer.anchor_wins import AnchorWins


class MeasuredWins(Record):
    """The wins of the policy that ``made_of`` stands for; None where there is no policy."""

    made_of: str
    wins: AnchorWins | None


class FullResult(Record):
    """A policy that the gate refused is in ``cells`` only. ``last_wins`` are of round 2's policy.

    ``seconds`` are of this call alone; what an earlier one made and kept took its own.
    """

    seeds: tuple[int, ...]
    policies: dict[Name, Spread]
    cells: tuple[Cell, ...]
    rounds: tuple[LabelledRound, ...]
    last_wins: AnchorWins | None
    prices: Prices
    bill: Bill
    targets: tuple[Target, ...]
    accounting: AccountingFigures
    seconds: float

"""Does the judge rank the models as people do? Win rates of each, and how they go together."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from scipy.stats import pearsonr, spearmanr

from schemas.records import Record

LEAST_MODELS = 3
_A_WINS = frozenset({"a", "model_a"})
_B_WINS = frozenset({"b", "model_b"})


@dataclass(frozen=True, kw_only=True)
class Battle:
    """Two models on one prompt; labels are A, B, model_a, model_b, anything else a tie."""

    model_a: str
    model_b: str
    human: str
    judge: str


class WinRate(Record):
    """Share of its battles that a model wins, a tie counting half."""

    human: float
    judge: float
    n: int


class WinRates(Record):
    """``pearson`` and ``spearman`` are of the two win rates over the models; ``undefined`` says why
    there is none. Rates of one set of battles depend on each other, so there is no interval.
    """

    models: dict[str, WinRate]
    pearson: float | None
    spearman: float | None
    undefined: str | None = None


def win_rates(battles: Iterable[Battle]) -> WinRates:
    """The win rates of every model; a model against itself says nothing and is left out."""
    human: defaultdict[str, list[float]] = defaultdict(list)
    judge: defaultdict[str, list[float]] = defaultdict(list)
    for battle in battles:
        if battle.model_a == battle.model_b:
            continue
        for said, rates in ((battle.human, human), (battle.judge, judge)):
            won = _score(said)
            rates[battle.model_a].append(won)
            rates[battle.model_b].append(1 - won)
    models = {
        name: WinRate(
            human=sum(human[name]) / len(human[name]),
            judge=sum(judge[name]) / len(judge[name]),
            n=len(human[name]),
        )
        for name in sorted(human)
    }
    why = _undefined(models)
    if why is not None:
        return WinRates(models=models, pearson=None, spearman=None, undefined=why)
    pairs = [one.human for one in models.values()], [one.judge for one in models.values()]
    return WinRates(
        models=models,
        pearson=float(pearsonr(*pairs).statistic),
        spearman=float(spearmanr(*pairs).statistic),
    )


def _undefined(models: dict[str, WinRate]) -> str | None:
    if len(models) < LEAST_MODELS:
        return f"{len(models)} models were compared; a correlation needs {LEAST_MODELS} or more"
    for who in ("human", "judge"):
        if len({round(getattr(one, who), 12) for one in models.values()}) == 1:
            return f"by the {who} labels all models win alike, so there is nothing to correlate"
    return None


def _score(label: str) -> float:
    said = label.casefold()
    return 1.0 if said in _A_WINS else 0.0 if said in _B_WINS else 0.5

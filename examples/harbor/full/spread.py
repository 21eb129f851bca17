"""What several seeds of one policy come to. Pure."""

from collections.abc import Sequence
from statistics import fmean, stdev

from schemas.interval import wilson
from schemas.records import Record
from trainer.evaluate import Evaluation


class Spread(Record):
    """Accuracy over seeds: their mean, standard deviation (None for one seed), least and most.

    ``low`` and ``high`` are Wilson's 95 % interval of the mean over the ``n`` benchmark questions:
    another seed is not another question, so more seeds do not make it narrower.
    """

    seeds: int
    n: int
    mean: float
    deviation: float | None
    least: float
    most: float
    low: float
    high: float
    median_length: float
    train_seconds: float


def spread(evaluations: Sequence[Evaluation], train_seconds: Sequence[float]) -> Spread:
    """Over the seeds of one policy, all asked the same questions.

    Raises ``ValueError`` for no evaluation, or where seeds were asked different numbers of them.
    """
    sizes = {one.accuracy.n for one in evaluations}
    if len(sizes) != 1:
        raise ValueError(f"seeds must answer the same questions, not {sorted(sizes)} of them")
    n = sizes.pop()
    shares = [one.accuracy.count / n if n else 0.0 for one in evaluations]
    mean = fmean(shares)
    interval = wilson(round(mean * n), n)
    return Spread(
        seeds=len(shares),
        n=n,
        mean=mean,
        deviation=stdev(shares) if len(shares) > 1 else None,
        least=min(shares),
        most=max(shares),
        low=interval.low,
        high=interval.high,
        median_length=fmean(one.median_length for one in evaluations),
        train_seconds=fmean(train_seconds),
    )

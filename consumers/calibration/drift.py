"""Has the judge changed since it was calibrated? By probes in live traffic. Pure.

A probe is an anchor that is judged again among the traffic. Agreement with its human label is a
coin whose bias the calibration measured; a cumulative sum (Page 1954) notices when the coin is
another one, soon after a large change and later after a small one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import log

from schemas.errors import ConfigError

FALSE_ALARM_PROBES = 1000
"""At least so many probes lie on average between false alarms of a judge that did not change."""


@dataclass(frozen=True, kw_only=True)
class Cusum:
    """Where the sum stands. ``alarm_at`` is the probe, from 1, at which it first crossed ``limit``;
    ``began_at`` the one from which the evidence counts: about when the change happened.
    """

    sum: float
    limit: float
    probes: int
    disagreements: int
    alarm_at: int | None = None
    began_at: int | None = None


def cusum(
    agreed: Iterable[bool],
    calibrated: float,
    unacceptable: float,
    false_alarm_probes: int = FALSE_ALARM_PROBES,
) -> Cusum:
    """The sum over probes in the order of time.

    Each adds log P(it | ``unacceptable``) − log P(it | ``calibrated``), both shares of agreement,
    and the sum never falls below 0. The limit log(``false_alarm_probes``) makes that a lower bound
    of the mean number of probes to a false alarm (Lorden 1971). Raises ``ConfigError`` unless
    0 < unacceptable < calibrated < 1.
    """
    if not 0 < unacceptable < calibrated < 1:
        raise ConfigError(
            f"drift is watched between two shares of agreement, 0 < {unacceptable:g} (unacceptable)"
            f" < {calibrated:g} (calibrated) < 1; a judge below the first needs calibrating anew"
        )
    if false_alarm_probes < 2:
        raise ConfigError(
            f"{false_alarm_probes} probes to a false alarm are too few; give 2 or more"
        )
    limit = log(false_alarm_probes)
    on_agreement = log(unacceptable / calibrated)
    on_disagreement = log((1 - unacceptable) / (1 - calibrated))
    total, start, number, wrong = 0.0, 1, 0, 0
    alarm_at = began_at = None
    for number, agrees in enumerate(agreed, 1):
        wrong += not agrees
        if total == 0.0:
            start = number
        total = max(0.0, total + (on_agreement if agrees else on_disagreement))
        if alarm_at is None and total >= limit:
            alarm_at, began_at = number, start
    return Cusum(
        sum=total,
        limit=limit,
        probes=number,
        disagreements=wrong,
        alarm_at=alarm_at,
        began_at=began_at,
    )


def agreement_of_kappa(kappa: float, expected: float = 0.5) -> float:
    """The share of agreement of a judge of this kappa; by chance alone it would be ``expected``."""
    return kappa * (1 - expected) + expected

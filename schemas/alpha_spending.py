"""What each further look at growing data may spend of the error that was agreed on.

Held against the same threshold after every new batch of anchors, a bad judge passes at last: five
looks at 5 % are not a 5 % test. Spending alpha over looks goes back to Lan and DeMets, Biometrika
70 (1983). Their usual boundaries (O'Brien and Fleming's, Pocock's) need the final number of
anchors in advance, and nobody knows that here. By the union bound any weights that sum to one keep
the sum of all errors below alpha, however the looks depend on each other and however many there
are. Weights of 6 / (π² k²) do (their sum is Euler's), and fall slowly: the tenth look still has a
bound of 3.4 standard errors.
"""

from math import pi

ALPHA = 0.05
"""One-sided: the chance that a judge of exactly the threshold ever passes."""


def spent_alpha(look: int, alpha: float = ALPHA) -> float:
    """The level of look number ``look`` (1, 2, …): alpha · 6 / (π² look²).

    Raises ``ValueError`` for a look below 1.
    """
    if look < 1:
        raise ValueError(f"looks are counted from 1, not {look}")
    return alpha * 6 / (pi * look) ** 2

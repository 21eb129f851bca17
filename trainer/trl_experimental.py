"""The one place that imports from ``trl.experimental``, which promises no stable interface.

TRL is pinned; look here first when the pin moves.
"""

import warnings

with warnings.catch_warnings():
    # That they are experimental is said above, to whom it concerns.
    warnings.filterwarnings("ignore", message=".*trl.experimental")
    from trl.experimental.cpo import CPOConfig, CPOTrainer
    from trl.experimental.orpo import ORPOConfig, ORPOTrainer

__all__ = ["CPOConfig", "CPOTrainer", "ORPOConfig", "ORPOTrainer"]

"""Whether a training computes in bfloat16."""

from typing import Literal

from schemas.errors import ConfigError
from streams.inference.device import compute_device, has_bfloat16


def computes_in_bfloat16(precision: Literal["auto", "float32", "bfloat16"]) -> bool:
    """Raises ``ConfigError`` where bfloat16 is asked for and the hardware has none."""
    if precision == "float32":
        return False
    device = compute_device()
    if precision == "auto" and device == "cpu":
        return False
    has_it = has_bfloat16(device)
    if precision == "bfloat16" and not has_it:
        raise ConfigError("precision: bfloat16 is nothing this hardware has; set float32 or auto")
    return has_it

"""Whether a training computes in bfloat16."""

import re
from pathlib import Path
from typing import Literal

from schemas.errors import ConfigError

# Without them bfloat16 is emulated, many times slower than float32.
_CPU_FLAGS = re.compile(r"\b(avx512_bf16|amx_bf16)\b")
_CPU_INFO = Path("/proc/cpuinfo")


def computes_in_bfloat16(precision: Literal["auto", "float32", "bfloat16"]) -> bool:
    """Raises ``ConfigError`` where bfloat16 is asked for and the hardware has none."""
    import torch

    if precision == "float32":
        return False
    if torch.cuda.is_available():
        has_it = bool(torch.cuda.is_bf16_supported())
    else:
        has_it = precision == "bfloat16" and _cpu_has_bfloat16()
    if precision == "bfloat16" and not has_it:
        raise ConfigError("precision: bfloat16 is nothing this hardware has; set float32 or auto")
    return has_it


def _cpu_has_bfloat16() -> bool:
    try:
        return bool(_CPU_FLAGS.search(_CPU_INFO.read_text(encoding="ascii", errors="replace")))
    except OSError:
        return False

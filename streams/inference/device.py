"""Where models of this process compute: on the graphics card where there is one."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from infra.settings import AskedDevice, Settings
from schemas.errors import ConfigError, Fatal

Device = Literal["cpu", "cuda"]
"""As torch calls them; of several cards ``cuda`` is the one that is current in the process."""

# Without these units bfloat16 is emulated, many times slower than float32.
_BFLOAT16_FLAGS: Final = re.compile(r"\b(avx512_bf16|amx_bf16)\b")
_CPU_INFO: Final = Path("/proc/cpuinfo")
# As torch, the driver (of a card that others fill) and cuBLAS say it; their classes differ.
_NO_MEMORY: Final = (
    "CUDA out of memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
)


def compute_device(settings: Settings | None = None) -> Device:
    """The device that the settings ask for; without any, those of the environment.

    Raises ``ConfigError`` where they ask for a card and torch can use none.
    """
    import torch

    return chosen((settings or Settings()).device, cuda=torch.cuda.is_available())


def chosen(asked: AskedDevice, *, cuda: bool) -> Device:
    """The device to use where there is a card (``cuda``) or none; see ``compute_device``."""
    if asked == "cuda" and not cuda:
        raise ConfigError(
            "PREFSTREAM_DEVICE=cuda, and torch can use no graphics card here; look at what "
            "`nvidia-smi` and `python -c 'import torch; print(torch.version.cuda)'` say, or set it "
            "to auto or cpu"
        )
    if asked == "auto":
        return "cuda" if cuda else "cpu"
    return asked


def has_bfloat16(device: Device) -> bool:
    """Whether the device has units for bfloat16."""
    if device == "cuda":
        import torch

        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    try:
        return bool(_BFLOAT16_FLAGS.search(_CPU_INFO.read_text(encoding="ascii", errors="replace")))
    except OSError:  # not Linux: float32 is always right
        return False


@contextmanager
def a_full_card_is_fatal(what: str, remedy: str) -> Iterator[None]:
    """Raises ``Fatal`` where what is done inside finds no memory on the graphics card."""
    try:
        yield
    except RuntimeError as error:
        if not any(text in str(error) for text in _NO_MEMORY):
            raise
        raise Fatal(
            f"{what}: the graphics card has no memory left ({str(error).splitlines()[0]}); "
            f"{remedy}, end what else uses the card, or set PREFSTREAM_DEVICE=cpu"
        ) from error

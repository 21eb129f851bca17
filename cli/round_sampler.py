"""Who runs the policies of the rounds: transformers in this process, or vLLM."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from infra.settings import Settings
from infra.vllm import installed
from schemas.errors import ConfigError
from streams.inference.vllm_model import VllmModel
from trainer.fresh_sets import LocalModel, OpenPolicy, in_process

if TYPE_CHECKING:
    from cli.rounds import Sampler


def open_policy(
    sampler: "Sampler", options: str, out: Path, tell: Callable[[str], None]
) -> OpenPolicy:
    """How a policy's folder is opened; vLLM gets ``options``, as a shell splits them.

    The servers' logs are in ``out``/logs. Raises ``ConfigError`` where vLLM is not installed.
    """
    if sampler == "in-process":
        if options:
            raise ConfigError("--vllm-options need --sampler vllm; add it, or leave them out")
        return in_process
    try:
        split = shlex.split(options)
    except ValueError as error:
        raise ConfigError(
            f"--vllm-options {options!r}: {error}; quote them as in a shell"
        ) from None
    settings = Settings(data_dir=out)
    installed(settings)

    def served(folder: Path) -> LocalModel:
        tell(f"starting vLLM to serve {folder}")
        return VllmModel(folder, settings, split)

    return served

"""vLLM in an environment of its own: its dependencies conflict with those of the stages.

PREFSTREAM_VLLM_PYTHON names one that is there, such as one for a graphics card; ``install`` makes
one for the CPU, whose packages stand with their hashes in vllm/requirements.lock. They are made of
requirements.in by

    uv pip compile requirements.in --override overrides.txt --generate-hashes \
        --python-version 3.11 --output-file requirements.lock
"""

import hashlib
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from infra.process import ManagedProcess, ProcessSpec
from infra.settings import Settings
from infra.stack_state import locked
from schemas.errors import ConfigError, Fatal

_LOCK: Final = Path(__file__).with_name("vllm") / "requirements.lock"
# About 150 s on two cores, most of it imports and warming up; a large model takes longer to load.
START_TIMEOUT_S: Final = 900.0
_PROBE_S: Final = 1.0


def environment(settings: Settings) -> Path:
    """Where the environment of exactly this lock file is kept."""
    digest = hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:8]
    return settings.cache_dir / f"vllm-{digest}"


def python_of(settings: Settings) -> Path | None:
    """The interpreter that has vLLM; None where it is not installed, or not to its end.

    Raises ``ConfigError`` where the settings name one that cannot be used.
    """
    if settings.vllm_python:
        return _checked(settings.vllm_python)
    folder = environment(settings)
    return folder / "bin" / "python" if (folder / ".installed").exists() else None


def installed(settings: Settings) -> Path:
    """The interpreter that has vLLM; raises ``ConfigError`` where there is none."""
    if (python := python_of(settings)) is None:
        raise ConfigError(
            "vLLM is not installed; run `prefstream vllm install` (about 6 GB), or name the python "
            "of an environment that has it by PREFSTREAM_VLLM_PYTHON"
        )
    return python


def install(settings: Settings) -> Path:
    """Make the environment unless one is there (about 6 GB); returns its interpreter.

    pip writes its progress to standard error. Any number of processes may ask at once: one
    installs, the others wait. Raises ``Fatal`` where pip fails, ``ConfigError`` as ``python_of``.
    """
    if settings.vllm_python:
        return installed(settings)
    folder = environment(settings)
    settings.cache_dir.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_name(f"{folder.name}.lock")):
        if found := python_of(settings):
            return found
        shutil.rmtree(folder, ignore_errors=True)
        python = folder / "bin" / "python"
        _run([sys.executable, "-m", "venv", str(folder)])
        # The lock is complete, and an override in it contradicts what vLLM asks for: no resolving.
        pip = [str(python), "-m", "pip", "install", "--no-deps", "--no-compile"]
        _run([*pip, "--require-hashes", "--requirement", str(_LOCK)])
        (folder / ".installed").touch()
        return python


def start(
    settings: Settings,
    folder: Path,
    *,
    name: str,
    port: int,
    options: Sequence[str] = (),
    cache_gib: int = 1,
) -> ManagedProcess:
    """Start to serve the model in ``folder`` on loopback, as ``name``; see ``is_ready``.

    ``options`` go to vLLM as they are, ``cache_gib`` is the memory for keys and values on a CPU.
    Requests alone say how answers are drawn, as they do in process: what the folder's
    generation_config.json would add (a top-k, a penalty) is left out. The log is by port: of two
    servers each has its own.
    Raises ``ConfigError`` where vLLM is not installed or there is no such folder.
    """
    python = installed(settings)
    if not (folder / "config.json").is_file():
        raise ConfigError(f"{folder} holds no model (no config.json); name a model folder")
    key = settings.model_api_key
    spec = ProcessSpec(
        name=f"vllm-{port}",
        argv=(
            *(str(python), "-m", "vllm.entrypoints.openai.api_server"),
            *("--generation-config", "vllm", *options),
            *("--model", str(folder.resolve()), "--served-model-name", name),
            *("--host", "127.0.0.1", "--port", str(port)),
        ),
        environment={
            "VLLM_CPU_KVCACHE_SPACE": str(cache_gib),
            "VLLM_NO_USAGE_STATS": "1",
            "HF_HUB_OFFLINE": "1",
        }
        | ({"VLLM_API_KEY": key.get_secret_value()} if key else {}),
        stop_timeout_s=30.0,
    )
    return ManagedProcess(spec, settings.data_dir / "logs" / f"{spec.name}.log")


def is_ready(port: int) -> bool:
    """Whether the server on this port takes requests."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=_PROBE_S) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _checked(python: Path) -> Path:
    """The named interpreter, absolute; not resolved, as a link is what makes it its environment's.

    Raises ``ConfigError`` where it cannot be run or has no vLLM.
    """
    python = python.absolute()
    told = f"PREFSTREAM_VLLM_PYTHON={python}"
    if not python.is_file() or not os.access(python, os.X_OK):
        raise ConfigError(f"{told}: nothing that can be run; give DIR/bin/python of an environment")
    # found, not imported: that would load torch too
    found = "import importlib.util, sys; sys.exit(importlib.util.find_spec('vllm') is None)"
    try:
        done = subprocess.run([python, "-c", found], check=False, capture_output=True)
    except OSError as error:
        raise ConfigError(f"{told} cannot be started: {error.strerror}") from None
    if done.returncode:
        raise ConfigError(f"{told} has no vLLM; install it there, or name another environment")
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=sys.stderr, check=False)
    if done.returncode:
        raise Fatal(
            f"`{' '.join(command[:4])} …` ended with exit code {done.returncode}; what it wrote "
            "above says why. It needs the package index, and 6 GB in PREFSTREAM_CACHE_DIR"
        )

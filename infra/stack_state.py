"""The local stack's state file, ``data_dir/stack.json``: who runs where.

Several processes write to it (the supervisor, the ClickHouse owner), so every change is a
read-modify-write under a file lock, and the file is replaced whole: a reader never sees half.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import ConfigError


class _Part(BaseModel):
    # A newer version may have written more: what this one does not know it must not drop.
    model_config = ConfigDict(frozen=True, extra="allow")


class ProcessState(_Part):
    """One process. ``started`` is its start mark (infra.process_identity), so that a recycled pid
    is never taken for it; ``pid`` None means it is not running."""

    pid: int | None = None
    started: str = ""
    argv: tuple[str, ...] = ()
    log: str = ""
    url: str = ""
    status: str = "running"


class KafkaState(_Part):
    """The broker: its addresses are kept after a stop, to be used again where still free."""

    bootstrap: str
    controller: str = ""
    cluster_id: str = ""
    pid: int | None = None
    started: str = ""


class ClickHouseState(_Part):
    """The process that owns the embedded engine, and its loopback address."""

    url: str
    pid: int | None = None
    started: str = ""


class StackState(_Part):
    """Everything that runs of one local stack."""

    supervisor: ProcessState | None = None
    ready: bool = False
    kafka: KafkaState | None = None
    clickhouse: ClickHouseState | None = None
    processes: dict[str, ProcessState] = Field(default_factory=dict)


def state_path(data_dir: Path) -> Path:
    """The state file of the stack whose data is in ``data_dir``."""
    return data_dir / "stack.json"


def read_state(data_dir: Path) -> StackState:
    """The state as last written; an empty one where no stack ever ran.

    Raises ``ConfigError`` if the file cannot be understood.
    """
    path = state_path(data_dir)
    try:
        return StackState.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return StackState()
    except (ValidationError, OSError) as error:
        raise ConfigError(
            f"{path} cannot be read as a stack's state ({type(error).__name__}); "
            "stop what runs there, remove the file and run `prefstream up` again"
        ) from None


def update_state(data_dir: Path, change: Callable[[StackState], StackState]) -> StackState:
    """Replace the state by ``change`` of it, atomically and under a lock; returns the new one."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with locked(data_dir / "stack.json.lock"):
        state = change(read_state(data_dir))
        path = state_path(data_dir)
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        # For its owner's eyes: the loopback address of ClickHouse has a password in it.
        draft.touch(mode=0o600)
        draft.write_text(state.model_dump_json(indent=2) + "\n")
        draft.replace(path)
    return state


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on ``path`` (made if needed); the kernel frees it if we die."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

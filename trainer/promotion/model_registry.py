"""The model registry: promoted versions, and the alias that says which one serves.

    models/production     -> versions/NAME   the alias: a symbolic link, moved by one rename
    models/versions/NAME  a policy with its card, manifest, metrics and hashes; never changed
    models/history.jsonl  every move, written ahead of it

A server that loads ``models/production`` always finds a complete policy there. Of several
processes one at a time changes anything; a trainer whose successor took over changes nothing. One
alias serves one workload, so a registry is of the one that it serves, or whose trainer claimed it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from infra.durable import append_line, sync_folder
from infra.settings import Settings
from infra.stack_state import locked
from schemas.errors import ConfigError, Fatal
from trainer.manifest import Manifest
from trainer.promotion.alias_history import Move, claimed_by, last_epoch, made, standing
from trainer.promotion.version import VERSION_FILE, Version, damages, read_version, write_version

ALIAS: Final = "production"

Clock = Callable[[], datetime]


class Fenced(Fatal):
    """Another trainer has taken over, or the alias moved meanwhile: what was decided is stale."""


def models_dir(settings: Settings) -> Path:
    """Where promoted policies are kept."""
    return (settings.models_dir or settings.data_dir / "models").absolute()


class ModelRegistry:
    """One folder of versions and its alias. Every method is safe between processes.

    Those that write raise ``Fatal`` where the disk does not take it; the alias is then where it
    was.
    """

    def __init__(self, root: Path, clock: Clock) -> None:
        self.root = root
        self._clock = clock
        self._history = root / "history.jsonl"

    def folder(self, version: str) -> Path:
        """Where the version is, or would be."""
        return self.root / "versions" / version

    @property
    def alias(self) -> Path:
        """The path to serve from."""
        return self.root / ALIAS

    def current(self) -> str | None:
        """The name of the version that serves; None before the first promotion."""
        try:
            return Path(os.readlink(self.alias)).name
        except FileNotFoundError:
            return None

    def moves(self) -> tuple[Move, ...]:
        """Every move that was made, oldest first; ``ConfigError`` for a damaged history."""
        return made(self._written(), self.current())

    def standing(self) -> tuple[Move, ...]:
        """The promotions that were not rolled back, oldest first.

        Raises ``ConfigError`` where the history is damaged, or lost while a version serves.
        """
        serves, found = self.current(), standing(self.moves())
        if serves is not None and not found:
            raise ConfigError(
                f"{self._history}: does not tell how {serves} came to serve; restore the file from "
                "a backup"
            )
        return found

    def require(self, workload_id: str) -> None:
        """Raise ``ConfigError`` where the registry is another workload's."""
        serves = self.current()
        if serves is not None:
            owner = read_version(self.folder(serves)).workload_id
        else:
            owner = claimed_by(self._written()) or workload_id
        if owner != workload_id:
            raise ConfigError(
                f"{self.root}: keeps the policies of workload {owner}, and {ALIAS} can serve no "
                f"other one; set PREFSTREAM_MODELS_DIR to a folder of {workload_id}'s own"
            )

    def names(self) -> tuple[Path, ...]:
        """The folders that the alias and the versions name; ``ConfigError`` for a damaged one."""
        written = sorted((self.root / "versions").glob(f"*/{VERSION_FILE}"))
        started_from = (Path(read_version(file.parent).policy) for file in written)
        return (self.alias, *started_from)

    def claim(self, epoch: int, workload_id: str) -> None:
        """A workload's trainer took over: from now on those of earlier epochs move nothing.

        Raises ``Fenced`` where a later one did already, and as ``require``.
        """
        with self._changing(epoch):
            self.require(workload_id)
            if last_epoch(self._written()) != epoch:
                move = Move(at=self._clock(), kind="claim", epoch=epoch, workload_id=workload_id)
                self._write(move)

    def add(self, version: Version, checkpoint: Path, manifest: Manifest) -> Path:
        """The version's folder, made from the checkpoint if it is not there; verified.

        Raises ``ConfigError`` where it is damaged, or the checkpoint is not what the run trained,
        and as ``require``.
        """
        folder = self.folder(version.name)
        with self._changing(None):
            self.require(version.workload_id)
            if not folder.exists():
                folder.parent.mkdir(exist_ok=True)
                write_version(version, checkpoint, manifest, folder)
        self._check(folder)
        return folder

    def promote(
        self, version: str, *, run_id: str, instead_of: str | None, epoch: int | None = None
    ) -> Move:
        """Move the alias to a version; returns the move, the one made before if it serves already.

        ``instead_of`` is the version that the gates compared it with. Raises ``Fenced`` where
        another one serves now or a later epoch was claimed, ``ConfigError`` for a damaged version,
        and as ``require``.
        """
        folder = self.folder(version)
        self._check(folder)
        with self._changing(epoch):
            self.require(read_version(folder).workload_id)
            current = self.current()
            if current == version:
                return self.standing()[-1]
            if current != instead_of:
                raise Fenced(
                    f"{version} was compared with {instead_of or 'no policy'}, but "
                    f"{current or 'none'} serves now; run the gates again"
                )
            move = Move(
                at=self._clock(),
                kind="promote",
                version=version,
                previous=current,
                run_id=run_id,
                epoch=epoch,
            )
            self._move(move)
            return move

    def rollback(self) -> Move:
        """Move the alias back to the policy that served before the last standing promotion.

        Raises ``ConfigError`` where there is none, or it is damaged.
        """
        with self._changing(None):
            stack = self.standing()
            if len(stack) < 2:
                raise ConfigError(
                    f"{self.root}: no earlier promotion to roll back to; "
                    "`prefstream models` shows what there is"
                )
            self._check(self.folder(stack[-2].version))
            move = Move(
                at=self._clock(),
                kind="rollback",
                version=stack[-2].version,
                previous=stack[-1].version,
                run_id=stack[-2].run_id,
            )
            self._move(move)
            return move

    @contextmanager
    def _changing(self, epoch: int | None) -> Iterator[None]:
        """Hold the lock, and let only the latest epoch in."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with locked(self.root / "lock"):
                latest = last_epoch(self._written())
                if epoch is not None and latest is not None and epoch < latest:
                    raise Fenced(
                        f"a trainer of epoch {latest} has taken over from this one of epoch "
                        f"{epoch}; it decides what is promoted"
                    )
                yield
        except OSError as error:
            raise Fatal(
                f"{self.root}: {error.strerror or error}; {ALIAS} is still "
                f"{self.current() or 'no policy'}. Make room or correct the folder, and promote "
                "again"
            ) from error

    def _move(self, move: Move) -> None:
        self._write(move)
        draft = self.root / f"{ALIAS}.new"
        draft.unlink(missing_ok=True)
        draft.symlink_to(Path("versions") / move.version)
        draft.replace(self.alias)
        sync_folder(self.root)

    def _write(self, move: Move) -> None:
        append_line(self._history, move.model_dump_json())

    def _written(self) -> tuple[Move, ...]:
        """Every whole line; a torn last one was never acted on."""
        if not self._history.exists():
            return ()
        whole = self._history.read_bytes().rpartition(b"\n")[0]
        try:
            return tuple(Move.model_validate_json(line) for line in whole.splitlines())
        except ValidationError as error:
            raise ConfigError(
                f"{self._history}: damaged ({error.error_count()} errors in a line); restore the "
                "file from a backup"
            ) from None

    def _check(self, folder: Path) -> None:
        if wrong := damages(folder):
            shown = ", ".join(f"{name} ({what})" for name, what in wrong.items())
            raise ConfigError(
                f"{folder}: not the files that were promoted: {shown}; restore them from a backup"
            )

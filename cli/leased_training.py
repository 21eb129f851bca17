"""A training as a child process that lives only while its trainer leads."""

import os
import subprocess
from typing import Final

from cli.trained_folders import trained_dir
from infra.full_disk import a_full_disk_is_fatal
from infra.settings import Settings
from schemas.events import Run

_SAYS: Final = "prefstream: "


class LeasedTraining:
    """`prefstream train` as a child, or the `promote` that was left of one.

    ``told`` is the decision that started it, or the last event of the run; ``name`` is its log's.
    Raises ``Fatal`` where there is no room for one.
    """

    def __init__(self, settings: Settings, command: list[str], told: Run, name: str) -> None:
        folder = trained_dir(settings)
        self.told = told
        self._log_path = folder / f"{name}.log"
        with a_full_disk_is_fatal(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._log_path.touch()
        with self._log_path.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **settings.environment()},
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        """Where its output is."""
        return str(self._log_path)

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.returncode

    def renew(self) -> None:
        """Let it live for another lease."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(b".")
            self._process.stdin.flush()
        except BrokenPipeError:
            return

    def ended(self) -> bool:
        """Whether it has."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """End it now, and wait until it has."""
        self._process.kill()
        self._process.wait()

    def last_words(self) -> str:
        """The sentence that says why a command failed; libraries may write lines after it."""
        lines = self._log_path.read_text(encoding="utf-8", errors="replace").split("\n")
        said = [line.removeprefix(_SAYS) for line in lines if line.startswith(_SAYS)]
        return said[-1] if said else f"ended with exit code {self.exit_code}; see {self.log}"

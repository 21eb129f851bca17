"""The budget as the project file has it now: raising it needs no restart of the worker."""

import logging
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from infra.yaml_config import load_yaml
from schemas.errors import ConfigError
from streams.inference.settings import Budget, InferenceSettings

_log = logging.getLogger(__name__)


class _Inference(BaseModel):
    """The one section of pipeline.yaml that is read again."""

    model_config = ConfigDict(extra="ignore")

    inference: InferenceSettings = InferenceSettings()


class LiveBudget:
    """Gives ``inference.budget`` of a file, read again when the file changes.

    Where it cannot be read, the budget stays what it was and the log says so, once a change.
    """

    def __init__(self, path: Path, budget: Budget) -> None:
        """``budget`` is what the file holds now."""
        self._path = path
        self._budget = budget
        self._stamp = self._now()

    def __call__(self) -> Budget:
        """The budget of this moment."""
        stamp = self._now()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._budget = load_yaml(self._path, _Inference).inference.budget
            except ConfigError as error:
                _log.warning("the budget stays as it was: %s", error)
        return self._budget

    def _now(self) -> tuple[int, int] | None:
        """What tells one writing of the file from the next; None where it is gone."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size

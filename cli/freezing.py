"""Freezing a topic as it is now: what must stay out is asked for, and the log is read once."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cli.project import Project, load_project
from cli.scratch import scratch
from consumers.anchors.held_out import Asked, HeldOut, held_out
from infra.settings import Settings
from infra.topic_log import EventLog, snapshot
from infra.topic_range import parts_of
from schemas.errors import ConfigError
from schemas.events import TOPICS, Event
from trainer.dataset import FrozenDataset, load
from trainer.log_slice import read_log
from trainer.manifest import Manifest
from trainer.prompts import Prompt, read_prompts
from trainer.row_hash import newest_schema, row_schema
from trainer.staged_log import StagedLog, stage

ALL = "all"
"""Instead of a workload's name: every one's."""


def workload_id(wanted: str | None, project_dir: Path) -> str | None:
    """The workload that an option names, None for all; of no option the project's.

    Raises ``ConfigError`` as ``load_project``.
    """
    if wanted is None:
        return load_project(project_dir).workload
    return None if wanted == ALL else wanted


def load_own(manifest: Path, project: Project) -> FrozenDataset:
    """A frozen dataset of the project's workload, or of all; ``ConfigError`` for another's."""
    loaded = load(manifest)
    if loaded.manifest.workload_id not in (None, project.workload):
        raise ConfigError(
            f"{manifest}: holds pairs of workload {loaded.manifest.workload_id}, and the project's "
            f"is {project.workload}; train on it with that one's --project"
        )
    return loaded


@contextmanager
def staged(
    settings: Settings,
    what: type[Event] | Manifest,
    folder: Path,
    offsets: Sequence[str] = (),
) -> Iterator[StagedLog]:
    """All that an event's topic holds now (of it the ``offsets`` that are named, see ``parts_of``),
    or a manifest's part of the log, on disk by ``folder``.

    Raises ``LogChanged``, ``DependencyDown``, and ``ConfigError`` for offsets that are not there
    and where another process freezes into that folder.
    """
    if isinstance(what, Manifest):
        ranges, schema = what.ranges, row_schema(what.row_schema)
    else:
        ranges, schema = snapshot(settings, TOPICS[what]), newest_schema(what)
        if offsets:
            ranges = parts_of(TOPICS[what], ranges, offsets)
    log = read_log(settings, ranges)
    with scratch(folder, "freezing") as parts:
        yield stage(log, schema, parts)


def kept_out(
    log: EventLog,
    project: Project,
    project_dir: Path,
    rows: Iterable[Asked],
    prompts: Iterable[Prompt],
) -> HeldOut:
    """What may not be trained on: the log's anchors, the prompts that decide on a promotion and
    ``prompts``, of whatever workload, and the prompts of ``rows`` that nearly repeat one of these.
    """
    locked = project.promotion.prompts
    decide = read_prompts(project_dir / locked, Prompt, project.workload) if locked else ()
    return held_out(log, project.calibration.shares, rows, [*decide, *prompts])

"""Where a demo run works: a project directory of its own, with its warehouse, copies of it, and the
prompts that decide on a promotion."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from examples.harbor import warehouse
from examples.harbor.evaluation_prompts import write_held_out

_HARBOR = Path(__file__).parents[1]
# The instance that labelling and evaluation run on, and the first of those they never see.
_SEED = 1
_FIRST_COPY_SEED = 101


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """``project`` holds pipeline.yaml; ``copies`` are warehouses that only measuring uses."""

    root: Path
    project: Path
    checkpoints: Path
    copies: tuple[Path, ...]

    @property
    def policies(self) -> Path:
        """Where trained policies and their datasets go."""
        return self.root / "policies"

    @property
    def laid_out(self) -> Path:
        """A file that is there once everything else is."""
        return self.root / "laid-out"

    def forget(self, policy: str) -> None:
        """Remove what a run that was cut short left of a policy and its dataset."""
        for folder in (policy, f"{policy}.part", f"{policy}.dataset"):
            shutil.rmtree(self.policies / folder, ignore_errors=True)


def lay_out(root: Path, copies: int) -> Workspace:
    """Make the workspace anew; whatever an earlier run left in ``root`` is removed."""
    shutil.rmtree(root, ignore_errors=True)
    project = root / "project"
    shutil.copytree(_HARBOR / "project", project, ignore=shutil.ignore_patterns("*.duckdb"))
    # pipeline.yaml names the models as ../checkpoints/..., here as in the repository
    (root / "checkpoints").symlink_to(_HARBOR / "checkpoints")
    warehouse.build(project / "warehouse.duckdb", _SEED)
    # as pipeline.yaml names them in promotion.prompts
    write_held_out(project / "held-out.jsonl")
    paths = _copies(root, copies)
    for n, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        warehouse.build(path, _FIRST_COPY_SEED + n)
    workspace = _workspace(root, paths)
    workspace.laid_out.touch()
    return workspace


def take_up(root: Path, copies: int) -> Workspace:
    """The workspace of an earlier run as it is, or a new one where there is none."""
    workspace = _workspace(root, _copies(root, copies))
    return workspace if workspace.laid_out.exists() else lay_out(root, copies)


def _workspace(root: Path, copies: tuple[Path, ...]) -> Workspace:
    return Workspace(
        root=root, project=root / "project", checkpoints=root / "checkpoints", copies=copies
    )


def _copies(root: Path, copies: int) -> tuple[Path, ...]:
    return tuple(root / "copies" / f"copy-{n}.duckdb" for n in range(copies))

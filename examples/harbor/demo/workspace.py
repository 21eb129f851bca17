"""Where a demo run works: a project directory of its own, with its warehouse and copies of it."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from examples.harbor import warehouse

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


def lay_out(root: Path, copies: int) -> Workspace:
    """Make the workspace anew; whatever an earlier run left in ``root`` is removed."""
    shutil.rmtree(root, ignore_errors=True)
    project = root / "project"
    shutil.copytree(_HARBOR / "project", project, ignore=shutil.ignore_patterns("*.duckdb"))
    # pipeline.yaml names the models as ../checkpoints/..., here as in the repository
    (root / "checkpoints").symlink_to(_HARBOR / "checkpoints")
    warehouse.build(project / "warehouse.duckdb", _SEED)
    paths = tuple(root / "copies" / f"copy-{n}.duckdb" for n in range(copies))
    for n, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        warehouse.build(path, _FIRST_COPY_SEED + n)
    return Workspace(root=root, project=project, checkpoints=root / "checkpoints", copies=paths)

"""What `prefstream train` was asked for."""

from dataclasses import dataclass
from pathlib import Path

from schemas.records import PreferenceSource


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """What the command was asked for. ``manifest`` None = freeze the topic as it is now."""

    project: Path
    policy: Path
    out: Path
    algorithm: str
    manifest: Path | None
    prompts: Path | None
    exclude: tuple[Path, ...]
    offsets: tuple[str, ...]
    sources: tuple[PreferenceSource, ...]
    judge_config: str | None
    ungated: bool
    seed: int | None
    attack_success: float | None = None
    promote: bool = False
    epoch: int | None = None

    @property
    def dataset_dir(self) -> Path:
        """Where the rows go: beside the policy that is trained on them."""
        return self.out.with_name(f"{self.out.name}.dataset")

"""Promote and roll back: the registry's moves, told as run events."""

from pathlib import Path

from schemas.errors import ConfigError
from schemas.events import Run
from schemas.records import RunStatus
from trainer.promotion.candidate import Candidate, next_step
from trainer.promotion.model_registry import ModelRegistry
from trainer.promotion.version import dataset_manifest, read_version, version_of


def promote(candidate: Candidate, registry: ModelRegistry, *, epoch: int | None = None) -> Run:
    """Copy the checkpoint into a version and move the alias to it; returns the event to publish.

    Doing it again, after a crash or for good measure, changes nothing and gives the same event.
    Raises ``ConfigError`` where the gates after training did not pass, ``Fenced`` where what they
    compared it with does not serve any more or a later epoch was claimed, ``Fatal`` where the disk
    does not take it. The alias is then where it was.
    """
    trained, gated = candidate.trained, candidate.gated
    if gated is None or gated.status is not RunStatus.CLEARED:
        said = "have not run" if gated is None else f"said no: {gated.detail}"
        raise ConfigError(f"run {trained.run_id} is not promoted: its gates after training {said}")
    checkpoint = Path(trained.checkpoint)
    version = version_of(trained, gated)
    manifest = dataset_manifest(checkpoint, trained.manifest_hash)
    folder = registry.add(version, checkpoint, manifest)
    move = registry.promote(
        version.name, run_id=trained.run_id, instead_of=version_in(gated.policy), epoch=epoch
    )
    return next_step(
        trained,
        RunStatus.PROMOTED,
        move.at,
        gates=gated.gates,
        policy=gated.policy,
        checkpoint=str(folder),
        metrics_before=gated.metrics_before,
        metrics_after=gated.metrics_after,
        detail=f"serves instead of {move.previous or 'no policy'}",
        epoch=move.epoch,
    )


def roll_back(registry: ModelRegistry) -> Run:
    """Move the alias back by one promotion; returns the event, which is the run's that was demoted.

    Raises as ``ModelRegistry.rollback``.
    """
    move = registry.rollback()
    return next_step(
        _run_of(registry, move.previous or move.version),
        RunStatus.ROLLED_BACK,
        move.at,
        detail=f"{move.version} serves again",
    )


def reference(registry: ModelRegistry, trained: Run) -> Path:
    """What a candidate has to be no worse than: the policy that serves, else its own start."""
    current = registry.current()
    return Path(trained.policy) if current is None else registry.folder(current)


def version_in(policy: str) -> str | None:
    """The version that a policy's folder is; None for one outside the registry."""
    path = Path(policy)
    return path.name if path.parent.name == "versions" else None


def _run_of(registry: ModelRegistry, name: str) -> Run:
    """The demoted run's event as far as its version knows it: no broker is needed to roll back."""
    version = read_version(registry.folder(name))
    return Run(
        event_id=version.run_id,
        occurred_at=version.trained_at,
        workload_id=version.workload_id,
        config_hash="",
        run_id=version.run_id,
        status=RunStatus.PROMOTED,
        manifest_hash=version.manifest_hash,
        algorithm=version.algorithm,
        hyper_parameters=version.hyper_parameters,
        policy=version.policy,
        checkpoint=str(registry.folder(name)),
        fingerprint=version.fingerprint,
    )

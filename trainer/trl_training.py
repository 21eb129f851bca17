"""What every algorithm has in common: TRL's trainer is built, watched, resumed, its model saved."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from infra.full_disk import a_full_disk_is_fatal
from schemas.errors import ConfigError
from schemas.events import Preference
from streams.inference.device import a_full_card_is_fatal, compute_device
from streams.inference.identity import folder_fingerprint
from trainer import processes, sharding
from trainer.checkpoint import (
    Policy,
    check_empty,
    discard_part,
    load_policy,
    part_dir,
)
from trainer.policy import Kind, TrainedPolicy, Watch
from trainer.precision import computes_in_bfloat16
from trainer.progress import Diverged, StepLog, watching
from trainer.quiet import quiet
from trainer.resume import Origin, begin, can_resume, marking, steps_of
from trainer.row_hash import newest_schema, row_sha256
from trainer.row_lengths import Fitted, Reading, fit
from trainer.saving import save
from trainer.trackers import check_trackers, curves_of
from trainer.training_config import WITHOUT_EFFECT, TrainingConfig

if TYPE_CHECKING:
    from transformers import Trainer

C = TypeVar("C", bound=TrainingConfig)


@dataclass(frozen=True, kw_only=True)
class Job(Generic[C]):
    """What a trainer is built from."""

    policy: Policy
    fitted: Fitted
    config: C
    kind: Kind
    output_dir: Path

    @property
    def parts(self) -> int:
        """Into how many forward passes a batch is cut, over all processes.

        Raises ``ConfigError`` where they would not be of one size.
        """
        parts = processes.count() * self.config.accumulation
        if self.config.batch_size % parts:
            raise ConfigError(
                f"batch_size {self.config.batch_size} is no multiple of {parts} "
                f"({processes.count()} processes, accumulation {self.config.accumulation})"
            )
        return parts

    @property
    def part_size(self) -> int:
        """How many examples one process is given at a time; raises as ``parts``."""
        return self.config.batch_size // self.parts

    @property
    def computes_reference_once(self) -> bool:
        """Whether a reference is asked about all rows before training, or about each batch in it.

        Before training FSDP has not sharded the policy, nor brought it to the card, and without its
        adapter that is the reference. DeepSpeed 0.19 cannot train a policy that it asked before.
        """
        adapted = self.config.lora is not None
        return not (sharding.by_zero() or (adapted and sharding.by_fsdp()))

    def arguments(self, n_examples: int) -> dict[str, Any]:
        """The TRL arguments that all algorithms share, for this many examples an epoch.

        No network, nothing printed; bf16 where the hardware has it.
        """
        config, on_gpu = self.config, compute_device() == "cuda"
        steps = math.ceil(n_examples / config.batch_size) * config.epochs
        return {
            "output_dir": str(self.output_dir),
            "learning_rate": config.learning_rate,
            "num_train_epochs": config.epochs,
            "per_device_train_batch_size": self.part_size,
            "gradient_accumulation_steps": config.accumulation,
            "warmup_steps": math.floor(steps * config.warmup_share),
            "seed": config.seed,
            "gradient_checkpointing": config.gradient_checkpointing,
            "bf16": computes_in_bfloat16(config.precision),
            "use_cpu": not on_gpu,
            "ddp_backend": None if on_gpu or processes.count() == 1 else "gloo",
            "ddp_find_unused_parameters": False,
            "dataloader_pin_memory": on_gpu,
            "logging_steps": max(1, math.floor(steps / 20)),
            # By default a loss that is no number is logged as the last good one.
            "logging_nan_inf_filter": False,
            "disable_tqdm": True,
            "save_strategy": "steps" if config.checkpoints else "no",
            "save_steps": max(1, math.ceil(steps / (config.checkpoints + 1))),
            "report_to": list(config.report_to) or "none",
        }


@dataclass(frozen=True, kw_only=True)
class Method(Generic[C]):
    """An algorithm: its name, how it reads rows, and its trainer.

    ``models`` are the folders of others that decide what is learned, by the names of settings.
    """

    name: str
    build: Callable[[Job[C]], "Trainer"]
    reading: Reading = field(default_factory=Reading)
    load: Callable[[Path, C], Policy] = lambda path, config: load_policy(path, config.max_length)
    kind: Kind = "policy"
    models: Mapping[str, Path] = field(default_factory=dict)


def train_with(
    method: Method[C],
    dataset: Sequence[Preference],
    policy_path: Path,
    config: C,
    out_dir: Path,
    watch: Watch,
) -> TrainedPolicy:
    """Train the policy on the rows and save it to ``out_dir``, which must be new or empty.

    Where the same training was ended before, by a kill or Ctrl-C, it goes on from its last
    checkpoint. Raises ``ConfigError`` where rows, policy or ``out_dir`` cannot be used,
    ``Diverged`` where loss or weights are no longer numbers, ``Fatal`` where the disk is full;
    ``out_dir`` is then left as it was.
    """
    check_empty(out_dir)
    check_trackers(config.report_to)
    sharding.overrule_launcher()
    started, log, part = time.monotonic(), StepLog(), part_dir(out_dir)
    with quiet():
        policy = method.load(policy_path, config)
    fitted = fit(dataset, policy, method.reading)
    origin = _origin(method, fitted, config, policy_path)
    checkpoint = processes.first_before_others(lambda: begin(part, origin))
    job = Job(policy=policy, fitted=fitted, config=config, kind=method.kind, output_dir=part)
    try:
        with (
            a_full_disk_is_fatal(part),
            a_full_card_is_fatal(
                f"training in {part}", "use a smaller batch_size, or more accumulation"
            ),
            quiet(),
            curves_of(out_dir),
        ):
            trainer = method.build(job)
            trainer.add_callback(watching(watch, log))
            trainer.add_callback(marking())
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
            save(trainer, policy, lambda: method.load(policy_path, config), out_dir)
    except BaseException as error:
        # What the same command would only run into again is of no use. One that went on may lack
        # what it had before: a reward model's folder, a server.
        again = isinstance(error, Diverged) or (isinstance(error, ConfigError) and not checkpoint)
        if again or not can_resume(part):
            discard_part(out_dir)
        raise
    hyper_parameters = config.model_dump() | {"max_length": policy.max_length}
    return TrainedPolicy(
        path=out_dir,
        kind=method.kind,
        algorithm=method.name,
        hyper_parameters={name: str(value) for name, value in hyper_parameters.items()},
        rows=len(fitted.rows),
        dropped=fitted.dropped,
        truncated=fitted.truncated,
        steps=trainer.state.global_step,
        resumed_from=steps_of(checkpoint),
        seconds=time.monotonic() - started,
        metrics=log.first_and_last(),
    )


def _origin(method: Method[C], fitted: Fitted, config: TrainingConfig, policy_path: Path) -> Origin:
    settings = config.model_dump(mode="json", exclude=set(WITHOUT_EFFECT))
    return Origin(
        algorithm=method.name,
        config={name: str(value) for name, value in settings.items()}
        | {
            f"weights of {name}": folder_fingerprint(folder) if folder.is_dir() else "none"
            for name, folder in method.models.items()
        },
        rows_sha256=row_sha256(fitted.rows, newest_schema()),
        policy=folder_fingerprint(policy_path),
        processes=processes.count(),
    )

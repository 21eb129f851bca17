"""A TRL trainer as prefstream runs it: quiet, and with little padding."""

from collections.abc import Iterable, Mapping, Sequence, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from schemas.errors import Fatal
from schemas.events import Preference
from schemas.records import Message
from trainer import processes, sharding
from trainer.length_batches import LengthBatches
from trainer.quiet import quiet
from trainer.trl_training import Job

if TYPE_CHECKING:
    from datasets import Dataset
    from torch.nn import Module
    from torch.utils.data import DataLoader
    from transformers import Trainer, TrainingArguments

Row = Mapping[str, object]

_ROWS = "rows"


def trl_trainer(
    trainer_class: "type[Trainer]",
    arguments: "TrainingArguments",
    job: Job[Any],
    rows: Iterable[Row],
    *,
    length_batches: bool = False,
    **options: object,
) -> "Trainer":
    """The trainer over the rows. ``length_batches`` needs one of them for each row of the job.

    Raises ``ConfigError`` where the policy lacks a layer that is to have an adapter, and ``Fatal``
    where TRL leaves out rows that were counted as trained on.
    """
    from transformers import PrinterCallback

    with quiet():
        dataset = processes.first_before_others(lambda: _on_disk(rows, job.output_dir / _ROWS))
    make: Any = _by_length(trainer_class, job) if length_batches else trainer_class
    lora = job.config.lora
    if lora is not None:
        lora.check(job.policy.model)
        options["peft_config"] = lora.of_peft(job.kind)
    # Else torch's DataParallel takes every card that it sees, which TRL refuses.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    if sharding.by_fsdp():
        sharding.let_processors_shard()
        # Else TRL reads the reference onto all the cards that a process sees.
        if hasattr(arguments, "model_init_kwargs"):
            cast(Any, arguments).model_init_kwargs = {"device_map": None}
    with quiet():
        trainer: Trainer = make(
            job.policy.model,
            args=arguments,
            train_dataset=dataset,
            processing_class=job.policy.tokenizer,
            **options,
        )
    if len(cast(Sized, trainer.train_dataset)) != len(dataset):
        raise Fatal(
            f"TRL left out some of {len(dataset)} rows that fit into the context; look for answers "
            "that are empty in the chat template"
        )
    if lora is not None:
        lora.drop_out(cast("Module", trainer.model))
    # It prints every log to standard output, which belongs to the command.
    trainer.remove_callback(PrinterCallback)
    return trainer


def _on_disk(rows: Iterable[Row], folder: Path) -> "Dataset":
    """Where all processes find them, with what TRL computes once about them (the reference)."""
    from datasets import Dataset, load_from_disk

    if not folder.exists():
        Dataset.from_list(list(rows)).save_to_disk(str(folder))
    return load_from_disk(str(folder))


def pair(row: Preference) -> dict[str, object]:
    """The row as message lists."""
    return {
        "prompt": messages(row.prompt),
        "chosen": messages(row.chosen),
        "rejected": messages(row.rejected),
    }


def messages(turns: Sequence[Message]) -> list[dict[str, str]]:
    """As chat templates take them."""
    return [turn.model_dump() for turn in turns]


def _by_length(trainer_class: "type[Trainer]", job: Job[Any]) -> "type[Trainer]":
    """Batches rows of similar length; TRL pads a random batch to its longest row."""
    from torch.utils.data import DataLoader
    from torch.utils.data import Dataset as Rows

    class ByLength(trainer_class):  # type: ignore[misc,valid-type,unused-ignore]
        def get_train_dataloader(self) -> "DataLoader[Row]":
            config = job.config
            loader = DataLoader(
                cast("Rows[Row]", self.train_dataset),
                batch_sampler=LengthBatches(
                    job.fitted.lengths,
                    config.batch_size,
                    config.seed,
                    epoch=lambda: int(self.state.epoch or 0),
                    parts=job.parts,
                ),
                collate_fn=self.data_collator,
                pin_memory=self.args.dataloader_pin_memory,
            )
            return self.accelerator.prepare(loader)  # type: ignore[no-any-return]

    return ByLength

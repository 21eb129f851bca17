"""A trained model into its folder, which is whole or not there at all."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from trainer import processes, sharding
from trainer.checkpoint import Policy, discard_part, part_dir
from trainer.progress import Diverged

if TYPE_CHECKING:
    from transformers import Trainer

LOG_FILE = "training_log.json"
"""Every logged step's metrics, in the checkpoint's folder."""

_MODEL, _ADAPTER = "model", "adapter"
# A pickle of the trainer's arguments, which nobody needs to run the policy.
_ARGUMENTS = "training_args.bin"


def save(trainer: "Trainer", policy: Policy, start: Callable[[], Policy], out_dir: Path) -> None:
    """Write beside ``out_dir`` and rename, by the first process; all of them have to call it.

    A sharded model is gathered. An adapter is merged into ``start()``, the policy that it was
    trained beside. Raises ``Diverged`` where a weight is no number.
    """
    part = part_dir(out_dir)
    adapts = hasattr(trainer.model, "peft_config")
    model = part / _MODEL
    saved = model / _ADAPTER if adapts else model
    trainer.save_model(str(saved))
    sharding.read_alone()
    if processes.is_first():
        if adapts:
            _merge(start(), saved, model)
        policy.tokenizer.save_pretrained(model)
        (saved / _ARGUMENTS).unlink(missing_ok=True)
        _check_finite(model)
        log = json.dumps(trainer.state.log_history, indent=1)
        (model / LOG_FILE).write_text(log + "\n", encoding="utf-8")
        if out_dir.exists():
            out_dir.rmdir()
        os.replace(model, out_dir)
        discard_part(out_dir)
    processes.wait_for_all()


def _merge(base: Policy, adapter: Path, model: Path) -> None:
    from peft import PeftModel

    merged = PeftModel.from_pretrained(base.model, adapter).merge_and_unload()
    merged.save_pretrained(model)


def _check_finite(model: Path) -> None:
    """The last step's gradient may be no number where every loss was one."""
    from safetensors import safe_open

    for file in model.glob("*.safetensors"):
        with safe_open(file, framework="pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118 (it is no mapping)
                if not tensors.get_tensor(name).isfinite().all():
                    raise Diverged(
                        "the trained weights are no longer numbers; lower the learning rate"
                    )
